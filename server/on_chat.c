#include "lib/clock.h"
#include "server/on.h"
#include "server/room/text.h"

#include <stdio.h>
#include <string.h>

/* A client repeats what was not answered within 3 s; nobody says the same so soon again. Three times the same is twice a repeat. */
#define REPEAT_MS 3500

static int64_t now_ms(void)
{
    return clock_wall_us() / 1000;
}

/* The session that a message is for: the main one by its id or by none, else the breakout that the sender is in. */
static struct room_session *addressed(const struct call *c)
{
    const json_t *id = json_object_get(c->data, "sessionId");
    struct room_session *main = &c->peer->room->main;
    if (!id || json_is_null(id))
        return main;
    struct room_session *s =
        json_is_string(id) ? room_session_find(c->peer->room, json_string_value(id)) : NULL;
    return s == main || s == c->peer->in ? s : NULL;
}

static bool is_repeat(const struct call *c, const struct chat *chat, const char *text)
{
    return chat_repeats(chat, text, c->peer->id, now_ms() - REPEAT_MS);
}

/* The main session's messages reach everybody, a breakout's those in it. */
static void tell_session(const struct call *c, const struct room_session *s, const char *method,
                         json_t *data)
{
    struct room *r = c->peer->room;
    if (room_session_is_main(r, s))
        hub_broadcast(r, c->peer, method, data);
    else
        hub_broadcast_session(r, s, c->peer, method, data);
}

static json_t *describe(const struct room_session *s, const struct chat_entry *e, const char *what)
{
    return json_pack("{ss, ss, ss, sI, ss}", what, e->text, "peerId", e->peer_id, "displayName",
                     e->display_name, "timestamp", (json_int_t)e->at_ms, "sessionId", s->id);
}

static json_t *history(const struct room_session *s, const struct chat *c, const char *what)
{
    json_t *list = json_array();
    for (size_t i = 0; i < c->count; i++)
        json_array_append_new(list, describe(s, chat_at(c, i), what));
    return list;
}

json_t *on_chat_history(const struct room_session *s)
{
    return history(s, &s->chat, "text");
}

json_t *on_file_history(const struct room_session *s)
{
    return history(s, &s->files, "magnetURI");
}

void on_chat_message(struct call *c)
{
    struct peer *p = c->peer;
    const char *text = call_string(c, "text");
    struct room_session *s = addressed(c);
    if (!c->hub->settings.chat) {
        call_error(c, "there is no chat here");
    } else if (!text || !*text || !text_lines(text, CHAT_TEXT_MAX)) {
        call_limit(c, "text is missing, too long or malformed");
    } else if (!s) {
        call_error(c, "no such session");
    } else if (is_repeat(c, &s->chat, text)) {
        call_ok(c, NULL);
    } else {
        const struct chat_entry *e = chat_add(&s->chat, text, p->id, p->display_name, now_ms());
        tell_session(c, s, "chatMessage",
                     json_pack("{ss, so}", "peerId", p->id, "chatMessage", describe(s, e, "text")));
        call_ok(c, NULL);
    }
}

void on_send_file(struct call *c)
{
    struct peer *p = c->peer;
    const char *uri = call_string(c, "magnetURI");
    struct room_session *s = addressed(c);
    if (!c->hub->settings.files) {
        call_error(c, "there is no file sharing here");
    } else if (!uri || strncmp(uri, "magnet:?", 8) != 0 || !text_id(uri, MAGNET_MAX)) {
        call_limit(c, "magnetURI is missing, too long or malformed");
    } else if (!s) {
        call_error(c, "no such session");
    } else if (is_repeat(c, &s->files, uri)) {
        call_ok(c, NULL);
    } else {
        const struct chat_entry *e = chat_add(&s->files, uri, p->id, p->display_name, now_ms());
        tell_session(c, s, "sendFile",
                     json_pack("{ss, so}", "peerId", p->id, "file", describe(s, e, "magnetURI")));
        call_ok(c, NULL);
    }
}

