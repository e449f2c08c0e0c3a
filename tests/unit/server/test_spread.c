#include "lib/clock.h"
#include "tests/unit/check.h"
#include "tests/unit/server/world.h"

#include <string.h>

#define NEAR                     (&w.workers[0])
#define FAR                      (&w.workers[1])
#define ASKED(worker, method)    fake_count((worker), ALTHING__REQUEST__METHOD_##method)
#define FOUND(worker, method, i) fake_find((worker), ALTHING__REQUEST__METHOD_##method, (i))

static const char *str(const json_t *o, const char *key)
{
    return json_string_value(json_object_get(o, key));
}

/* Two workers that take `peers` each; a and b are on the first when it takes two, else b on the second. */
static void open_world(struct world *w, unsigned peers)
{
    world_init(w, 2);
    media_set_bounds(w->media, &(struct media_bounds){.peers = peers});
}

static void a_full_worker_takes_no_more(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, 2);
    struct edge_session *s[6];
    static const char *const names[] = {"a", "b", "c", "d", "e", "f"};
    for (size_t i = 0; i < 6; i++)
        s[i] = world_member(&w, "r", names[i]);
    for (size_t i = 0; i < 4; i++)
        assert_ptr_equal(media_router_worker(world_peer(s[i])->media),
                         media_worker_at(w.media, (uint32_t)i / 2));
    /* all are full: shared evenly */
    assert_ptr_not_equal(world_peer(s[4])->media, world_peer(s[5])->media);
    assert_int_equal(ASKED(NEAR, CREATE_ROUTER), 1);
    assert_int_equal(ASKED(FAR, CREATE_ROUTER), 1);
    /* the transport is told with its own worker's addresses, and on its own router */
    assert_int_equal(FOUND(FAR, CREATE_TRANSPORT, 0)->create_transport->router,
                     media_router_handle(world_peer(s[2])->media));
    for (size_t i = 2; i < 6; i++) {
        world_close(&w, s[i], EDGE_TRANSPORT_CLOSED);
        world_turn(&w);
    }
    hub_tick(&w.hub, clock_now_us() + S_US(GRACE_S) + 1000000);
    world_turn(&w);
    assert_int_equal(ASKED(FAR, CLOSE_ROUTER), 1); /* the room is small again */
    assert_int_equal(ASKED(NEAR, CLOSE_ROUTER), 0);
    world_free(&w);
}

static void what_goes_through_a_pipe(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, 1);
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b");
    world_ask(&w, a, "produce", world_produce_data(a, "webcam"), NULL);
    /* a pipe, one end in each worker, with the other's address and key */
    assert_int_equal(ASKED(NEAR, CREATE_PIPE_TRANSPORT), 1);
    assert_int_equal(ASKED(FAR, CREATE_PIPE_TRANSPORT), 1);
    const Althing__CreatePipeTransport *near =
        FOUND(NEAR, CREATE_PIPE_TRANSPORT, 0)->create_pipe_transport;
    const Althing__ConnectPipeTransport *far =
        FOUND(FAR, CONNECT_PIPE_TRANSPORT, 0)->connect_pipe_transport;
    assert_string_equal(far->remote_ip, "192.0.2.1");
    assert_int_equal(far->remote_port, 40000 + (uint32_t)w.workers[0].fd);
    assert_int_equal(far->remote_ssrc, near->ssrc);
    assert_int_equal(far->receive_key->key.len, 28);
    assert_memory_equal(far->receive_key->key.data, near->send_key->key.data, 28);
    /* both encodings, each by a consumer of its own, with the SSRCs of the piped producer */
    const Althing__CreateProducer *piped = FOUND(FAR, CREATE_PRODUCER, 0)->create_producer;
    assert_int_equal(piped->n_encodings, 2);
    assert_int_equal(piped->encodings[0]->temporal_layers, 3);
    assert_int_equal(ASKED(NEAR, CREATE_CONSUMER), 2);
    for (size_t i = 0; i < 2; i++) {
        const Althing__CreateConsumer *c = FOUND(NEAR, CREATE_CONSUMER, i)->create_consumer;
        assert_int_equal(c->transport, near->transport);
        assert_int_equal(c->only_encoding, i + 1);
        assert_int_equal(c->ssrc, piped->encodings[i]->ssrc);
        assert_int_equal(c->rtx_ssrc, piped->encodings[i]->rtx_ssrc);
        assert_int_equal(c->codecs[0]->producer_payload_type, 96);
        assert_int_equal(c->codecs[0]->codec->payload_type, piped->codecs[0]->payload_type);
    }
    /* and the browser's consumer of that */
    const Althing__CreateConsumer *c = FOUND(FAR, CREATE_CONSUMER, 0)->create_consumer;
    assert_int_equal(c->producer, piped->producer);
    assert_int_equal(c->codecs[0]->producer_payload_type, piped->codecs[0]->payload_type);
    assert_non_null(world_told(b, "newConsumer"));
    world_free(&w);
}

