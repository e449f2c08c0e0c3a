#include "server/view.h"

/* A walk over slots: a is the worker's place, b its slot, c its generation. */

static const struct media *media_of(const struct view *v)
{
    return v->hub->media;
}

static bool is_its_own(struct object *o, const struct media_worker *w)
{
    const struct media_router *r = object_peer(o)->media;
    return r && media_router_on(r, w);
}

/* The next object of this level that a worker counts: v->slot holds the numbers. NULL: the end. */
static struct object *slot_next(struct view *v, enum counters_level level, enum object_type type,
                                uint64_t *a, uint64_t *b, uint64_t *c)
{
    for (; *a < media_places(media_of(v)); *a += 1, *b = 0) {
        const struct media_worker *w = media_worker_at(media_of(v), (uint32_t)*a);
        const struct counters_reader *reader = w ? media_worker_counters(w) : NULL;
        /* Another process is in this place now: its slots are others. */
        if (!reader || (*b && *c != media_worker_generation(w)))
            continue;
        *c = media_worker_generation(w);
        size_t cursor = (size_t)*b;
        while (counters_reader_next(reader, level, &cursor, &v->slot)) {
            *b = cursor;
            struct object *o = rooms_object(&v->hub->rooms, v->slot.owner);
            if (o && o->type == type && o->confirmed && is_its_own(o, w))
                return o;
        }
    }
    return NULL;
}

static struct room *room_step(struct view *v, uint64_t *a)
{
    struct room *r = rooms_after(&v->hub->rooms, *a);
    if (r)
        *a = r->serial;
    return r;
}

static uint32_t admitted(const struct room *r)
{
    return (uint32_t)(r->n_peers - room_lobby_count(r));
}

static int32_t pid_of(const struct room *r)
{
    const struct media_router *first = r->spread ? spread_router(r->spread, 0) : NULL;
    return first ? media_worker_pid(media_router_worker(first)) : 0;
}

static size_t rooms(void *arg)
{
    return ((struct view *)arg)->hub->rooms.n_rooms;
}

/* v->worker: what the workers of this place have counted, the former ones too. False: no more places. */
static bool worker_step(struct view *v, uint64_t *a, const struct media_worker **w)
{
    if (*a >= media_places(media_of(v)))
        return false;
    uint32_t index = (uint32_t)(*a)++;
    const uint64_t *former = media_place_totals(media_of(v), index);
    *w = media_worker_at(media_of(v), index);
    struct counters_reader *reader = *w ? media_worker_counters(*w) : NULL;
    for (size_t i = 0; i < COUNTERS_FIELDS_MAX; i++)
        v->worker[i] = former ? former[i] : 0;
    if (reader) {
        uint64_t now[COUNTERS_FIELDS_MAX] = {0};
        counters_reader_total(reader, COUNTERS_WORKER, now);
        for (size_t i = 0; i < COUNTERS_FIELDS_MAX; i++)
            v->worker[i] += now[i];
    }
    return true;
}

/* The producer that a stream's object is, or consumes; its own transport in *t. */
static const struct producer *stream_of(struct object *o, const struct transport **t)
{
    if (o->type == OBJECT_PRODUCER) {
        const struct producer *p = (struct producer *)o;
        *t = p->transport;
        return p;
    }
    const struct consumer *c = (struct consumer *)o;
    *t = c->transport;
    return c->producer;
}

static struct object *stream_step(struct view *v, enum counters_level level, uint64_t *a,
                                  uint64_t *b, uint64_t *c)
{
    if (level != COUNTERS_PRODUCER && level != COUNTERS_CONSUMER)
        return NULL;
    return slot_next(v, level, level == COUNTERS_PRODUCER ? OBJECT_PRODUCER : OBJECT_CONSUMER, a, b,
                     c);
}

/* ---- the exporter ---- */

static bool exporter_room_next(void *arg, struct exporter_cursor *cursor, struct exporter_room *out)
{
    struct room *r = room_step(arg, &cursor->a);
    if (!r)
        return false;
    *out = (struct exporter_room){r->id, admitted(r)};
    return true;
}

static bool exporter_worker_next(void *arg, struct exporter_cursor *cursor,
                                 struct exporter_worker *out)
{
    struct view *v = arg;
    const struct media_worker *w;
    if (!worker_step(v, &cursor->a, &w))
        return false;
    *out = (struct exporter_worker){(uint32_t)cursor->a - 1, w ? media_worker_pid(w) : 0,
                                    w && media_worker_answers(w), v->worker};
    return true;
}

static bool exporter_stream_next(void *arg, enum counters_level level,
                                 struct exporter_cursor *cursor, struct exporter_stream *out)
{
    struct view *v = arg;
    struct object *o = stream_step(v, level, &cursor->a, &cursor->b, &cursor->c);
    if (!o)
        return false;
    const struct transport *t;
    const struct producer *p = stream_of(o, &t);
    *out = (struct exporter_stream){
        .room_id = t->peer->room->id,
        .peer_id = t->peer->id,
        .display_name = t->peer->display_name,
        .user_agent = t->peer->user_agent,
        .transport_id = t->obj.id,
        .id = o->id,
        .kind = p->video ? "video" : "audio",
        .codec = p->codec,
        .rid = v->slot.rid,
        .pid = pid_of(t->peer->room),
        .ssrc = v->slot.ssrc,
        .selected = t->selected,
        .tcp = t->tcp,
        .local = t->local,
        .remote = t->remote,
        .values = v->slot.values,
    };
    return true;
}

void view_exporter_source(struct view *v, const struct hub *h, struct exporter_source *out)
{
    v->hub = h;
    *out = (struct exporter_source){
        .arg = v,
        .rooms = rooms,
        .room_next = exporter_room_next,
        .stream_next = exporter_stream_next,
        .worker_next = exporter_worker_next,
    };
}
