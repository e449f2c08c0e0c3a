/* Whole stories, seen from the browsers and from the worker. */
#include "server/hub.h"

#include "lib/clock.h"
#include "server/on.h"
#include "tests/unit/check.h"
#include "tests/unit/server/world.h"

#include <string.h>
#include <unistd.h>

static const char *str(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    assert_non_null(s);
    return s;
}

static json_t *id_of(const char *key, const char *id)
{
    return json_pack("{ss}", key, id);
}

static void first_peer_opens_the_room(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct edge_session *a = world_connect(&w, "r", "a", "ka");
    assert_int_equal(world_times(a, "permissionAdded"), 15);
    /* Permissions come before roomReady. */
    assert_string_equal(json_string_value(json_array_get(json_array_get(a->sent, 0), 0)),
                        "permissionAdded");
    const json_t *ready = world_told(a, "roomReady");
    assert_true(json_is_object(json_object_get(ready, "settings")));
    assert_int_equal(strlen(str(ready, "sessionId")), 36);
    assert_true(json_is_array(json_object_get(world_told(a, "mediaConfiguration"), "iceServers")));
    struct edge_session *b = world_connect(&w, "r", "b", "kb");
    assert_int_equal(world_times(b, "permissionAdded"), 14);
    const json_t *joined = world_ask(
        &w, b, "join", json_pack("{ss, ss}", "displayName", "B", "picture", "data:x"), NULL);
    static const char *const arrays[] = {"peers", "chatHistory", "fileHistory", "breakoutRooms",
                                         "lobbyPeers"};
    for (size_t i = 0; i < ARRAY_LEN(arrays); i++)
        assert_int_equal(json_array_size(json_object_get(joined, arrays[i])), 0);
    assert_true(json_is_array(json_object_get(json_object_get(joined, "drawing"), "canvasState")));
    assert_string_equal(str(json_object_get(joined, "countdownTimer"), "remainingTime"),
                        "00:00:00");
    assert_null(world_told(a, "newPeer")); /* a has not joined itself */
    joined = world_ask(&w, a, "join", json_pack("{ss}", "displayName", "A"), NULL);
    assert_string_equal(str(json_array_get(json_object_get(joined, "peers"), 0), "picture"),
                        "data:x");
    assert_string_equal(str(world_told(b, "newPeer"), "displayName"), "A");
    /* A repeat of join is answered and tells nobody. */
    assert_non_null(world_ask(&w, a, "join", NULL, NULL));
    assert_int_equal(world_times(b, "newPeer"), 1);
    world_close(&w, a, EDGE_CLIENT_LEFT);
    assert_string_equal(str(world_told(b, "peerClosed"), "peerId"), "a");
    world_close(&w, b, EDGE_CLIENT_LEFT);
    assert_int_equal(w.hub.rooms.n_rooms, 0);
    assert_int_equal(fake_count(&w.workers[0], ALTHING__REQUEST__METHOD_CLOSE_ROUTER), 1);
    world_free(&w);
}

