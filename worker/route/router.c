#include "worker/route/router.h"

#include "lib/mem.h"
#include "worker/route/state.h"
#include "worker/route/transport.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct router *router_find(const struct engine *e, uint64_t id)
{
    struct router *r = NULL;
    HASH_FIND(hh, e->routers, &id, sizeof(id), r);
    return r;
}

int router_create(struct engine *e, uint64_t id, const char *room)
{
    if (router_find(e, id))
        return -EEXIST;
    if (HASH_COUNT(e->routers) >= LIMIT_ROUTERS)
        return -ENOSPC;
    struct router *r = mem_zalloc(sizeof(*r));
    r->id = id;
    snprintf(r->room, sizeof(r->room), "%s", room);
    audio_init(&r->audio, e, r);
    HASH_ADD(hh, e->routers, id, sizeof(r->id), r);
    counter_set(&e->counts->routers, HASH_COUNT(e->routers));
    return 0;
}

void router_close(struct engine *e, uint64_t id, int64_t now_us)
{
    struct router *r = router_find(e, id);
    if (!r)
        return;
    while (r->transports)
        transport_close(e, r->transports->id, now_us);
    audio_stop(&r->audio);
    HASH_DEL(e->routers, r);
    free(r);
    counter_set(&e->counts->routers, HASH_COUNT(e->routers));
}
