#include "worker/route/tell.h"

#include "worker/route/router.h"
#include "worker/route/state.h"
#include "worker/route/transport.h"

#include <errno.h>

struct page {
    uint64_t *handles;
    size_t n, max;
    bool more;
};

/* False: the page is full. */
static bool add(struct page *p, uint64_t handle)
{
    p->more = p->n == p->max;
    if (!p->more)
        p->handles[p->n++] = handle;
    return !p->more;
}

static int routers(const struct engine *e, uint64_t after, struct page *p)
{
    const struct router *r = after ? router_find(e, after) : NULL;
    if (after && !r)
        return -ENOENT;
    for (r = r ? r->hh.next : e->routers; r && add(p, r->id); r = r->hh.next) {
    }
    return 0;
}

static int transports(const struct engine *e, uint64_t after, struct page *p)
{
    const struct transport *t = after ? transport_find(e, after) : NULL;
    if (after && !t)
        return -ENOENT;
    for (t = t ? t->hh.next : e->transports; t && add(p, t->id); t = t->hh.next) {
        if (t->way->tell)
            t->way->tell(t);
    }
    return 0;
}

static int producers(const struct engine *e, uint64_t after, struct page *p)
{
    const struct producer *pr = NULL;
    if (after)
        HASH_FIND(hh, e->producers, &after, sizeof(after), pr);
    if (after && !pr)
        return -ENOENT;
    for (pr = pr ? pr->hh.next : e->producers; pr && add(p, pr->id); pr = pr->hh.next)
        producer_tell(pr);
    return 0;
}

static int consumers(const struct engine *e, uint64_t after, struct page *p)
{
    const struct consumer *c = NULL;
    if (after)
        HASH_FIND(hh, e->consumers, &after, sizeof(after), c);
    if (after && !c)
        return -ENOENT;
    for (c = c ? c->hh.next : e->consumers; c && add(p, c->id); c = c->hh.next)
        consumer_tell(c);
    return 0;
}

int tell(const struct engine *e, enum tell_kind kind, uint64_t after, uint64_t *handles, size_t max,
         bool *more)
{
    struct page p = {.handles = handles, .max = max};
    int err = kind == TELL_ROUTERS      ? routers(e, after, &p)
              : kind == TELL_TRANSPORTS ? transports(e, after, &p)
              : kind == TELL_PRODUCERS  ? producers(e, after, &p)
              : kind == TELL_CONSUMERS  ? consumers(e, after, &p)
                                        : -EINVAL;
    *more = p.more;
    return err ? err : (int)p.n;
}
