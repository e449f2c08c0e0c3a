/* A server dies, and the next one takes its place: rooms, people and media go on. */
#include "server/keep.h"

#include "lib/clock.h"
#include "server/on.h"
#include "tests/unit/check.h"
#include "tests/unit/server/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GENERATION 7 /* of the worker that outlives the server */

static char path[64];
static char pictured[] = "data:image/png;base64,AAAA";

struct life {
    struct world w;
    struct store *store;
    struct keep *keep;
};

static void begin(struct life *l, uint64_t epoch)
{
    const char *why = NULL;
    world_init_as(&l->w, 0, epoch);
    assert_int_equal(store_open(&l->store, &l->w.loop, path, &why), 0);
    assert_int_equal(keep_new(&l->keep, &l->w.hub, l->store, &l->w.loop, "here", clock_now_us()),
                     0);
}

static void end(struct life *l)
{
    keep_free(l->keep);
    store_close(l->store);
    world_free(&l->w);
}

static const json_t *ask(struct life *l, struct edge_session *s, const char *method, json_t *data)
{
    const char *err = NULL;
    const json_t *result = world_ask(&l->w, s, method, data, &err);
    if (!result)
        fail_msg("%s: %s", method, err);
    return result;
}

static const char *str(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    assert_non_null(s);
    return s;
}

static json_t *one(const char *key, const char *value)
{
    return json_pack("{ss}", key, value);
}

/* What the tests compare: the handles of what a worker had. */
struct handles {
    uint64_t router, transports[4], producers[2], consumers[2];
    char session[37], breakout[37], consumer_id[37], producer_id[37];
    char mid[12];
    uint32_t ssrc;
};

/* Two people in a locked room, who see and hear something; a breakout, a chat, a canvas, a timer, a hand. */
static void live(struct life *l, struct handles *h)
{
    world_worker_up_as(&l->w, 0, GENERATION);
    world_turn(&l->w);
    struct edge_session *a = world_member(&l->w, "r", "a"), *b = world_member(&l->w, "r", "b");
    ask(l, a, "produce", world_produce_data(a, "webcam"));
    ask(l, b, "produce", world_produce_data(b, "mic"));
    ask(l, a, "chatMessage", one("text", "first"));
    ask(l, b, "chatMessage", one("text", "second"));
    ask(l, a, "lockRoom", NULL);
    ask(l, a, "changePicture", one("picture", pictured));
    ask(l, b, "raisedHand", json_pack("{sb}", "raisedHand", 1));
    ask(l, a, "moderator:setCountdownTimerInitialTime", json_string("00:10:00"));
    ask(l, a, "moderator:startCountdownTimer", NULL);
    ask(l, a, "enableDrawing", NULL);
    ask(l, b, "updateCanvasState", json_pack("{s{si}, ss}", "object", "id", 5, "status", "added"));
    strcpy(h->breakout, str(ask(l, a, "createBreakoutRoom", one("name", "Group")), "sessionId"));
    world_notification(&l->w, b, "resumeConsumer",
                       one("consumerId", world_peer(b)->recv->consumers->obj.id));
    world_notification(&l->w, b, "setConsumerPreferredLayers",
                       json_pack("{ss, si, si}", "consumerId",
                                 world_peer(b)->recv->consumers->obj.id, "spatialLayer", 0,
                                 "temporalLayer", 1));
    struct room *r = world_peer(a)->room;
    strcpy(h->session, r->main.id);
    h->router = media_router_handle(world_peer(a)->media);
    const struct peer *peers[] = {world_peer(a), world_peer(b)};
    for (size_t i = 0; i < 2; i++) {
        h->transports[2 * i] = peers[i]->send->obj.handle;
        h->transports[2 * i + 1] = peers[i]->recv->obj.handle;
        h->producers[i] = peers[i]->send->producers->obj.handle;
        h->consumers[i] = peers[i]->recv->consumers->obj.handle;
    }
    strcpy(h->producer_id, peers[0]->send->producers->obj.id);
    strcpy(h->consumer_id, peers[1]->recv->consumers->obj.id);
    strcpy(h->mid, peers[1]->recv->consumers->mid);
    h->ssrc = peers[1]->recv->consumers->ssrc;
}

