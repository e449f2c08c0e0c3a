#include "server/media/media_int.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "lib/rand.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <utlist.h>

#define TICK_LATE_US S_US(1)

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
    m->next_ssrc = rand_u32();
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
    takeover_free(w->takeover);
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
    spread_free_all(m);
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
    struct awaited *a, *tmp_awaited;
    LL_FOREACH_SAFE (m->awaited, a, tmp_awaited)
        free(a);
    uv_close((uv_handle_t *)m->reaper, free_handle);
    free(m);
}

/* ---- the end of a worker ---- */

static void add_level(uint64_t *lost, const struct counters_reader *reader,
                      enum counters_level level)
{
    uint64_t v[COUNTERS_FIELDS_MAX] = {0};
    size_t n;
    const struct counters_field *f = counters_fields(level, &n);
    counters_reader_total(reader, level, v);
    for (size_t i = 0; i < n; i++) {
        if (f[i].kind == COUNTERS_KIND_COUNTER)
            lost[i] += v[i];
    }
}

static void add_totals(struct media *m, const struct media_worker *w)
{
    struct media_lost **lost = &m->lost[w->index];
    m->n_lost++;
    if (!w->counters)
        return;
    if (!*lost)
        *lost = mem_zalloc(sizeof(**lost));
    for (int l = 0; l < COUNTERS_LEVELS; l++)
        add_level((*lost)->values[l], w->counters, (enum counters_level)l);
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

static void router_lost(struct media_router *r)
{
    struct media_worker *w = r->worker;
    struct media *m = w->media;
    spread_router_lost(r);
    m->handlers.router_lost(r, r->user, m->arg);
    change_end(&m->listener, &r->change);
    DL_DELETE(w->routers, r);
    free(r);
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
    while (w->routers)
        router_lost(w->routers);
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

void media_reap_soon(struct media *m)
{
    uv_timer_start(m->reaper, reap, 0, 0);
}

void media_doom(struct media_worker *w, const char *why)
{
    if (!w->doomed)
        w->doomed = why;
    media_reap_soon(w->media);
}

static void readable(uv_poll_t *poll, int status, int events);

void media_poll(struct media_worker *w)
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
        media_poll(w);
}

/* ---- the start of a worker ---- */

static void ready(struct media_worker *w)
{
    w->answers = true;
    media_tell_log(w);
    place_changed(w->media, w->index);
    w->media->handlers.worker_up(w->media->arg);
}

/* The server may have died before its request for one was sent; or the worker is another one of the same number, of a supervisor that was
 * started anew. */
static void drop_lost_routers(struct media_worker *w, const struct takeover_objects *objects)
{
    struct media_router *r, *next;
    DL_FOREACH_SAFE (w->routers, r, next) {
        if (!takeover_has(objects, ALTHING__OBJECT_KIND__OBJECT_ROUTER, r->handle))
            router_lost(r);
    }
}

static void on_taken_over(const struct takeover_objects *objects, void *arg)
{
    struct media_worker *w = arg;
    if (objects) {
        log_info("media", "worker is taken over index=%u routers=%zu transports=%zu", w->index,
                 objects->n[ALTHING__OBJECT_KIND__OBJECT_ROUTER],
                 objects->n[ALTHING__OBJECT_KIND__OBJECT_TRANSPORT]);
        drop_lost_routers(w, objects);
        w->media->handlers.taken_over(w, objects, w->media->arg);
    }
    takeover_free(w->takeover);
    w->takeover = NULL;
    if (objects)
        ready(w);
    else
        media_doom(w, "it does not say what it has");
}

static bool is_awaited(const struct media *m, uint32_t index, uint64_t generation)
{
    const struct awaited *a;
    LL_FOREACH (m->awaited, a) {
        if (a->index == index && a->generation == generation)
            return true;
    }
    return false;
}

/* The routers that a former server had on it. False: none. */
static bool take_back(struct media_worker *w)
{
    struct media *m = w->media;
    struct awaited *a, *tmp;
    bool any = false;
    LL_FOREACH_SAFE (m->awaited, a, tmp) {
        if (a->index != w->index || a->generation != w->generation)
            continue;
        LL_DELETE(m->awaited, a);
        m->handlers.router_back(media_router_add(w, a->handle, a->user), a->user, m->arg);
        free(a);
        any = true;
    }
    return any;
}

/* Those of this place (all: of every place) whose worker will not come. */
static void give_up(struct media *m, uint32_t index, uint64_t generation, bool all)
{
    struct awaited *a, *tmp;
    LL_FOREACH_SAFE (m->awaited, a, tmp) {
        if (!all && (a->index != index || a->generation == generation))
            continue;
        LL_DELETE(m->awaited, a);
        m->handlers.router_missed(a->handle, a->user, m->arg);
        free(a);
    }
}

/* A wildcard is reached by loopback, where a worker of this host answers from the same address. */
static void note_address(struct media_worker *w, const Althing__HelloReply *h)
{
    struct addr a, any4, any6;
    if (!h->n_udp || h->udp[0]->port > UINT16_MAX ||
        addr_parse(&a, h->udp[0]->ip, (uint16_t)h->udp[0]->port))
        return;
    addr_parse(&any4, "0.0.0.0", a.port);
    addr_parse(&any6, "::", a.port);
    if (addr_equal(&a, &any4))
        addr_parse(&a, "127.0.0.1", a.port);
    else if (addr_equal(&a, &any6))
        addr_parse(&a, "::1", a.port);
    w->udp = a;
}

static void on_hello(const Althing__HelloReply *h, void *arg)
{
    struct media_worker *w = arg;
    note_address(w, h);
    w->n_fingerprints = 0;
    for (size_t i = 0; i < h->n_fingerprints; i++) {
        struct media_fingerprint *f = &w->fingerprints[w->n_fingerprints++];
        snprintf(f->algorithm, sizeof(f->algorithm), "%s", h->fingerprints[i]->algorithm);
        snprintf(f->value, sizeof(f->value), "%s", h->fingerprints[i]->value);
    }
    log_info("media", "worker answers index=%u generation=%llu pid=%d release=%s", w->index,
             (unsigned long long)w->generation, w->pid, h->release);
    if (!take_back(w))
        ready(w);
    else if (takeover_start(&w->takeover, w->channel, on_taken_over, w))
        media_doom(w, "it cannot be asked what it has");
}

/* Its states have come as events. What could not be listed is asked for at the next loss. */
static void on_told_again(const struct takeover_objects *objects, void *arg)
{
    (void)objects;
    struct media_worker *w = arg;
    takeover_free(w->takeover);
    w->takeover = NULL;
}

static void on_event(const Althing__Event *e, void *arg)
{
    struct media_worker *w = arg;
    if (e->kind_case == ALTHING__EVENT__KIND_RESYNC && !w->takeover &&
        takeover_start(&w->takeover, w->channel, on_told_again, w))
        media_doom(w, channel_why(w->channel));
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
    give_up(m, h->index, h->generation, false);
    bool keep = is_awaited(m, h->index, h->generation);
    int err = channel_new(&w->channel, channel_fd_, m->epoch, keep, &handlers, w, clock_now_us());
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
    media_poll(w);
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
    /* Restoring may have taken longer than the wait: it begins when workers can come. */
    if (!m->ticked_us)
        m->await_until_us = now_us + MEDIA_AWAIT_US;
    m->ticked_us = now_us;
    if (m->awaited && m->await_until_us < now_us)
        give_up(m, 0, 0, true);
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
