/* What people do in a meeting besides media: breakout rooms, the timer, the canvas, direct connections. */
#include "lib/clock.h"
#include "server/hub.h"
#include "server/on.h"
#include "tests/unit/check.h"
#include "tests/unit/server/world.h"

#include <string.h>

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

static const json_t *ask(struct world *w, struct edge_session *s, const char *method, json_t *data)
{
    const json_t *result = world_ask(w, s, method, data, NULL);
    assert_non_null(result);
    return result;
}

static json_t *chat(const char *text, const char *session)
{
    return json_pack("{ss, ss}", "text", text, "sessionId", session);
}

static void breakouts_are_rooms_of_their_own(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct fake_worker *worker = &w.workers[0];
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b"),
                        *c = world_member(&w, "r", "c");
    struct room *r = world_peer(a)->room;
    ask(&w, a, "produce", world_produce_data(a, "mic"));
    ask(&w, b, "produce", world_produce_data(b, "mic"));
    assert_int_equal(world_times(c, "newConsumer"), 2);

    const json_t *made = ask(&w, a, "createBreakoutRoom", one("name", "Group 1"));
    char id[37];
    snprintf(id, sizeof(id), "%s", str(made, "sessionId"));
    /* The repeat of a request makes no second one. */
    assert_string_equal(str(ask(&w, a, "createBreakoutRoom", one("name", "Group 1")), "sessionId"),
                        id);
    assert_int_equal(r->n_breakouts, 1);
    assert_int_equal(world_times(b, "newBreakoutRoom"), 1);
    assert_string_equal(str(world_told(b, "newBreakoutRoom"), "roomSessionId"), id);

    /* b goes there: nobody hears the others any more, and both sides' consumers are closed in the worker, too. */
    world_forget(a);
    world_forget(b);
    world_forget(c);
    ask(&w, b, "joinBreakoutRoom", one("roomSessionId", id));
    ask(&w, b, "joinBreakoutRoom", one("roomSessionId", id)); /* a repeat */
    assert_int_equal(world_times(a, "changeSessionId"), 1);
    assert_string_equal(str(world_told(a, "changeSessionId"), "oldSessionId"), r->main.id);
    assert_int_equal(world_times(a, "consumerClosed"), 1);
    assert_int_equal(world_times(b, "consumerClosed"), 1);
    assert_int_equal(world_times(c, "consumerClosed"), 1);
    assert_int_equal(fake_count(worker, ALTHING__REQUEST__METHOD_CLOSE_CONSUMER), 3);
    assert_int_equal(world_times(b, "producerClosed"), 0);

    /* a follows: they hear each other again, c hears nobody. */
    ask(&w, a, "joinBreakoutRoom", one("roomSessionId", id));
    world_turn(&w);
    assert_int_equal(world_times(a, "newConsumer"), 1);
    assert_int_equal(world_times(b, "newConsumer"), 1);
    assert_int_equal(world_times(c, "newConsumer"), 0);

    /* Chat of the breakout stays there; that of the main session reaches all; c cannot write into it. */
    ask(&w, a, "chatMessage", chat("secret", id));
    assert_string_equal(str(json_object_get(world_told(b, "chatMessage"), "chatMessage"), "text"),
                        "secret");
    assert_null(world_told(c, "chatMessage"));
    assert_null(world_ask(&w, c, "chatMessage", chat("let me in", id), NULL));
    ask(&w, c, "chatMessage", chat("come back", r->main.id));
    assert_string_equal(str(json_object_get(world_told(b, "chatMessage"), "chatMessage"), "text"),
                        "come back");

    /* Whoever comes late is in the main session and learns of the breakouts; who comes in gets its history. */
    struct edge_session *d = world_connect(&w, "r", "d", "kd");
    const json_t *joined = ask(&w, d, "join", one("displayName", "D"));
    assert_string_equal(str(json_array_get(json_object_get(joined, "breakoutRooms"), 0), "name"),
                        "Group 1");
    assert_int_equal(json_array_size(json_object_get(joined, "chatHistory")), 1);
    ask(&w, c, "moveToBreakoutRoom", json_pack("{ss, ss}", "roomSessionId", id, "roomPeerId", "d"));
    assert_string_equal(
        str(json_array_get(json_object_get(world_told(d, "sessionIdChanged"), "chatHistory"), 0),
            "text"),
        "secret");

    /* A reconnect leads back into it. */
    world_close(&w, d, EDGE_TRANSPORT_CLOSED);
    d = world_connect(&w, "r", "d", "kd");
    assert_string_equal(str(world_told(d, "peerReconnected"), "sessionId"), id);
    assert_string_equal(str(world_told(d, "peerReconnected"), "roomSessionId"), r->main.id);
    assert_non_null(world_told(d, "sessionIdChanged"));

    /* The main session cannot be removed; the breakout can, and all are back. */
    assert_null(world_ask(&w, c, "removeBreakoutRoom", one("roomSessionId", r->main.id), NULL));
    world_forget(c);
    ask(&w, c, "removeBreakoutRoom", one("roomSessionId", id));
    ask(&w, c, "removeBreakoutRoom", one("roomSessionId", id)); /* a repeat */
    world_turn(&w);
    assert_int_equal(r->n_breakouts, 0);
    assert_string_equal(str(world_told(b, "sessionIdChanged"), "sessionId"), r->main.id);
    assert_int_equal(world_times(b, "breakoutRoomClosed"), 1);
    assert_int_equal(world_times(c, "newConsumer"), 2);
    assert_null(world_ask(&w, a, "joinBreakoutRoom", one("roomSessionId", id), NULL));
    world_free(&w);
}

