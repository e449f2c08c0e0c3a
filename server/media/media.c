#include "server/media/media.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <utlist.h>

#define TICK_LATE_US S_US(1)
#define EPOCH_SHIFT  40 /* of handles: 2^40 objects a start of the server */

struct media_router {
    struct change change; /* first */
    struct media_worker *worker;
    uint64_t handle;
    void *user;
    struct media_router *prev, *next;
};

/* A request that the channel did not take: its callback is called from the loop. */
struct unsent {
    uint64_t handle;
    channel_reply_f *fn;
    void *arg;
    struct unsent *next;
};

struct media_worker {
    struct media *media;
    uint32_t index;
    uint64_t generation;
    int32_t pid;
    bool answers;       /* said hello */
    const char *doomed; /* to be dropped as bad; NULL: not */
    struct channel *channel;
    uv_poll_t *poll; /* its own allocation: it outlives us until libuv let go of it */
    int counters_fd;
    struct counters_reader *counters;
    struct handoff_candidate candidates[HANDOFF_CANDIDATES_MAX];
    size_t n_candidates;
    struct media_fingerprint fingerprints[8];
    size_t n_fingerprints;
    struct media_router *routers;
    struct unsent *unsent;
};

/* Outlives the workers that come and go in it. */
struct place {
    struct change change; /* first */
    uint32_t index;
};

struct media {
    struct change_listener listener;
    struct place places[MEDIA_WORKERS_MAX];
    uv_loop_t *loop;
    uint64_t epoch, next_handle;
    struct media_handlers handlers;
    void *arg;
    struct media_worker *workers[MEDIA_WORKERS_MAX]; /* by index */
    uv_timer_t *reaper;                              /* drops the doomed from the loop */
    int64_t ticked_us, excused_us;     /* the last tick; no answer is overdue before */
    uint64_t *lost[MEDIA_WORKERS_MAX]; /* COUNTERS_FIELDS_MAX each, of a place's former workers */
    uint32_t n_places;
    uint64_t n_lost;
};

static void free_handle(uv_handle_t *h)
{
    free(h);
}

int media_new(struct media **mp, uv_loop_t *loop, uint64_t epoch,
              const struct media_handlers *handlers, void *arg)
{
    struct media *m = mem_zalloc(sizeof(*m));
    m->loop = loop;
    m->epoch = epoch;
    m->next_handle = 1;
    for (uint32_t i = 0; i < MEDIA_WORKERS_MAX; i++)
        m->places[i] = (struct place){{.type = CHANGE_PLACE}, i};
    m->handlers = *handlers;
    m->arg = arg;
    m->reaper = mem_zalloc(sizeof(*m->reaper));
    int err = uv_timer_init(loop, m->reaper);
    if (err) {
        free(m->reaper);
        free(m);
        return err;
    }
    m->reaper->data = m;
    *mp = m;
    return 0;
}

/* Lets go of everything but the routers. */
static void worker_free(struct media_worker *w)
{
    if (w->poll) {
        uv_poll_stop(w->poll);
        uv_close((uv_handle_t *)w->poll, free_handle);
    }
    channel_free(w->channel);
    counters_reader_free(w->counters);
    if (w->counters_fd >= 0)
        close(w->counters_fd);
    free(w);
}

void media_free(struct media *m)
{
    if (!m)
        return;
    for (size_t i = 0; i < MEDIA_WORKERS_MAX; i++) {
        struct media_worker *w = m->workers[i];
        free(m->lost[i]);
        if (!w)
            continue;
        struct media_router *r, *tmp;
        DL_FOREACH_SAFE (w->routers, r, tmp)
            free(r);
        worker_free(w);
    }
    uv_close((uv_handle_t *)m->reaper, free_handle);
    free(m);
}

/* ---- the end of a worker ---- */

static void add_totals(struct media *m, const struct media_worker *w)
{
    m->n_lost++;
    uint64_t v[COUNTERS_FIELDS_MAX] = {0};
    if (!w->counters)
        return;
    counters_reader_total(w->counters, COUNTERS_WORKER, v);
    if (!m->lost[w->index])
        m->lost[w->index] = mem_calloc(COUNTERS_FIELDS_MAX, sizeof(uint64_t));
    size_t n;
    const struct counters_field *f = counters_fields(COUNTERS_WORKER, &n);
    for (size_t i = 0; i < n; i++) {
        if (f[i].kind == COUNTERS_KIND_COUNTER)
            m->lost[w->index][i] += v[i];
    }
}

static void fail_unsent(struct media_worker *w)
{
    while (w->unsent) {
        struct unsent *u = w->unsent;
        LL_DELETE(w->unsent, u);
        if (u->fn)
            u->fn(u->handle, "the worker cannot take it", u->arg);
        free(u);
    }
}

static void place_changed(struct media *m, uint32_t index)
{
    change_tell(&m->listener, &m->places[index].change);
}

