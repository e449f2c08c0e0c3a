/* Documents: what is needed to go on, in the words of room.h. What is read may be a former release's, or damaged: anything that does not fit
 * makes the document worthless, never the server. */
#include "server/keep_int.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/rand.h"
#include "server/on.h"
#include "server/room/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNTDOWN_MAX_MS INT64_C(86400000)
#define KEPT_SOMEHOW     1 /* the document is there; what it says is compared from the next change on */

/* Handles and serials are 64 bits, more than a JSON number of a double is good for. */
static json_t *number64(uint64_t v)
{
    char text[17];
    snprintf(text, sizeof(text), "%016llx", (unsigned long long)v);
    return json_string(text);
}

static bool read64(const json_t *doc, const char *key, uint64_t *out)
{
    const char *s = json_string_value(json_object_get(doc, key));
    char *end = NULL;
    *out = s ? strtoull(s, &end, 16) : 0;
    return s && strlen(s) == 16 && !*end;
}

static const char *text(const json_t *doc, const char *key)
{
    return json_string_value(json_object_get(doc, key));
}

static int64_t integer(const json_t *doc, const char *key)
{
    return json_integer_value(json_object_get(doc, key));
}

static bool flag(const json_t *doc, const char *key)
{
    return json_is_true(json_object_get(doc, key));
}

/* False: it is missing, or too long. */
static bool copy(const json_t *doc, const char *key, char *out, size_t cap)
{
    const char *s = text(doc, key);
    if (!s || strlen(s) >= cap)
        return false;
    strcpy(out, s);
    return true;
}

/* The monotonic clock is this machine's, since it was started; documents have wall-clock times, which mean the same to the next server
 * wherever it runs. */
static int64_t wall_ahead_ms(void)
{
    return (clock_wall_us() - clock_now_us()) / 1000;
}

#define WALL_MS_MAX INT64_C(100000000000000) /* of the year 5138 */

static int64_t read_wall(const json_t *doc, const char *key)
{
    int64_t v = integer(doc, key);
    return v > 0 && v < WALL_MS_MAX ? v - wall_ahead_ms() : 0;
}

/* ---- chat ---- */

json_t *keep_doc_chat(const struct chat_entry *e)
{
    return json_pack("{ss, ss, ss, sI}", "text", e->text, "peer", e->peer_id, "name",
                     e->display_name, "at", (json_int_t)e->at_ms);
}

/* ---- rooms ---- */

static json_t *sessions(const struct room *r)
{
    json_t *list = json_array();
    for (const struct room_session *s = r->breakouts; s; s = s->next)
        json_array_append_new(list,
                              json_pack("{ss, ss, ss, sI}", "id", s->id, "name", s->name, "creator",
                                        s->creator, "created", (json_int_t)s->created_ms));
    return list;
}

static json_t *kept_perms(const struct room *r)
{
    json_t *list = json_array();
    for (size_t i = 0; i < KEPT_PERMS_MAX; i++) {
        const struct kept_perms *p = &r->kept[i];
        if (p->until_us)
            json_array_append_new(
                list, json_pack("{ss, si, sI}", "key", p->key, "perms", (int)p->perms, "until",
                                (json_int_t)(p->until_us / 1000 + wall_ahead_ms())));
    }
    return list;
}

json_t *keep_doc_room(const struct room *r)
{
    const struct countdown *t = &r->countdown;
    return json_pack("{so, ss, ss, sI, sb, so, so, s{sb, sb, si, si, sI}, s{sb, ss}}", "serial",
                     number64(r->serial), "id", r->id, "session", r->main.id, "created",
                     (json_int_t)r->main.created_ms, "locked", r->locked, "breakouts", sessions(r),
                     "kept", kept_perms(r), "countdown", "enabled", t->enabled, "started",
                     t->started, "initial", (int)t->initial_s, "remaining", (int)t->remaining_s,
                     "ends", (json_int_t)(t->ends_ms + wall_ahead_ms()), "drawing", "enabled",
                     r->drawing.enabled, "color", r->drawing.color);
}

