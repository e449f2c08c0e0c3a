#include "server/hub.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "server/dispatch.h"
#include "server/on.h"

#include <stdlib.h>

#define SWEEP_US S_US(1)

void hub_init(struct hub *h, const struct hub_settings *settings, json_t *router_caps)
{
    *h = (struct hub){.settings = *settings, .router_caps = router_caps};
    rooms_init(&h->rooms);
    bucket_init(&h->pictures, PICTURES_PER_S, PICTURES_BURST, clock_now_us());
}

void hub_free(struct hub *h)
{
    rooms_free(&h->rooms);
    json_decref(h->router_caps);
    h->router_caps = NULL;
}

static void on_request(struct edge_session *s, const char *method, const json_t *data, uint64_t ack,
                       void *arg)
{
    struct call c = {arg, s, edge_session_user(s), method, data, ack, .request = true};
    dispatch(&c);
}

static void on_notification(struct edge_session *s, const char *method, const json_t *data,
                            void *arg)
{
    struct call c = {arg, s, edge_session_user(s), method, data};
    dispatch(&c);
}

static void on_connect(struct edge_session *s, const struct edge_query *query, void *arg)
{
    on_connect_session(arg, s, query);
}

static void on_closed(struct edge_session *s, enum edge_reason reason, void *arg)
{
    on_closed_session(arg, s, reason);
}

void hub_edge_handlers(struct edge_handlers *out)
{
    *out = (struct edge_handlers){on_connect, on_request, on_notification, on_closed};
}

void hub_media_handlers(struct media_handlers *out)
{
    *out = (struct media_handlers){
        .worker_up = on_worker_up,
        .router_lost = on_router_lost,
        .event = on_worker_event,
        .load = on_load_asked,
        .router_back = on_router_back,
        .router_missed = on_router_missed,
        .taken_over = on_taken_over,
    };
}

void hub_tick(struct hub *h, int64_t now_us)
{
    if (h->media)
        media_tick(h->media, now_us);
    on_connect_tick(h, now_us);
    on_countdown_tick(h, now_us);
    on_drain_tick(h, now_us);
    if (now_us < h->next_sweep_us)
        return;
    h->next_sweep_us = now_us + SWEEP_US;
    on_consume_tick(h, now_us);
}

/* ---- telling browsers ---- */

void hub_notify(const struct peer *p, const char *method, json_t *data)
{
    if (p->session)
        edge_notify(hub_session(p), method, data);
    else
        json_decref(data);
}

static void notify_all(struct edge_session **list, size_t n, const char *method, json_t *data)
{
    if (n)
        edge_notify_many(list, n, method, data);
    else
        json_decref(data);
    free(list);
}

static void broadcast(const struct room *r, const struct room_session *in,
                      const struct peer *except, const char *method, json_t *data)
{
    struct edge_session **list = mem_calloc(r->n_peers + 1, sizeof(struct edge_session *));
    size_t n = 0;
    ROOM_FOREACH_PEER(r, p)
    {
        if (p != except && p->session && p->state == PEER_JOINED && (!in || p->in == in))
            list[n++] = hub_session(p);
    }
    notify_all(list, n, method, data);
}

void hub_broadcast(const struct room *r, const struct peer *except, const char *method,
                   json_t *data)
{
    broadcast(r, NULL, except, method, data);
}

void hub_broadcast_session(const struct room *r, const struct room_session *in,
                           const struct peer *except, const char *method, json_t *data)
{
    broadcast(r, in, except, method, data);
}

void hub_notify_holders(const struct room *r, enum perm perm, const char *method, json_t *data)
{
    struct edge_session **list = mem_calloc(r->n_peers + 1, sizeof(struct edge_session *));
    size_t n = 0;
    ROOM_FOREACH_PEER(r, p)
    {
        if (p->session && p->state != PEER_LOBBY && perm_has(p->perms, perm))
            list[n++] = hub_session(p);
    }
    notify_all(list, n, method, data);
}

/* ---- a reply that waits for a worker ---- */

struct hub_later *hub_later_new(struct hub *h, const struct peer *p, uint64_t ack, json_t *result)
{
    struct hub_later *l = mem_zalloc(sizeof(*l));
    *l = (struct hub_later){h, p->room->serial, p->serial, p->visits, ack, result};
    return l;
}

void hub_later_reply(uint64_t handle, const char *err, void *later)
{
    (void)handle;
    struct hub_later *l = later;
    struct room *r = rooms_by_serial(&l->hub->rooms, l->room_serial);
    struct peer *p = r ? room_peer_by_serial(r, l->peer_serial) : NULL;
    if (p && p->session && p->visits == l->visit) {
        if (err)
            edge_reply_error(hub_session(p), l->ack, err);
        else
            edge_reply(hub_session(p), l->ack, json_incref(l->result));
    }
    json_decref(l->result);
    free(l);
}

void hub_answer_waiting(struct object *o, const json_t *result, const char *err)
{
    struct peer *p = object_peer(o);
    for (size_t i = 0; p->session && i < o->n_acks; i++) {
        if (err)
            edge_reply_error(hub_session(p), o->acks[i], err);
        else
            edge_reply(hub_session(p), o->acks[i], result ? json_deep_copy(result) : NULL);
    }
    o->n_acks = 0;
}

void hub_refused(struct hub *h, const struct peer *p, const char *what, const char *why)
{
    unsigned suppressed;
    if (log_limit(&h->refusals, clock_now_us(), 10, &suppressed))
        log_warn("hub", "refused %s room=%s peer=%s reason=\"%s\" suppressed=%u", what, p->room->id,
                 p->id, why, suppressed);
}
