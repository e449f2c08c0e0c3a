#include "server/room/room.h"

#include "lib/mem.h"
#include "server/room/objects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

void rooms_init(struct rooms *rs)
{
    *rs = (struct rooms){.next_serial = 1};
}

void rooms_free(struct rooms *rs)
{
    struct room *r, *tmp;
    HASH_ITER (hh, rs->by_id, r, tmp)
        room_free(r);
}

void rooms_listen(struct rooms *rs, const struct change_listener *l)
{
    rs->listener = l ? *l : (struct change_listener){0};
    for (struct room *r = rs->by_id; r; r = r->hh.next) {
        change_tell(&rs->listener, &r->change);
        ROOM_FOREACH_PEER(r, p)
        change_tell(&rs->listener, &p->change);
    }
    for (struct object *o = rs->by_handle; o; o = o->hh.next)
        change_tell(&rs->listener, &o->change);
}

struct room *rooms_find(const struct rooms *rs, const char *id)
{
    struct room *r;
    HASH_FIND_STR(rs->by_id, id, r);
    return r;
}

struct room *rooms_by_serial(const struct rooms *rs, uint64_t serial)
{
    struct room *r;
    HASH_FIND(hh_serial, rs->by_serial, &serial, sizeof(serial), r);
    return r;
}

struct room *rooms_after(const struct rooms *rs, uint64_t serial)
{
    struct room *r = rooms_by_serial(rs, serial);
    if (r)
        return r->hh.next;
    for (r = rs->by_id; r && r->serial <= serial;)
        r = r->hh.next;
    return r;
}

struct peer *room_peer_after(const struct room *r, uint64_t serial)
{
    ROOM_FOREACH_PEER(r, p)
    {
        if (p->serial > serial)
            return p;
    }
    return NULL;
}

struct room *room_new(struct rooms *rs, const char *id, int64_t now_ms)
{
    if (rs->n_rooms >= ROOMS_MAX)
        return NULL;
    struct room *r = mem_zalloc(sizeof(*r));
    r->rooms = rs;
    r->serial = rs->next_serial++;
    r->id = mem_strdup(id);
    room_session_init(&r->main, "", now_ms);
    countdown_init(&r->countdown);
    drawing_init(&r->drawing);
    HASH_ADD_KEYPTR(hh, rs->by_id, r->id, strlen(r->id), r);
    HASH_ADD(hh_serial, rs->by_serial, serial, sizeof(r->serial), r);
    rs->n_rooms++;
    r->change.type = CHANGE_ROOM;
    room_changed(r);
    return r;
}

void room_free(struct room *r)
{
    if (!r)
        return;
    while (r->peers)
        peer_free(r->peers);
    rooms_end(r->rooms, &r->change);
    while (r->breakouts)
        room_breakout_free(r, r->breakouts);
    room_session_clear(&r->main);
    drawing_clear(&r->drawing);
    HASH_DELETE(hh, r->rooms->by_id, r);
    HASH_DELETE(hh_serial, r->rooms->by_serial, r);
    r->rooms->n_rooms--;
    free(r->id);
    free(r);
}

void room_changed(struct room *r)
{
    rooms_tell(r->rooms, &r->change);
}

struct peer *room_peer(const struct room *r, const char *id)
{
    ROOM_FOREACH_PEER(r, p)
    {
        if (!strcmp(p->id, id))
            return p;
    }
    return NULL;
}

struct peer *room_peer_by_serial(const struct room *r, uint64_t serial)
{
    ROOM_FOREACH_PEER(r, p)
    {
        if (p->serial == serial)
            return p;
    }
    return NULL;
}

struct peer *peer_new(struct room *r, const char *id, const char *reconnect_key)
{
    if (r->n_peers >= ROOM_PEERS_MAX)
        return NULL;
    struct peer *p = mem_zalloc(sizeof(*p));
    p->room = r;
    p->in = &r->main;
    p->serial = r->rooms->next_serial++;
    p->id = mem_strdup(id);
    p->reconnect_key = mem_strdup(reconnect_key);
    p->display_name = mem_strdup("");
    DL_APPEND(r->peers, p);
    r->n_peers++;
    r->rooms->n_peers++;
    p->change.type = CHANGE_PEER;
    peer_changed(p);
    return p;
}

