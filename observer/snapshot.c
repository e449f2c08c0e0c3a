#include "observer/snapshot.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

/* ---- objects -------------------------------------------------------------------------------------------------------------------- */

static void set_text(json_t *object, const char *key, const char *text)
{
    json_t *s = json_string(text);
    json_object_set_new(object, key, s ? s : json_string("")); /* NULL: not UTF-8 */
}

static void set_number(json_t *object, const char *key, uint64_t n)
{
    json_object_set_new(object, key, json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n));
}

static void set_stats(json_t *object, enum counters_level level, const uint64_t *values)
{
    size_t n;
    const struct counters_field *fields = counters_fields(level, &n);
    json_t *stats = json_object();
    for (size_t i = 0; i < n; i++)
        set_number(stats, fields[i].name, values[i]);
    json_object_set_new(object, "stats", stats);
}

static void set_addr(json_t *object, const char *key, const struct addr *a)
{
    char text[ADDR_STR_MAX];
    set_text(object, key, addr_format(a, text));
}

static json_t *next_worker(const struct observer_source *s, struct observer_cursor *c)
{
    struct observer_worker w = {0};
    if (!s->worker_next(s->arg, c, &w))
        return NULL;
    json_t *o = json_object();
    set_number(o, "index", w.index);
    json_object_set_new(o, "pid", json_integer(w.pid));
    json_object_set_new(o, "up", json_boolean(w.up));
    set_stats(o, COUNTERS_WORKER, w.values);
    return o;
}

static json_t *next_room(const struct observer_source *s, struct observer_cursor *c)
{
    struct observer_room r = {0};
    if (!s->room_next(s->arg, c, &r))
        return NULL;
    json_t *o = json_object();
    set_text(o, "roomId", r.room_id);
    set_number(o, "peers", r.peers);
    set_number(o, "lobby", r.lobby);
    set_number(o, "worker", r.worker);
    json_object_set_new(o, "locked", json_boolean(r.locked));
    return o;
}

static json_t *next_peer(const struct observer_source *s, struct observer_cursor *c)
{
    struct observer_peer p = {0};
    if (!s->peer_next(s->arg, c, &p))
        return NULL;
    json_t *o = json_object();
    set_text(o, "roomId", p.room_id);
    set_text(o, "peerId", p.peer_id);
    set_text(o, "displayName", p.display_name);
    set_text(o, "userAgent", p.user_agent);
    json_object_set_new(o, "joined", json_boolean(p.joined));
    return o;
}

static json_t *next_transport(const struct observer_source *s, struct observer_cursor *c)
{
    struct observer_transport t = {0};
    if (!s->transport_next(s->arg, c, &t))
        return NULL;
    json_t *o = json_object();
    set_text(o, "roomId", t.room_id);
    set_text(o, "peerId", t.peer_id);
    set_text(o, "transportId", t.transport_id);
    set_text(o, "direction", t.direction);
    json_object_set_new(o, "pid", json_integer(t.pid));
    if (t.selected) {
        set_text(o, "protocol", t.tcp ? "tcp" : "udp");
        set_addr(o, "local", &t.local);
        set_addr(o, "remote", &t.remote);
    }
    set_stats(o, COUNTERS_TRANSPORT, t.values);
    return o;
}

static json_t *next_stream(const struct observer_source *s, enum counters_level level,
                           struct observer_cursor *c)
{
    struct observer_stream t = {0};
    if (!s->stream_next(s->arg, level, c, &t))
        return NULL;
    json_t *o = json_object();
    set_text(o, "roomId", t.room_id);
    set_text(o, "peerId", t.peer_id);
    set_text(o, "transportId", t.transport_id);
    set_text(o, level == COUNTERS_PRODUCER ? "producerId" : "consumerId", t.id);
    if (level == COUNTERS_CONSUMER)
        set_text(o, "producerId", t.producer_id);
    set_text(o, "kind", t.kind);
    set_text(o, "codec", t.codec);
    set_text(o, "rid", t.rid);
    set_number(o, "ssrc", t.ssrc);
    json_object_set_new(o, "pid", json_integer(t.pid));
    set_stats(o, level, t.values);
    return o;
}

static json_t *next_producer(const struct observer_source *s, struct observer_cursor *c)
{
    return next_stream(s, COUNTERS_PRODUCER, c);
}

static json_t *next_consumer(const struct observer_source *s, struct observer_cursor *c)
{
    return next_stream(s, COUNTERS_CONSUMER, c);
}

/* ---- the line ------------------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    json_t *(*next)(const struct observer_source *s, struct observer_cursor *c);
} lists[] = {
    {"workers", next_worker},       {"rooms", next_room},         {"peers", next_peer},
    {"transports", next_transport}, {"producers", next_producer}, {"consumers", next_consumer},
};

#define N_LISTS (sizeof(lists) / sizeof(lists[0]))

void observer_snapshot_start(struct observer_snapshot *s, const struct observer_source *source,
                             int64_t wall_us, struct buf *out)
{
    *s = (struct observer_snapshot){.source = source};
    buf_printf(out, "{\"version\":1,\"time\":%lld.%06d,\"totals\":{\"rooms\":%zu,\"peers\":%zu}",
               (long long)(wall_us / 1000000), (int)(wall_us % 1000000), source->rooms(source->arg),
               source->peers(source->arg));
    buf_printf(out, ",\"%s\":[", lists[0].name);
}

/* ASCII alone, so that no name can play with the terminal that shows it. */
static void write_object(struct observer_snapshot *s, json_t *object, struct buf *out)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(object);
    if (!text)
        return;
    if (s->n++)
        buf_puts(out, ",");
    buf_puts(out, text);
    free(text);
}

bool observer_snapshot_step(struct observer_snapshot *s, struct buf *out)
{
    json_t *object = lists[s->list].next(s->source, &s->cursor);
    if (object) {
        write_object(s, object, out);
        return true;
    }
    if (++s->list == N_LISTS) {
        buf_puts(out, "]}\n");
        return false;
    }
    s->n = 0;
    memset(&s->cursor, 0, sizeof(s->cursor));
    buf_printf(out, "],\"%s\":[", lists[s->list].name);
    return true;
}
