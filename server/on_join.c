#include "lib/clock.h"
#include "server/on.h"
#include "server/room/text.h"

#include <string.h>

#define REACTION_SHOWN_MS 10000

static json_t *string_or_null(const char *s)
{
    return s && *s ? json_string(s) : json_null();
}

static json_t *peer_info(const struct peer *p, bool picture)
{
    bool reacts = *p->reaction && clock_wall_us() / 1000 - p->reaction_ms < REACTION_SHOWN_MS;
    json_t *o = json_pack("{ss, sb, so, ss, sb}", "id", p->id, "raisedHand", p->raised_hand,
                          "sendReaction", string_or_null(reacts ? p->reaction : NULL), "sessionId",
                          p->in->id, "recording", p->recording);
    if (*p->display_name)
        json_object_set_new(o, "displayName", json_string(p->display_name));
    if (p->picture && picture)
        json_object_set_new(o, "picture", json_string(p->picture));
    if (p->raised_hand_ms)
        json_object_set_new(o, "raisedHandTimestamp", json_integer(p->raised_hand_ms));
    if (reacts)
        json_object_set_new(o, "sendReactionTimestamp", json_integer(p->reaction_ms));
    return o;
}

json_t *on_join_peer_info(const struct peer *p)
{
    return peer_info(p, true);
}

json_t *on_join_room_state(struct hub *h, const struct peer *p)
{
    const struct room *r = p->room;
    bool pictures =
        bucket_take(&h->pictures, (double)(r->picture_bytes + r->drawing.bytes), clock_now_us());
    json_t *peers = json_array(), *lobby = json_array();
    bool sees_lobby = perm_has(p->perms, PERM_PROMOTE_PEER);
    ROOM_FOREACH_PEER(r, other)
    {
        if (other != p && other->state == PEER_JOINED)
            json_array_append_new(peers, peer_info(other, pictures));
        else if (other->state == PEER_LOBBY && sees_lobby)
            json_array_append_new(lobby, peer_info(other, pictures));
    }
    json_t *o =
        json_pack("{so, so, so, so, so, so, so, sb}", "peers", peers, "chatHistory",
                  on_chat_history(&r->main), "fileHistory", on_file_history(&r->main),
                  "countdownTimer", on_countdown_state(r), "drawing", on_drawing_state(r, pictures),
                  "breakoutRooms", on_breakout_list(r), "lobbyPeers", lobby, "locked", r->locked);
    if (h->settings.max_file_size)
        json_object_set_new(o, "maxFileSize", json_integer(h->settings.max_file_size));
    if (h->settings.tracker)
        json_object_set_new(o, "tracker", json_string(h->settings.tracker));
    return o;
}

void on_join(struct call *c)
{
    struct peer *p = c->peer;
    const char *name = call_string(c, "displayName"), *picture = call_string(c, "picture");
    if (name && !text_line(name, NAME_MAX_BYTES)) {
        call_limit(c, "displayName is too long or malformed");
        return;
    }
    bool again = p->state == PEER_JOINED; /* the answer was lost, perhaps */
    if (name)
        peer_set_name(p, name);
    /* A picture too many must not keep anybody out. */
    if (picture && text_line(picture, PICTURE_MAX_BYTES))
        peer_set_picture(p, picture);
    peer_set_state(p, PEER_JOINED);
    call_ok(c, on_join_room_state(c->hub, p));
    if (again)
        return;
    p->joined_us = clock_now_us();
    on_media_joined(c->hub, p);
    size_t len = p->picture ? strlen(p->picture) : 0;
    bool show = room_may_tell_picture(p->room, len, clock_now_us());
    hub_broadcast(p->room, p, "newPeer", peer_info(p, show));
    on_consume_peer(c->hub, p);
    PEER_FOREACH_PRODUCER(p, pr)
    on_consume_producer(c->hub, pr);
    on_data_consume_peer(c->hub, p);
    on_data_offer_peer(c->hub, p);
}
