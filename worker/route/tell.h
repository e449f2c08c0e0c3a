/* tell.h - what there is, for a server that takes over or that events were lost to: handles in pages, and of each object its states
 * as events, as if they had just changed. Read-only.
 */
#ifndef ALTHING_WORKER_ROUTE_TELL_H
#define ALTHING_WORKER_ROUTE_TELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;

/* The numbers of proto/worker.proto. */
enum tell_kind {
    TELL_ROUTERS = 1,
    TELL_TRANSPORTS,
    TELL_PRODUCERS,
    TELL_CONSUMERS,
    TELL_DATA_PRODUCERS,
    TELL_DATA_CONSUMERS,
};

/* At most `max` of a kind, in the order of their making, from the one after `after` on (0: the first). Their number, or -ENOENT:
 * `after` is not there (any more), -EINVAL: the kind. */
int tell(const struct engine *e, enum tell_kind kind, uint64_t after, uint64_t *handles, size_t max, bool *more);

#endif
