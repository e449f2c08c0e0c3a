/* A walk goes by serials and handles, which only grow, so that what comes and goes between two steps does not lead it astray. The
 * cursor: a is the room's serial (of workers the index, of routers the worker's), b the peer's serial (of routers the handle), c the
 * object's handle; d counts passes, since scores are of producers and then of consumers. */
#include "server/watch.h"

#include "lib/clock.h"
#include "server/dump.h"

#include <string.h>
#include <unistd.h>

static size_t rooms(void *arg)
{
    return ((struct watch *)arg)->hub->rooms.n_rooms;
}

static size_t peers(void *arg)
{
    size_t n = 0;
    struct watch *w = arg;
    for (struct room *r = rooms_after(&w->hub->rooms, 0); r; r = r->hh.next)
        n += r->n_peers - room_lobby_count(r);
    return n;
}

/* ---- walks ---------------------------------------------------------------------------------------------------------------------- */

static struct room *room_step(struct watch *w, const struct observer_scope *scope,
                              struct observer_cursor *c)
{
    struct room *r =
        scope->room ? rooms_find(&w->hub->rooms, scope->room) : rooms_after(&w->hub->rooms, c->a);
    if (!r || r->serial <= c->a)
        return NULL;
    c->a = r->serial;
    c->b = 0;
    return r;
}

static struct peer *peer_step(struct watch *w, const struct observer_scope *scope,
                              struct observer_cursor *c)
{
    struct room *r = rooms_by_serial(&w->hub->rooms, c->a);
    struct peer *p = r ? room_peer_after(r, c->b) : NULL;
    for (;;) {
        while (p && scope->peer && strcmp(p->id, scope->peer) != 0)
            p = p->next;
        if (p)
            break;
        r = room_step(w, scope, c);
        if (!r)
            return NULL;
        p = r->peers;
    }
    c->b = p->serial;
    c->c = 0;
    return p;
}

static struct object *next_transport(struct peer *p, uint64_t last)
{
    struct transport *a = p->send, *b = p->recv;
    if (a && b && a->obj.handle > b->obj.handle) {
        a = p->recv;
        b = p->send;
    }
    if (a && a->obj.handle > last)
        return &a->obj;
    return b && b->obj.handle > last ? &b->obj : NULL;
}

/* The object of this peer whose handle is the least above `last`. Lists are in the order of handles. */
static struct object *next_of_peer(const struct rooms *rs, struct peer *p, enum object_type type,
                                   uint64_t last)
{
    if (type == OBJECT_TRANSPORT)
        return next_transport(p, last);
    struct object *o = last ? rooms_object(rs, last) : NULL;
    bool there = o && o->type == type && object_peer(o) == p;
    if (type == OBJECT_PRODUCER) {
        struct producer *pr = there     ? ((struct producer *)o)->next
                              : p->send ? p->send->producers
                                        : NULL;
        while (pr && pr->obj.handle <= last)
            pr = pr->next;
        return pr ? &pr->obj : NULL;
    }
    struct consumer *c = there ? ((struct consumer *)o)->next : p->recv ? p->recv->consumers : NULL;
    while (c && c->obj.handle <= last)
        c = c->next;
    return c ? &c->obj : NULL;
}

static struct peer *peer_at(struct watch *w, const struct observer_cursor *c)
{
    struct object *last = c->c ? rooms_object(&w->hub->rooms, c->c) : NULL;
    if (last && object_peer(last)->serial == c->b)
        return object_peer(last);
    struct room *r = rooms_by_serial(&w->hub->rooms, c->a);
    return r ? room_peer_by_serial(r, c->b) : NULL;
}

static struct object *object_step(struct watch *w, enum object_type type,
                                  const struct observer_scope *scope, struct observer_cursor *c)
{
    struct peer *p = peer_at(w, c);
    for (;;) {
        struct object *o = p ? next_of_peer(&w->hub->rooms, p, type, c->c) : NULL;
        if (!o) {
            p = peer_step(w, scope, c);
            if (!p)
                return NULL;
            continue;
        }
        c->c = o->handle;
        if (o->confirmed)
            return o;
    }
}

