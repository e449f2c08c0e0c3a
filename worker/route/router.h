/* router.h - a room's media in this worker: the set of transports between which producers and consumers may be joined. It owns its
 * transports. */
#ifndef ALTHING_WORKER_ROUTE_ROUTER_H
#define ALTHING_WORKER_ROUTE_ROUTER_H

#include "worker/route/audio.h"
#include "worker/route/limits.h"

#include <stdint.h>
#include <uthash.h>

struct engine;
struct transport;

struct router {
    uint64_t id;
    UT_hash_handle hh;
    char room[LIMIT_NAME + 1];
    struct transport *transports; /* list */
    struct audio_observer audio;
};

int router_create(struct engine *e, uint64_t id, const char *room); /* 0, -EEXIST, -ENOSPC */
void router_close(struct engine *e, uint64_t id, int64_t now_us); /* and all in it; unknown: fine */
struct router *router_find(const struct engine *e, uint64_t id);  /* or NULL */

#endif