/* One's own, in whichever session. */
void on_clear_file(struct call *c)
{
    struct room *r = c->peer->room;
    const char *uri = call_string(c, "magnetURI");
    if (!uri || !text_id(uri, MAGNET_MAX)) {
        call_limit(c, "magnetURI is missing, too long or malformed");
        return;
    }
    size_t removed = chat_remove(&r->main.files, c->peer->id, uri);
    for (struct room_session *s = r->breakouts; s; s = s->next)
        removed += chat_remove(&s->files, c->peer->id, uri);
    if (removed)
        hub_broadcast(r, NULL, "clearFile", json_pack("{ss}", "magnetURI", uri));
    call_ok(c, NULL);
}

/* ---- what a peer says of itself ---- */

static void tell(const struct peer *p, const char *method, const char *lobby_method, json_t *data)
{
    if (p->state == PEER_LOBBY)
        hub_notify_holders(p->room, PERM_PROMOTE_PEER, lobby_method, data);
    else if (p->state == PEER_JOINED)
        hub_broadcast(p->room, p, method, data);
    else
        json_decref(data); /* join will tell */
}

void on_change_display_name(struct call *c)
{
    struct peer *p = c->peer;
    const char *name = call_string(c, "displayName");
    if (!name || !text_line(name, NAME_MAX_BYTES)) {
        call_limit(c, "displayName is missing, too long or malformed");
        return;
    }
    peer_set_name(p, name);
    tell(p, "changeDisplayName", "lobby:changeDisplayName",
         json_pack("{ss, ss}", "peerId", p->id, "displayName", name));
    call_ok(c, NULL);
}

void on_change_picture(struct call *c)
{
    struct peer *p = c->peer;
    const char *picture = call_string(c, "picture");
    if (!picture || !text_line(picture, PICTURE_MAX_BYTES)) {
        call_limit(c, "picture is missing, too long or malformed");
    } else if (!room_may_tell_picture(p->room, strlen(picture), clock_now_us())) {
        call_error(c, "too many pictures at once");
    } else if (!peer_set_picture(p, picture)) {
        call_limit(c, "the room's pictures are too large");
    } else {
        tell(p, "changePicture", "lobby:changePicture",
             json_pack("{ss, ss}", "peerId", p->id, "picture", picture));
        call_ok(c, NULL);
    }
}

void on_raised_hand(struct call *c)
{
    struct peer *p = c->peer;
    bool raised;
    if (!c->hub->settings.raise_hand) {
        call_error(c, "hands are not raised here");
    } else if (!call_bool(c, "raisedHand", &raised)) {
        call_limit(c, "raisedHand is missing or malformed");
    } else if (raised == p->raised_hand) {
        call_ok(c, NULL); /* a repeat: its place in the queue stays */
    } else {
        p->raised_hand = raised;
        p->raised_hand_ms = now_ms();
        hub_broadcast(p->room, p, "raisedHand",
                      json_pack("{ss, sb, sI}", "peerId", p->id, "raisedHand", raised,
                                "raisedHandTimestamp", (json_int_t)p->raised_hand_ms));
        call_ok(c, NULL);
    }
}

void on_reaction(struct call *c)
{
    struct peer *p = c->peer;
    const char *reaction = call_string(c, "reaction");
    if (!c->hub->settings.reactions) {
        call_error(c, "there are no reactions here");
    } else if (!reaction || !text_line(reaction, REACTION_MAX)) {
        call_limit(c, "reaction is missing, too long or malformed");
    } else {
        snprintf(p->reaction, sizeof(p->reaction), "%s", reaction);
        p->reaction_ms = now_ms();
        hub_broadcast(p->room, p, "reaction",
                      json_pack("{ss, ss, sI, sI}", "peerId", p->id, "reaction", reaction,
                                "reactionTimestamp", (json_int_t)p->reaction_ms,
                                "sendReactionTimestamp", (json_int_t)p->reaction_ms));
        call_ok(c, NULL);
    }
}

void on_recording(struct call *c)
{
    struct peer *p = c->peer;
    bool recording;
    if (!c->hub->settings.recording || !call_bool(c, "recording", &recording))
        return;
    p->recording = recording;
    hub_broadcast(p->room, p, "recording",
                  json_pack("{ss, sb}", "peerId", p->id, "recording", recording));
}
