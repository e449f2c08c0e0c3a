/* spread.h - the routers of one room: it starts on one worker, and goes on to others as these are full.
 *
 * A new peer goes to the first of the room's routers whose worker is not full (struct media_bounds); when all are, to a new router
 * on the least loaded worker that has none of this room yet; when there is no such worker, to the router with the fewest peers. A
 * router goes with its last peer. The media owns the spreads: they end with spread_free() or media_free().
 */
#ifndef ALTHING_SERVER_MEDIA_SPREAD_H
#define ALTHING_SERVER_MEDIA_SPREAD_H

#include "server/media/media.h"

struct pipes;
struct spread;

struct spread *spread_new(struct media *m, const char *room, void *user); /* user: of its routers */
void spread_free(struct spread *s); /* closes its routers and pipes; NULL is fine */
/* The router of one more peer. NULL: no worker is up. */
struct media_router *spread_place(struct spread *s);
/* That peer is gone, with all it had there. Not of a router that was reported lost. */
void spread_leave(struct spread *s, struct media_router *r);
/* A router of a former server (media_await()), with so many peers on it. */
void spread_adopt(struct spread *s, struct media_router *r, unsigned n_peers);
struct pipes *spread_pipes(struct spread *s);
const struct media_router *spread_router(const struct spread *s, size_t i); /* NULL: fewer */

#endif