static void media_flows(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct fake_worker *worker = &w.workers[0];
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b");
    /* The transport is as the worker was told, and asking again gives it again. */
    const json_t *t = world_ask(&w, a, "createWebRtcTransport",
                                json_pack("{sb, sb}", "producing", 1, "consuming", 0), NULL);
    const Althing__CreateTransport *ct =
        fake_find(worker, ALTHING__REQUEST__METHOD_CREATE_TRANSPORT, 0)->create_transport;
    assert_string_equal(str(json_object_get(t, "iceParameters"), "usernameFragment"),
                        ct->ice_ufrag);
    assert_string_equal(str(t, "id"), world_peer(a)->send->obj.id);
    const json_t *candidate = json_array_get(json_object_get(t, "iceCandidates"), 1);
    assert_string_equal(str(candidate, "ip"), str(candidate, "address"));
    assert_string_equal(str(candidate, "tcpType"), "passive");
    assert_int_equal(fake_count(worker, ALTHING__REQUEST__METHOD_CREATE_TRANSPORT), 4);
    assert_null(world_ask(&w, a, "createWebRtcTransport",
                          json_pack("{sb, sb}", "producing", 1, "consuming", 1), NULL));

    json_t *dtls =
        json_pack("{ss, s{ss, s[{ssss}]}}", "transportId", str(t, "id"), "dtlsParameters", "role",
                  "client", "fingerprints", "algorithm", "sha-256", "value", "AA:BB");
    assert_non_null(world_ask(&w, a, "connectWebRtcTransport", json_incref(dtls), NULL));
    assert_non_null(world_ask(&w, a, "connectWebRtcTransport", json_incref(dtls), NULL));
    json_object_set_new(json_object_get(dtls, "dtlsParameters"), "role", json_string("server"));
    assert_null(world_ask(&w, a, "connectWebRtcTransport", dtls, NULL));

    json_t *mic = world_produce_data(a, "mic");
    const char *mic_id = str(world_ask(&w, a, "produce", json_incref(mic), NULL), "id");
    assert_string_equal(str(world_ask(&w, a, "produce", mic, NULL), "id"), mic_id);
    assert_int_equal(fake_count(worker, ALTHING__REQUEST__METHOD_CREATE_PRODUCER), 1);
    const json_t *c = world_told(b, "newConsumer");
    assert_string_equal(str(c, "producerId"), mic_id);
    assert_string_equal(str(json_object_get(c, "appData"), "source"), "mic");
    assert_true(json_is_false(json_object_get(c, "paused")));
    assert_string_equal(str(json_object_get(c, "rtpParameters"), "mid"), "0");

    const char *cam_id =
        str(world_ask(&w, a, "produce", world_produce_data(a, "webcam"), NULL), "id");
    c = world_told(b, "newConsumer");
    assert_true(json_is_true(json_object_get(c, "paused")));
    const Althing__CreateConsumer *cc =
        fake_find(worker, ALTHING__REQUEST__METHOD_CREATE_CONSUMER, 1)->create_consumer;
    const json_t *encoding =
        json_array_get(json_object_get(json_object_get(c, "rtpParameters"), "encodings"), 0);
    assert_int_equal(json_integer_value(json_object_get(encoding, "ssrc")), cc->ssrc);
    assert_string_equal(cc->mid, "1");
    assert_true(cc->paused);

    const char *consumer_id = str(c, "id");
    world_notification(&w, b, "resumeConsumer", id_of("consumerId", consumer_id));
    assert_int_equal(fake_count(worker, ALTHING__REQUEST__METHOD_REQUEST_KEY_FRAME), 1);
    world_notification(&w, b, "setConsumerPreferredLayers",
                       json_pack("{ss, si, si}", "consumerId", consumer_id, "spatialLayer", 9,
                                 "temporalLayer", 2));
    const Althing__SetPreferredLayers *sl =
        fake_find(worker, ALTHING__REQUEST__METHOD_SET_PREFERRED_LAYERS, 0)->set_preferred_layers;
    assert_int_equal(sl->layers->spatial, 1);
    assert_int_equal(sl->layers->temporal, 2);
    const char *err = NULL;
    json_t *priority = json_pack("{ss, si}", "consumerId", consumer_id, "priority", 256);
    assert_null(world_ask(&w, b, "setConsumerPriority", json_incref(priority), &err));
    assert_string_equal(err, "a priority is 1 to 255");
    json_object_set_new(priority, "priority", json_integer(9));
    assert_non_null(world_ask(&w, b, "setConsumerPriority", priority, NULL));
    assert_int_equal(
        fake_find(worker, ALTHING__REQUEST__METHOD_SET_PRIORITY, 0)->set_priority->priority, 9);

    /* Who comes while it is paused gets it when it runs again. */
    world_notification(&w, a, "pauseProducer", id_of("producerId", mic_id));
    assert_string_equal(str(world_told(b, "consumerPaused"), "consumerId"),
                        world_peer(b)->recv->consumers->obj.id);
    struct edge_session *d = world_member(&w, "r", "d");
    assert_int_equal(world_times(d, "newConsumer"), 1);
    world_notification(&w, a, "resumeProducer", id_of("producerId", mic_id));
    assert_int_equal(world_times(d, "newConsumer"), 2);
    assert_int_equal(world_times(b, "consumerResumed"), 1);

    world_notification(&w, a, "closeProducer", id_of("producerId", cam_id));
    assert_string_equal(str(world_told(b, "consumerClosed"), "consumerId"), consumer_id);
    world_notification(&w, a, "closeProducer", id_of("producerId", cam_id));
    world_notification(&w, b, "resumeConsumer", id_of("consumerId", consumer_id));
    assert_int_equal(world_times(b, "consumerClosed"), 1);
    world_close(&w, a, EDGE_CLIENT_LEFT);
    assert_int_equal(world_times(b, "consumerClosed"), 2);
    world_free(&w);
}

static void repeats_before_the_worker_answers(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct edge_session *a = world_connect(&w, "r", "a", "a");
    uint64_t acks[3];
    for (unsigned i = 0; i < 3; i++)
        acks[i] = world_request(&w, a, "createWebRtcTransport", json_pack("{sb}", "producing", 1));
    assert_int_equal(world_answers(a, acks[0]), 0);
    world_turn(&w);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(world_answers(a, acks[i]), 1);
    assert_int_equal(fake_count(&w.workers[0], ALTHING__REQUEST__METHOD_CREATE_TRANSPORT), 1);
    world_free(&w);
}

static void tells_what_the_worker_refuses(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct edge_session *a = world_member(&w, "r", "a");
    w.workers[0].refuse = "the table is full";
    const char *err;
    assert_null(world_ask(&w, a, "produce", world_produce_data(a, "mic"), &err));
    assert_string_equal(err, "the table is full");
    assert_null(world_peer(a)->send->producers);
    assert_null(
        world_ask(&w, a, "restartIce", id_of("transportId", world_peer(a)->send->obj.id), &err));
    w.workers[0].refuse = NULL;
    const json_t *r =
        world_ask(&w, a, "restartIce", id_of("transportId", world_peer(a)->send->obj.id), NULL);
    assert_string_equal(str(json_object_get(r, "iceParameters"), "usernameFragment"),
                        world_peer(a)->send->ice_ufrag);
    world_free(&w);
}

