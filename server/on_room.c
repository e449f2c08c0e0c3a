#include "lib/log.h"
#include "server/on.h"
#include "server/room/text.h"

#include <string.h>

static const char *const mic[] = {"mic", NULL};
static const char *const cameras[] = {"webcam", "extravideo", NULL};
static const char *const screens[] = {"screen", "screenaudio", NULL};

/* ---- lock and lobby ---- */

static void set_locked(struct call *c, bool locked)
{
    struct room *r = c->peer->room;
    if (r->locked != locked)
        hub_broadcast(r, c->peer, locked ? "lockRoom" : "unlockRoom",
                      json_pack("{ss}", "peerId", c->peer->id));
    r->locked = locked;
}

static void promote(struct hub *h, struct peer *p)
{
    hub_notify_holders(p->room, PERM_PROMOTE_PEER, "lobby:promotedPeer",
                       json_pack("{ss}", "peerId", p->id));
    on_connect_admit(h, p);
}

static void promote_all(struct hub *h, struct room *r)
{
    ROOM_FOREACH_PEER(r, p)
    {
        if (p->state == PEER_LOBBY)
            promote(h, p);
    }
}

void on_lock_room(struct call *c)
{
    set_locked(c, true);
    call_ok(c, NULL);
}

void on_unlock_room(struct call *c)
{
    set_locked(c, false);
    promote_all(c->hub, c->peer->room);
    call_ok(c, NULL);
}

/* The peer of this room that data.peerId names; else the request is refused. */
static struct peer *target(struct call *c)
{
    const char *id = call_string(c, "peerId");
    struct peer *p = id ? room_peer(c->peer->room, id) : NULL;
    if (!p)
        call_error(c, "no such peer");
    else
        peer_changed(p);
    return p;
}

void on_promote_peer(struct call *c)
{
    struct peer *p = target(c);
    if (!p)
        return;
    if (p->state == PEER_LOBBY)
        promote(c->hub, p);
    call_ok(c, NULL);
}

void on_promote_all(struct call *c)
{
    promote_all(c->hub, c->peer->room);
    call_ok(c, NULL);
}

/* ---- the end ---- */

void on_room_end(struct hub *h, struct room *r, const char *method)
{
    /* With its last peer the room goes, so by serials. */
    struct rooms *rs = &h->rooms;
    uint64_t room_serial = r->serial, serial = 0;
    log_info("room", "meeting is ended room=%s by=%s", r->id, method);
    while ((r = rooms_by_serial(rs, room_serial)) != NULL) {
        struct peer *p = room_peer_after(r, serial);
        if (!p)
            break;
        serial = p->serial;
        hub_notify(p, method, NULL);
        on_connect_send_away(h, p, "the meeting is over");
    }
}

void on_escape_meeting(struct call *c)
{
    struct room *r = c->peer->room;
    if (!call_bool(c, "escapeMeeting", &c->peer->escape)) {
        call_limit(c, "escapeMeeting is missing or malformed");
        return;
    }
    call_ok(c, NULL);
    ROOM_FOREACH_PEER(r, p)
    {
        if (p->state == PEER_JOINED && !p->escape)
            return;
    }
    on_room_end(c->hub, r, "escapeMeeting");
}

void on_moderate_close(struct call *c)
{
    on_room_end(c->hub, c->peer->room, "moderator:kick");
}

void on_room_kick(struct hub *h, struct peer *p, const char *why)
{
    hub_notify(p, "moderator:kick", NULL);
    /* Or it would be back in a moment with the same rights; nor with more. */
    p->perms &= h->settings.default_perms;
    on_connect_send_away(h, p, why);
}

void on_moderate_kick(struct call *c)
{
    struct peer *p = target(c);
    if (!p)
        return;
    call_ok(c, NULL);
    on_room_kick(c->hub, p, "kicked by a moderator");
}

/* ---- stopping others: the browser is asked to, and the server makes sure ---- */

static void stop_one(struct call *c, const char *method, const char *const *sources)
{
    struct peer *p = target(c);
    if (!p)
        return;
    hub_notify(p, method, NULL);
    on_produce_stop(c->hub, p, sources);
    call_ok(c, NULL);
}

static void stop_all(struct call *c, const char *method, const char *const *sources)
{
    hub_broadcast(c->peer->room, NULL, method, NULL);
    ROOM_FOREACH_PEER(c->peer->room, p)
    on_produce_stop(c->hub, p, sources);
    call_ok(c, NULL);
}

void on_moderate_mute(struct call *c)
{
    stop_one(c, "moderator:mute", mic);
}