static void worker_has(struct fake_worker *w, const struct handles *h, size_t n_consumers)
{
    w->has[ALTHING__OBJECT_KIND__OBJECT_ROUTER] = &h->router;
    w->n_has[ALTHING__OBJECT_KIND__OBJECT_ROUTER] = 1;
    w->has[ALTHING__OBJECT_KIND__OBJECT_TRANSPORT] = h->transports;
    w->n_has[ALTHING__OBJECT_KIND__OBJECT_TRANSPORT] = 4;
    w->has[ALTHING__OBJECT_KIND__OBJECT_PRODUCER] = h->producers;
    w->n_has[ALTHING__OBJECT_KIND__OBJECT_PRODUCER] = 2;
    w->has[ALTHING__OBJECT_KIND__OBJECT_CONSUMER] = h->consumers;
    w->n_has[ALTHING__OBJECT_KIND__OBJECT_CONSUMER] = n_consumers;
}

static void the_next_server_goes_on(void **state)
{
    (void)state;
    struct life l;
    struct handles h;
    begin(&l, 5);
    live(&l, &h);
    end(&l);

    begin(&l, 6);
    struct fake_worker *worker = &l.w.workers[0];
    struct room *r = rooms_find(&l.w.hub.rooms, "r");
    assert_non_null(r);
    assert_int_equal(r->n_peers, 2);
    assert_string_equal(r->main.id, h.session);
    assert_true(r->locked);
    assert_true(r->countdown.started);
    assert_int_equal(r->n_breakouts, 1);
    assert_string_equal(r->breakouts->id, h.breakout);
    assert_int_equal(r->peers->awaited, h.router);
    assert_true(media_awaits(l.w.media));
    struct consumer *c = rooms_consumer(&l.w.hub.rooms, h.consumers[1]);
    assert_non_null(c);
    assert_string_equal(c->obj.id, h.consumer_id);
    assert_int_equal(c->ssrc, h.ssrc);
    assert_int_equal(c->preferred_spatial, 0);
    assert_false(c->paused);
    const json_t *rtp = c->rtp;
    assert_string_equal(str(rtp, "mid"), h.mid);

    world_worker_up_as(&l.w, 0, GENERATION);
    worker_has(worker, &h, 2);
    world_turn(&l.w);
    assert_non_null(r->peers->media);
    assert_int_equal(r->peers->awaited, 0);
    assert_false(media_awaits(l.w.media));
    assert_int_equal(fake_count(worker, ALTHING__REQUEST__METHOD_CREATE_ROUTER), 0);
    assert_int_equal(fake_count(worker, ALTHING__REQUEST__METHOD_CLOSE_TRANSPORT), 0);

    /* a comes back with its transports. */
    struct edge_session *a = world_resume(&l.w, "r", "a", "a");
    const json_t *back = world_told(a, "peerReconnected");
    assert_non_null(back);
    assert_int_equal(json_array_size(json_object_get(json_object_get(back, "media"), "transports")),
                     2);
    assert_int_equal(json_array_size(json_object_get(back, "chatHistory")), 2);
    assert_string_equal(str(json_array_get(json_object_get(back, "peers"), 0), "displayName"), "b");
    assert_int_equal(
        json_array_size(json_object_get(json_object_get(back, "drawing"), "canvasState")), 1);
    assert_null(world_told(a, "mediaConfiguration"));
    assert_non_null(world_told(a, "permissionAdded"));

    /* b comes back, and neither makes anything anew; what a does next reaches b's old consumer. */
    struct edge_session *b = world_resume(&l.w, "r", "b", "b");
    assert_string_equal(
        str(json_array_get(json_object_get(world_told(b, "peerReconnected"), "peers"), 0),
            "picture"),
        pictured);
    world_turn(&l.w);
    assert_int_equal(fake_count(worker, ALTHING__REQUEST__METHOD_CREATE_CONSUMER), 0);
    assert_null(world_told(a, "peerClosed"));
    assert_null(world_told(a, "newPeer"));
    world_notification(&l.w, a, "pauseProducer", one("producerId", h.producer_id));
    assert_string_equal(str(world_told(b, "consumerPaused"), "consumerId"), h.consumer_id);
    /* A new producer gets a consumer with a mid that was never there. */
    ask(&l, a, "produce", world_produce_data(a, "mic"));
    world_turn(&l.w);
    const Althing__CreateConsumer *cc =
        fake_find(worker, ALTHING__REQUEST__METHOD_CREATE_CONSUMER, 0)->create_consumer;
    assert_true(strtoul(cc->mid, NULL, 10) >= 1000);
    assert_true(cc->consumer > h.consumers[1]);
    /* All have left: nothing is kept. */
    world_close(&l.w, a, EDGE_CLIENT_LEFT);
    world_close(&l.w, b, EDGE_CLIENT_LEFT);
    end(&l);

    begin(&l, 7);
    assert_int_equal(l.w.hub.rooms.n_rooms, 0);
    assert_null(l.w.hub.rooms.by_handle);
    end(&l);
}