static void refuses_bad_producers(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct edge_session *a = world_member(&w, "r", "a");
    static const struct {
        const char *kind, *source;
    } rows[] = {{"video", "mic"}, {"audio", "webcam"}, {"audio", "nonsense"}, {"nonsense", "mic"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        json_t *d = world_produce_data(a, "mic");
        json_object_set_new(d, "kind", json_string(rows[i].kind));
        json_object_set_new(json_object_get(d, "appData"), "source", json_string(rows[i].source));
        assert_null(world_ask(&w, a, "produce", d, NULL));
    }
    json_t *d = world_produce_data(a, "mic");
    json_object_set_new(d, "rtpParameters", json_string("nonsense"));
    assert_null(world_ask(&w, a, "produce", d, NULL));
    d = world_produce_data(a, "mic");
    json_object_set_new(d, "transportId", json_string(world_peer(a)->recv->obj.id));
    assert_null(world_ask(&w, a, "produce", d, NULL));
    static const char *const sources[] = {"mic",    "screenaudio", "webcam",
                                          "screen", "extravideo",  "extraaudio"};
    for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
        world_peer(a)->perms = PERM_ALL & ~PERM_BIT(on_produce_perm(sources[i]));
        assert_null(world_ask(&w, a, "produce", world_produce_data(a, sources[i]), NULL));
        world_peer(a)->perms = PERM_ALL;
        assert_non_null(world_ask(&w, a, "produce", world_produce_data(a, sources[i]), NULL));
    }
    for (size_t i = ARRAY_LEN(sources); i < PEER_PRODUCERS_MAX; i++)
        assert_non_null(world_ask(&w, a, "produce", world_produce_data(a, "mic"), NULL));
    assert_null(world_ask(&w, a, "produce", world_produce_data(a, "mic"), NULL));
    world_free(&w);
}

static void comes_back_with_its_key(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b");
    world_ask(&w, a, "produce", world_produce_data(a, "mic"), NULL);
    world_ask(&w, b, "chatMessage", json_pack("{ss}", "text", "hi"), NULL);
    world_close(&w, a, EDGE_TRANSPORT_CLOSED);
    hub_tick(&w.hub, clock_now_us());
    assert_null(world_told(b, "peerClosed"));
    assert_null(world_told(b, "consumerClosed"));
    struct edge_session *thief = world_connect(&w, "r", "a", "wrong");
    assert_true(thief->gone);
    struct edge_session *a2 = world_connect(&w, "r", "a", "a");
    const json_t *back = world_told(a2, "peerReconnected");
    assert_int_equal(json_array_size(json_object_get(back, "chatHistory")), 1);
    assert_string_equal(str(back, "sessionId"), str(back, "roomSessionId"));
    assert_non_null(world_told(a2, "mediaConfiguration"));
    assert_null(world_told(a2, "roomReady"));
    assert_non_null(world_told(b, "consumerClosed"));
    assert_null(world_told(b, "peerClosed"));
    assert_int_equal(world_times(b, "newPeer"), 0);
    /* What it had before is unknown now, and no harm. */
    world_notification(&w, a2, "closeProducer",
                       id_of("producerId", "11111111-2222-3333-4444-555555555555"));
    world_capable(&w, a2);
    world_ask(&w, a2, "createWebRtcTransport", json_pack("{sb}", "producing", 1), NULL);
    world_forget(b);
    assert_non_null(world_ask(&w, a2, "produce", world_produce_data(a2, "mic"), NULL));
    assert_non_null(world_told(b, "newConsumer"));
    /* While the old connection still seems alive. */
    struct edge_session *a3 = world_connect(&w, "r", "a", "a");
    assert_true(a2->gone);
    assert_null(world_peer(a2));
    assert_non_null(world_told(a3, "peerReconnected"));
    world_close(&w, a3, EDGE_TIMEOUT);
    hub_tick(&w.hub, clock_now_us() + S_US(GRACE_S) + 1000000);
    assert_string_equal(str(world_told(b, "peerClosed"), "peerId"), "a");
    /* Later still its rights are kept. */
    struct edge_session *a4 = world_connect(&w, "r", "a", "a");
    assert_int_equal(world_times(a4, "permissionAdded"), 15);
    assert_non_null(world_told(a4, "roomReady"));
    world_free(&w);
}

