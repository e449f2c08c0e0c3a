/* Coming, coming back and going.
 *
 * A browser comes with roomId, peerId and reconnectKey. The first peer of a room makes the room. Who comes with the id and the key of a
 * peer that is there takes its place: what that had of transports is closed, its name, rights and hand stay. A peer whose connection
 * is lost stays for GRACE_S, so that others see nothing of a short gap. Nobody waits for anybody: the router is asked for at once
 * and the capabilities of each peer are asked of that peer alone.
 */
#include "lib/clock.h"
#include "lib/log.h"
#include "server/on.h"
#include "server/room/data.h"
#include "server/room/text.h"

#include <string.h>

/* As long for every guess, however much of it is right. */
static bool keys_equal(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    unsigned diff = n != m;
    for (size_t i = 0; i < n && i < m; i++)
        diff |= (unsigned char)a[i] ^ (unsigned char)b[i];
    return !diff;
}

static void tell_permissions(const struct peer *p)
{
    for (unsigned i = 0; i < PERM_COUNT; i++) {
        if (perm_has(p->perms, (enum perm)i))
            hub_notify(p, "permissionAdded",
                       json_pack("{ss}", "permission", perm_name((enum perm)i)));
    }
}

/* ---- media ---- */

static void on_capabilities(struct edge_session *s, const char *err, const json_t *result,
                            void *arg)
{
    struct hub *h = arg;
    struct peer *p = edge_session_user(s);
    if (!p || p->session != s)
        return;
    struct ortc_error error = {"no rtpCapabilities"};
    json_t *caps = err ? NULL : json_deep_copy(json_object_get(result, "rtpCapabilities"));
    if (!caps || ortc_check_capabilities(caps, &error)) {
        log_info("connect", "no capabilities room=%s peer=%s reason=\"%s\"", p->room->id, p->id,
                 err ? err : error.text);
        json_decref(caps);
        return;
    }
    peer_set_capabilities(p, caps, on_json_free);
    peer_changed(p);
    on_consume_peer(h, p);
}

void on_connect_media(struct hub *h, struct peer *p)
{
    struct room *r = p->room;
    if (!p->session)
        return;
    if (!r->spread && h->media)
        r->spread = spread_new(h->media, r->id, r);
    if (!p->media && r->spread)
        p->media = spread_place(r->spread);
    peer_changed(p);
    if (p->media)
        edge_request(hub_session(p), "mediaConfiguration", on_media_configuration(h),
                     on_capabilities, h);
    else
        hub_notify(p, "noMediaServer", NULL);
}

/* ---- coming ---- */

static json_t *room_ready(const struct hub *h, const struct room *r)
{
    const struct hub_settings *s = &h->settings;
    json_t *settings = s->room_settings ? json_deep_copy(s->room_settings) : json_object();
    return json_pack("{ss, sI, si, sb, sb, sb, sb, sb, sb, so}", "sessionId", r->main.id,
                     "creationTimestamp", (json_int_t)r->main.created_ms, "maxActiveVideos",
                     (int)s->max_active_videos, "breakoutsEnabled", s->breakouts, "chatEnabled",
                     s->chat, "filesharingEnabled", s->files, "raiseHandEnabled", s->raise_hand,
                     "reactionsEnabled", s->reactions, "localRecordingEnabled", s->recording,
                     "settings", settings);
}

static json_t *lobby_list(const struct room *r)
{
    json_t *list = json_array();
    ROOM_FOREACH_PEER(r, p)
    {
        if (p->state == PEER_LOBBY)
            json_array_append_new(list, on_join_peer_info(p));
    }
    return list;
}

void on_connect_admit(struct hub *h, struct peer *p)
{
    peer_set_state(p, PEER_ADMITTED);
    if (perm_has(p->perms, PERM_PROMOTE_PEER) && room_lobby_count(p->room))
        hub_notify(p, "parkedPeers", json_pack("{so}", "lobbyPeers", lobby_list(p->room)));
    hub_notify(p, "roomReady", room_ready(h, p->room));
    on_connect_media(h, p);
}

static void park(struct peer *p)
{
    peer_set_state(p, PEER_LOBBY);
    hub_notify(p, "enteredLobby", NULL);
    hub_notify_holders(p->room, PERM_PROMOTE_PEER, "parkedPeer",
                       json_pack("{ss}", "peerId", p->id));
}

