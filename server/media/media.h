/* media.h - the workers as the rooms see them: which are there, which room's router is on which, requests to them.
 *
 * One struct media lives on one libuv loop. Workers come with media_worker_up() and go with media_worker_down(), a closed channel,
 * a broken contract or an answer that does not come; whatever the reason, the replies that are left come with an error, then each
 * of its routers is reported lost. A router is placed on the worker with the least load; a room that outgrows one has several
 * (spread.h), joined by pipes (pipes.h). Handles are never used again, not even by the next start of the server: the epoch is in
 * their high bits. Callbacks are called from the loop (or media_worker_down(), media_tick()), never inside any other call here.
 */
#ifndef ALTHING_SERVER_MEDIA_MEDIA_H
#define ALTHING_SERVER_MEDIA_MEDIA_H

#include "lib/log.h"
#include "proto/counters.h"
#include "proto/handoff.h"
#include "proto/trace.h"
#include "server/media/channel.h"
#include "server/media/takeover.h"
#include "server/room/change.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#define MEDIA_WORKERS_MAX 256
#define MEDIA_AWAIT_US    INT64_C(5000000)

struct media;
struct media_router;
struct media_worker;

struct media_handlers {
    void (*worker_up)(void *arg); /* it answered hello: routers can be placed */
    /* Its worker is gone; the router is freed when the callback returns, and must not be freed in it. */
    void (*router_lost)(struct media_router *r, void *user, void *arg);
    /* Tell the supervisor (HANDOFF_WORKER_BAD): the worker breaks the contract or does not answer. */
    void (*worker_bad)(uint32_t index, uint64_t generation, const char *why, void *arg);
    /* Checked, but the handles are what the worker says: media_router_on(). */
    void (*event)(const struct media_worker *from, const Althing__Event *event, void *arg);
    /* How much a router weighs, for the placement: the streams in and out of its peers. */
    unsigned (*load)(const struct media_router *r, void *user, void *arg);
    /* A router that was awaited is back, with its worker; objects of it can be asked for. What the worker does not have after all
     * is reported lost before taken_over(). */
    void (*router_back)(struct media_router *r, void *user, void *arg);
    /* An awaited one does not come: its worker is not the one that had it. */
    void (*router_missed)(uint64_t handle, void *user, void *arg);
    /* What the worker has, after its states were told: what nobody knows is to be closed, what it does not have is gone. Then
     * worker_up. */
    void (*taken_over)(const struct media_worker *w, const struct takeover_objects *objects, void *arg);
};

/* When a worker is full, for spread.h. 0: no such bound. */
struct media_bounds {
    unsigned peers;   /* placed on it */
    unsigned streams; /* what `load` says of all its routers */
};

int media_new(struct media **mp, uv_loop_t *loop, uint64_t epoch, const struct media_handlers *handlers, void *arg);
/* Closes all channels without a word (the workers see it); replies that are left come with an error. The caller
 * runs the loop once more, so that libuv lets go. */
void media_free(struct media *m);

/* Takes both descriptors, also on error. Of the same index, an older one is dropped first. 0, -EINVAL, -errno. */
int media_worker_up(struct media *m, const struct handoff *h, int channel_fd, int counters_fd);
void media_worker_down(struct media *m, uint64_t generation); /* unknown: fine */
/* A few times a second: overdue answers. When it comes late, all have their time again. */
void media_tick(struct media *m, int64_t now_us);
bool media_ready(const struct media *m);                      /* at least one worker answered hello */

uint64_t media_handle(struct media *m); /* the next handle */
void media_set_bounds(struct media *m, const struct media_bounds *bounds);

/* What all workers log from now on, those that come later too: a level, and bits of proto/tags.h. */
void media_set_log(struct media *m, enum log_level level, uint32_t tags);

/* A former server has made this router on this worker: when that comes, router_back() is called, or router_missed() if another one
 * comes in its place, or none in MEDIA_AWAIT_US from the first media_tick() on. Before the first media_worker_up(). Again the same:
 * fine. */
void media_await(struct media *m, uint32_t index, uint64_t generation, uint64_t handle, void *user);
bool media_awaits(const struct media *m); /* some router is still awaited, or its worker is being asked what it has */
void media_forget(struct media *m, const void *user); /* it is awaited no more; not awaited: fine */
void media_worker_stop_trace(struct media *m, const struct media_worker *w, uint64_t trace);
/* Closes an object that only the worker knows. */
void media_worker_close(struct media *m, const struct media_worker *w, Althing__ObjectKind kind, uint64_t handle);

/* Sends CreateRouter. NULL: no worker is up. */
struct media_router *media_router_new(struct media *m, const char *room, void *user);
void media_router_free(struct media_router *r); /* sends CloseRouter; NULL is fine */
uint64_t media_router_handle(const struct media_router *r);
bool media_router_on(const struct media_router *r, const struct media_worker *w);
const struct media_worker *media_router_worker(const struct media_router *r);
/* Its worker has so much to do that new work should wait. What ends something need not ask: it cannot go on and on. */
bool media_router_busy(const struct media_router *r);
/* fn (NULL: nobody cares) is called once, later. */
void media_request(struct media_router *r, Althing__Request *rq, uint64_t handle, channel_reply_f *fn, void *arg);

/* ---- what is known of a worker ---- */

struct media_fingerprint {
    char algorithm[17], value[201];
};

uint32_t media_worker_index(const struct media_worker *w);
uint64_t media_worker_generation(const struct media_worker *w);
int32_t media_worker_pid(const struct media_worker *w);
bool media_worker_answers(const struct media_worker *w); /* said hello */
const struct handoff_candidate *media_worker_candidates(const struct media_worker *w, size_t *n);
const struct media_fingerprint *media_worker_fingerprints(const struct media_worker *w, size_t *n);
/* Its counters; NULL while there are none to be read. */
struct counters_reader *media_worker_counters(const struct media_worker *w);
/* A reader of its trace area, the caller's; it may outlive the worker. 0 or -errno, as trace_reader_open(). */
int media_worker_trace(const struct media_worker *w, struct trace_reader **r);
uint32_t media_places(const struct media *m); /* how many workers there should be */
/* NULL: none is in this place now. */
const struct media_worker *media_worker_at(const struct media *m, uint32_t index);
/* What the former workers of this place have counted; NULL: there were none. Gauges are 0. */
const uint64_t *media_place_totals(const struct media *m, uint32_t index, enum counters_level level);
/* Bytes that wait to be sent to it, and requests that wait for its answer. */
size_t media_worker_queue(const struct media_worker *w, uint64_t *requests);
uint64_t media_workers_lost(const struct media *m);

/* ---- for who shows it all: routers and the workers' places are told of by change.h ---- */

/* It hears of what is there too. NULL: nobody listens. */
void media_listen(struct media *m, const struct change_listener *l);
uint32_t media_changed_place(const struct change *c);                   /* of a CHANGE_PLACE: its index */
const struct media_router *media_changed_router(const struct change *c); /* of a CHANGE_ROUTER */
void *media_router_user(const struct media_router *r);
/* The next router of all; *place and *handle start at 0. NULL: no more. */
const struct media_router *media_router_next(const struct media *m, uint64_t *place, uint64_t *handle);

#endif