static void a_room_survives_its_worker(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 2);
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b");
    world_ask(&w, a, "produce", world_produce_data(a, "mic"), NULL);
    world_forget(a);
    world_forget(b);
    fake_free(&w.workers[0]);
    world_turn(&w);
    for (unsigned i = 0; i < 2; i++) {
        struct edge_session *s = i ? a : b;
        assert_int_equal(world_times(s, "lostMediaServer"), 1);
        assert_int_equal(world_times(s, "mediaConfiguration"), 1);
        assert_null(world_peer(s)->send);
        world_capable(&w, s);
        assert_non_null(
            world_ask(&w, s, "createWebRtcTransport", json_pack("{sb}", "producing", 1), NULL));
        assert_non_null(
            world_ask(&w, s, "createWebRtcTransport", json_pack("{sb}", "consuming", 1), NULL));
    }
    assert_non_null(world_ask(&w, a, "produce", world_produce_data(a, "mic"), NULL));
    assert_int_equal(world_times(b, "newConsumer"), 1);
    /* And none is left: wait for the next. */
    world_forget(a);
    w.workers[1].mute = true;
    uint64_t ack = world_request(&w, a, "produce", world_produce_data(a, "webcam"));
    fake_free(&w.workers[1]);
    world_turn(&w);
    assert_int_equal(world_answers(a, ack), 1);
    assert_int_equal(world_times(a, "noMediaServer"), 1);
    const char *err;
    assert_null(world_ask(&w, a, "createWebRtcTransport", json_pack("{sb}", "producing", 1), &err));
    assert_string_equal(err, "noMediaServer");
    world_worker_up(&w, 0);
    world_turn(&w);
    assert_int_equal(world_times(a, "mediaConfiguration"), 1);
    assert_non_null(
        world_ask(&w, a, "createWebRtcTransport", json_pack("{sb}", "producing", 1), NULL));
    world_free(&w);
}

static void lock_lobby_and_promotion(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct edge_session *a = world_member(&w, "r", "a");
    assert_non_null(world_ask(&w, a, "lockRoom", NULL, NULL));
    struct edge_session *b = world_connect(&w, "r", "b", "b"),
                        *c = world_connect(&w, "r", "c", "c");
    assert_non_null(world_told(b, "enteredLobby"));
    assert_int_equal(world_times(a, "parkedPeer"), 2);
    assert_non_null(
        world_ask(&w, b, "changeDisplayName", json_pack("{ss}", "displayName", "Bea"), NULL));
    assert_string_equal(str(world_told(a, "lobby:changeDisplayName"), "displayName"), "Bea");
    world_ask(&w, a, "chatMessage", json_pack("{ss}", "text", "secret"), NULL);
    /* Who waits is told of nothing. */
    static const char *const never[] = {"roomReady", "mediaConfiguration", "newPeer", "chatMessage",
                                        "parkedPeer"};
    for (size_t i = 0; i < ARRAY_LEN(never); i++)
        assert_null(world_told(b, never[i]));
    assert_null(world_ask(&w, b, "join", NULL, NULL));
    assert_non_null(world_ask(&w, a, "promotePeer", id_of("peerId", "b"), NULL));
    assert_non_null(world_told(b, "roomReady"));
    assert_non_null(world_told(a, "lobby:promotedPeer"));
    world_close(&w, c, EDGE_CLIENT_LEFT);
    assert_string_equal(str(world_told(a, "lobby:peerClosed"), "peerId"), "c");
    c = world_connect(&w, "r", "c", "c");
    assert_non_null(world_ask(&w, a, "unlockRoom", NULL, NULL));
    assert_non_null(world_told(c, "roomReady"));
    /* With the last who is inside the meeting is over for those who wait. */
    world_ask(&w, a, "lockRoom", NULL, NULL);
    struct edge_session *d = world_connect(&w, "r", "d", "d");
    world_close(&w, b, EDGE_CLIENT_LEFT);
    world_close(&w, c, EDGE_CLIENT_LEFT);
    assert_false(d->gone);
    world_close(&w, a, EDGE_CLIENT_LEFT);
    assert_true(d->gone);
    assert_int_equal(w.hub.rooms.n_rooms, 0);
    world_free(&w);
}

static void moderators_moderate(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b");
    world_ask(&w, b, "produce", world_produce_data(b, "mic"), NULL);
    world_ask(&w, b, "produce", world_produce_data(b, "webcam"), NULL);
    assert_non_null(world_ask(&w, a, "moderator:mute", id_of("peerId", "b"), NULL));
    assert_non_null(world_told(b, "moderator:mute"));
    assert_int_equal(world_times(b, "producerClosed"), 1);
    assert_int_equal(world_peer(b)->n_producers, 1);
    assert_non_null(world_ask(&w, a, "moderator:stopAllVideo", NULL, NULL));
    assert_non_null(world_told(a, "moderator:stopVideo"));
    assert_int_equal(world_peer(b)->n_producers, 0);

    /* Nobody gives what he has not: a has no BYPASS_ROOM_LOCK. */
    world_ask(&w, b, "produce", world_produce_data(b, "mic"), NULL);
    json_t *updates = json_pack("{s[{ss, s[ss]}]}", "updates", "peerId", "b", "permissions",
                                "SEND_CHAT", "BYPASS_ROOM_LOCK");
    assert_non_null(world_ask(&w, a, "moderator:setPermissions", updates, NULL));
    assert_int_equal(world_peer(b)->perms, PERM_BIT(PERM_SEND_CHAT));
    assert_int_equal(world_peer(b)->n_producers, 0);
    assert_non_null(world_told(b, "permissionRemoved"));
    assert_null(world_ask(&w, b, "moderator:mute", id_of("peerId", "a"), NULL));
    const json_t *perms = world_ask(&w, a, "moderator:getPermissions", NULL, NULL);
    assert_int_equal(json_array_size(json_object_get(perms, "peers")), 2);
    assert_null(world_ask(
        &w, a, "moderator:setPermissions",
        json_pack("{s[{ss, s[s]}]}", "updates", "peerId", "b", "permissions", "ROOT"), NULL));

    assert_non_null(world_ask(&w, a, "moderator:clearChat", NULL, NULL));
    assert_non_null(world_told(a, "moderator:clearChat"));
    assert_non_null(world_ask(&w, a, "moderator:kickPeer", id_of("peerId", "b"), NULL));
    assert_true(b->gone);
    assert_non_null(world_told(b, "moderator:kick"));
    assert_non_null(world_told(a, "peerClosed"));
    struct edge_session *c = world_member(&w, "r", "c");
    world_notification(&w, a, "moderator:closeMeeting", NULL);
    assert_true(a->gone && c->gone);
    assert_int_equal(w.hub.rooms.n_rooms, 0);
    world_free(&w);
}