void peer_free(struct peer *p)
{
    if (!p)
        return;
    transport_free(p->send);
    transport_free(p->recv);
    room_changed(p->room);
    rooms_end(p->room->rooms, &p->change);
    peer_set_picture(p, NULL);
    peer_set_capabilities(p, NULL, NULL);
    DL_DELETE(p->room->peers, p);
    p->room->n_peers--;
    p->room->rooms->n_peers--;
    free(p->display_name);
    free(p->reconnect_key);
    free(p->id);
    free(p);
}

void peer_changed(struct peer *p)
{
    rooms_tell(p->room->rooms, &p->change);
    room_changed(p->room);
}

void peer_set_state(struct peer *p, enum peer_state state)
{
    p->state = state;
    peer_changed(p);
}

void peer_set_name(struct peer *p, const char *name)
{
    char *copy = mem_strdup(name);
    free(p->display_name);
    p->display_name = copy;
    peer_changed(p);
}

bool peer_set_picture(struct peer *p, const char *picture)
{
    size_t old = p->picture ? strlen(p->picture) : 0;
    size_t len = picture ? strlen(picture) : 0;
    if (len > old && p->room->picture_bytes - old + len > PICTURES_MAX_BYTES)
        return false;
    free(p->picture);
    p->picture = len ? mem_strdup(picture) : NULL;
    p->picture_kept = false;
    p->room->picture_bytes += len - old;
    return true;
}

void peer_set_capabilities(struct peer *p, void *caps, void (*free_fn)(void *))
{
    if (p->capabilities)
        p->capabilities_free(p->capabilities);
    p->capabilities = caps;
    p->capabilities_free = free_fn;
}

/* pictures_free_us is when all that was told has been paid for. */
bool room_may_tell_picture(struct room *r, size_t len, int64_t now_us)
{
    const int64_t burst_us = INT64_C(1000000) * ROOM_PICTURES_BURST / ROOM_PICTURES_PER_S;
    int64_t free_us = r->pictures_free_us > now_us ? r->pictures_free_us : now_us;
    free_us += INT64_C(1000000) * (int64_t)len / ROOM_PICTURES_PER_S;
    if (free_us - now_us > burst_us)
        return false;
    r->pictures_free_us = free_us;
    return true;
}

bool peer_strike(struct peer *p, int64_t now_us)
{
    int64_t forgiven = (now_us - p->strikes_at_us) / (STRIKE_FORGIVE_S * INT64_C(1000000));
    if (forgiven > 0) {
        p->strikes = forgiven >= p->strikes ? 0 : p->strikes - (unsigned)forgiven;
        p->strikes_at_us = now_us;
    }
    return ++p->strikes >= STRIKES_MAX;
}

void peer_keep_perms(const struct peer *p, int64_t now_us)
{
    struct kept_perms *place = &p->room->kept[0];
    for (size_t i = 0; i < KEPT_PERMS_MAX; i++) {
        struct kept_perms *k = &p->room->kept[i];
        if (!strcmp(k->key, p->reconnect_key)) {
            place = k;
            break;
        }
        if (k->until_us < place->until_us)
            place = k;
    }
    snprintf(place->key, sizeof(place->key), "%s", p->reconnect_key);
    place->perms = p->perms;
    place->until_us = now_us + KEPT_PERMS_S * INT64_C(1000000);
}

bool peer_kept_perms(struct peer *p, int64_t now_us)
{
    for (size_t i = 0; i < KEPT_PERMS_MAX; i++) {
        struct kept_perms *k = &p->room->kept[i];
        if (k->until_us < now_us || strcmp(k->key, p->reconnect_key) != 0)
            continue;
        p->perms = k->perms;
        *k = (struct kept_perms){0};
        return true;
    }
    return false;
}

size_t room_lobby_count(const struct room *r)
{
    size_t n = 0;
    ROOM_FOREACH_PEER(r, p)
    n += p->state == PEER_LOBBY;
    return n;
}
