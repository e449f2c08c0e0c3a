#include "server/room/room.h"

#include "server/room/objects.h"
#include "tests/unit/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void rooms_and_peers_come_and_go(void **state)
{
    (void)state;
    struct rooms rs;
    rooms_init(&rs);
    struct room *a = room_new(&rs, "a", 1000), *b = room_new(&rs, "b", 2000);
    assert_ptr_equal(rooms_find(&rs, "a"), a);
    assert_null(rooms_find(&rs, "c"));
    assert_string_not_equal(a->main.id, b->main.id);
    /* The same id in two rooms is two peers. */
    struct peer *p = peer_new(a, "p", "k"), *q = peer_new(b, "p", "other");
    assert_ptr_equal(room_peer(a, "p"), p);
    assert_ptr_equal(room_peer(b, "p"), q);
    assert_ptr_equal(room_peer_by_serial(a, p->serial), p);
    assert_null(room_peer_by_serial(a, q->serial));
    assert_int_equal(p->state, PEER_LOBBY);
    assert_int_equal(room_lobby_count(a), 1);
    assert_int_equal(rs.n_peers, 2);
    peer_free(p);
    assert_int_equal(a->n_peers, 0);
    room_free(b);
    assert_int_equal(rs.n_peers, 0);
    rooms_free(&rs);
    assert_int_equal(rs.n_rooms, 0);
}

static void bounds_rooms_peers_and_pictures(void **state)
{
    (void)state;
    struct rooms rs;
    rooms_init(&rs);
    char id[16];
    for (unsigned i = 0; i < ROOMS_MAX; i++) {
        snprintf(id, sizeof(id), "r%u", i);
        assert_non_null(room_new(&rs, id, 0));
    }
    assert_null(room_new(&rs, "more", 0));
    struct room *r = rooms_find(&rs, "r0");
    for (unsigned i = 0; i < ROOM_PEERS_MAX; i++) {
        snprintf(id, sizeof(id), "p%u", i);
        assert_non_null(peer_new(r, id, "k"));
    }
    assert_null(peer_new(r, "more", "k"));

    char *picture = malloc(PICTURE_MAX_BYTES + 1);
    memset(picture, 'x', PICTURE_MAX_BYTES);
    picture[PICTURE_MAX_BYTES] = 0;
    struct peer *p = r->peers;
    for (unsigned i = 0; i < PICTURES_MAX_BYTES / PICTURE_MAX_BYTES; i++, p = p->next)
        assert_true(peer_set_picture(p, picture));
    assert_false(peer_set_picture(p, "x"));
    assert_null(p->picture);
    assert_true(peer_set_picture(r->peers, "smaller"));
    assert_true(peer_set_picture(p, "x"));
    peer_free(r->peers);
    assert_true(peer_set_picture(p, NULL));
    free(picture);
    rooms_free(&rs);
}

static void strikes_are_forgiven_slowly(void **state)
{
    (void)state;
    struct rooms rs;
    rooms_init(&rs);
    struct peer *p = peer_new(room_new(&rs, "a", 0), "p", "k");
    int64_t now = 1000000000;
    for (unsigned i = 1; i < STRIKES_MAX; i++)
        assert_false(peer_strike(p, now));
    now += 2 * STRIKE_FORGIVE_S * 1000000;
    assert_false(peer_strike(p, now));
    assert_false(peer_strike(p, now));
    assert_true(peer_strike(p, now));
    for (unsigned i = 0; i < 1000; i++) {
        now += STRIKE_FORGIVE_S * 1000000;
        if (i > STRIKES_MAX)
            assert_false(peer_strike(p, now));
    }
    rooms_free(&rs);
}

static void history_keeps_the_newest(void **state)
{
    (void)state;
    struct chat c;
    chat_init(&c, 3, 17);
    chat_add(&c, "one", "p", "P", 1);
    chat_add(&c, "two", "p", "P", 2);
    chat_add(&c, "three", "q", "Q", 3);
    assert_int_equal(c.count, 3);
    chat_add(&c, "four", "q", "Q", 4);
    assert_int_equal(c.count, 2); /* 7 + 6 bytes; "two" went for the bytes */
    assert_string_equal(chat_at(&c, 0)->text, "three");
    chat_add(&c, "five", "q", "Q", 5);
    chat_add(&c, "a text longer than all that may be kept", "p", "P", 6);
    assert_int_equal(c.count, 1);
    chat_clear(&c);
    for (unsigned i = 0; i < 5; i++)
        chat_add(&c, i % 2 ? "x" : "y", "p", "", i);
    assert_int_equal(chat_remove(&c, "q", "x"), 0);
    assert_int_equal(chat_at(&c, 0)->at_ms, 2);
    assert_int_equal(chat_remove(&c, "p", "x"), 1);
    assert_int_equal(c.count, 2);
    assert_int_equal(chat_at(&c, 0)->at_ms, 2);
    assert_int_equal(chat_at(&c, 1)->at_ms, 4);
    chat_clear(&c);
    assert_int_equal(c.bytes, 0);
}

