#include "server/traces.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#define GRACE_US S_US(1) /* the worker's clock starts later than ours */

struct observer_trace {
    struct traces *traces;
    struct observer_trace *prev, *next;
    uint64_t object; /* handle */
    uint32_t place;  /* the worker's, and its generation */
    uint64_t generation;
    struct trace_reader *reader;
    struct trace_cursor cursor;
    int64_t end_us, wall_us; /* wall_us: what 1970's clock is ahead of ours */
    bool answered;           /* the worker has, or is gone */
    bool refused;
    bool gone; /* its reader has let go of it */
};

/* ---- asking the worker ---- */

static void maybe_free(struct observer_trace *t)
{
    if (!t->gone || !t->answered)
        return;
    trace_reader_free(t->reader);
    free(t);
}

static void on_started(uint64_t handle, const char *err, void *arg)
{
    struct observer_trace *t = arg;
    (void)handle;
    t->answered = true;
    t->refused = err != NULL;
    maybe_free(t);
}

static bool same_worker(const struct observer_trace *t, const struct media_worker *w)
{
    return w && media_worker_index(w) == t->place && media_worker_generation(w) == t->generation;
}

/* TRACE_RINGS: none. */
static unsigned free_ring(const struct traces *ts, const struct media_worker *w)
{
    unsigned used = 0, ring = 0;
    for (const struct observer_trace *t = ts->first; t; t = t->next) {
        if (same_worker(t, w))
            used |= 1u << t->cursor.ring;
    }
    while (ring < TRACE_RINGS && (used & (1u << ring)))
        ring++;
    return ring;
}

static void ask(struct observer_trace *t, struct media_router *router, uint32_t kinds,
                uint32_t seconds)
{
    Althing__StartTrace msg = ALTHING__START_TRACE__INIT;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    msg.trace = t->cursor.id;
    msg.ring = t->cursor.ring;
    msg.object = t->object;
    msg.kinds = kinds;
    msg.duration_ms = seconds * 1000;
    rq.method_case = ALTHING__REQUEST__METHOD_START_TRACE;
    rq.start_trace = &msg;
    media_request(router, &rq, t->cursor.id, on_started, t);
}

/* ---- which object ---- */

static struct object *of_peer(const struct peer *p, enum observer_kind kind, const char *id)
{
    struct transport *t = kind == OBSERVER_TRANSPORT ? peer_transport(p, id) : NULL;
    struct producer *pr = kind == OBSERVER_PRODUCER ? peer_producer(p, id) : NULL;
    struct consumer *c = kind == OBSERVER_CONSUMER ? peer_consumer(p, id) : NULL;
    return t ? &t->obj : pr ? &pr->obj : c ? &c->obj : NULL;
}

static struct object *find(const struct rooms *rs, enum observer_kind kind, const char *id)
{
    for (struct room *r = rooms_after(rs, 0); r; r = r->hh.next) {
        ROOM_FOREACH_PEER(r, p)
        {
            struct object *o = of_peer(p, kind, id);
            if (o)
                return o;
        }
    }
    return NULL;
}

/* ---- for the observer ---- */

static struct observer_trace *refuse(struct observer_error *e, const char *code, const char *text)
{
    e->code = code;
    snprintf(e->text, sizeof(e->text), "%s", text);
    return NULL;
}

struct observer_trace *traces_start(struct traces *ts, enum observer_kind kind, const char *key,
                                    uint32_t kinds, uint32_t seconds, struct observer_error *e)
{
    struct object *o = find(&ts->hub->rooms, kind, key);
    struct media_router *router = o ? object_peer(o)->media : NULL;
    struct trace_reader *reader;
    if (!router || !o->confirmed)
        return refuse(e, "not-found", "there is no such object");
    const struct media_worker *w = media_router_worker(router);
    unsigned ring = free_ring(ts, w);
    if (ring == TRACE_RINGS)
        return refuse(e, "busy", "its worker has as many traces as it can");
    if (media_worker_trace(w, &reader))
        return refuse(e, "failed", "its worker has no traces");
    struct observer_trace *t = mem_zalloc(sizeof(*t));
    t->traces = ts;
    t->object = o->handle;
    t->place = media_worker_index(w);
    t->generation = media_worker_generation(w);
    t->reader = reader;
    t->cursor = (struct trace_cursor){.ring = ring, .id = media_handle(ts->hub->media)};
    t->end_us = clock_now_us() + S_US((int64_t)seconds) + GRACE_US;
    t->wall_us = clock_wall_us() - clock_now_us();
    DL_APPEND(ts->first, t);
    ask(t, router, kinds, seconds);
    return t;
}

/* The kind and id of whom it is about, as long as it is there. */
static void name(const struct observer_trace *t, uint64_t handle, json_t *event)
{
    static const char *const kinds[] = {[OBJECT_TRANSPORT] = "transport",
                                        [OBJECT_PRODUCER] = "producer",
                                        [OBJECT_CONSUMER] = "consumer"};
    const struct object *o = rooms_object(&t->traces->hub->rooms, handle);
    bool known = o && (size_t)o->type < sizeof(kinds) / sizeof(kinds[0]) && kinds[o->type];
    json_object_set_new(event, "kind", json_string(known ? kinds[o->type] : ""));
    json_object_set_new(event, "id", json_string(known ? o->id : ""));
}

json_t *traces_next(struct observer_trace *t, const char **end, uint64_t *lost)
{
    struct trace_record r;
    *end = NULL;
    if (trace_reader_next(t->reader, &t->cursor, &r)) {
        json_t *event = traces_event(&r);
        double time_s = ((double)r.at_us + (double)t->wall_us) / 1e6;
        json_object_set_new(event, "time", json_real(time_s));
        name(t, r.object, event);
        return event;
    }
    if (!same_worker(t, media_worker_at(t->traces->hub->media, t->place)))
        *end = "worker gone";
    else if (t->refused)
        *end = "refused";
    else if (!rooms_object(&t->traces->hub->rooms, t->object))
        *end = "object gone";
    else if (clock_now_us() >= t->end_us)
        *end = "time over";
    *lost = t->cursor.lost;
    return NULL;
}

void traces_stop(struct observer_trace *t)
{
    if (!t)
        return;
    struct hub *h = t->traces->hub;
    const struct media_worker *w = media_worker_at(h->media, t->place);
    DL_DELETE(t->traces->first, t);
    if (same_worker(t, w))
        media_worker_stop_trace(h->media, w, t->cursor.id);
    t->gone = true;
    maybe_free(t);
}