/* The worker closes the consumers of a producer itself; a request for each would be a flood in a large room. */
static void a_producer_is_closed_with_one_request(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b"),
                        *c = world_member(&w, "r", "c");
    world_ask(&w, a, "produce", world_produce_data(a, "webcam"), NULL);
    assert_int_equal(world_times(b, "newConsumer") + world_times(c, "newConsumer"), 2);
    fake_forget(&w.workers[0]);
    assert_non_null(world_ask(&w, b, "moderator:stopAllVideo", NULL, NULL));
    assert_int_equal(world_times(b, "consumerClosed") + world_times(c, "consumerClosed"), 2);
    assert_int_equal(fake_count(&w.workers[0], ALTHING__REQUEST__METHOD_CLOSE_PRODUCER), 1);
    assert_int_equal(w.workers[0].n_got, 1);
    world_free(&w);
}

static void who_is_kicked_gains_nothing(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct edge_session *a = world_member(&w, "r", "a");
    world_member(&w, "r", "b");
    json_t *updates =
        json_pack("{s[{ss, s[s]}]}", "updates", "peerId", "b", "permissions", "SEND_CHAT");
    assert_non_null(world_ask(&w, a, "moderator:setPermissions", updates, NULL));
    assert_non_null(world_ask(&w, a, "moderator:kickPeer", id_of("peerId", "b"), NULL));
    struct edge_session *b = world_connect(&w, "r", "b", "b");
    assert_int_equal(world_peer(b)->perms, PERM_BIT(PERM_SEND_CHAT));
    world_free(&w);
}

/* Who joins again and again must not keep the loop busy with the pictures of others. */
static void pictures_are_handed_out_within_a_budget(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b");
    static char picture[PICTURE_MAX_BYTES + 1];
    memset(picture, 'x', PICTURE_MAX_BYTES);
    assert_non_null(world_ask(&w, a, "changePicture", json_pack("{ss}", "picture", picture), NULL));
    size_t with = 0, n = 2 * PICTURES_BURST / PICTURE_MAX_BYTES;
    for (size_t i = 0; i < n; i++) {
        world_forget(b);
        const json_t *state_of = world_ask(&w, b, "join", NULL, NULL);
        assert_non_null(state_of);
        const json_t *other = json_array_get(json_object_get(state_of, "peers"), 0);
        assert_string_equal(str(other, "id"), "a");
        with += json_object_get(other, "picture") != NULL;
    }
    assert_true(with >= PICTURES_BURST / PICTURE_MAX_BYTES && with < n);
    world_free(&w);
}

/* Or whoever reads slowly would lose his connection to who shows picture after picture, or comes with one again and again. */
static void a_room_is_not_flooded_with_pictures(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b");
    static char picture[PICTURE_MAX_BYTES + 1];
    memset(picture, 'x', PICTURE_MAX_BYTES);
    size_t most = ROOM_PICTURES_BURST / PICTURE_MAX_BYTES, taken = 0;
    for (size_t i = 0; i < 2 * most; i++)
        taken +=
            world_ask(&w, a, "changePicture", json_pack("{ss}", "picture", picture), NULL) != NULL;
    assert_int_equal(taken, most);
    assert_int_equal(world_times(b, "changePicture"), most);
    assert_false(a->gone);
    /* It comes in all the same, and who joins later sees it. */
    struct edge_session *c = world_connect(&w, "r", "c", "c");
    assert_non_null(world_ask(&w, c, "join", json_pack("{ss}", "picture", picture), NULL));
    assert_string_equal(str(world_told(b, "newPeer"), "id"), "c");
    assert_null(json_object_get(world_told(b, "newPeer"), "picture"));
    const json_t *peers = json_object_get(world_ask(&w, b, "join", NULL, NULL), "peers");
    assert_non_null(json_object_get(json_array_get(peers, 1), "picture"));
    assert_non_null(world_ask(&w, a, "changePicture", json_pack("{ss}", "picture", ""), NULL));
    /* Time passes. */
    world_peer(a)->room->pictures_free_us -= S_US(60);
    assert_non_null(world_ask(&w, a, "changePicture", json_pack("{ss}", "picture", picture), NULL));
    world_free(&w);
}