static void what_the_worker_lost_goes(void **state)
{
    (void)state;
    struct life l;
    struct handles h;
    begin(&l, 5);
    live(&l, &h);
    end(&l);
    begin(&l, 6);
    struct fake_worker *worker = &l.w.workers[0];
    world_worker_up_as(&l.w, 0, GENERATION);
    worker_has(worker, &h, 1);                 /* b's consumer is not there */
    h.transports[0] = UINT64_C(0x50000000099); /* nor a's transport to send; a strange one is */
    world_turn(&l.w);
    assert_int_equal(fake_count(worker, ALTHING__REQUEST__METHOD_CLOSE_TRANSPORT), 2);
    assert_null(rooms_consumer(&l.w.hub.rooms, h.consumers[1]));
    assert_null(rooms_producer(&l.w.hub.rooms, h.producers[0]));
    struct edge_session *a = world_resume(&l.w, "r", "a", "a");
    const json_t *media = json_object_get(world_told(a, "peerReconnected"), "media");
    assert_int_equal(json_array_size(json_object_get(media, "transports")), 1);
    assert_int_equal(json_array_size(json_object_get(media, "producers")), 0);
    assert_int_equal(json_array_size(json_object_get(media, "consumers")), 1);
    /* Who does not say that it has its transports makes them anew. */
    struct edge_session *b = world_connect(&l.w, "r", "b", "b");
    assert_null(json_object_get(world_told(b, "peerReconnected"), "media"));
    assert_non_null(world_told(b, "mediaConfiguration"));
    assert_int_equal(world_times(a, "consumerClosed"), 1);
    end(&l);
    unlink(path);
}

static void the_worker_may_be_gone_too(void **state)
{
    (void)state;
    struct life l;
    struct handles h;
    begin(&l, 5);
    live(&l, &h);
    end(&l);
    begin(&l, 6);
    world_worker_up_as(&l.w, 0, GENERATION + 1);
    world_turn(&l.w);
    struct edge_session *a = world_resume(&l.w, "r", "a", "a");
    assert_null(json_object_get(world_told(a, "peerReconnected"), "media"));
    assert_int_equal(world_times(a, "mediaConfiguration"), 1);
    struct room *r = rooms_find(&l.w.hub.rooms, "r");
    assert_null(world_peer(a)->send);
    assert_non_null(world_peer(a)->media);
    /* b does not come: it goes when its time is over. */
    hub_tick(&l.w.hub, clock_now_us() + S_US(KEEP_GRACE_S - 1));
    assert_int_equal(r->n_peers, 2);
    hub_tick(&l.w.hub, clock_now_us() + S_US(KEEP_GRACE_S + 1));
    assert_int_equal(r->n_peers, 1);
    assert_string_equal(str(world_told(a, "peerClosed"), "peerId"), "b");
    end(&l);
    unlink(path);
}

/* Generations start anew with the supervisor: the worker of this number has nothing of what the documents tell of. */
static void another_worker_of_the_same_number(void **state)
{
    (void)state;
    struct life l;
    struct handles h;
    begin(&l, 5);
    live(&l, &h);
    end(&l);
    begin(&l, 5);
    world_worker_up_as(&l.w, 0, GENERATION);
    world_turn(&l.w);
    assert_false(media_awaits(l.w.media));
    assert_null(l.w.hub.rooms.by_handle);
    struct edge_session *a = world_resume(&l.w, "r", "a", "a");
    assert_null(json_object_get(world_told(a, "peerReconnected"), "media"));
    assert_int_equal(world_times(a, "mediaConfiguration"), 1);
    world_turn(&l.w);
    assert_int_equal(fake_count(&l.w.workers[0], ALTHING__REQUEST__METHOD_CREATE_ROUTER), 1);
    end(&l);
    unlink(path);
}

