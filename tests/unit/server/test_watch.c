/* Whatever happens: who follows knows what a snapshot shows. */
#include "server/admin.h"

#include "lib/clock.h"
#include "server/on.h"
#include "server/room/data.h"
#include "tests/unit/check.h"
#include "tests/unit/server/follower.h"
#include "tests/unit/server/world.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define STEPS 1500
#define ROOMS 4
#define PEERS 6

static struct world w;
static struct watch watch;
static struct admin admin;
static char path[64];
static uint64_t seed;

static uint32_t rnd(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % n;
}

/* ---- what can happen ---- */

static struct edge_session *sessions[ROOMS][PEERS];
static bool joined[ROOMS][PEERS];

static struct edge_session *somebody(void)
{
    for (int i = 0; i < 50; i++) {
        struct edge_session *s = sessions[rnd(ROOMS)][rnd(PEERS)];
        if (s && !s->gone && s->user)
            return s;
    }
    return NULL;
}

static void comes(void)
{
    unsigned r = rnd(ROOMS), p = rnd(PEERS);
    char room[16], peer[16];
    snprintf(room, sizeof(room), "room %u", r);
    snprintf(peer, sizeof(peer), "peer%u", p);
    if (w.n_sessions == WORLD_SESSIONS || (sessions[r][p] && rnd(4)))
        return;
    sessions[r][p] = world_connect(&w, room, peer, peer);
    joined[r][p] = false;
    if (world_told(sessions[r][p], "mediaConfiguration"))
        world_capable(&w, sessions[r][p]);
}

static void joins(void)
{
    struct edge_session *s = somebody();
    if (!s || world_peer(s)->state == PEER_LOBBY)
        return;
    world_ask(&w, s, "join", json_pack("{ss}", "displayName", rnd(2) ? "Ann" : "B\xc3\xb6rk"),
              NULL);
    for (int producing = 1; producing >= 0 && s->user; producing--)
        world_ask(&w, s, "createWebRtcTransport",
                  json_pack("{sb, sb}", "producing", producing, "consuming", !producing), NULL);
}

static void goes(void)
{
    struct edge_session *s = somebody();
    if (s)
        world_close(&w, s, rnd(2) ? EDGE_CLIENT_LEFT : EDGE_TIMEOUT);
}

static void produces(void)
{
    static const char *const sources[] = {"mic", "webcam", "screen"};
    struct edge_session *s = somebody();
    if (s && world_peer(s)->send)
        world_ask(&w, s, "produce", world_produce_data(s, sources[rnd(3)]), NULL);
}

static void produces_data(void)
{
    struct edge_session *s = somebody();
    struct transport *t = s ? world_peer(s)->send : NULL;
    if (t)
        world_ask(&w, s, "produceData",
                  json_pack("{ss, s{si, sb}, ss}", "transportId", t->obj.id, "sctpStreamParameters",
                            "streamId", (int)rnd(4), "ordered", 1, "label", "talk"),
                  NULL);
}

static void closes_data(void)
{
    struct edge_session *s = somebody();
    struct transport *t = s ? world_peer(s)->send : NULL;
    if (t && t->data_producers)
        world_notification(&w, s, "closeDataProducer",
                           json_pack("{ss}", "dataProducerId", t->data_producers->id));
}

static void changes_producer(void)
{
    static const char *const methods[] = {"pauseProducer", "resumeProducer", "closeProducer"};
    struct edge_session *s = somebody();
    struct transport *t = s ? world_peer(s)->send : NULL;
    if (t && t->producers)
        world_notification(&w, s, methods[rnd(3)],
                           json_pack("{ss}", "producerId", t->producers->obj.id));
}

static void changes_consumer(void)
{
    static const char *const methods[] = {"pauseConsumer", "resumeConsumer",
                                          "setConsumerPreferredLayers"};
    struct edge_session *s = somebody();
    struct transport *t = s ? world_peer(s)->recv : NULL;
    if (t && t->consumers)
        world_notification(&w, s, methods[rnd(3)],
                           json_pack("{ss, si, si}", "consumerId", t->consumers->obj.id,
                                     "spatialLayer", (int)rnd(3), "temporalLayer", (int)rnd(3)));
}

static void says(void)
{
    struct edge_session *s = somebody();
    if (!s)
        return;
    static const char *const methods[] = {"chatMessage",         "changeDisplayName",
                                          "raisedHand",          "sendFile",
                                          "moderator:clearChat", "createBreakoutRoom"};
    unsigned i = rnd(6);
    json_t *data[] = {
        json_pack("{ss}", "text", "hello"),
        json_pack("{ss}", "displayName", rnd(2) ? "Cy" : "Di"),
        json_pack("{sb}", "raisedHand", (int)rnd(2)),
        json_pack("{ss}", "magnetURI", "magnet:?xt=urn:btih:1"),
        json_object(),
        json_pack("{ss, ss}", "roomName", "corner", "name", "corner"),
    };
    world_ask(&w, s, methods[i], json_incref(data[i]), NULL);
    for (unsigned k = 0; k < 6; k++)
        json_decref(data[k]);
}