static void breakouts_can_be_left_and_emptied(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b");
    struct room *r = world_peer(a)->room;
    char id[37];
    snprintf(id, sizeof(id), "%s",
             str(ask(&w, a, "createBreakoutRoom", one("name", "x")), "sessionId"));
    ask(&w, a, "joinBreakoutRoom", one("roomSessionId", id));
    assert_string_equal(str(ask(&w, a, "leaveBreakoutRoom", NULL), "sessionId"), r->main.id);
    assert_ptr_equal(world_peer(a)->in, &r->main);
    ask(&w, b, "joinBreakoutRoom", one("roomSessionId", id));
    ask(&w, a, "ejectBreakoutRoom", one("roomSessionId", id));
    assert_ptr_equal(world_peer(b)->in, &r->main);
    assert_int_equal(r->n_breakouts, 1);
    /* Without the permissions. */
    world_peer(b)->perms = 0;
    static const char *const methods[] = {"createBreakoutRoom", "ejectBreakoutRoom",
                                          "removeBreakoutRoom", "joinBreakoutRoom",
                                          "leaveBreakoutRoom",  "moveToBreakoutRoom"};
    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        assert_null(world_ask(
            &w, b, methods[i],
            json_pack("{ss, ss, ss}", "roomSessionId", id, "name", "y", "roomPeerId", "a"), NULL));
    assert_ptr_equal(world_peer(a)->in, &r->main);
    /* Into another room's session nobody gets. */
    struct edge_session *x = world_member(&w, "other", "x");
    assert_null(world_ask(&w, x, "joinBreakoutRoom", one("roomSessionId", id), NULL));
    /* The room ends with somebody in a breakout. */
    ask(&w, a, "joinBreakoutRoom", one("roomSessionId", id));
    world_close(&w, b, EDGE_CLIENT_LEFT);
    world_close(&w, a, EDGE_CLIENT_LEFT);
    assert_null(rooms_find(&w.hub.rooms, "r"));
    world_free(&w);
}