static void let_it_be_written(struct life *l)
{
    usleep((KEEP_DELAY_MS + 20) * 1000);
    world_turn(&l->w);
}

/* Nobody asks anything while the next server waits for the worker, but something may change, and it may die then. */
static void two_deaths_in_a_row(void **state)
{
    (void)state;
    struct life l;
    struct handles h;
    begin(&l, 5);
    live(&l, &h);
    end(&l);
    begin(&l, 6);
    ROOM_FOREACH_PEER(rooms_find(&l.w.hub.rooms, "r"), p)
    peer_changed(p);
    let_it_be_written(&l);
    end(&l);
    begin(&l, 7);
    world_worker_up_as(&l.w, 0, GENERATION);
    worker_has(&l.w.workers[0], &h, 2);
    world_turn(&l.w);
    assert_non_null(rooms_consumer(&l.w.hub.rooms, h.consumers[1]));
    assert_non_null(rooms_find(&l.w.hub.rooms, "r")->peers->media);
    end(&l);
    unlink(path);
}

/* Two workers with one each, of whom one is sent away while the workers are awaited: its router would never be left. */
static void a_router_of_nobody_is_closed(void **state)
{
    (void)state;
    struct life l;
    uint64_t routers[2];
    begin(&l, 5);
    media_set_bounds(l.w.media, &(struct media_bounds){.peers = 1});
    for (unsigned i = 0; i < 2; i++)
        world_worker_up_as(&l.w, i, GENERATION + i);
    world_turn(&l.w);
    struct edge_session *s[] = {world_member(&l.w, "r", "a"), world_member(&l.w, "r", "b")};
    for (unsigned i = 0; i < 2; i++)
        routers[i] = media_router_handle(world_peer(s[i])->media);
    assert_true(routers[0] != routers[1]);
    end(&l);
    begin(&l, 6);
    struct room *r = rooms_find(&l.w.hub.rooms, "r");
    on_connect_remove(&l.w.hub, r->peers->next);
    for (unsigned i = 0; i < 2; i++) {
        world_worker_up_as(&l.w, i, GENERATION + i);
        l.w.workers[i].has[ALTHING__OBJECT_KIND__OBJECT_ROUTER] = &routers[i];
        l.w.workers[i].n_has[ALTHING__OBJECT_KIND__OBJECT_ROUTER] = 1;
    }
    world_turn(&l.w);
    assert_non_null(spread_router(r->spread, 0));
    assert_null(spread_router(r->spread, 1));
    assert_true(fake_count(&l.w.workers[1], ALTHING__REQUEST__METHOD_CLOSE_ROUTER) > 0);
    assert_int_equal(fake_count(&l.w.workers[0], ALTHING__REQUEST__METHOD_CLOSE_ROUTER), 0);
    end(&l);
    unlink(path);
}

/* What was moved by somebody else, or answered late, is kept as what the peer itself asked for is. */
static void what_others_change_is_kept(void **state)
{
    (void)state;
    struct life l;
    struct handles h;
    begin(&l, 5);
    live(&l, &h);
    let_it_be_written(&l);
    struct room *r = rooms_find(&l.w.hub.rooms, "r");
    struct edge_session *a = r->peers->session, *b = r->peers->next->session;
    peer_set_capabilities(world_peer(b), NULL, NULL);
    world_capable(&l.w, b);
    ask(&l, a, "moveToBreakoutRoom",
        json_pack("{ss, ss}", "roomPeerId", "b", "roomSessionId", h.breakout));
    end(&l);
    begin(&l, 6);
    r = rooms_find(&l.w.hub.rooms, "r");
    assert_string_equal(r->peers->next->in->id, h.breakout);
    assert_non_null(r->peers->next->capabilities);
    assert_null(rooms_consumer(&l.w.hub.rooms, h.consumers[1]));
    end(&l);
    unlink(path);
}