static void moderates(void)
{
    struct edge_session *s = somebody(), *other = somebody();
    if (!s)
        return;
    static const char *const methods[] = {"lockRoom",          "unlockRoom",
                                          "promotePeer",       "moderator:kickPeer",
                                          "moderator:muteAll", "moderator:stopAllVideo"};
    const char *id = other ? world_peer(other)->id : "nobody";
    unsigned i = rnd(6);
    if (i == 3 && rnd(6))
        return;
    char copy[65];
    snprintf(copy, sizeof(copy), "%s", id);
    world_ask(&w, s, methods[i], json_pack("{ss}", "peerId", copy), NULL);
}

static void takes_permissions(void)
{
    struct edge_session *s = somebody(), *other = somebody();
    if (!s || !other)
        return;
    world_ask(&w, s, "moderator:setPermissions",
              json_pack("{s[{ss, s[ss]}]}", "updates", "peerId", world_peer(other)->id,
                        "permissions", "SEND_CHAT", rnd(2) ? "SHARE_AUDIO" : "SHARE_VIDEO"),
              NULL);
}

/* ---- what workers say ---- */

static void send_event(struct object *o, Althing__Event *e)
{
    const struct media_router *r = object_peer(o)->media;
    if (r)
        fake_event(&w.workers[media_worker_index(media_router_worker(r))], e);
}

static void transport_event(struct transport *t)
{
    Althing__Event e = ALTHING__EVENT__INIT;
    Althing__IceStateChanged ice = ALTHING__ICE_STATE_CHANGED__INIT;
    Althing__DtlsStateChanged dtls = ALTHING__DTLS_STATE_CHANGED__INIT;
    Althing__SelectedTuple tuple = ALTHING__SELECTED_TUPLE__INIT;
    char protocol[] = "udp", local[] = "192.0.2.1", remote[] = "2001:db8::7";
    ice.transport = dtls.transport = tuple.transport = t->obj.handle;
    switch (rnd(3)) {
    case 0:
        ice.state = (Althing__IceState)rnd(4);
        e.kind_case = ALTHING__EVENT__KIND_ICE_STATE;
        e.ice_state = &ice;
        break;
    case 1:
        dtls.state = rnd(12) ? ALTHING__DTLS_STATE__DTLS_STATE_CONNECTED
                             : ALTHING__DTLS_STATE__DTLS_STATE_FAILED;
        e.kind_case = ALTHING__EVENT__KIND_DTLS_STATE;
        e.dtls_state = &dtls;
        break;
    default:
        tuple.protocol = protocol;
        tuple.local_ip = local;
        tuple.remote_ip = remote;
        tuple.local_port = 40000;
        tuple.remote_port = 1 + rnd(60000);
        e.kind_case = ALTHING__EVENT__KIND_TUPLE;
        e.tuple = &tuple;
    }
    send_event(&t->obj, &e);
}

static void stream_event(struct object *o)
{
    Althing__Event e = ALTHING__EVENT__INIT;
    Althing__ScoreChanged score = ALTHING__SCORE_CHANGED__INIT;
    Althing__LayersChanged layers = ALTHING__LAYERS_CHANGED__INIT;
    Althing__Layers current = ALTHING__LAYERS__INIT;
    score.object = layers.consumer = o->handle;
    score.score = rnd(11);
    current.spatial = rnd(2);
    current.temporal = rnd(3);
    layers.current = &current;
    layers.none = rnd(3) == 0;
    if (o->type == OBJECT_PRODUCER || rnd(2)) {
        e.kind_case = ALTHING__EVENT__KIND_SCORE;
        e.score = &score;
    } else {
        e.kind_case = ALTHING__EVENT__KIND_LAYERS;
        e.layers = &layers;
    }
    send_event(o, &e);
}

static void worker_speaks(void)
{
    struct edge_session *s = somebody();
    if (!s)
        return;
    struct transport *t = rnd(2) ? world_peer(s)->send : world_peer(s)->recv;
    if (!t)
        return;
    if (rnd(2))
        transport_event(t);
    else if (t->producers)
        stream_event(&t->producers->obj);
    else if (t->consumers)
        stream_event(&t->consumers->obj);
    world_turn(&w);
}

static void worker_dies(void)
{
    unsigned i = rnd(2);
    if (rnd(3))
        return;
    fake_free(&w.workers[i]);
    world_turn(&w);
    if (rnd(2))
        return;
    for (i = 0; i < 2; i++) {
        if (w.workers[i].fd < 0)
            world_worker_up(&w, i);
    }
    world_turn(&w);
}

static void worker_comes(void)
{
    for (unsigned i = 0; i < 2; i++) {
        if (w.workers[i].fd < 0)
            world_worker_up(&w, i);
    }
    world_turn(&w);
    for (unsigned r = 0; r < ROOMS; r++) {
        for (unsigned p = 0; p < PEERS; p++) {
            struct edge_session *s = sessions[r][p];
            if (s && !s->gone && s->user && world_told(s, "mediaConfiguration"))
                world_capable(&w, s);
        }
    }
}