static void turn_through(struct world *w)
{
    for (unsigned quiet = 0; quiet < 3; quiet++) {
        if (fake_turn(&w->workers[0]))
            quiet = 0;
        fake_forget(&w->workers[0]);
        uv_run(&w->loop, UV_RUN_NOWAIT);
    }
}

/* It is they who have to wait: a worker that is ended takes everybody's rooms with it. */
static void many_requests_end_no_worker(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b");
    world_forget(a);
    world_request(&w, a, "produce", world_produce_data(a, "mic"));
    json_t *data = id_of("transportId", world_peer(b)->send->obj.id);
    for (unsigned i = 0; i < CHANNEL_PENDING_MAX; i++)
        world_request(&w, b, "restartIce", json_incref(data));
    json_decref(data);
    size_t refused = world_times(b, "error");
    assert_true(refused > 0 && refused < CHANNEL_PENDING_MAX);
    assert_string_equal(json_string_value(world_told(b, "error")), "the media server is busy");
    /* What ends something is let in, and keeps the worker busy when the producer is answered. */
    Althing__CloseTransport close = ALTHING__CLOSE_TRANSPORT__INIT;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_CLOSE_TRANSPORT;
    rq.close_transport = &close;
    for (unsigned i = 0; i < 1000; i++)
        media_request(world_peer(a)->media, &rq, 0, NULL, NULL);
    turn_through(&w);
    assert_int_equal(w.n_bad, 0);
    assert_int_equal(world_times(a, "ack"), 1);
    assert_int_equal(world_times(b, "error"), refused);
    /* What could not be made meanwhile is made up for. */
    assert_int_equal(world_times(b, "newConsumer"), 0);
    hub_tick(&w.hub, clock_now_us());
    turn_through(&w);
    assert_int_equal(world_times(b, "newConsumer"), 1);
    world_free(&w);
}

/* The numbers of answers start anew with a connection: an answer to the former one's would be taken for another. */
static void answers_die_with_their_connection(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_connect(&w, "r", "b", "b");
    world_capable(&w, b);
    world_ask(&w, b, "join", NULL, NULL);
    json_t *dtls = json_pack("{ss, s[{ss, ss}]}", "role", "client", "fingerprints", "algorithm",
                             "sha-256", "value", "AA:BB");
    uint64_t acks[] = {
        world_request(&w, a, "produce", world_produce_data(a, "mic")),
        world_request(&w, a, "connectWebRtcTransport",
                      json_pack("{ss, so}", "transportId", world_peer(a)->send->obj.id,
                                "dtlsParameters", dtls)),
        world_request(&w, a, "restartIce",
                      json_pack("{ss}", "transportId", world_peer(a)->recv->obj.id)),
        world_request(&w, a, "produceData",
                      json_pack("{ss, s{si}}", "transportId", world_peer(a)->send->obj.id,
                                "sctpStreamParameters", "streamId", 3)),
        world_request(&w, b, "createWebRtcTransport", json_pack("{sb}", "consuming", 1)),
    };
    world_resume_in(&w, a, "r", "a", "a");
    world_resume_in(&w, b, "r", "b", "b");
    assert_non_null(json_object_get(world_told(a, "peerReconnected"), "media"));
    world_turn(&w);
    for (size_t i = 0; i < ARRAY_LEN(acks); i++)
        assert_int_equal(world_answers(i < 4 ? a : b, acks[i]), 0);
    assert_true(world_peer(a)->send->producers->obj.confirmed);
    assert_non_null(world_ask(&w, a, "produce", world_produce_data(a, "mic"), NULL));
    world_free(&w);
}

static const char *open_channel(struct world *w, struct edge_session *s, int stream)
{
    const json_t *answer =
        world_ask(w, s, "produceData",
                  json_pack("{ss, s{si}}", "transportId", world_peer(s)->send->obj.id,
                            "sctpStreamParameters", "streamId", stream),
                  NULL);
    assert_non_null(answer);
    return str(answer, "id");
}

static void data_channels_are_told_again_on_return(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b");
    open_channel(&w, a, 1);
    open_channel(&w, b, 1);
    assert_int_equal(world_times(b, "newDataConsumer"), 1);
    world_close(&w, b, EDGE_TRANSPORT_CLOSED);
    open_channel(&w, a, 2);
    b = world_resume(&w, "r", "b", "b");
    const json_t *media = json_object_get(world_told(b, "peerReconnected"), "media");
    assert_int_equal(json_array_size(json_object_get(media, "dataProducers")), 1);
    assert_int_equal(json_array_size(json_object_get(media, "dataConsumers")), 1);
    assert_int_equal(world_times(b, "newDataConsumer"), 2);
    assert_int_equal(world_times(a, "newDataConsumer"), 1);
    world_free(&w);
}