static void pipes_are_shared_and_end(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, 2);
    struct edge_session *a = world_member(&w, "r", "a");
    world_member(&w, "r", "a2");
    struct edge_session *b = world_member(&w, "r", "b"), *c = world_member(&w, "r", "c");
    const char *mic =
        strdup(str(world_ask(&w, a, "produce", world_produce_data(a, "mic"), NULL), "id"));
    world_ask(&w, a, "produce", world_produce_data(a, "webcam"), NULL);
    assert_int_equal(ASKED(NEAR, CREATE_PIPE_TRANSPORT), 1);
    assert_int_equal(ASKED(FAR, CREATE_PRODUCER), 2);
    assert_int_equal(ASKED(FAR, CREATE_CONSUMER), 4);
    struct pipes *pipes = spread_pipes(world_peer(a)->room->spread);
    assert_int_equal(pipes_count(pipes), 2);
    world_notification(&w, a, "pauseProducer", json_pack("{ss}", "producerId", mic));
    assert_int_equal(FOUND(FAR, PAUSE_PRODUCER, 0)->pause_producer->producer,
                     FOUND(FAR, CREATE_PRODUCER, 0)->create_producer->producer);
    world_notification(&w, a, "closeProducer", json_pack("{ss}", "producerId", mic));
    assert_int_equal(pipes_count(pipes), 1);
    assert_int_equal(ASKED(FAR, CLOSE_PRODUCER), 1);
    assert_int_equal(ASKED(FAR, CLOSE_TRANSPORT), 0);
    for (unsigned i = 0; i < 2; i++) {
        world_close(&w, i ? c : b, EDGE_TRANSPORT_CLOSED);
        hub_tick(&w.hub, clock_now_us() + S_US(GRACE_S) + 1000000);
        world_turn(&w);
        assert_int_equal(pipes_count(pipes), i ? 0 : 1);
    }
    assert_int_equal(ASKED(FAR, CLOSE_PRODUCER), 2);
    assert_int_equal(ASKED(NEAR, CLOSE_TRANSPORT), 1); /* the pipe's end */
    free((void *)(uintptr_t)mic);
    world_free(&w);
}

static void half_of_a_room_survives_a_worker(void **state)
{
    (void)state;
    for (unsigned lost = 0; lost < 2; lost++) {
        struct world w;
        open_world(&w, 1);
        struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b");
        world_ask(&w, a, "produce", world_produce_data(a, "mic"), NULL);
        world_ask(&w, b, "produce", world_produce_data(b, "mic"), NULL);
        struct edge_session *gone = lost ? b : a, *stays = lost ? a : b;
        assert_int_equal(world_times(gone, "newConsumer"), 1);
        world_forget(gone);
        world_forget(stays);
        fake_forget(&w.workers[!lost]);
        fake_free(&w.workers[lost]);
        world_turn(&w);
        assert_int_equal(world_times(stays, "lostMediaServer"), 0);
        assert_int_equal(world_times(stays, "consumerClosed"), 1);
        assert_non_null(world_peer(stays)->send);
        assert_int_equal(world_times(gone, "lostMediaServer"), 1);
        assert_int_equal(world_times(gone, "mediaConfiguration"), 1);
        /* both pipes' other ends are closed, and all goes on on one worker */
        assert_int_equal(ASKED(&w.workers[!lost], CLOSE_TRANSPORT), 2);
        assert_ptr_equal(world_peer(gone)->media, world_peer(stays)->media);
        world_capable(&w, gone);
        world_ask(&w, gone, "createWebRtcTransport", json_pack("{sb}", "producing", 1), NULL);
        world_ask(&w, gone, "createWebRtcTransport", json_pack("{sb}", "consuming", 1), NULL);
        world_ask(&w, gone, "produce", world_produce_data(gone, "mic"), NULL);
        assert_int_equal(world_times(stays, "newConsumer"), 1);
        assert_int_equal(world_times(gone, "newConsumer"), 1);
        assert_int_equal(ASKED(&w.workers[!lost], CREATE_PIPE_TRANSPORT), 0);
        world_free(&w);
    }
}

static void streams_fill_a_worker_too(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 2);
    media_set_bounds(w.media, &(struct media_bounds){.streams = 6});
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b");
    assert_ptr_equal(world_peer(a)->media, world_peer(b)->media);
    world_ask(&w, a, "produce", world_produce_data(a, "mic"), NULL);
    world_ask(&w, a, "produce", world_produce_data(a, "webcam"), NULL);
    struct edge_session *c = world_member(&w, "r", "c");
    assert_ptr_not_equal(world_peer(c)->media, world_peer(a)->media);
    assert_int_equal(world_times(c, "newConsumer"), 2);
    world_free(&w);
}

/* More than one pipe holds. */
static void many_producers(void **state)
{
    (void)state;
    struct world w;
    open_world(&w, 20);
    struct edge_session *s[40];
    for (size_t i = 0; i < 40; i++) {
        char name[8];
        snprintf(name, sizeof(name), "p%zu", i);
        s[i] = world_member(&w, "r", name);
    }
    for (size_t i = 0; i < 20; i++) {
        world_ask(&w, s[i], "produce", world_produce_data(s[i], "mic"), NULL);
        world_ask(&w, s[i], "produce", world_produce_data(s[i], "webcam"), NULL);
        fake_forget(FAR);
    }
    assert_int_equal(ASKED(NEAR, CREATE_PIPE_TRANSPORT), 2);
    assert_int_equal(pipes_count(spread_pipes(world_peer(s[0])->room->spread)), 40);
    assert_int_equal(world_times(s[30], "newConsumer"), 40);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_worker_takes_no_more),
        cmocka_unit_test(what_goes_through_a_pipe),
        cmocka_unit_test(pipes_are_shared_and_end),
        cmocka_unit_test(half_of_a_room_survives_a_worker),
        cmocka_unit_test(streams_fill_a_worker_too),
        cmocka_unit_test(many_producers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