/* A peer's data producers and data consumers are in the order of their handles, too. */
static struct data_producer *data_producer_step(struct watch *w, const struct observer_scope *scope,
                                                struct observer_cursor *c)
{
    struct room *r = rooms_by_serial(&w->hub->rooms, c->a);
    struct peer *p = r ? room_peer_by_serial(r, c->b) : NULL;
    for (;;) {
        struct data_producer *d = p && p->send ? p->send->data_producers : NULL;
        while (d && (d->handle <= c->c || !d->confirmed))
            d = d->next;
        if (d) {
            c->c = d->handle;
            return d;
        }
        p = peer_step(w, scope, c);
        if (!p)
            return NULL;
    }
}

static struct data_consumer *data_consumer_step(struct watch *w, const struct observer_scope *scope,
                                                struct observer_cursor *c)
{
    struct room *r = rooms_by_serial(&w->hub->rooms, c->a);
    struct peer *p = r ? room_peer_by_serial(r, c->b) : NULL;
    for (;;) {
        struct data_consumer *d = p && p->recv ? p->recv->data_consumers : NULL;
        while (d && (d->handle <= c->c || !d->confirmed))
            d = d->next;
        if (d) {
            c->c = d->handle;
            return d;
        }
        p = peer_step(w, scope, c);
        if (!p)
            return NULL;
    }
}

/* ---- objects -------------------------------------------------------------------------------------------------------------------- */

static json_t *next_worker(struct watch *w, const struct observer_scope *scope,
                           struct observer_cursor *c)
{
    if (c->a >= media_places(w->hub->media))
        return NULL;
    uint32_t index = (uint32_t)c->a++;
    json_t *o = show_worker(w->hub, index);
    if (scope->stats)
        json_object_set_new(o, "stats", stats_worker(w->hub, index));
    return o;
}

static json_t *next_router(struct watch *w, const struct observer_scope *scope,
                           struct observer_cursor *c)
{
    const struct media_router *r;
    while ((r = media_router_next(w->hub->media, &c->a, &c->b))) {
        const struct room *room = media_router_user(r);
        if (!scope->room || !strcmp(scope->room, room->id))
            return show_router(r);
    }
    return NULL;
}

static json_t *next_peer(struct watch *w, bool lobby, const struct observer_scope *scope,
                         struct observer_cursor *c)
{
    struct peer *p;
    while ((p = peer_step(w, scope, c))) {
        if ((p->state == PEER_LOBBY) == lobby)
            return show_peer(p);
    }
    return NULL;
}

static json_t *next_object(struct watch *w, enum object_type type,
                           const struct observer_scope *scope, struct observer_cursor *c)
{
    struct object *o = object_step(w, type, scope, c);
    json_t *v = o ? show_object(o) : NULL;
    if (v && scope->stats)
        stats_add(&w->stats, o, v);
    return v;
}

static json_t *next_score(struct watch *w, const struct observer_scope *scope,
                          struct observer_cursor *c)
{
    struct object *o = object_step(w, c->d ? OBJECT_CONSUMER : OBJECT_PRODUCER, scope, c);
    if (!o && !c->d) {
        *c = (struct observer_cursor){.d = 1};
        o = object_step(w, OBJECT_CONSUMER, scope, c);
    }
    return o ? show_score(o) : NULL;
}

static json_t *next_layers(struct watch *w, const struct observer_scope *scope,
                           struct observer_cursor *c)
{
    struct object *o;
    while ((o = object_step(w, OBJECT_CONSUMER, scope, c))) {
        const struct consumer *consumer = (struct consumer *)o;
        if (consumer->producer->video)
            return show_layers(consumer);
    }
    return NULL;
}

