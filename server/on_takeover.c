/* What follows when the workers of a former server are back. The rooms' objects are there already, restored by the keeper; what the worker has
 * lost of them goes, and what only the worker knows is closed: data channels always, since they are not kept. No browser is let in before
 * (media_awaits()), so there is nobody to tell.
 */
#include "lib/log.h"
#include "server/on.h"

void on_router_back(struct media_router *router, void *room, void *hub)
{
    struct hub *h = hub;
    struct room *r = room;
    unsigned n = 0;
    ROOM_FOREACH_PEER(r, p)
    {
        if (p->awaited != media_router_handle(router))
            continue;
        p->awaited = 0;
        p->media = router;
        peer_changed(p);
        n++;
    }
    if (!n) { /* they have been sent away meanwhile */
        media_router_free(router);
        return;
    }
    if (!r->spread)
        r->spread = spread_new(h->media, r->id, r);
    spread_adopt(r->spread, router, n);
}

void on_router_missed(uint64_t handle, void *room, void *hub)
{
    (void)hub;
    struct room *r = room;
    log_warn("media", "a worker of the room is not back room=%s", r->id);
    ROOM_FOREACH_PEER(r, p)
    {
        if (p->awaited != handle)
            continue;
        p->awaited = 0;
        transport_free(p->send);
        transport_free(p->recv);
        peer_set_capabilities(p, NULL, NULL);
        peer_changed(p);
    }
}

static Althing__ObjectKind kind_of(const struct object *o)
{
    return o->type == OBJECT_TRANSPORT  ? ALTHING__OBJECT_KIND__OBJECT_TRANSPORT
           : o->type == OBJECT_PRODUCER ? ALTHING__OBJECT_KIND__OBJECT_PRODUCER
                                        : ALTHING__OBJECT_KIND__OBJECT_CONSUMER;
}

static bool lives(const struct takeover_objects *objects, const struct object *o)
{
    return takeover_has(objects, kind_of(o), o->handle);
}

/* Objects that the worker does not have. */
static void drop_lost(struct hub *h, struct peer *p, const struct takeover_objects *objects)
{
    if (p->send && !lives(objects, &p->send->obj))
        on_transport_drop(h, p->send, "lost");
    if (p->recv && !lives(objects, &p->recv->obj))
        on_transport_drop(h, p->recv, "lost");
    struct producer *pr, *next_pr;
    for (pr = p->send ? p->send->producers : NULL; pr; pr = next_pr) {
        next_pr = pr->next;
        if (!lives(objects, &pr->obj))
            on_producer_drop(h, pr, "lost");
    }
    struct consumer *c, *next_c;
    for (c = p->recv ? p->recv->consumers : NULL; c; c = next_c) {
        next_c = c->next;
        if (!lives(objects, &c->obj))
            on_consumer_gone(c);
    }
}

static void close_strangers(struct hub *h, const struct media_worker *w,
                            const struct takeover_objects *objects, Althing__ObjectKind kind)
{
    for (size_t i = 0; i < objects->n[kind]; i++) {
        struct object *o = rooms_object(&h->rooms, objects->handles[kind][i]);
        const struct media_router *r = o ? object_peer(o)->media : NULL;
        if (!r || !media_router_on(r, w))
            media_worker_close(h->media, w, kind, objects->handles[kind][i]);
    }
}

static bool has_router(const struct hub *h, const struct media_worker *w, uint64_t handle)
{
    for (const struct room *r = rooms_after(&h->rooms, 0); r; r = r->hh.next) {
        const struct media_router *router;
        for (size_t i = 0; r->spread && (router = spread_router(r->spread, i)) != NULL; i++) {
            if (media_router_on(router, w) && media_router_handle(router) == handle)
                return true;
        }
    }
    return false;
}

void on_taken_over(const struct media_worker *w, const struct takeover_objects *objects, void *hub)
{
    struct hub *h = hub;
    for (struct room *r = rooms_after(&h->rooms, 0); r; r = r->hh.next) {
        ROOM_FOREACH_PEER(r, p)
        {
            if (p->media && media_router_on(p->media, w))
                drop_lost(h, p, objects);
        }
    }
    for (size_t i = 0; i < objects->n[ALTHING__OBJECT_KIND__OBJECT_ROUTER]; i++) {
        uint64_t handle = objects->handles[ALTHING__OBJECT_KIND__OBJECT_ROUTER][i];
        if (!has_router(h, w, handle))
            media_worker_close(h->media, w, ALTHING__OBJECT_KIND__OBJECT_ROUTER, handle);
    }
    for (int kind = ALTHING__OBJECT_KIND__OBJECT_TRANSPORT; kind < TAKEOVER_KINDS; kind++)
        close_strangers(h, w, objects, (Althing__ObjectKind)kind);
}