static void read_countdown(struct countdown *t, const json_t *doc)
{
    t->enabled = flag(doc, "enabled");
    countdown_set(t, (uint32_t)integer(doc, "initial"));
    t->remaining_s = (uint32_t)integer(doc, "remaining") % 86400;
    t->ends_ms = read_wall(doc, "ends");
    t->started = flag(doc, "started") && t->ends_ms < clock_now_us() / 1000 + COUNTDOWN_MAX_MS;
}

static bool read_sessions(struct room *r, const json_t *list)
{
    size_t i;
    json_t *doc;
    json_array_foreach(list, i, doc)
    {
        const char *name = text(doc, "name"), *creator = text(doc, "creator");
        struct room_session *s = name && creator && text_line(name, NAME_MAX_BYTES)
                                     ? room_breakout_new(r, name, creator, integer(doc, "created"))
                                     : NULL;
        if (!s || !copy(doc, "id", s->id, sizeof(s->id)))
            return false;
    }
    return true;
}

static void read_kept(struct room *r, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list) && i < KEPT_PERMS_MAX; i++) {
        const json_t *doc = json_array_get(list, i);
        struct kept_perms *p = &r->kept[i];
        if (copy(doc, "key", p->key, sizeof(p->key))) {
            p->perms = (uint32_t)integer(doc, "perms") & PERM_ALL;
            p->until_us = read_wall(doc, "until") * 1000;
        }
    }
}

struct room *keep_make_room(struct hub *h, const json_t *doc)
{
    uint64_t serial;
    const char *id = text(doc, "id");
    if (!read64(doc, "serial", &serial) || serial < h->rooms.next_serial || !id ||
        !text_line(id, ROOM_ID_MAX) || rooms_find(&h->rooms, id))
        return NULL;
    h->rooms.next_serial = serial;
    struct room *r = room_new(&h->rooms, id, integer(doc, "created"));
    if (!r)
        return NULL;
    const json_t *drawing = json_object_get(doc, "drawing");
    if (!copy(doc, "session", r->main.id, sizeof(r->main.id)) ||
        !read_sessions(r, json_object_get(doc, "breakouts"))) {
        room_free(r);
        return NULL;
    }
    r->locked = flag(doc, "locked");
    read_kept(r, json_object_get(doc, "kept"));
    read_countdown(&r->countdown, json_object_get(doc, "countdown"));
    r->drawing.enabled = flag(drawing, "enabled");
    if (text(drawing, "color"))
        drawing_set_color(&r->drawing, text(drawing, "color"));
    return r;
}

/* ---- peers ---- */

static json_t *doc_router(const struct peer *p)
{
    if (!p->media)
        return json_null();
    const struct media_worker *w = media_router_worker(p->media);
    return json_pack("{si, so, so}", "index", (int)media_worker_index(w), "generation",
                     number64(media_worker_generation(w)), "handle",
                     number64(media_router_handle(p->media)));
}

static void await(struct hub *h, struct peer *p, const json_t *doc)
{
    uint64_t generation, handle;
    if (!h->media || !read64(doc, "generation", &generation) || !read64(doc, "handle", &handle))
        return;
    p->awaited = handle;
    media_await(h->media, (uint32_t)integer(doc, "index"), generation, handle, p->room);
}

json_t *keep_doc_peer(const struct peer *p)
{
    return json_pack("{so, so, ss, ss, si, si, ss, ss, sb, sI, sb, sb, ss, ss, so, sO?}", "room",
                     number64(p->room->serial), "serial", number64(p->serial), "id", p->id, "key",
                     p->reconnect_key, "state", (int)p->state, "perms", (int)p->perms, "session",
                     p->in->id, "name", p->display_name, "hand", p->raised_hand, "handAt",
                     (json_int_t)p->raised_hand_ms, "recording", p->recording, "escape", p->escape,
                     "address", p->address, "agent", p->user_agent, "router", doc_router(p),
                     "capabilities", (json_t *)p->capabilities);
}

