#include "server/media/media_int.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <errno.h>
#include <stdlib.h>

#include <utlist.h>

struct media_router *media_router_add(struct media_worker *w, uint64_t handle, void *user)
{
    struct media_router *r = mem_zalloc(sizeof(*r));
    r->change.type = CHANGE_ROUTER;
    r->worker = w;
    r->handle = handle;
    r->user = user;
    DL_APPEND(w->routers, r);
    change_tell(&w->media->listener, &r->change);
    return r;
}

/* ---- placing ---- */

void media_set_bounds(struct media *m, const struct media_bounds *bounds)
{
    m->bounds = *bounds;
}

static uint64_t load_of(const struct media_worker *w)
{
    uint64_t load = 0;
    const struct media_router *r;
    DL_FOREACH (w->routers, r)
        load += 1 + w->media->handlers.load(r, r->user, w->media->arg);
    return load;
}

bool media_worker_full(const struct media_worker *w)
{
    const struct media_bounds *b = &w->media->bounds;
    unsigned peers = 0;
    const struct media_router *r;
    DL_FOREACH (w->routers, r)
        peers += r->n_peers;
    return (b->peers && peers >= b->peers) || (b->streams && load_of(w) >= b->streams);
}

static bool has_router_of(const struct media_worker *w, const struct spread *s)
{
    const struct media_router *r;
    DL_FOREACH (w->routers, r) {
        if (r->spread == s)
            return true;
    }
    return false;
}

struct media_worker *media_least_loaded(struct media *m, const struct spread *except)
{
    struct media_worker *best = NULL;
    uint64_t best_load = 0;
    for (size_t i = 0; i < MEDIA_WORKERS_MAX; i++) {
        struct media_worker *w = m->workers[i];
        if (!w || !w->answers || w->doomed ||
            (except && (!w->udp.port || has_router_of(w, except))))
            continue;
        uint64_t load = load_of(w);
        if (!best || load < best_load) {
            best = w;
            best_load = load;
        }
    }
    return best;
}

uint32_t media_ssrcs(struct media *m, uint32_t n)
{
    if (m->next_ssrc > UINT32_MAX - n || m->next_ssrc == 0)
        m->next_ssrc = 1;
    uint32_t first = m->next_ssrc;
    m->next_ssrc += n;
    return first;
}

/* ---- routers and requests ---- */

struct media_router *media_router_new(struct media *m, const char *room, void *user)
{
    struct media_worker *w = media_least_loaded(m, NULL);
    return w ? media_router_new_on(w, room, user) : NULL;
}

struct media_router *media_router_new_on(struct media_worker *w, const char *room, void *user)
{
    struct media_router *r = media_router_add(w, media_handle(w->media), user);
    char *id = mem_strdup(room);
    Althing__CreateRouter create = ALTHING__CREATE_ROUTER__INIT;
    create.router = r->handle;
    create.room = id;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_CREATE_ROUTER;
    rq.create_router = &create;
    media_request(r, &rq, r->handle, NULL, NULL);
    free(id);
    return r;
}

void media_router_free(struct media_router *r)
{
    if (!r)
        return;
    Althing__CloseRouter msg = ALTHING__CLOSE_ROUTER__INIT;
    msg.router = r->handle;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_CLOSE_ROUTER;
    rq.close_router = &msg;
    media_request(r, &rq, r->handle, NULL, NULL);
    change_end(&r->worker->media->listener, &r->change);
    DL_DELETE(r->worker->routers, r);
    free(r);
}

bool media_router_busy(const struct media_router *r)
{
    return channel_busy(r->worker->channel);
}

void media_request(struct media_router *r, Althing__Request *rq, uint64_t handle,
                   channel_reply_f *fn, void *arg)
{
    struct media_worker *w = r->worker;
    int err = channel_request(w->channel, rq, handle, fn, arg, clock_now_us());
    if (!err) {
        media_poll(w);
        return;
    }
    if (err != -EMSGSIZE)
        media_doom(w, channel_why(w->channel));
    struct unsent *u = mem_zalloc(sizeof(*u));
    *u = (struct unsent){handle, fn, arg, NULL};
    LL_APPEND(w->unsent, u);
    media_reap_soon(w->media);
}

void media_await(struct media *m, uint32_t index, uint64_t generation, uint64_t handle, void *user)
{
    struct awaited *a;
    LL_FOREACH (m->awaited, a) {
        if (a->handle == handle)
            return;
    }
    a = mem_zalloc(sizeof(*a));
    *a = (struct awaited){index, generation, handle, user, NULL};
    LL_PREPEND(m->awaited, a);
}

