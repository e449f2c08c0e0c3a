/* Breakout rooms. Who changes the session keeps what it sends; what it received from the old session ends, what there is in the new one
 * begins. Everybody in the room sees who is in which.
 */
#include "lib/clock.h"
#include "lib/log.h"
#include "server/on.h"
#include "server/room/text.h"

#define REPEAT_MS 10000 /* a client repeats a request within 3 x 3 s */

static int64_t now_ms(void)
{
    return clock_wall_us() / 1000;
}

json_t *on_breakout_list(const struct room *r)
{
    json_t *list = json_array();
    for (const struct room_session *s = r->breakouts; s; s = s->next)
        json_array_append_new(list, json_pack("{ss, ss, sI}", "name", s->name, "sessionId", s->id,
                                              "creationTimestamp", (json_int_t)s->created_ms));
    return list;
}

json_t *on_breakout_history(const struct room_session *s)
{
    return json_pack("{ss, so, so}", "sessionId", s->id, "chatHistory", on_chat_history(s),
                     "fileHistory", on_file_history(s));
}

static struct room_session *session(struct call *c)
{
    const char *id = call_string(c, "roomSessionId");
    struct room_session *s = id ? room_session_find(c->peer->room, id) : NULL;
    if (!s)
        call_error(c, "no such session");
    return s;
}

/* A breakout of this room: the main session can neither be emptied nor removed. */
static struct room_session *breakout(struct call *c)
{
    struct room_session *s = session(c);
    if (s && room_session_is_main(c->peer->room, s)) {
        call_error(c, "that is the main session");
        return NULL;
    }
    return s;
}

static void close_strangers(struct hub *h, struct peer *p)
{
    struct consumer *next;
    for (struct consumer *c = p->recv ? p->recv->consumers : NULL; c; c = next) {
        next = c->next;
        if (c->producer->transport->peer->in != p->in)
            on_consumer_drop(h, c);
    }
    PEER_FOREACH_PRODUCER(p, pr)
    {
        for (struct consumer *c = pr->consumers; c; c = next) {
            next = c->next_sibling;
            if (c->transport->peer->in != p->in)
                on_consumer_drop(h, c);
        }
    }
}

/* tell: the peer did not ask for it. */
static void move(struct hub *h, struct peer *p, struct room_session *to, bool tell)
{
    if (p->in == to)
        return;
    if (p->state == PEER_JOINED)
        hub_broadcast(p->room, p, "changeSessionId",
                      json_pack("{ss, ss, ss}", "peerId", p->id, "sessionId", to->id,
                                "oldSessionId", p->in->id));
    p->in = to;
    peer_changed(p);
    close_strangers(h, p);
    on_data_left_session(p);
    if (tell)
        hub_notify(p, "sessionIdChanged", on_breakout_history(to));
    on_consume_peer(h, p);
    PEER_FOREACH_PRODUCER(p, pr)
    on_consume_producer(h, pr);
    on_data_consume_peer(h, p);
    on_data_offer_peer(h, p);
}

static void empty(struct hub *h, struct room *r, struct room_session *s)
{
    ROOM_FOREACH_PEER(r, p)
    {
        if (p->in == s)
            move(h, p, &r->main, true);
    }
}

void on_create_breakout(struct call *c)
{
    struct room *r = c->peer->room;
    const char *name = call_string(c, "name");
    if (!c->hub->settings.breakouts) {
        call_error(c, "there are no breakout rooms here");
        return;
    }
    if (!name || !*name || !text_line(name, NAME_MAX_BYTES)) {
        call_limit(c, "name is missing, too long or malformed");
        return;
    }
    struct room_session *s = room_breakout_made(r, name, c->peer->id, now_ms() - REPEAT_MS);
    if (!s) {
        s = room_breakout_new(r, name, c->peer->id, now_ms());
        if (!s) {
            call_limit(c, "too many breakout rooms");
            return;
        }
        hub_broadcast(r, c->peer, "newBreakoutRoom",
                      json_pack("{ss, ss, sI}", "name", name, "roomSessionId", s->id,
                                "creationTimestamp", (json_int_t)s->created_ms));
    }
    call_ok(c, json_pack("{ss, sI}", "sessionId", s->id, "creationTimestamp",
                         (json_int_t)s->created_ms));
}

void on_eject_breakout(struct call *c)
{
    struct room_session *s = breakout(c);
    if (!s)
        return;
    empty(c->hub, c->peer->room, s);
    call_ok(c, NULL);
}

/* Of one that is gone: a repeat. */
void on_remove_breakout(struct call *c)
{
    struct room *r = c->peer->room;
    const char *id = call_string(c, "roomSessionId");
    struct room_session *s = id ? room_session_find(r, id) : NULL;
    if (!s) {
        call_ok(c, NULL);
        return;
    }
    if (!breakout(c))
        return;
    empty(c->hub, r, s);
    hub_broadcast(r, c->peer, "breakoutRoomClosed", json_pack("{ss}", "roomSessionId", s->id));
    room_breakout_free(r, s);
    call_ok(c, NULL);
}

void on_join_breakout(struct call *c)
{
    struct room_session *s = session(c);
    if (!s)
        return;
    move(c->hub, c->peer, s, false);
    call_ok(c, on_breakout_history(s));
}

void on_leave_breakout(struct call *c)
{
    struct room_session *s = &c->peer->room->main;
    move(c->hub, c->peer, s, false);
    call_ok(c, on_breakout_history(s));
}

void on_move_to_breakout(struct call *c)
{
    const char *id = call_string(c, "roomPeerId");
    struct peer *p = id ? room_peer(c->peer->room, id) : NULL;
    struct room_session *s = session(c);
    if (!s)
        return;
    if (!p || p->state != PEER_JOINED) {
        call_error(c, "no such peer");
        return;
    }
    move(c->hub, p, s, true);
    call_ok(c, NULL);
}
