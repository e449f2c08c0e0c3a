/* path.h - which transport the datagrams of a tuple belong to.
 *
 * A tuple stays with the transport that claimed it first, until that lets it go. The engine holds the table; a transport owns its
 * paths, which stand in it while `transport` is set. Bounded by what the transports own.
 */
#ifndef ALTHING_WORKER_ROUTE_PATH_H
#define ALTHING_WORKER_ROUTE_PATH_H

#include "worker/wire/dgram.h"

#include <stdbool.h>
#include <uthash.h>

struct engine;
struct transport;

struct path {
    struct tuple tuple;
    UT_hash_handle hh; /* in the engine, while `transport` is set */
    struct transport *transport;
};

struct transport *path_owner(const struct engine *e, const struct tuple *tuple); /* or NULL */
/* Into `p`, which must be free. False: somebody has that tuple. */
bool path_claim(struct path *p, struct transport *t, const struct tuple *tuple);
void path_drop(struct engine *e, struct path *p); /* free already: fine */

#endif
