#include "worker/route/expect.h"

#include "lib/mem.h"
#include "worker/route/producer.h"
#include "worker/route/state.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

struct expected {
    uint32_t ssrc;
    UT_hash_handle hh; /* in the engine */
    struct transport *transport;
    struct expected *prev, *next; /* in the transport's list */
};

static struct expected *find(const struct engine *e, uint32_t ssrc)
{
    struct expected *x = NULL;
    HASH_FIND(hh, e->expected, &ssrc, sizeof(ssrc), x);
    return x;
}

int expect_add(struct expect_list *l, struct transport *t, uint32_t ssrc)
{
    if (find(t->engine, ssrc))
        return -EEXIST;
    struct expected *x = mem_zalloc(sizeof(*x));
    x->ssrc = ssrc;
    x->transport = t;
    HASH_ADD(hh, t->engine->expected, ssrc, sizeof(x->ssrc), x);
    DL_APPEND(l->head, x);
    return 0;
}

static bool is_free(const struct engine *e, uint32_t ssrc)
{
    return !ssrc || !find(e, ssrc);
}

int expect_producer(struct expect_list *l, struct transport *t, const struct producer *p)
{
    for (size_t i = 0; i < p->n_streams; i++) {
        if (!is_free(t->engine, p->streams[i]->ssrc) ||
            !is_free(t->engine, p->streams[i]->rtx_ssrc))
            return -EEXIST;
    }
    for (size_t i = 0; i < p->n_streams; i++) {
        if (p->streams[i]->ssrc)
            expect_add(l, t, p->streams[i]->ssrc);
        if (p->streams[i]->rtx_ssrc)
            expect_add(l, t, p->streams[i]->rtx_ssrc);
    }
    return 0;
}

void expect_clear(struct expect_list *l, struct engine *e)
{
    while (l->head) {
        struct expected *x = l->head;
        DL_DELETE(l->head, x);
        HASH_DEL(e->expected, x);
        free(x);
    }
}

struct transport *expect_owner(const struct engine *e, const uint8_t *data, size_t len, bool rtcp)
{
    size_t at = rtcp ? 4 : 8; /* RFC 3550 5.1, 6.4 */
    if (len < at + 4)
        return NULL;
    const uint8_t *p = data + at;
    struct expected *x =
        find(e, (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]);
    return x ? x->transport : NULL;
}