bool media_awaits(const struct media *m)
{
    for (size_t i = 0; i < MEDIA_WORKERS_MAX; i++) {
        if (m->workers[i] && m->workers[i]->takeover && !m->workers[i]->answers)
            return true;
    }
    return m->awaited != NULL;
}

void media_forget(struct media *m, const void *user)
{
    struct awaited *a, *tmp;
    LL_FOREACH_SAFE (m->awaited, a, tmp) {
        if (a->user != user)
            continue;
        LL_DELETE(m->awaited, a);
        free(a);
    }
}

/* Nobody waits for its answer. */
static void send_quiet(struct media_worker *w, Althing__Request *rq)
{
    if (channel_request(w->channel, rq, 0, NULL, NULL, clock_now_us()))
        media_doom(w, channel_why(w->channel));
    else
        media_poll(w);
}

/* A worker of an older release refuses, which is fine. */
void media_tell_log(struct media_worker *w)
{
    Althing__SetLog msg = ALTHING__SET_LOG__INIT;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    if (!w->media->log_set)
        return;
    msg.level = (uint32_t)w->media->log_level;
    msg.tags = w->media->log_tags;
    rq.method_case = ALTHING__REQUEST__METHOD_SET_LOG;
    rq.set_log = &msg;
    send_quiet(w, &rq);
}

void media_set_log(struct media *m, enum log_level level, uint32_t tags)
{
    m->log_set = true;
    m->log_level = level;
    m->log_tags = tags;
    for (size_t i = 0; i < MEDIA_WORKERS_MAX; i++) {
        if (m->workers[i] && m->workers[i]->answers)
            media_tell_log(m->workers[i]);
    }
}

void media_worker_stop_trace(struct media *m, const struct media_worker *from, uint64_t trace)
{
    Althing__StopTrace msg = ALTHING__STOP_TRACE__INIT;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    msg.trace = trace;
    rq.method_case = ALTHING__REQUEST__METHOD_STOP_TRACE;
    rq.stop_trace = &msg;
    send_quiet(m->workers[from->index], &rq);
}

void media_worker_close(struct media *m, const struct media_worker *from, Althing__ObjectKind kind,
                        uint64_t handle)
{
    struct media_worker *w = m->workers[from->index];
    Althing__Request rq = ALTHING__REQUEST__INIT;
    Althing__CloseRouter router = ALTHING__CLOSE_ROUTER__INIT;
    Althing__CloseTransport transport = ALTHING__CLOSE_TRANSPORT__INIT;
    Althing__CloseProducer producer = ALTHING__CLOSE_PRODUCER__INIT;
    Althing__CloseConsumer consumer = ALTHING__CLOSE_CONSUMER__INIT;
    Althing__CloseDataProducer data_producer = ALTHING__CLOSE_DATA_PRODUCER__INIT;
    Althing__CloseDataConsumer data_consumer = ALTHING__CLOSE_DATA_CONSUMER__INIT;
    router.router = transport.transport = producer.producer = consumer.consumer = handle;
    data_producer.data_producer = data_consumer.data_consumer = handle;
    if (kind == ALTHING__OBJECT_KIND__OBJECT_ROUTER) {
        rq.method_case = ALTHING__REQUEST__METHOD_CLOSE_ROUTER;
        rq.close_router = &router;
    } else if (kind == ALTHING__OBJECT_KIND__OBJECT_DATA_PRODUCER) {
        rq.method_case = ALTHING__REQUEST__METHOD_CLOSE_DATA_PRODUCER;
        rq.close_data_producer = &data_producer;
    } else if (kind == ALTHING__OBJECT_KIND__OBJECT_DATA_CONSUMER) {
        rq.method_case = ALTHING__REQUEST__METHOD_CLOSE_DATA_CONSUMER;
        rq.close_data_consumer = &data_consumer;
    } else if (kind == ALTHING__OBJECT_KIND__OBJECT_TRANSPORT) {
        rq.method_case = ALTHING__REQUEST__METHOD_CLOSE_TRANSPORT;
        rq.close_transport = &transport;
    } else if (kind == ALTHING__OBJECT_KIND__OBJECT_PRODUCER) {
        rq.method_case = ALTHING__REQUEST__METHOD_CLOSE_PRODUCER;
        rq.close_producer = &producer;
    } else {
        rq.method_case = ALTHING__REQUEST__METHOD_CLOSE_CONSUMER;
        rq.close_consumer = &consumer;
    }
    send_quiet(w, &rq);
}

uint64_t media_router_handle(const struct media_router *r)
{
    return r->handle;
}

bool media_router_on(const struct media_router *r, const struct media_worker *w)
{
    return r->worker == w;
}

const struct media_worker *media_router_worker(const struct media_router *r)
{
    return r->worker;
}
