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
    const struct media *m = media_of(arg);
    if (cursor->a >= media_places(m))
        return false;
    uint32_t index = (uint32_t)cursor->a++;
    const struct media_worker *w = media_worker_at(m, index);
    *out = (struct exporter_worker){.index = index};
    if (w) {
        out->pid = media_worker_pid(w);
        out->up = media_worker_answers(w);
        out->queue_bytes = media_worker_queue(w, &out->requests);
    }
    return true;
}

static bool exporter_totals(void *arg, uint32_t worker, enum counters_level level,
                            uint64_t values[static COUNTERS_FIELDS_MAX])
{
    const struct media *m = media_of(arg);
    const struct media_worker *w = media_worker_at(m, worker);
    const uint64_t *former = media_place_totals(m, worker, level);
    if (w && media_worker_counters(w) &&
        counters_reader_total(media_worker_counters(w), level, values))
        return false;
    for (size_t i = 0; former && i < COUNTERS_FIELDS_MAX; i++)
        values[i] += former[i];
    return true;
}

/* All of this worker's, the hub's opinion aside. */
static bool exporter_transport_next(void *arg, struct exporter_cursor *cursor,
                                    struct exporter_transport *out)
{
    struct view *v = arg;
    const struct media *m = media_of(v);
    for (; cursor->a < media_places(m); cursor->a++, cursor->b = 0) {
        const struct media_worker *w = media_worker_at(m, (uint32_t)cursor->a);
        const struct counters_reader *reader = w ? media_worker_counters(w) : NULL;
        if (!reader || (cursor->b && cursor->c != media_worker_generation(w)))
            continue;
        cursor->c = media_worker_generation(w);
        size_t slot = (size_t)cursor->b;
        if (counters_reader_next(reader, COUNTERS_TRANSPORT, &slot, &v->slot)) {
            cursor->b = slot;
            *out = (struct exporter_transport){(uint32_t)cursor->a, v->slot.values};
            return true;
        }
    }
    return false;
}

static void count_peers(const struct hub *h, struct exporter_server *out)
{
    for (struct room *r = rooms_after(&h->rooms, 0); r; r = r->hh.next) {
        ROOM_FOREACH_PEER(r, p)
        {
            if (p->state == PEER_LOBBY)
                out->lobby++;
            else if (p->state == PEER_JOINED)
                out->joined++;
            else
                out->admitted++;
        }
    }
}

static void count_edge(const struct edge *e, struct exporter_server *out)
{
    const struct edge_counters *c = edge_counters(e);
    size_t most;
    out->queue_bytes = edge_queued(e, &most);
    out->queue_most = most;
    out->connections = c->connections_open;
    out->sessions = c->sessions_open;
    out->connections_ever = c->connections;
    out->sessions_ever = c->sessions;
    out->messages_in = c->messages_in;
    out->messages_out = c->messages_out;
    out->message_bytes_in = c->bytes_in;
    out->message_bytes_out = c->bytes_out;
    out->http_requests = c->http_requests;
    out->pings_missed = c->pings_missed;
    out->refused_address = c->refused_address;
    out->refused_full = c->refused_full;
    out->refused_origin = c->refused_origin;
    out->refused_protocol = c->refused_protocol;
    out->refused_size = c->refused_size;
    out->refused_json = c->refused_json;
    out->refused_rate = c->refused_rate;
    out->slow_readers = c->slow_readers;
    out->timeouts = c->timeouts;
}

static void exporter_server(void *arg, struct exporter_server *out)
{
    const struct hub *h = ((struct view *)arg)->hub;
    *out = (struct exporter_server){
        .rooms = h->rooms.n_rooms,
        .workers = media_places(h->media),
        .workers_lost = media_workers_lost(h->media),
        .connect = h->stats.connect,
        .join = h->stats.join,
    };
    count_peers(h, out);
    if (h->edge)
        count_edge(h->edge, out);
}

static bool exporter_ready(void *arg)
{
    const struct hub *h = ((struct view *)arg)->hub;
    return !h->ending && !h->drain.on && media_ready(h->media);
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
        .first = v->slot.encoding == 0,
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
        .server = exporter_server,
        .ready = exporter_ready,
        .room_next = exporter_room_next,
        .stream_next = exporter_stream_next,
        .transport_next = exporter_transport_next,
        .totals = exporter_totals,
        .worker_next = exporter_worker_next,
    };
}