struct peer *keep_make_peer(struct hub *h, const json_t *doc, int64_t now_us)
{
    uint64_t room, serial;
    struct room *r = read64(doc, "room", &room) ? rooms_by_serial(&h->rooms, room) : NULL;
    const char *id = text(doc, "id"), *key = text(doc, "key"), *session = text(doc, "session");
    const char *name = text(doc, "name");
    int64_t state = integer(doc, "state");
    if (!r || !read64(doc, "serial", &serial) || !text_id(id ? id : "", PEER_ID_MAX) ||
        !text_id(key ? key : "", PEER_ID_MAX) || room_peer(r, id) || !session || !name ||
        !text_line(name, NAME_MAX_BYTES) || state < PEER_LOBBY || state > PEER_JOINED)
        return NULL;
    uint64_t next = h->rooms.next_serial;
    h->rooms.next_serial = serial;
    struct peer *p = peer_new(r, id, key);
    h->rooms.next_serial = serial >= next ? serial + 1 : next;
    if (!p)
        return NULL;
    struct room_session *in = room_session_find(r, session);
    p->in = in ? in : &r->main;
    peer_set_name(p, name);
    peer_set_state(p, (enum peer_state)state);
    p->perms = (uint32_t)integer(doc, "perms") & PERM_ALL;
    p->raised_hand = flag(doc, "hand");
    p->raised_hand_ms = integer(doc, "handAt");
    p->recording = flag(doc, "recording");
    p->escape = flag(doc, "escape");
    copy(doc, "address", p->address, sizeof(p->address));
    copy(doc, "agent", p->user_agent, sizeof(p->user_agent));
    json_t *caps = json_object_get(doc, "capabilities");
    struct ortc_error error;
    if (caps && !ortc_check_capabilities(caps, &error))
        peer_set_capabilities(p, json_incref(caps), on_json_free);
    await(h, p, json_object_get(doc, "router"));
    p->leave_at_us = now_us + KEEP_GRACE_S * INT64_C(1000000);
    return p;
}

/* ---- media objects ---- */

static json_t *doc_transport(const struct transport *t)
{
    return json_pack("{so, si, ss, ss, ss?}", "peer", number64(t->peer->serial), "direction",
                     (int)t->direction, "ufrag", t->ice_ufrag, "password", t->ice_password, "dtls",
                     t->dtls);
}

static json_t *doc_producer(const struct producer *p)
{
    return json_pack("{so, sb, sb, ss, ss, ss, si, si, sO}", "transport",
                     number64(p->transport->obj.handle), "video", p->video, "paused", p->paused,
                     "source", p->source, "key", p->key, "codec", p->codec, "layers",
                     (int)p->layers, "temporalLayers", (int)p->temporal_layers, "rtp",
                     (json_t *)p->rtp);
}

static json_t *doc_consumer(const struct consumer *c)
{
    return json_pack("{so, so, sb, si, si, sI, sI, ss}", "transport",
                     number64(c->transport->obj.handle), "producer",
                     number64(c->producer->obj.handle), "paused", c->paused, "spatial",
                     c->preferred_spatial, "temporal", c->preferred_temporal, "ssrc",
                     (json_int_t)c->ssrc, "rtxSsrc", (json_int_t)c->rtx_ssrc, "mid", c->mid);
}

json_t *keep_doc_object(struct object *o)
{
    if (!o->confirmed)
        return NULL;
    json_t *doc = o->type == OBJECT_TRANSPORT  ? doc_transport((struct transport *)o)
                  : o->type == OBJECT_PRODUCER ? doc_producer((struct producer *)o)
                                               : doc_consumer((struct consumer *)o);
    json_object_set_new(doc, "type", json_integer(o->type));
    json_object_set_new(doc, "handle", number64(o->handle));
    json_object_set_new(doc, "id", json_string(o->id));
    json_object_set_new(doc, "room", number64(object_peer(o)->room->serial));
    return doc;
}

static struct object *make_transport(struct hub *h, const json_t *doc, uint64_t handle)
{
    uint64_t room, peer;
    struct room *r = read64(doc, "room", &room) ? rooms_by_serial(&h->rooms, room) : NULL;
    struct peer *p = r && read64(doc, "peer", &peer) ? room_peer_by_serial(r, peer) : NULL;
    if (!p || !p->awaited)
        return NULL;
    /* Where its consumers' SSRCs, mids and streams would go on is not known, and those of what has ended may still be in the browser's
     * descriptions. The worker refuses SSRCs that were used. */
    struct transport *t = transport_new(
        p, integer(doc, "direction") == DIRECTION_SEND ? DIRECTION_SEND : DIRECTION_RECV, handle,
        rand_u32());
    if (!t)
        return NULL;
    t->next_mid = KEEP_MIDS + rand_u32() % KEEP_MIDS_SPREAD;
    t->next_stream = (uint16_t)(rand_u32() % DATA_STREAMS);
    if (text(doc, "dtls"))
        t->dtls = mem_strdup(text(doc, "dtls"));
    if (copy(doc, "ufrag", t->ice_ufrag, sizeof(t->ice_ufrag)) &&
        copy(doc, "password", t->ice_password, sizeof(t->ice_password)))
        return &t->obj;
    transport_free(t);
    return NULL;
}