void on_moderate_stop_video(struct call *c)
{
    stop_one(c, "moderator:stopVideo", cameras);
}

void on_moderate_stop_screen(struct call *c)
{
    stop_one(c, "moderator:stopScreenSharing", screens);
}

void on_moderate_mute_all(struct call *c)
{
    stop_all(c, "moderator:mute", mic);
}

void on_moderate_stop_all_video(struct call *c)
{
    stop_all(c, "moderator:stopVideo", cameras);
}

void on_moderate_stop_all_screen(struct call *c)
{
    stop_all(c, "moderator:stopScreenSharing", screens);
}

void on_moderate_lower_hand(struct call *c)
{
    struct peer *p = target(c);
    if (!p)
        return;
    hub_notify(p, "moderator:lowerHand", NULL);
    call_ok(c, NULL);
}

/* In every session: the message to the clients names none. */
static void clear_all(struct room *r, bool files)
{
    chat_clear(files ? &r->main.files : &r->main.chat);
    for (struct room_session *s = r->breakouts; s; s = s->next)
        chat_clear(files ? &s->files : &s->chat);
}

void on_moderate_clear_chat(struct call *c)
{
    clear_all(c->peer->room, false);
    hub_broadcast(c->peer->room, NULL, "moderator:clearChat", NULL);
    call_ok(c, NULL);
}

void on_moderate_clear_files(struct call *c)
{
    clear_all(c->peer->room, true);
    hub_broadcast(c->peer->room, NULL, "moderator:clearFiles", NULL);
    call_ok(c, NULL);
}

/* ---- permissions ---- */

static json_t *perm_list(uint32_t perms)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < PERM_COUNT; i++) {
        if (perm_has(perms, (enum perm)i))
            json_array_append_new(list, json_string(perm_name((enum perm)i)));
    }
    return list;
}

void on_moderate_get_permissions(struct call *c)
{
    json_t *peers = json_array();
    ROOM_FOREACH_PEER(c->peer->room, p)
    {
        if (p->state == PEER_JOINED)
            json_array_append_new(peers,
                                  json_pack("{ss, ss, so}", "id", p->id, "displayName",
                                            p->display_name, "permissions", perm_list(p->perms)));
    }
    call_ok(c, json_pack("{so}", "peers", peers));
}

static void change_perms(struct hub *h, struct peer *p, uint32_t perms)
{
    uint32_t changed = p->perms ^ perms;
    p->perms = perms;
    peer_changed(p);
    for (unsigned i = 0; i < PERM_COUNT; i++) {
        if (perm_has(changed, (enum perm)i))
            hub_notify(p, perm_has(perms, (enum perm)i) ? "permissionAdded" : "permissionRemoved",
                       json_pack("{ss}", "permission", perm_name((enum perm)i)));
    }
    static const char *const all[] = {"mic",    "screenaudio", "webcam",
                                      "screen", "extravideo",  "extraaudio"};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        const char *const one[] = {all[i], NULL};
        if (!perm_has(perms, on_produce_perm(all[i])))
            on_produce_stop(h, p, one);
    }
}

/* The set that a list of names says; false: it is none. */
static bool read_perms(const json_t *list, uint32_t *perms)
{
    *perms = 0;
    if (!json_is_array(list) || json_array_size(list) > PERM_COUNT)
        return false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        enum perm one = perm_from_name(json_string_value(json_array_get(list, i)));
        if (one == PERM_NONE)
            return false;
        *perms |= PERM_BIT(one);
    }
    return true;
}

void on_moderate_set_permissions(struct call *c)
{
    const json_t *updates = json_object_get(c->data, "updates");
    size_t n = json_array_size(updates);
    uint32_t may = c->peer->perms, perms; /* nobody gives or takes what he has not */
    if (!json_is_array(updates) || n > ROOM_PEERS_MAX) {
        call_limit(c, "updates are missing or malformed");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        if (!read_perms(json_object_get(json_array_get(updates, i), "permissions"), &perms)) {
            call_limit(c, "permissions are missing or malformed");
            return;
        }
    }
    for (size_t i = 0; i < n; i++) {
        const json_t *u = json_array_get(updates, i);
        const char *id = json_string_value(json_object_get(u, "peerId"));
        struct peer *p = id ? room_peer(c->peer->room, id) : NULL;
        if (p && read_perms(json_object_get(u, "permissions"), &perms))
            change_perms(c->hub, p, (p->perms & ~may) | (perms & may));
    }
    call_ok(c, NULL);
}
