#include "server/media/media_int.h"

#include <utlist.h>

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

int media_worker_trace(const struct media_worker *w, struct trace_reader **r)
{
    return trace_reader_open(r, w->counters_fd);
}

uint32_t media_places(const struct media *m)
{
    return m->n_places;
}

const struct media_worker *media_worker_at(const struct media *m, uint32_t index)
{
    return index < MEDIA_WORKERS_MAX ? m->workers[index] : NULL;
}

const uint64_t *media_place_totals(const struct media *m, uint32_t index, enum counters_level level)
{
    return index < MEDIA_WORKERS_MAX && m->lost[index] ? m->lost[index]->values[level] : NULL;
}

size_t media_worker_queue(const struct media_worker *w, uint64_t *requests)
{
    return channel_queued(w->channel, requests);
}

uint64_t media_workers_lost(const struct media *m)
{
    return m->n_lost;
}

/* ---- for who shows it all ---- */

void media_listen(struct media *m, const struct change_listener *l)
{
    m->listener = l ? *l : (struct change_listener){0};
    for (uint32_t i = 0; i < m->n_places; i++)
        change_tell(&m->listener, &m->places[i].change);
    for (size_t i = 0; i < MEDIA_WORKERS_MAX; i++) {
        struct media_router *r;
        if (!m->workers[i])
            continue;
        DL_FOREACH (m->workers[i]->routers, r)
            change_tell(&m->listener, &r->change);
    }
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