static void worker_drop(struct media_worker *w, const char *why, bool bad)
{
    struct media *m = w->media;
    place_changed(m, w->index);
    log_warn("media", "worker lost index=%u generation=%llu pid=%d reason=\"%s\"", w->index,
             (unsigned long long)w->generation, w->pid, why);
    /* Out of the table first: what the callbacks place anew goes elsewhere. */
    m->workers[w->index] = NULL;
    w->answers = false;
    add_totals(m, w);
    channel_fail(w->channel, "the worker is gone");
    fail_unsent(w);
    while (w->routers) {
        struct media_router *r = w->routers;
        m->handlers.router_lost(r, r->user, m->arg);
        change_end(&m->listener, &r->change);
        DL_DELETE(w->routers, r);
        free(r);
    }
    fail_unsent(w);
    if (bad)
        m->handlers.worker_bad(w->index, w->generation, why, m->arg);
    worker_free(w);
}

static void reap(uv_timer_t *t)
{
    struct media *m = t->data;
    for (size_t i = 0; i < MEDIA_WORKERS_MAX; i++) {
        struct media_worker *w = m->workers[i];
        if (w)
            fail_unsent(w);
        if (w && w->doomed)
            worker_drop(w, w->doomed, true);
    }
}

static void doom(struct media_worker *w, const char *why)
{
    if (!w->doomed)
        w->doomed = why;
    uv_timer_start(w->media->reaper, reap, 0, 0);
}

static void readable(uv_poll_t *poll, int status, int events);

static void poll_again(struct media_worker *w)
{
    if (w->poll)
        uv_poll_start(w->poll, UV_READABLE | (channel_wants_write(w->channel) ? UV_WRITABLE : 0),
                      readable);
}

static void readable(uv_poll_t *poll, int status, int events)
{
    struct media_worker *w = poll->data;
    if (w->doomed)
        return;
    int err = status < 0 ? -EPIPE : 0;
    if (!err && (events & UV_WRITABLE))
        err = channel_write(w->channel);
    if (!err && (events & (UV_READABLE | UV_DISCONNECT)))
        err = channel_read(w->channel);
    if (err)
        worker_drop(w, err == -EPROTO ? channel_why(w->channel) : "the channel is closed",
                    err == -EPROTO);
    else
        poll_again(w);
}

/* ---- the start of a worker ---- */

static void on_hello(const Althing__HelloReply *h, void *arg)
{
    struct media_worker *w = arg;
    w->n_fingerprints = 0;
    for (size_t i = 0; i < h->n_fingerprints; i++) {
        struct media_fingerprint *f = &w->fingerprints[w->n_fingerprints++];
        snprintf(f->algorithm, sizeof(f->algorithm), "%s", h->fingerprints[i]->algorithm);
        snprintf(f->value, sizeof(f->value), "%s", h->fingerprints[i]->value);
    }
    w->answers = true;
    place_changed(w->media, w->index);
    log_info("media", "worker answers index=%u generation=%llu pid=%d release=%s", w->index,
             (unsigned long long)w->generation, w->pid, h->release);
    w->media->handlers.worker_up(w->media->arg);
}

static void on_event(const Althing__Event *e, void *arg)
{
    struct media_worker *w = arg;
    w->media->handlers.event(w, e, w->media->arg);
}

static bool handoff_ok(const struct handoff *h)
{
    if (h->index >= MEDIA_WORKERS_MAX || h->n_workers > MEDIA_WORKERS_MAX ||
        h->n_candidates > HANDOFF_CANDIDATES_MAX)
        return false;
    for (size_t i = 0; i < h->n_candidates; i++) {
        if (!memchr(h->candidates[i].address, 0, sizeof(h->candidates[i].address)))
            return false;
    }
    return true;
}

int media_worker_up(struct media *m, const struct handoff *h, int channel_fd_, int counters_fd)
{
    if (!handoff_ok(h)) {
        close(channel_fd_);
        close(counters_fd);
        return -EINVAL;
    }
    m->n_places = h->n_workers > h->index ? h->n_workers : h->index + 1;
    if (m->workers[h->index])
        worker_drop(m->workers[h->index], "replaced", false);
    struct media_worker *w = mem_zalloc(sizeof(*w));
    w->media = m;
    w->index = h->index;
    w->generation = h->generation;
    w->pid = h->pid;
    w->counters_fd = counters_fd;
    w->n_candidates = h->n_candidates;
    memcpy(w->candidates, h->candidates, sizeof(w->candidates));
    static const struct channel_handlers handlers = {on_hello, on_event};
    int err = channel_new(&w->channel, channel_fd_, m->epoch, &handlers, w, clock_now_us());
    if (!err) {
        w->poll = mem_zalloc(sizeof(*w->poll));
        err = uv_poll_init(m->loop, w->poll, channel_fd(w->channel));
        if (err) {
            free(w->poll);
            w->poll = NULL;
        }
    }
    if (err) {
        worker_free(w);
        return err;
    }
    w->poll->data = w;
    m->workers[w->index] = w;
    for (uint32_t i = 0; i < m->n_places; i++) /* they may be more than before */
        place_changed(m, i);
    poll_again(w);
    return 0;
}