static void chat_is_kept_with_its_gaps(void **state)
{
    (void)state;
    struct life l;
    char text[96];
    for (uint64_t epoch = 5; epoch < 8; epoch++) {
        begin(&l, epoch);
        struct edge_session *a = world_connect(&l.w, "r", "a", "a");
        if (epoch == 5)
            ask(&l, a, "join", one("displayName", "A"));
        struct room *r = world_peer(a)->room;
        for (unsigned i = 0; epoch == 5 && i < FILES_KEPT_MAX + 5; i++) {
            snprintf(text, sizeof(text), "magnet:?xt=%u", i);
            ask(&l, a, "sendFile", one("magnetURI", text));
        }
        assert_int_equal(r->main.files.count, epoch == 5   ? FILES_KEPT_MAX
                                              : epoch == 6 ? FILES_KEPT_MAX
                                                           : FILES_KEPT_MAX - 1);
        assert_string_equal(chat_at(&r->main.files, 0)->text, "magnet:?xt=5");
        if (epoch == 6)
            ask(&l, a, "clearFile", one("magnetURI", "magnet:?xt=50"));
        end(&l);
    }
    begin(&l, 8);
    struct edge_session *a = world_connect(&l.w, "r", "a", "a");
    ask(&l, a, "moderator:clearFiles", NULL);
    end(&l);
    begin(&l, 9);
    assert_int_equal(rooms_find(&l.w.hub.rooms, "r")->main.files.count, 0);
    end(&l);
    unlink(path);
}

/* Whatever is in the store, the server starts, with what is whole of it. */
static void damage_is_left_out(void **state)
{
    (void)state;
    struct life l;
    struct handles h;
    static const char *const junk[][2] = {
        {"live/here/r/0000000000000001", "{"},
        {"live/here/r/zz", "[]"},
        {"live/here/r/", "null"},
        {"live/here/p/0000000000000002.0000000000000003", "{\"room\": 7}"},
        {"live/here/c/x", "\"\""},
        {"live/here/c/00000000-0000-0000-0000-000000000000/m/0000000000000000", "{}"},
        {"live/here/d/ffffffffffffffff", "[1, {}]"},
        {"live/here/i/", "1"},
        {"live/here/o/0000000000000000", "{\"type\": 0, \"handle\": \"0000000000000000\"}"},
        {"live/here/o/0000000000000001", "{\"type\": 99, \"handle\": \"0000000000000001\"}"},
        {"live/here/o/0000000000000002", "{\"type\": 2, \"handle\": \"0000000000000002\"}"},
    };
    begin(&l, 5);
    live(&l, &h);
    for (size_t i = 0; i < ARRAY_LEN(junk); i++)
        store_put(l.store, junk[i][0], junk[i][1], strlen(junk[i][1]), 0);
    end(&l);
    begin(&l, 6);
    assert_non_null(rooms_consumer(&l.w.hub.rooms, h.consumers[1]));
    assert_int_equal(l.w.hub.rooms.n_peers, 2);
    /* One that was away for long begins anew. */
    keep_free(l.keep);
    store_put(l.store, "live/here/alive", "1000", 4, 0);
    store_close(l.store);
    world_free(&l.w);
    begin(&l, 7);
    assert_int_equal(l.w.hub.rooms.n_rooms, 0);
    end(&l);
    begin(&l, 8);
    assert_int_equal(l.w.hub.rooms.n_rooms, 0);
    end(&l);
    unlink(path);
}

static int setup(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/tmp/althing-keep-%d.db", (int)getpid());
    unlink(path);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    char other[80];
    unlink(path);
    snprintf(other, sizeof(other), "%s-wal", path);
    unlink(other);
    snprintf(other, sizeof(other), "%s-shm", path);
    unlink(other);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_server_goes_on),
        cmocka_unit_test(what_the_worker_lost_goes),
        cmocka_unit_test(the_worker_may_be_gone_too),
        cmocka_unit_test(chat_is_kept_with_its_gaps),
        cmocka_unit_test(damage_is_left_out),
        cmocka_unit_test(two_deaths_in_a_row),
        cmocka_unit_test(another_worker_of_the_same_number),
        cmocka_unit_test(what_others_change_is_kept),
        cmocka_unit_test(a_router_of_nobody_is_closed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