static struct transport *transport_of(struct hub *h, const json_t *doc, enum direction d)
{
    uint64_t handle;
    struct transport *t =
        read64(doc, "transport", &handle) ? rooms_transport(&h->rooms, handle) : NULL;
    return t && t->direction == d ? t : NULL;
}

static struct object *make_producer(struct hub *h, const json_t *doc, uint64_t handle)
{
    struct transport *t = transport_of(h, doc, DIRECTION_SEND);
    const char *source = text(doc, "source"), *key = text(doc, "key");
    json_t *rtp = json_object_get(doc, "rtp");
    int64_t layers = integer(doc, "layers"), temporal = integer(doc, "temporalLayers");
    if (!t || !source || !key || !json_is_object(json_object_get(rtp, "consumable")) ||
        layers < 1 || layers > 8 || temporal < 1 || temporal > 8)
        return NULL;
    struct producer *p = producer_new(t, handle, flag(doc, "video"), source, key);
    if (!p)
        return NULL;
    p->paused = flag(doc, "paused");
    p->layers = (unsigned)layers;
    p->temporal_layers = (unsigned)temporal;
    p->wanted_layer = (int)layers - 1;
    copy(doc, "codec", p->codec, sizeof(p->codec));
    p->rtp = json_incref(rtp);
    p->rtp_free = on_json_free;
    return &p->obj;
}

static struct object *make_consumer(struct hub *h, const json_t *doc, uint64_t handle)
{
    struct transport *t = transport_of(h, doc, DIRECTION_RECV);
    uint64_t producer;
    struct producer *p =
        read64(doc, "producer", &producer) ? rooms_producer(&h->rooms, producer) : NULL;
    /* What comes through a pipe between workers is made anew, as the pipes are. */
    if (!t || !p || !t->peer->capabilities || t->peer->awaited != p->transport->peer->awaited ||
        t->peer->in != p->transport->peer->in)
        return NULL;
    struct consumer *c = consumer_new(t, p, handle, integer(doc, "rtxSsrc") != 0);
    if (!c)
        return NULL;
    c->paused = flag(doc, "paused");
    c->preferred_spatial = (int)integer(doc, "spatial");
    c->preferred_temporal = (int)integer(doc, "temporal");
    c->ssrc = (uint32_t)integer(doc, "ssrc");
    c->rtx_ssrc = (uint32_t)integer(doc, "rtxSsrc");
    if (!copy(doc, "mid", c->mid, sizeof(c->mid)) || !on_consume_describe(c)) {
        consumer_free(c);
        return NULL;
    }
    uint32_t mid = (uint32_t)strtoul(c->mid, NULL, 10);
    if (t->next_mid <= mid + KEEP_MIDS)
        t->next_mid = mid + KEEP_MIDS; /* beyond those that the dead server may have given */
    return &c->obj;
}

bool keep_make_object(struct hub *h, const json_t *doc)
{
    uint64_t handle;
    if (!read64(doc, "handle", &handle) || !handle || rooms_object(&h->rooms, handle))
        return false;
    int64_t type = integer(doc, "type");
    struct object *o = type == OBJECT_TRANSPORT  ? make_transport(h, doc, handle)
                       : type == OBJECT_PRODUCER ? make_producer(h, doc, handle)
                       : type == OBJECT_CONSUMER ? make_consumer(h, doc, handle)
                                                 : NULL;
    if (!o)
        return false;
    copy(doc, "id", o->id, sizeof(o->id));
    o->change.kept = KEPT_SOMEHOW;
    object_confirm(o);
    return true;
}