void media_worker_down(struct media *m, uint64_t generation)
{
    for (size_t i = 0; i < MEDIA_WORKERS_MAX; i++) {
        if (m->workers[i] && m->workers[i]->generation == generation)
            worker_drop(m->workers[i], "its process ended", false);
    }
}

void media_tick(struct media *m, int64_t now_us)
{
    /* The answers of a time in which we stood still may be there, unread. */
    if (now_us - m->ticked_us > TICK_LATE_US)
        m->excused_us = now_us + CHANNEL_TIMEOUT_US;
    m->ticked_us = now_us;
    for (size_t i = 0; i < MEDIA_WORKERS_MAX; i++) {
        struct media_worker *w = m->workers[i];
        if (!w)
            continue;
        if (!w->counters && w->answers && counters_reader_open(&w->counters, w->counters_fd))
            w->counters = NULL;
        bool overdue = channel_deadline_us(w->channel) < now_us && m->excused_us <= now_us;
        if (w->doomed || overdue)
            worker_drop(w, w->doomed ? w->doomed : "an answer is overdue", true);
    }
}

bool media_ready(const struct media *m)
{
    for (size_t i = 0; i < MEDIA_WORKERS_MAX; i++) {
        if (m->workers[i] && m->workers[i]->answers)
            return true;
    }
    return false;
}

uint64_t media_handle(struct media *m)
{
    return m->epoch << EPOCH_SHIFT | m->next_handle++;
}

/* ---- routers and requests ---- */

static struct media_worker *least_loaded(struct media *m)
{
    struct media_worker *best = NULL;
    uint64_t best_load = 0;
    for (size_t i = 0; i < MEDIA_WORKERS_MAX; i++) {
        struct media_worker *w = m->workers[i];
        if (!w || !w->answers || w->doomed)
            continue;
        uint64_t load = 0;
        struct media_router *r;
        DL_FOREACH (w->routers, r)
            load += 1 + m->handlers.load(r->user, m->arg);
        if (!best || load < best_load) {
            best = w;
            best_load = load;
        }
    }
    return best;
}

struct media_router *media_router_new(struct media *m, const char *room, void *user)
{
    struct media_worker *w = least_loaded(m);
    if (!w)
        return NULL;
    struct media_router *r = mem_zalloc(sizeof(*r));
    r->worker = w;
    r->handle = media_handle(m);
    r->user = user;
    DL_APPEND(w->routers, r);
    r->change.type = CHANGE_ROUTER;
    change_tell(&m->listener, &r->change);
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
        poll_again(w);
        return;
    }
    if (err != -EMSGSIZE)
        doom(w, channel_why(w->channel));
    struct unsent *u = mem_zalloc(sizeof(*u));
    *u = (struct unsent){handle, fn, arg, NULL};
    LL_APPEND(w->unsent, u);
    uv_timer_start(w->media->reaper, reap, 0, 0);
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

/* ---- what is known of a worker ---- */

uint32_t media_worker_index(const struct media_worker *w)
{
    return w->index;
}

uint64_t media_worker_generation(const struct media_worker *w)
{
    return w->generation;
}

int32_t media_worker_pid(const struct media_worker *w)
{
    return w->pid;
}

bool media_worker_answers(const struct media_worker *w)
{
    return w->answers;
}

const struct handoff_candidate *media_worker_candidates(const struct media_worker *w, size_t *n)
{
    *n = w->n_candidates;
    return w->candidates;
}

const struct media_fingerprint *media_worker_fingerprints(const struct media_worker *w, size_t *n)
{
    *n = w->n_fingerprints;
    return w->fingerprints;
}

struct counters_reader *media_worker_counters(const struct media_worker *w)
{
    return w->counters;
}

uint32_t media_places(const struct media *m)
{
    return m->n_places;
}

const struct media_worker *media_worker_at(const struct media *m, uint32_t index)
{
    return index < MEDIA_WORKERS_MAX ? m->workers[index] : NULL;
}

const uint64_t *media_place_totals(const struct media *m, uint32_t index)
{
    return index < MEDIA_WORKERS_MAX ? m->lost[index] : NULL;
}

uint64_t media_workers_lost(const struct media *m)
{
    return m->n_lost;
}

/* ---- for who shows it all ---- */

void media_listen(struct media *m, const struct change_listener *l)
{
    m->listener = l ? *l : (struct change_listener){0};
}

uint32_t media_changed_place(const struct change *c)
{
    return ((const struct place *)c)->index;
}

const struct media_router *media_changed_router(const struct change *c)
{
    return (const struct media_router *)c;
}

void *media_router_user(const struct media_router *r)
{
    return r->user;
}

const struct media_router *media_router_next(const struct media *m, uint64_t *place,
                                             uint64_t *handle)
{
    for (; *place < MEDIA_WORKERS_MAX; *place += 1, *handle = 0) {
        const struct media_worker *w = m->workers[*place];
        const struct media_router *r;
        if (!w)
            continue;
        DL_FOREACH (w->routers, r) {
            if (r->handle > *handle) {
                *handle = r->handle;
                return r;
            }
        }
    }
    return NULL;
}
