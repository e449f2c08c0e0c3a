/* keep.h - what of the rooms outlives the server: while it runs, each room, peer and media object is a document in the store,
 * written anew shortly after it has changed; at its start, what a server that died a moment ago has left is made again.
 *
 * The keeper is a listener of the rooms (room/change.h). What has changed is queued, and written KEEP_DELAY_MS later, KEEP_SLICE
 * documents at a time, so that a storm of changes costs one document each. Not kept: statistics, states that the worker tells
 * again, and what the worker has not confirmed.
 *
 *   live/<name>/alive                            when the server was last there
 *   live/<name>/r/<room>, d/<room>               a room; its canvas
 *   live/<name>/c/<session>/<m|f>/<number>       a chat message, a file
 *   live/<name>/p/<room>.<peer>, i/<room>.<peer> a peer; its picture
 *   live/<name>/o/<handle>                       a transport, producer or consumer
 *
 * A server that comes back in KEEP_VALID_S finds rooms and peers as they were, peers without a connection: each has KEEP_GRACE_S to
 * come back. Their media objects are there when their worker lives (media_await()), and go with what the worker has lost.
 */
#ifndef ALTHING_SERVER_KEEP_H
#define ALTHING_SERVER_KEEP_H

#include "server/hub.h"
#include "server/store/store.h"

#define KEEP_DELAY_MS 50
#define KEEP_SLICE    500
#define KEEP_VALID_S  120
#define KEEP_GRACE_S  30

struct keep;

/* Before the loop runs and the first worker comes: restores, then listens. Borrows all. 0 or -errno: nothing is kept, and the
 * rooms are empty. `name` tells servers that share a store apart: printable ASCII without slash. */
int keep_new(struct keep **kp, struct hub *h, struct store *s, uv_loop_t *loop, const char *name, int64_t now_us);
void keep_tick(struct keep *k);  /* about once a second */
/* Writes what is queued. Before the hub and the store go; NULL is fine. */
void keep_free(struct keep *k);

#endif
