#include "server/dispatch.h"

#include "lib/clock.h"
#include "server/on.h"
#include "tests/unit/check.h"
#include "tests/unit/server/world.h"

#include <string.h>

/* Every message that a browser can send, in every state, with and without its permission: each request has one answer, and what is
 * not allowed changes nothing. */
static void answers_all_in_every_state(void **state)
{
    (void)state;
    size_t n;
    const struct dispatch_row *rows = dispatch_table(&n);
    static json_t *(*const bodies[])(void) = {json_object, json_null, json_array, json_true};
    for (size_t i = 0; i < n; i++) {
        for (int st = PEER_LOBBY; st <= PEER_JOINED; st++) {
            for (unsigned with = 0; with < 2; with++) {
                struct world w;
                world_init(&w, 1);
                struct edge_session *other = world_member(&w, "r", "other");
                struct edge_session *s = world_connect(&w, "r", "p", "p");
                struct peer *p = world_peer(s);
                p->state = (enum peer_state)st;
                p->perms =
                    with ? PERM_ALL
                         : PERM_ALL & ~(rows[i].perm == PERM_NONE ? 0 : PERM_BIT(rows[i].perm));
                bool allowed =
                    st >= (int)rows[i].state && (with || rows[i].perm == PERM_NONE) && rows[i].fn;
                world_forget(other);
                for (size_t b = 0; b < ARRAY_LEN(bodies) && world_peer(s); b++) {
                    if (!rows[i].request) {
                        world_notification(&w, s, rows[i].method, bodies[b]());
                        continue;
                    }
                    const char *err;
                    world_ask(&w, s, rows[i].method, bodies[b](), &err);
                    if (!allowed)
                        assert_non_null(err);
                }
                if (!allowed) {
                    assert_int_equal(json_array_size(other->sent), 0);
                    assert_non_null(world_peer(s));
                }
                world_free(&w);
            }
        }
    }
}

static void refuses_what_it_does_not_know(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct edge_session *s = world_member(&w, "r", "p");
    const char *err;
    static const char *const names[] = {"", "nonsense", "__proto__", "pauseProducer", "Join"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_null(world_ask(&w, s, names[i], NULL, &err));
        assert_string_equal(err, "unknown method");
    }
    world_notification(&w, s, "nonsense", NULL);
    /* After it was sent away. */
    struct edge_session *t = world_connect(&w, "r", "p", "another key");
    assert_true(t->gone);
    t->gone = false;
    assert_null(world_ask(&w, t, "join", NULL, &err));
    world_free(&w);
}

/* Ids of others are unknown ids. */
static void nobody_touches_what_is_not_his(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b");
    const json_t *made = world_ask(&w, a, "produce", world_produce_data(a, "webcam"), NULL);
    const char *producer = json_string_value(json_object_get(made, "id"));
    const json_t *got = world_told(b, "newConsumer");
    const char *consumer = json_string_value(json_object_get(got, "id"));
    fake_forget(&w.workers[0]);
    static const char *const of_producers[] = {"pauseProducer", "resumeProducer", "closeProducer"};
    for (size_t i = 0; i < ARRAY_LEN(of_producers); i++)
        world_notification(&w, b, of_producers[i], json_pack("{ss}", "producerId", producer));
    static const char *const of_consumers[] = {"pauseConsumer", "resumeConsumer",
                                               "setConsumerPreferredLayers"};
    for (size_t i = 0; i < ARRAY_LEN(of_consumers); i++)
        world_notification(&w, a, of_consumers[i],
                           json_pack("{ss, si}", "consumerId", consumer, "spatialLayer", 0));
    assert_null(world_ask(&w, a, "requestConsumerKeyFrame",
                          json_pack("{ss}", "consumerId", consumer), NULL));
    const char *mine = world_peer(a)->send->obj.id;
    assert_null(world_ask(&w, b, "restartIce", json_pack("{ss}", "transportId", mine), NULL));
    json_t *produce = world_produce_data(a, "mic");
    assert_null(world_ask(&w, b, "produce", produce, NULL));
    /* Peers of other rooms are unknown too. */
    struct edge_session *far = world_member(&w, "elsewhere", "c");
    world_peer(far)->perms = PERM_ALL;
    assert_null(world_ask(&w, far, "moderator:kickPeer", json_pack("{ss}", "peerId", "b"), NULL));
    world_turn(&w);
    assert_int_equal(fake_count(&w.workers[0], ALTHING__REQUEST__METHOD_PAUSE_PRODUCER), 0);
    assert_int_equal(fake_count(&w.workers[0], ALTHING__REQUEST__METHOD_PAUSE_CONSUMER), 0);
    assert_int_equal(fake_count(&w.workers[0], ALTHING__REQUEST__METHOD_CLOSE_PRODUCER), 0);
    world_free(&w);
}

static void sends_away_who_goes_on_breaking_limits(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b");
    world_forget(b);
    for (unsigned i = 1; i < STRIKES_MAX; i++) {
        assert_null(world_ask(&w, a, "chatMessage", NULL, NULL));
        assert_false(a->gone);
    }
    world_request(&w, a, "chatMessage", NULL);
    assert_true(a->gone);
    assert_null(world_peer(a));
    assert_int_equal(json_array_size(b->sent), 1); /* peerClosed */
    assert_non_null(world_ask(&w, b, "chatMessage", json_pack("{ss}", "text", "hello"), NULL));
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_all_in_every_state),
        cmocka_unit_test(refuses_what_it_does_not_know),
        cmocka_unit_test(nobody_touches_what_is_not_his),
        cmocka_unit_test(sends_away_who_goes_on_breaking_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
