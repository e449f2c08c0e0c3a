#include "server/dispatch.h"

#include "lib/clock.h"
#include "server/on.h"

#include <stdio.h>
#include <string.h>

#define REQUEST(name, state, perm, fn)                                                             \
    {                                                                                              \
        name, true, PEER_##state, PERM_##perm, fn, false                                           \
    }
#define NOTIFY(name, state, perm, fn)                                                              \
    {                                                                                              \
        name, false, PEER_##state, PERM_##perm, fn, false                                          \
    }
#define WORK_REQUEST(name, fn)                                                                     \
    {                                                                                              \
        name, true, PEER_ADMITTED, PERM_NONE, fn, true                                             \
    }
#define WORK_NOTIFY(name, fn)                                                                      \
    {                                                                                              \
        name, false, PEER_ADMITTED, PERM_NONE, fn, true                                            \
    }

static const struct dispatch_row table[] = {
    REQUEST("join", ADMITTED, NONE, on_join),
    WORK_REQUEST("createWebRtcTransport", on_create_transport),
    WORK_REQUEST("connectWebRtcTransport", on_connect_transport),
    WORK_REQUEST("restartIce", on_restart_ice),
    WORK_REQUEST("produce", on_produce),
    WORK_REQUEST("produceData", on_produce_data),
    NOTIFY("pauseProducer", ADMITTED, NONE, on_pause_producer),
    WORK_NOTIFY("resumeProducer", on_resume_producer),
    NOTIFY("closeProducer", ADMITTED, NONE, on_close_producer),
    NOTIFY("closeDataProducer", ADMITTED, NONE, on_close_data_producer),
    NOTIFY("pauseConsumer", ADMITTED, NONE, on_pause_consumer),
    WORK_NOTIFY("resumeConsumer", on_resume_consumer),
    WORK_NOTIFY("setConsumerPreferredLayers", on_preferred_layers),
    REQUEST("setConsumerPriority", ADMITTED, NONE, on_consumer_priority),
    WORK_REQUEST("requestConsumerKeyFrame", on_request_key_frame),

    REQUEST("chatMessage", JOINED, SEND_CHAT, on_chat_message),
    REQUEST("changeDisplayName", LOBBY, NONE, on_change_display_name),
    REQUEST("changePicture", LOBBY, NONE, on_change_picture),
    REQUEST("raisedHand", JOINED, NONE, on_raised_hand),
    REQUEST("reaction", JOINED, NONE, on_reaction),
    NOTIFY("recording", JOINED, LOCAL_RECORD_ROOM, on_recording),
    REQUEST("sendFile", JOINED, SHARE_FILE, on_send_file),
    REQUEST("clearFile", JOINED, NONE, on_clear_file),

    REQUEST("lockRoom", JOINED, CHANGE_ROOM_LOCK, on_lock_room),
    REQUEST("unlockRoom", JOINED, CHANGE_ROOM_LOCK, on_unlock_room),
    REQUEST("promotePeer", JOINED, PROMOTE_PEER, on_promote_peer),
    REQUEST("promoteAllPeers", JOINED, PROMOTE_PEER, on_promote_all),
    REQUEST("escapeMeeting", JOINED, NONE, on_escape_meeting),
    REQUEST("updateToken", LOBBY, NONE, NULL),

    REQUEST("moderator:mute", JOINED, MODERATE_ROOM, on_moderate_mute),
    REQUEST("moderator:stopVideo", JOINED, MODERATE_ROOM, on_moderate_stop_video),
    REQUEST("moderator:stopScreenSharing", JOINED, MODERATE_ROOM, on_moderate_stop_screen),
    REQUEST("moderator:lowerHand", JOINED, MODERATE_ROOM, on_moderate_lower_hand),
    REQUEST("moderator:kickPeer", JOINED, MODERATE_ROOM, on_moderate_kick),
    REQUEST("moderator:muteAll", JOINED, MODERATE_ROOM, on_moderate_mute_all),
    REQUEST("moderator:stopAllVideo", JOINED, MODERATE_ROOM, on_moderate_stop_all_video),
    REQUEST("moderator:stopAllScreenSharing", JOINED, MODERATE_ROOM, on_moderate_stop_all_screen),
    NOTIFY("moderator:closeMeeting", JOINED, MODERATE_ROOM, on_moderate_close),
    REQUEST("moderator:clearChat", JOINED, MODERATE_CHAT, on_moderate_clear_chat),
    REQUEST("moderator:clearFiles", JOINED, MODERATE_FILES, on_moderate_clear_files),
    REQUEST("moderator:getPermissions", JOINED, MODERATE_ROOM, on_moderate_get_permissions),
    REQUEST("moderator:setPermissions", JOINED, MODERATE_ROOM, on_moderate_set_permissions),

    REQUEST("createBreakoutRoom", JOINED, CREATE_ROOM, on_create_breakout),
    REQUEST("ejectBreakoutRoom", JOINED, CREATE_ROOM, on_eject_breakout),
    REQUEST("removeBreakoutRoom", JOINED, CREATE_ROOM, on_remove_breakout),
    REQUEST("joinBreakoutRoom", JOINED, CHANGE_ROOM, on_join_breakout),
    REQUEST("leaveBreakoutRoom", JOINED, CHANGE_ROOM, on_leave_breakout),
    REQUEST("moveToBreakoutRoom", JOINED, MODERATE_ROOM, on_move_to_breakout),

    REQUEST("moderator:enableCountdownTimer", JOINED, MODERATE_ROOM, on_countdown_enable),
    REQUEST("moderator:disableCountdownTimer", JOINED, MODERATE_ROOM, on_countdown_disable),
    REQUEST("moderator:startCountdownTimer", JOINED, MODERATE_ROOM, on_countdown_start),
    REQUEST("moderator:stopCountdownTimer", JOINED, MODERATE_ROOM, on_countdown_stop),
    REQUEST("moderator:setCountdownTimerInitialTime", JOINED, MODERATE_ROOM, on_countdown_set),

    REQUEST("enableDrawing", JOINED, MODERATE_ROOM, on_drawing_enable),
    REQUEST("disableDrawing", JOINED, MODERATE_ROOM, on_drawing_disable),
    REQUEST("clearCanvas", JOINED, MODERATE_ROOM, on_drawing_clear),
    REQUEST("setDrawingBgColor", JOINED, NONE, on_drawing_color),
    REQUEST("updateCanvasState", JOINED, NONE, on_drawing_update),

    REQUEST("peerConnect", JOINED, NONE, on_p2p),
    NOTIFY("peerLoad", JOINED, NONE, on_p2p),
    NOTIFY("candidate", JOINED, NONE, on_p2p),
    NOTIFY("peerProduce", JOINED, NONE, on_p2p),
    NOTIFY("peerCloseProducer", JOINED, NONE, on_p2p),
    NOTIFY("peerPauseProducer", JOINED, NONE, on_p2p),
    NOTIFY("peerResumeProducer", JOINED, NONE, on_p2p),
    NOTIFY("pausePeerConsumer", JOINED, NONE, on_p2p),
    NOTIFY("resumePeerConsumer", JOINED, NONE, on_p2p),
};