static void a_repeat_is_not_heard_twice(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b");
    struct chat *chat = &world_peer(a)->room->main.chat;
    for (size_t i = 0; i < 3; i++) {
        assert_non_null(world_ask(&w, a, "chatMessage", json_pack("{ss}", "text", "hi"), NULL));
        assert_non_null(
            world_ask(&w, a, "sendFile", json_pack("{ss}", "magnetURI", "magnet:?xt=1"), NULL));
        assert_non_null(world_ask(&w, a, "raisedHand", json_pack("{sb}", "raisedHand", 1), NULL));
    }
    assert_int_equal(world_times(b, "chatMessage"), 1);
    assert_int_equal(world_times(b, "sendFile"), 1);
    assert_int_equal(world_times(b, "raisedHand"), 1);
    /* somebody else, something else, somewhat later: each is a message */
    assert_non_null(world_ask(&w, b, "chatMessage", json_pack("{ss}", "text", "hi"), NULL));
    assert_int_equal(world_times(a, "chatMessage"), 1);
    assert_non_null(world_ask(&w, a, "chatMessage", json_pack("{ss}", "text", "ho"), NULL));
    assert_non_null(world_ask(&w, a, "chatMessage", json_pack("{ss}", "text", "hi"), NULL));
    assert_int_equal(world_times(b, "chatMessage"), 3);
    for (size_t i = 0; i < chat->count; i++)
        chat->ring[i].at_ms -= 4000;
    assert_non_null(world_ask(&w, a, "chatMessage", json_pack("{ss}", "text", "hi"), NULL));
    assert_int_equal(world_times(b, "chatMessage"), 4);
    world_free(&w);
}

static void chat_and_the_like_reach_the_others(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b");
    struct edge_session *elsewhere = world_member(&w, "q", "b");
    world_forget(elsewhere);
    assert_non_null(world_ask(&w, a, "chatMessage", json_pack("{ss}", "text", "<b>hi</b>"), NULL));
    assert_string_equal(str(json_object_get(world_told(b, "chatMessage"), "chatMessage"), "text"),
                        "<b>hi</b>");
    assert_null(world_told(a, "chatMessage"));
    assert_null(world_ask(&w, a, "chatMessage",
                          json_pack("{ss, ss}", "text", "x", "sessionId", "other"), NULL));
    static char text[CHAT_TEXT_MAX + 2];
    memset(text, 'x', CHAT_TEXT_MAX + 1);
    assert_null(world_ask(&w, a, "chatMessage", json_pack("{ss}", "text", text), NULL));
    assert_null(
        world_ask(&w, a, "changeDisplayName", json_pack("{ss}", "displayName", "a\x01"), NULL));
    assert_null(world_ask(&w, a, "reaction", json_pack("{ss}", "reaction", text), NULL));
    assert_non_null(world_ask(&w, a, "reaction", json_pack("{ss}", "reaction", "clap"), NULL));
    assert_non_null(world_ask(&w, a, "raisedHand", json_pack("{sb}", "raisedHand", 1), NULL));
    assert_true(json_is_true(json_object_get(world_told(b, "raisedHand"), "raisedHand")));
    assert_non_null(world_ask(&w, a, "changePicture",
                              json_pack("{ss}", "picture", "data:image/png;base64,AA"), NULL));
    assert_non_null(world_told(b, "changePicture"));
    world_notification(&w, a, "recording", json_pack("{sb}", "recording", 1));
    assert_non_null(world_told(b, "recording"));
    assert_null(
        world_ask(&w, a, "sendFile", json_pack("{ss}", "magnetURI", "javascript:alert(1)"), NULL));
    assert_non_null(
        world_ask(&w, a, "sendFile", json_pack("{ss}", "magnetURI", "magnet:?xt=1"), NULL));
    assert_non_null(world_told(b, "sendFile"));
    assert_non_null(
        world_ask(&w, b, "clearFile", json_pack("{ss}", "magnetURI", "magnet:?xt=1"), NULL));
    assert_null(world_told(a, "clearFile")); /* not b's */
    assert_non_null(
        world_ask(&w, a, "clearFile", json_pack("{ss}", "magnetURI", "magnet:?xt=1"), NULL));
    assert_non_null(world_told(a, "clearFile"));
    assert_int_equal(json_array_size(elsewhere->sent), 0);
    assert_non_null(world_ask(&w, a, "escapeMeeting", json_pack("{sb}", "escapeMeeting", 1), NULL));
    assert_false(a->gone);
    world_request(&w, b, "escapeMeeting", json_pack("{sb}", "escapeMeeting", 1));
    assert_true(a->gone && b->gone);
    world_free(&w);
}