struct pair {
    struct rooms rs;
    struct peer *a, *b;
    struct transport *send, *recv;
};

static void pair_init(struct pair *x)
{
    rooms_init(&x->rs);
    struct room *r = room_new(&x->rs, "a", 0);
    x->a = peer_new(r, "a", "k");
    x->b = peer_new(r, "b", "k");
    x->send = transport_new(x->a, DIRECTION_SEND, 1, 0xffffffff);
    x->recv = transport_new(x->b, DIRECTION_RECV, 2, 0xffffffff);
}

static void objects_are_found_where_they_belong(void **state)
{
    (void)state;
    struct pair x;
    pair_init(&x);
    assert_null(transport_new(x.a, DIRECTION_SEND, 3, 0));
    struct producer *p = producer_new(x.send, 10, true, "webcam", "msid");
    struct consumer *c = consumer_new(x.recv, p, 20, true);
    assert_null(consumer_new(x.recv, p, 21, true));
    assert_ptr_equal(rooms_transport(&x.rs, 1), x.send);
    assert_ptr_equal(rooms_producer(&x.rs, 10), p);
    assert_ptr_equal(rooms_consumer(&x.rs, 20), c);
    assert_null(rooms_consumer(&x.rs, 10));
    assert_null(rooms_object(&x.rs, 99));
    assert_ptr_equal(peer_producer(x.a, p->obj.id), p);
    assert_null(peer_producer(x.b, p->obj.id));
    assert_ptr_equal(peer_producer_by_key(x.a, "msid"), p);
    assert_ptr_equal(peer_consumer(x.b, c->obj.id), c);
    assert_null(peer_consumer(x.a, c->obj.id));
    assert_ptr_equal(peer_transport(x.a, x.send->obj.id), x.send);
    assert_null(peer_transport(x.b, x.send->obj.id));
    assert_ptr_equal(object_peer(&c->obj), x.b);
    assert_ptr_equal(object_peer(&p->obj), x.a);
    for (unsigned i = 0; i < ACKS_MAX; i++)
        assert_true(object_wait(&p->obj, i));
    assert_false(object_wait(&p->obj, 9));
    /* The producer's peer goes: the consumer of the other goes with it. */
    peer_free(x.a);
    assert_null(rooms_consumer(&x.rs, 20));
    assert_int_equal(x.recv->n_consumers, 0);
    rooms_free(&x.rs);
    assert_null(x.rs.by_handle);
}

static void ssrcs_and_mids_are_never_used_again(void **state)
{
    (void)state;
    struct pair x;
    pair_init(&x);
    uint32_t last = 0;
    for (unsigned i = 0; i < 100; i++) {
        struct producer *p = producer_new(x.send, 10 + i, i % 2, "mic", "key");
        struct consumer *c = consumer_new(x.recv, p, 1000 + i, i % 2);
        assert_true(c->ssrc > last);
        last = c->rtx_ssrc ? c->rtx_ssrc : c->ssrc;
        assert_int_equal(atoi(c->mid), i);
        producer_free(p);
    }
    rooms_free(&x.rs);
}

static void bounds_producers(void **state)
{
    (void)state;
    struct pair x;
    pair_init(&x);
    for (unsigned i = 0; i < PEER_PRODUCERS_MAX; i++)
        assert_non_null(producer_new(x.send, 10 + i, false, "mic", "key"));
    assert_null(producer_new(x.send, 100, false, "mic", "key"));
    rooms_free(&x.rs);
}

static void wants_the_highest_layer_of_all(void **state)
{
    (void)state;
    struct pair x;
    pair_init(&x);
    struct producer *p = producer_new(x.send, 10, true, "webcam", "key");
    p->layers = 3;
    assert_int_equal(producer_wanted(p), 0);
    struct consumer *c = consumer_new(x.recv, p, 20, true);
    assert_int_equal(producer_wanted(p), 2);
    c->preferred_spatial = 1;
    assert_int_equal(producer_wanted(p), 1);
    c->preferred_spatial = 7;
    assert_int_equal(producer_wanted(p), 2);
    c->paused = true;
    assert_int_equal(producer_wanted(p), 0);
    rooms_free(&x.rs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rooms_and_peers_come_and_go),
        cmocka_unit_test(bounds_rooms_peers_and_pictures),
        cmocka_unit_test(strikes_are_forgiven_slowly),
        cmocka_unit_test(history_keeps_the_newest),
        cmocka_unit_test(objects_are_found_where_they_belong),
        cmocka_unit_test(ssrcs_and_mids_are_never_used_again),
        cmocka_unit_test(bounds_producers),
        cmocka_unit_test(wants_the_highest_layer_of_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