static void the_timer_runs_and_ends(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b");
    assert_null(world_ask(&w, a, "moderator:startCountdownTimer", NULL, NULL));
    ask(&w, a, "moderator:setCountdownTimerInitialTime", json_string("00:05:00"));
    assert_string_equal(
        json_string_value(world_told(b, "moderator:settedCountdownTimerInitialTime")), "00:05:00");
    assert_null(world_ask(&w, a, "moderator:setCountdownTimerInitialTime", json_string("5"), NULL));
    ask(&w, a, "moderator:startCountdownTimer", NULL);
    ask(&w, a, "moderator:startCountdownTimer", NULL);
    assert_int_equal(world_times(b, "moderator:startedCountdownTimer"), 1);
    struct edge_session *c = world_member(&w, "r", "c");
    const json_t *timer =
        json_object_get(ask(&w, c, "join", one("displayName", "C")), "countdownTimer");
    assert_true(json_is_true(json_object_get(timer, "isStarted")));
    assert_string_equal(str(timer, "initialTime"), "00:05:00");
    hub_tick(&w.hub, clock_now_us() + S_US(299));
    assert_null(world_told(b, "moderator:finishedCountdownTimer"));
    hub_tick(&w.hub, clock_now_us() + S_US(301));
    hub_tick(&w.hub, clock_now_us() + S_US(302));
    assert_int_equal(world_times(b, "moderator:finishedCountdownTimer"), 1);
    ask(&w, a, "moderator:setCountdownTimerInitialTime", json_string("00:00:10"));
    ask(&w, a, "moderator:startCountdownTimer", NULL);
    ask(&w, a, "moderator:stopCountdownTimer", NULL);
    assert_int_equal(world_times(b, "moderator:stoppedCountdownTimer"), 1);
    ask(&w, a, "moderator:disableCountdownTimer", NULL);
    assert_true(json_is_false(
        json_object_get(world_told(b, "moderator:disabledCountdownTimer"), "isEnabled")));
    world_free(&w);
}

static json_t *stroke(int id, const char *status)
{
    return json_pack("{s{si, ss}, ss}", "object", "id", id, "type", "Path", "status", status);
}

static void the_canvas_is_shared(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b");
    assert_null(world_ask(&w, b, "updateCanvasState", stroke(1, "added"), NULL));
    ask(&w, a, "enableDrawing", NULL);
    assert_int_equal(world_times(b, "moderator:enabledDrawing"), 1);
    world_peer(b)->perms = 0;
    const json_t *done = ask(&w, b, "updateCanvasState", stroke(1, "added"));
    assert_string_equal(str(json_object_get(done, "canvasAction"), "status"), "added");
    assert_string_equal(str(json_object_get(world_told(a, "updateCanvas"), "action"), "status"),
                        "added");
    ask(&w, b, "updateCanvasState", stroke(1, "editing"));
    ask(&w, b, "setDrawingBgColor", json_string("gray"));
    assert_string_equal(str(world_told(a, "setDrawingBgColor"), "bgColor"), "gray");
    assert_null(world_ask(&w, b, "setDrawingBgColor", json_string("url(//x)"), NULL));
    assert_null(world_ask(&w, b, "updateCanvasState", stroke(1, "stolen"), NULL));
    assert_null(world_ask(&w, b, "clearCanvas", NULL, NULL));
    assert_null(world_ask(&w, b, "disableDrawing", NULL, NULL));
    struct edge_session *c = world_connect(&w, "r", "c", "kc");
    const json_t *drawing = json_object_get(ask(&w, c, "join", one("displayName", "C")), "drawing");
    assert_int_equal(json_array_size(json_object_get(drawing, "canvasState")), 1);
    assert_string_equal(str(drawing, "bgColor"), "gray");
    ask(&w, a, "clearCanvas", NULL);
    assert_int_equal(world_times(c, "clearCanvas"), 1);
    assert_int_equal(world_peer(a)->room->drawing.bytes, 0);
    ask(&w, a, "disableDrawing", NULL);
    assert_int_equal(world_times(c, "disabledDrawing"), 1);
    world_free(&w);
}