/* What lives of a peer's media: the rest has ended while it was away. */
static json_t *media_of(const struct peer *p)
{
    json_t *transports = json_array(), *producers = json_array(), *consumers = json_array();
    if (p->send)
        json_array_append_new(transports, json_string(p->send->obj.id));
    if (p->recv)
        json_array_append_new(transports, json_string(p->recv->obj.id));
    PEER_FOREACH_PRODUCER(p, pr)
    json_array_append_new(producers, json_string(pr->obj.id));
    PEER_FOREACH_CONSUMER(p, c)
    json_array_append_new(consumers, json_string(c->obj.id));
    return json_pack("{so, so, so, so, so}", "transports", transports, "producers", producers,
                     "consumers", consumers, "dataProducers", on_data_producers(p), "dataConsumers",
                     on_data_consumers(p));
}

/* Requests of a connection that is gone: the numbers of their answers may be those of others on the next. */
static void forget_waiting(struct peer *p)
{
    if (p->send)
        p->send->obj.n_acks = 0;
    if (p->recv)
        p->recv->obj.n_acks = 0;
    PEER_FOREACH_PRODUCER(p, pr)
    pr->obj.n_acks = 0;
    for (struct data_producer *dp = p->send ? p->send->data_producers : NULL; dp; dp = dp->next)
        dp->n_acks = 0;
}

/* resume: the browser still has its transports and would go on with them. */
static void come_back(struct hub *h, struct peer *p, struct edge_session *s, bool resume)
{
    if (p->session) {
        edge_session_set_user(hub_session(p), NULL);
        edge_disconnect(hub_session(p), "the same peer came again");
    }
    bool kept = resume && (p->send || p->recv) && p->capabilities && p->state == PEER_JOINED;
    forget_waiting(p);
    if (!kept) {
        on_peer_drop_media(h, p, "reconnected");
        peer_set_capabilities(p, NULL, NULL);
    }
    p->session = s;
    p->visits++;
    peer_changed(p);
    edge_session_set_user(s, p);
    log_info("connect", "peer is back room=%s peer=%s", p->room->id, p->id);
    tell_permissions(p);
    if (p->state == PEER_LOBBY) {
        hub_notify(p, "enteredLobby", NULL);
    } else if (p->state == PEER_ADMITTED) {
        on_connect_admit(h, p);
    } else {
        json_t *data = on_join_room_state(h, p);
        json_object_set_new(data, "sessionId", json_string(p->in->id));
        json_object_set_new(data, "roomSessionId", json_string(p->room->main.id));
        json_object_set_new(data, "creationTimestamp", json_integer(p->room->main.created_ms));
        if (kept)
            json_object_set_new(data, "media", media_of(p));
        hub_notify(p, "peerReconnected", data);
        if (p->in != &p->room->main)
            hub_notify(p, "sessionIdChanged", on_breakout_history(p->in));
        if (kept) {
            on_consume_resumed(h, p);
            on_data_resumed(h, p);
        } else {
            on_connect_media(h, p);
        }
    }
}

static void copy_text(char *out, size_t cap, const char *in)
{
    size_t n = strnlen(in, cap - 1);
    memcpy(out, in, n);
    out[n] = 0;
}

static void come_new(struct hub *h, struct room *r, struct edge_session *s, const char *id,
                     const char *key)
{
    bool first = r->n_peers == 0;
    struct peer *p = peer_new(r, id, key);
    p->session = s;
    p->visits++;
    edge_session_set_user(s, p);
    copy_text(p->address, sizeof(p->address), edge_session_address(s));
    const char *agent = edge_session_user_agent(s);
    if (text_line(agent, sizeof(p->user_agent) - 1))
        copy_text(p->user_agent, sizeof(p->user_agent), agent);
    if (!peer_kept_perms(p, clock_now_us()))
        p->perms = first ? PERM_FIRST : h->settings.default_perms;
    log_info("connect", "peer comes room=%s peer=%s address=%s first=%d", r->id, id, p->address,
             first);
    tell_permissions(p);
    if (!first && r->locked && !perm_has(p->perms, PERM_BYPASS_ROOM_LOCK))
        park(p);
    else
        on_connect_admit(h, p);
}

static size_t peers_allowed(const struct hub *h)
{
    unsigned n = h->settings.peers_per_room;
    return n && n < ROOM_PEERS_MAX ? n : ROOM_PEERS_MAX;
}

