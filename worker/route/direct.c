#include "worker/route/direct.h"

#include "lib/mem.h"
#include "worker/route/state.h"
#include "worker/route/transport.h"
#include "worker/wire/demux.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct direct {
    direct_f *fn;
    void *arg;
};

static const struct tuple nowhere;

static const struct tuple *way_to(const struct transport *t, bool rtcp)
{
    (void)t;
    (void)rtcp;
    return &nowhere;
}

static bool way_heard(struct transport *t, const struct dgram *d, bool rtcp, int64_t now_us)
{
    (void)t;
    (void)d;
    (void)rtcp;
    (void)now_us;
    return true;
}

static void way_deliver(const struct transport *t, const uint8_t *data, size_t len, bool rtcp)
{
    t->direct->fn(t->id, data, len, rtcp, t->direct->arg);
}

static void way_free(struct transport *t)
{
    free(t->direct);
}

static const struct transport_way way = {
    .to = way_to,
    .heard = way_heard,
    .deliver = way_deliver,
    .free = way_free,
};

int direct_create(struct engine *e, uint64_t router, uint64_t id, direct_f *fn, void *arg,
                  int64_t now_us)
{
    struct transport *t;
    int err = transport_new(&t, e, &way, router, id, "");
    if (err)
        return err;
    t->direct = mem_zalloc(sizeof(*t->direct));
    t->direct->fn = fn;
    t->direct->arg = arg;
    srtp_tx_new_clear(&t->tx);
    srtp_rx_new_clear(&t->rx);
    transport_start(t, 0, now_us);
    transport_set_writable(t, true, now_us);
    return 0;
}

int direct_send(struct engine *e, uint64_t id, const uint8_t *data, size_t len, int64_t now_us)
{
    struct transport *t = transport_find(e, id);
    uint8_t copy[DIRECT_PACKET_MAX];
    if (!t)
        return -ENOENT;
    if (!t->direct)
        return -EINVAL;
    if (len > sizeof(copy))
        return -EMSGSIZE;
    if (len == 0)
        return -EBADMSG;
    memcpy(copy, data, len);
    struct dgram d = {.data = copy, .len = (uint32_t)len, .rx_us = now_us, .from = nowhere};
    switch (demux_kind(copy, len)) {
    case DEMUX_RTP:
        transport_rtp(t, &d, now_us);
        return 0;
    case DEMUX_RTCP:
        transport_rtcp(t, &d, now_us);
        return 0;
    default:
        return -EBADMSG;
    }
}