const struct dispatch_row *dispatch_table(size_t *n)
{
    *n = sizeof(table) / sizeof(table[0]);
    return table;
}

static const struct dispatch_row *find(const char *method, bool request)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (table[i].request == request && !strcmp(table[i].method, method))
            return &table[i];
    }
    return NULL;
}

void dispatch(struct call *c)
{
    const struct dispatch_row *row = find(c->method, c->request);
    char text[96];
    if (!c->peer) {
        call_error(c, "not in a room");
    } else if (!row) {
        call_error(c, "unknown method");
    } else if (c->peer->state < row->state) {
        call_error(c, c->peer->state == PEER_LOBBY ? "still in the lobby" : "not joined yet");
    } else if (!perm_has(c->peer->perms, row->perm)) {
        snprintf(text, sizeof(text), "permission %s is missing", perm_name(row->perm));
        call_error(c, text);
    } else if (!row->fn) {
        call_error(c, "this server does not do that");
    } else if (row->work && c->peer->media && media_router_busy(c->peer->media)) {
        call_error(c, "the media server is busy");
    } else {
        /* Before: it may be gone after. */
        peer_changed(c->peer);
        row->fn(c);
    }
    /* A handler that is silent is a bug of ours, but the browser must not wait for it. */
    if (c->request && !c->answered)
        call_error(c, "no answer");
}

/* ---- for handlers ---- */

void call_ok(struct call *c, json_t *result)
{
    if (c->request && !c->answered)
        edge_reply(c->session, c->ack, result);
    else
        json_decref(result);
    c->answered = true;
}

void call_error(struct call *c, const char *text)
{
    if (c->request && !c->answered)
        edge_reply_error(c->session, c->ack, text);
    c->answered = true;
}

void call_limit(struct call *c, const char *text)
{
    call_error(c, text);
    if (peer_strike(c->peer, clock_now_us()))
        on_connect_send_away(c->hub, c->peer, text);
}

const char *call_string(const struct call *c, const char *key)
{
    return json_string_value(json_object_get(c->data, key));
}

bool call_bool(const struct call *c, const char *key, bool *out)
{
    const json_t *v = json_object_get(c->data, key);
    if (!json_is_boolean(v))
        return false;
    *out = json_is_true(v);
    return true;
}