void on_connect_session(struct hub *h, struct edge_session *s, const struct edge_query *query)
{
    const char *room_id = edge_query_get(query, "roomId");
    const char *peer_id = edge_query_get(query, "peerId");
    const char *key = edge_query_get(query, "reconnectKey");
    const char *resume = edge_query_get(query, "resume");
    if (!room_id || !*room_id || !text_line(room_id, ROOM_ID_MAX) ||
        !text_id(peer_id, PEER_ID_MAX) || !text_id(key, PEER_ID_MAX)) {
        edge_disconnect(s, "roomId, peerId or reconnectKey is missing or malformed");
        return;
    }
    struct room *r = rooms_find(&h->rooms, room_id);
    struct peer *p = r ? room_peer(r, peer_id) : NULL;
    if (p && keys_equal(p->reconnect_key, key)) {
        come_back(h, p, s, resume && !strcmp(resume, "1"));
    } else if (p) {
        edge_disconnect(s, "another peer has this id");
    } else if (r && r->n_peers >= peers_allowed(h)) {
        edge_notify(s, "overRoomLimit", NULL);
        edge_disconnect(s, "the room is full");
    } else if (!r && h->drain.on) {
        edge_disconnect(s, "this server takes no new meetings");
    } else {
        if (!r) {
            r = room_new(&h->rooms, room_id, clock_wall_us() / 1000);
            if (r)
                r->locked = h->settings.locked;
        }
        if (r)
            come_new(h, r, s, peer_id, key);
        else
            edge_disconnect(s, "too many rooms");
    }
}

/* ---- going ---- */

static void close_room(struct hub *h, struct room *r)
{
    ROOM_FOREACH_PEER(r, p)
    {
        if (p->session) {
            edge_session_set_user(hub_session(p), NULL);
            edge_disconnect(hub_session(p), "the meeting is over");
        }
    }
    log_info("connect", "room ends room=%s", r->id);
    if (h->media)
        media_forget(h->media, r);
    /* Before: of its routers it is told whose they were. */
    struct spread *spread = r->spread;
    r->spread = NULL;
    spread_free(spread);
    room_free(r);
}

void on_connect_remove(struct hub *h, struct peer *p)
{
    struct room *r = p->room;
    struct media_router *router = p->media;
    on_peer_drop_media(h, p, "left");
    if (p->session)
        edge_session_set_user(hub_session(p), NULL);
    p->session = NULL;
    if (p->state == PEER_JOINED)
        hub_broadcast(r, p, "peerClosed", json_pack("{ss}", "peerId", p->id));
    else if (p->state == PEER_LOBBY)
        hub_notify_holders(r, PERM_PROMOTE_PEER, "lobby:peerClosed",
                           json_pack("{ss}", "peerId", p->id));
    log_info("connect", "peer goes room=%s peer=%s", r->id, p->id);
    if (p->perms != h->settings.default_perms)
        peer_keep_perms(p, clock_now_us());
    peer_free(p);
    if (router)
        spread_leave(r->spread, router);
    if (r->n_peers == room_lobby_count(r))
        close_room(h, r);
}

void on_connect_send_away(struct hub *h, struct peer *p, const char *why)
{
    if (p->session)
        edge_disconnect(hub_session(p), why);
    on_connect_remove(h, p);
}

void on_closed_session(struct hub *h, struct edge_session *s, enum edge_reason reason)
{
    struct peer *p = edge_session_user(s);
    if (!p || p->session != s)
        return;
    if (reason == EDGE_CLIENT_LEFT || reason == EDGE_KICKED) {
        on_connect_remove(h, p);
        return;
    }
    log_info("connect", "connection lost room=%s peer=%s reason=\"%s\"", p->room->id, p->id,
             edge_reason_name(reason));
    edge_session_set_user(s, NULL);
    p->session = NULL;
    peer_changed(p);
    p->leave_at_us = clock_now_us() + S_US(GRACE_S);
}

void on_connect_tick(struct hub *h, int64_t now_us)
{
    for (struct room *r = rooms_after(&h->rooms, 0); r;) {
        uint64_t room_serial = r->serial;
        for (struct peer *p = r->peers; p;) {
            uint64_t peer_serial = p->serial;
            if (!p->session && p->leave_at_us <= now_us)
                on_connect_remove(h, p);
            /* The room may have gone with it. */
            r = rooms_by_serial(&h->rooms, room_serial);
            p = r ? room_peer_after(r, peer_serial) : NULL;
        }
        r = rooms_after(&h->rooms, room_serial);
    }
}
