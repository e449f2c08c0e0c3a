/* takeover.h - which objects a worker has from a former server: asks page by page, kind by kind, and hands over the whole.
 *
 * Its states come as events before it is done. One at a time for a channel, which it borrows. Bounded by TAKEOVER_OBJECTS_MAX
 * handles of a kind: more are a breach of the contract, as are pages that lead nowhere.
 */
#ifndef ALTHING_SERVER_MEDIA_TAKEOVER_H
#define ALTHING_SERVER_MEDIA_TAKEOVER_H

#include "server/media/channel.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAKEOVER_OBJECTS_MAX (1024 * 1024)
#define TAKEOVER_KINDS       (ALTHING__OBJECT_KIND__OBJECT_DATA_CONSUMER + 1)

struct takeover;

/* What the worker has, each list sorted, borrowed; indexed by Althing__ObjectKind. */
struct takeover_objects {
    uint64_t *handles[TAKEOVER_KINDS];
    size_t n[TAKEOVER_KINDS];
};

/* objects NULL: it could not be told. The takeover may be freed in it. Not called from takeover_start(). */
typedef void takeover_f(const struct takeover_objects *objects, void *arg);

/* 0, or what channel_list() says. */
int takeover_start(struct takeover **tp, struct channel *c, takeover_f *fn, void *arg);
/* NULL is fine. Before its channel, whose answers are for nobody then: only when the channel is freed or failed next. */
void takeover_free(struct takeover *t);

bool takeover_has(const struct takeover_objects *o, Althing__ObjectKind kind, uint64_t handle);

#endif