/* What somebody draws or passes on must not fill the queues of who reads slowly: neither at once nor little by little. */
static void nobody_is_flooded(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b");
    static char text[DRAWING_OBJECT_MAX + 1];
    memset(text, 'x', sizeof(text) - 1);
    ask(&w, a, "enableDrawing", NULL);
    assert_null(world_ask(
        &w, a, "updateCanvasState",
        json_pack("{s{si, ss}, ss}", "object", "id", 1, "path", text, "status", "editing"), NULL));
    world_notification(&w, a, "candidate", json_pack("{ss, ss}", "peerId", "b", "candidate", text));
    assert_null(world_told(b, "candidate"));
    text[DRAWING_OBJECT_MAX / 2] = 0;
    for (unsigned i = 0; i < 2 * ROOM_PICTURES_BURST / DRAWING_OBJECT_MAX; i++) {
        json_t *object =
            json_pack("{s{si, ss}, ss}", "object", "id", 1, "path", text, "status", "editing");
        json_t *candidate = json_pack("{ss, ss}", "peerId", "b", "candidate", text);
        world_request(&w, a, "updateCanvasState", object);
        world_notification(&w, a, "candidate", candidate);
    }
    size_t bytes = (world_times(b, "updateCanvas") + world_times(b, "candidate")) * strlen(text);
    assert_true(bytes > ROOM_PICTURES_BURST / 2);
    assert_true(bytes < ROOM_PICTURES_BURST + 10 * ROOM_PICTURES_PER_S);
    assert_ptr_equal(world_peer(a)->session, a); /* it is no offence to be quick */
    world_free(&w);
}

static void direct_connections_are_relayed_with_care(void **state)
{
    (void)state;
    struct world w;
    world_init(&w, 1);
    struct edge_session *a = world_member(&w, "r", "a"), *b = world_member(&w, "r", "b");
    ask(&w, a, "peerConnect",
        json_pack("{ss, ss, ss, s{}, ss}", "peerId", "b", "direction", "send", "evil", "x",
                  "iceParameters", "method", "moderator:kick"));
    const json_t *told = world_told(b, "peerConnect");
    assert_string_equal(str(told, "peerId"), "a"); /* the sender, whatever it says */
    assert_string_equal(str(told, "direction"), "send");
    assert_null(json_object_get(told, "evil"));
    world_notification(&w, a, "pausePeerConsumer", one("consumerId", "c1"));
    assert_string_equal(str(world_told(b, "pausePeerConsumer"), "consumerId"), "c1");
    /* Who may not share here may not share around the server either. */
    world_peer(a)->perms &= ~PERM_BIT(PERM_SHARE_VIDEO);
    world_notification(&w, a, "peerProduce",
                       json_pack("{ss, s{ss}}", "peerId", "b", "appData", "source", "webcam"));
    assert_null(world_told(b, "peerProduce"));
    world_notification(&w, a, "peerProduce",
                       json_pack("{ss, s{ss}}", "peerId", "b", "appData", "source", "mic"));
    assert_non_null(world_told(b, "peerProduce"));
    /* With a third, nobody is meant by default; and nobody in another session or room. */
    struct edge_session *c = world_member(&w, "r", "c");
    world_forget(b);
    world_notification(&w, a, "pausePeerConsumer", one("consumerId", "c1"));
    assert_null(world_told(b, "pausePeerConsumer"));
    char id[37];
    snprintf(id, sizeof(id), "%s",
             str(ask(&w, b, "createBreakoutRoom", one("name", "x")), "sessionId"));
    ask(&w, c, "joinBreakoutRoom", one("roomSessionId", id));
    assert_null(world_ask(&w, a, "peerConnect", one("peerId", "c"), NULL));
    world_member(&w, "other", "x");
    assert_null(world_ask(&w, a, "peerConnect", one("peerId", "x"), NULL));
    w.hub.settings.p2p = false;
    assert_null(world_ask(&w, a, "peerConnect", one("peerId", "b"), NULL));
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(breakouts_are_rooms_of_their_own),
        cmocka_unit_test(breakouts_can_be_left_and_emptied),
        cmocka_unit_test(the_timer_runs_and_ends),
        cmocka_unit_test(the_canvas_is_shared),
        cmocka_unit_test(direct_connections_are_relayed_with_care),
        cmocka_unit_test(nobody_is_flooded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
