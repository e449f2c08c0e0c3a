#include "worker/route/tell.h"

#include "worker/route/data.h"
#include "worker/route/data_consumer.h"
#include "worker/route/data_producer.h"
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
        data_tell(t);
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

static int data_producers(const struct engine *e, uint64_t after, struct page *p)
{
    const struct data_producer *dp = after ? data_producer_find(e, after) : NULL;
    if (after && !dp)
        return -ENOENT;
    for (dp = dp ? dp->hh.next : e->data_producers; dp && add(p, dp->id); dp = dp->hh.next) {
    }
    return 0;
}

static int data_consumers(const struct engine *e, uint64_t after, struct page *p)
{
    const struct data_consumer *dc = after ? data_consumer_find(e, after) : NULL;
    if (after && !dc)
        return -ENOENT;
    for (dc = dc ? dc->hh.next : e->data_consumers; dc && add(p, dc->id); dc = dc->hh.next) {
    }
    return 0;
}

int tell(const struct engine *e, enum tell_kind kind, uint64_t after, uint64_t *handles, size_t max,
         bool *more)
{
    struct page p = {.handles = handles, .max = max};
    static int (*const lists[])(const struct engine *, uint64_t, struct page *) = {
        [TELL_ROUTERS] = routers,
        [TELL_TRANSPORTS] = transports,
        [TELL_PRODUCERS] = producers,
        [TELL_CONSUMERS] = consumers,
        [TELL_DATA_PRODUCERS] = data_producers,
        [TELL_DATA_CONSUMERS] = data_consumers,
    };
    if ((size_t)kind >= sizeof(lists) / sizeof(lists[0]) || !lists[kind])
        return -EINVAL;
    int err = lists[kind](e, after, &p);
    *more = p.more;
    return err ? err : (int)p.n;
}
