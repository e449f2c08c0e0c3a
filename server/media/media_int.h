/* media_int.h - what the files of media/ share: media.c has workers come and go, media_router.c asks them, media_show.c lets
 * others look.
 */
#ifndef ALTHING_SERVER_MEDIA_MEDIA_INT_H
#define ALTHING_SERVER_MEDIA_MEDIA_INT_H

#include "lib/addr.h"
#include "server/media/media.h"

#define EPOCH_SHIFT  40 /* of handles: 2^40 objects a start of the server */

struct spread;

struct media_router {
    struct change change; /* first */
    struct media_worker *worker;
    uint64_t handle;
    void *user;
    struct spread *spread; /* NULL: of none */
    unsigned n_peers;      /* that were placed on it */
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
    struct addr udp; /* where its first UDP socket is bound, for pipes; port 0: nowhere */
    struct media_router *routers;
    struct unsent *unsent;
    struct takeover *takeover; /* its objects are being listed; NULL: not */
};

/* A router whose worker has not come yet. */
struct awaited {
    uint32_t index;
    uint64_t generation, handle;
    void *user;
    struct awaited *next;
};

/* Outlives the workers that come and go in it. */
struct place {
    struct change change; /* first */
    uint32_t index;
};

/* What workers that are gone have counted. */
struct media_lost {
    uint64_t values[COUNTERS_LEVELS][COUNTERS_FIELDS_MAX];
};

struct media {
    struct change_listener listener;
    struct place places[MEDIA_WORKERS_MAX];
    uv_loop_t *loop;
    uint64_t epoch, next_handle;
    struct media_handlers handlers;
    struct media_bounds bounds;
    uint32_t next_ssrc; /* of what goes through pipes */
    struct spread *spreads;
    void *arg;
    struct media_worker *workers[MEDIA_WORKERS_MAX]; /* by index */
    uv_timer_t *reaper;                              /* drops the doomed from the loop */
    int64_t ticked_us, excused_us;     /* the last tick; no answer is overdue before */
    struct media_lost *lost[MEDIA_WORKERS_MAX]; /* of a place's former workers; NULL: there were none */
    uint32_t n_places;
    uint64_t n_lost;
    struct awaited *awaited; /* routers of a former server */
    int64_t await_until_us;
    bool log_set; /* workers are told what to log: */
    enum log_level log_level;
    uint32_t log_tags;
};

void media_doom(struct media_worker *w, const char *why); /* it is dropped as bad, from the loop */
void media_reap_soon(struct media *m);                    /* what was unsent is answered, from the loop */
void media_poll(struct media_worker *w);                  /* there may be something to write */
void media_tell_log(struct media_worker *w); /* if there is something to tell */
/* In the worker's list, and told to the listener. */
struct media_router *media_router_add(struct media_worker *w, uint64_t handle, void *user);
struct media_router *media_router_new_on(struct media_worker *w, const char *room, void *user);
/* The one with the least load of those that answer, and (except: not NULL) that can have pipes and no router of that room yet.
 * NULL: there is none. */
struct media_worker *media_least_loaded(struct media *m, const struct spread *except);
bool media_worker_full(const struct media_worker *w);
uint32_t media_ssrcs(struct media *m, uint32_t n); /* n of them, from the answer on */

/* spread.c */
void spread_router_lost(struct media_router *r); /* before it is freed */
void spread_free_all(struct media *m);           /* silently: no worker is there any more */

#endif