static void administrator(void)
{
    struct edge_session *s = somebody();
    if (!s || rnd(6))
        return;
    struct observer_admin a;
    struct observer_error e;
    admin_orders(&admin, &a);
    char room[16], peer[16];
    snprintf(room, sizeof(room), "%s", world_peer(s)->room->id);
    snprintf(peer, sizeof(peer), "%s", world_peer(s)->id);
    switch (rnd(3)) {
    case 0:
        json_decref(a.kick(a.arg, room, peer, NULL, &e));
        break;
    case 1:
        json_decref(rnd(3) ? NULL : a.close_room(a.arg, room, NULL, &e));
        break;
    default:
        json_decref(a.drain(a.arg, rnd(8) == 0, 3600, NULL, &e));
    }
    world_turn(&w);
}

static void time_passes(void)
{
    hub_tick(&w.hub, clock_now_us() + (rnd(3) ? 0 : S_US(10)));
    world_turn(&w);
}

static const struct {
    const char *name;
    void (*fn)(void);
    unsigned weight;
} acts[] = {
    {"comes", comes, 14},
    {"joins", joins, 10},
    {"goes", goes, 4},
    {"produces", produces, 10},
    {"produces data", produces_data, 5},
    {"closes data", closes_data, 3},
    {"changes_producer", changes_producer, 5},
    {"changes_consumer", changes_consumer, 8},
    {"says", says, 6},
    {"moderates", moderates, 4},
    {"takes_permissions", takes_permissions, 2},
    {"worker_speaks", worker_speaks, 12},
    {"worker_dies", worker_dies, 1},
    {"worker_comes", worker_comes, 6},
    {"administrator", administrator, 2},
    {"time_passes", time_passes, 3},
};

static const char *act(void)
{
    unsigned total = 0;
    for (size_t i = 0; i < ARRAY_LEN(acts); i++)
        total += acts[i].weight;
    unsigned n = rnd(total);
    size_t i = 0;
    while (n >= acts[i].weight)
        n -= acts[i++].weight;
    acts[i].fn();
    for (unsigned k = 0; k < 2; k++)
        fake_forget(&w.workers[k]);
    for (size_t k = 0; k < w.n_sessions; k++) {
        if (json_array_size(w.sessions[k]->sent) > 4000)
            world_forget(w.sessions[k]);
    }
    return acts[i].name;
}

/* ---- the world, watched ---- */

static bool no_reload(void *arg)
{
    (void)arg;
    return false;
}

static void start(unsigned n_workers)
{
    world_init(&w, 0);
    const struct observer_settings settings = {"0", 0, 1, (gid_t)-1};
    struct observer_admin orders;
    admin_init(&admin, &w.hub, &watch, no_reload, NULL);
    admin_orders(&admin, &orders);
    assert_int_equal(watch_start(&watch, &w.loop, &w.hub, &settings, &orders), 0);
    snprintf(path, sizeof(path), "/tmp/watch-test-%d.sock", (int)getpid());
    unlink(path);
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    strcpy(un.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
    assert_int_equal(observer_listen(watch.observer, fd), 0);
    media_set_bounds(w.media, &(struct media_bounds){.peers = 5}); /* rooms spread over both */
    for (unsigned i = 0; i < n_workers; i++)
        world_worker_up(&w, i);
    world_turn(&w);
}

static void stop(void)
{
    watch_stop(&watch);
    world_free(&w);
    unlink(path);
}

static void following_is_exact(void **state)
{
    (void)state;
    const char *given = getenv("ALTHING_TEST_SEED");
    seed = given ? strtoull(given, NULL, 10) : 20261124;
    print_message("seed %llu\n", (unsigned long long)seed);
    memset(sessions, 0, sizeof(sessions));
    start(2);
    struct follower all, room, few, late;
    bool has_late = false;
    follower_init(&all, &w.loop, path, "");
    follower_init(&room, &w.loop, path, ",\"room\":\"room 1\"");
    follower_init(&few, &w.loop, path, ",\"kinds\":[\"transport\",\"score\",\"lobby\",\"chat\"]");
    for (int i = 0; i < STEPS; i++) {
        char when[64];
        snprintf(when, sizeof(when), "step %d, %s", i, act());
        follower_check(&all, when);
        follower_check(&room, when);
        if (i % 7 == 0)
            follower_check(&few, when);
        if (has_late)
            follower_check(&late, when);
        if (i % 100 == 99) { /* one that comes in the middle, and goes */
            if (has_late)
                follower_free(&late);
            else
                follower_init(&late, &w.loop, path, "");
            has_late = !has_late;
        }
    }
    print_message("%zu events in %d steps:", all.events, STEPS);
    for (size_t i = 0; i < ARRAY_LEN(all.of_kind); i++)
        print_message(" %zu", all.of_kind[i]);
    print_message("\n");
    for (size_t i = 0; !given && i < ARRAY_LEN(all.of_kind); i++)
        assert_true(all.of_kind[i] > 0);
    follower_free(&all);
    follower_free(&room);
    follower_free(&few);
    if (has_late)
        follower_free(&late);
    stop();
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    log_set_level(LOG_LEVEL_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(following_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