static void senders_learn_which_layers_are_wanted(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b");
    world_ask(&w, a, "produce", world_produce_data(a, "webcam"), NULL);
    hub_tick(&w.hub, clock_now_us());
    assert_null(world_told(a, "newProducerLayer"));
    int64_t later = clock_now_us() + S_US(11);
    hub_tick(&w.hub, later);
    assert_int_equal(
        json_integer_value(json_object_get(world_told(a, "newProducerLayer"), "spatialLayer")), 0);
    world_notification(&w, b, "resumeConsumer",
                       id_of("consumerId", world_peer(b)->recv->consumers->obj.id));
    assert_int_equal(
        json_integer_value(json_object_get(world_told(a, "newProducerLayer"), "spatialLayer")), 1);
    assert_int_equal(world_times(a, "newProducerLayer"), 2);
    world_free(&w);
}

static void workers_speak_of_their_own_only(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 2);
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b");
    world_ask(&w, a, "produce", world_produce_data(a, "webcam"), NULL);
    struct consumer *c = world_peer(b)->recv->consumers;
    Althing__Layers current = ALTHING__LAYERS__INIT;
    Althing__LayersChanged layers = ALTHING__LAYERS_CHANGED__INIT;
    layers.consumer = c->obj.handle;
    layers.current = &current;
    Althing__Event e = ALTHING__EVENT__INIT;
    e.kind_case = ALTHING__EVENT__KIND_LAYERS;
    e.layers = &layers;
    fake_event(&w.workers[1], &e);
    world_turn(&w);
    assert_null(world_told(b, "consumerLayersChanged"));
    fake_event(&w.workers[0], &e);
    world_turn(&w);
    assert_string_equal(str(world_told(b, "consumerLayersChanged"), "consumerId"), c->obj.id);
    Althing__BandwidthShort is_short = ALTHING__BANDWIDTH_SHORT__INIT;
    is_short.consumer = c->obj.handle;
    is_short.is_short = true;
    e.kind_case = ALTHING__EVENT__KIND_BANDWIDTH_SHORT;
    e.bandwidth_short = &is_short;
    fake_event(&w.workers[0], &e);
    world_turn(&w);
    const json_t *told = world_told(b, "consumerBandwidth");
    assert_string_equal(str(told, "consumerId"), c->obj.id);
    assert_true(json_is_true(json_object_get(told, "insufficient")));
    char empty[] = "";
    Althing__DtlsStateChanged dtls = ALTHING__DTLS_STATE_CHANGED__INIT;
    dtls.transport = world_peer(a)->send->obj.handle;
    dtls.state = ALTHING__DTLS_STATE__DTLS_STATE_FAILED;
    dtls.reason = empty;
    e.kind_case = ALTHING__EVENT__KIND_DTLS_STATE;
    e.dtls_state = &dtls;
    fake_event(&w.workers[0], &e);
    world_turn(&w);
    assert_non_null(world_told(a, "transportClosed"));
    assert_non_null(world_told(b, "consumerClosed"));
    assert_null(world_peer(a)->send);
    assert_int_equal(w.n_bad, 0);
    world_free(&w);
}

static void refuses_connections_past_its_bounds(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    w.hub.settings.peers_per_room = 2;
    static const char *const bad[][3] = {{NULL, "p", "k"}, {"", "p", "k"},      {"r", NULL, "k"},
                                         {"r", "p", NULL}, {"r\x01", "p", "k"}, {"r", "p p", "k"},
                                         {"r", "", "k"}};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_true(world_connect(&w, bad[i][0], bad[i][1], bad[i][2])->gone);
    assert_int_equal(w.hub.rooms.n_rooms, 0);
    assert_false(world_connect(&w, "r", "a", "a")->gone);
    assert_false(world_connect(&w, "r", "b", "b")->gone);
    struct edge_session *c = world_connect(&w, "r", "c", "c");
    assert_true(c->gone);
    assert_non_null(world_told(c, "overRoomLimit"));
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_peer_opens_the_room),
        cmocka_unit_test(media_flows),
        cmocka_unit_test(repeats_before_the_worker_answers),
        cmocka_unit_test(tells_what_the_worker_refuses),
        cmocka_unit_test(refuses_bad_producers),
        cmocka_unit_test(comes_back_with_its_key),
        cmocka_unit_test(a_room_survives_its_worker),
        cmocka_unit_test(lock_lobby_and_promotion),
        cmocka_unit_test(moderators_moderate),
        cmocka_unit_test(a_producer_is_closed_with_one_request),
        cmocka_unit_test(who_is_kicked_gains_nothing),
        cmocka_unit_test(pictures_are_handed_out_within_a_budget),
        cmocka_unit_test(a_room_is_not_flooded_with_pictures),
        cmocka_unit_test(many_requests_end_no_worker),
        cmocka_unit_test(answers_die_with_their_connection),
        cmocka_unit_test(data_channels_are_told_again_on_return),
        cmocka_unit_test(a_repeat_is_not_heard_twice),
        cmocka_unit_test(chat_and_the_like_reach_the_others),
        cmocka_unit_test(senders_learn_which_layers_are_wanted),
        cmocka_unit_test(workers_speak_of_their_own_only),
        cmocka_unit_test(refuses_connections_past_its_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