static json_t *next(void *arg, enum observer_kind kind, const struct observer_scope *scope,
                    struct observer_cursor *c)
{
    struct watch *w = arg;
    struct room *r;
    struct data_producer *dp;
    struct data_consumer *dc;
    switch (kind) {
    case OBSERVER_SERVER:
        return c->a++ ? NULL : watch_server(w);
    case OBSERVER_WORKER:
        return next_worker(w, scope, c);
    case OBSERVER_ROUTER:
        return next_router(w, scope, c);
    case OBSERVER_ROOM:
        return (r = room_step(w, scope, c)) ? show_room(r) : NULL;
    case OBSERVER_CHAT:
        return (r = room_step(w, scope, c)) ? show_chat(r) : NULL;
    case OBSERVER_PEER:
    case OBSERVER_LOBBY:
        return next_peer(w, kind == OBSERVER_LOBBY, scope, c);
    case OBSERVER_TRANSPORT:
        return next_object(w, OBJECT_TRANSPORT, scope, c);
    case OBSERVER_PRODUCER:
        return next_object(w, OBJECT_PRODUCER, scope, c);
    case OBSERVER_CONSUMER:
        return next_object(w, OBJECT_CONSUMER, scope, c);
    case OBSERVER_DATA_PRODUCER:
        return (dp = data_producer_step(w, scope, c)) ? show_data_producer(dp) : NULL;
    case OBSERVER_DATA_CONSUMER:
        return (dc = data_consumer_step(w, scope, c)) ? show_data_consumer(dc) : NULL;
    case OBSERVER_SCORE:
        return next_score(w, scope, c);
    case OBSERVER_LAYERS:
        return next_layers(w, scope, c);
    default:
        return NULL;
    }
}

static json_t *get(void *arg, enum observer_kind kind, const char *room, const char *key)
{
    struct watch *w = arg;
    if (kind == OBSERVER_SERVER)
        return json_pack("{so, s[]}", "dump", watch_server(w), "stats");
    return dump_object(&w->stats, kind, room, key);
}

/* ---- changes -------------------------------------------------------------------------------------------------------------------- */

/* Not again what was told before, as with everything else; but not wanted is never told. */
static void tell_server(struct watch *w, struct observer *o)
{
    json_t *server = watch_server(w);
    w->server_changed = false;
    if (!json_equal(server, w->told))
        observer_put(o, OBSERVER_SERVER, server);
    json_decref(w->told);
    w->told = observer_wanted(o) & OBSERVER_BIT(OBSERVER_SERVER) ? server : NULL;
    if (!w->told)
        json_decref(server);
}

static bool tell(void *arg, struct observer *o, size_t max)
{
    struct watch *w = arg;
    if (w->server_changed)
        tell_server(w, o);
    return changes_tell(&w->changes, max);
}

void watch_server_changed(struct watch *w)
{
    if (!w->observer)
        return;
    w->server_changed = true;
    observer_changed(w->observer);
}

json_t *watch_server(const struct watch *w)
{
    const struct hub_drain *d = &w->hub->drain;
    json_t *tags = json_array();
    for (size_t i = 0; log_tag(i); i++)
        json_array_append_new(tags, json_string(log_tag(i)));
    return json_pack("{si, ss, sI, ss, so, sb, so}", "pid", (int)getpid(), "release", w->release,
                     "startedAt", (json_int_t)w->started_ms, "logLevel",
                     log_level_name(log_get_level()), "logTags", tags, "draining", d->on,
                     "drainDeadline", d->on ? json_integer(d->deadline_ms) : json_null());
}

/* ---- beginning and end ---------------------------------------------------------------------------------------------------------- */

static void on_log(enum log_level level, const char *module, const char *text, void *arg)
{
    struct watch *w = arg;
    observer_log(w->observer, level, module, text);
}

int watch_start(struct watch *w, uv_loop_t *loop, struct hub *h,
                const struct observer_settings *settings, const struct observer_admin *admin)
{
    *w = (struct watch){
        .hub = h, .release = settings->release, .started_ms = clock_wall_us() / 1000};
    const struct observer_source source = {w, rooms, peers, next, get, tell};
    stats_init(&w->stats, h);
    int err = observer_new(&w->observer, loop, settings, &source, admin);
    if (err)
        return err;
    changes_start(&w->changes, h, w->observer);
    log_set_sink(on_log, w);
    return 0;
}

void watch_stop(struct watch *w)
{
    if (!w->observer)
        return;
    log_set_sink(NULL, NULL);
    changes_stop(&w->changes);
    observer_free(w->observer);
    w->observer = NULL;
    stats_free(&w->stats);
    json_decref(w->told);
    w->told = NULL;
}
