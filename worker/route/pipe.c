#include "worker/route/pipe.h"

#include "lib/mem.h"
#include "worker/route/expect.h"
#include "worker/route/producer.h"
#include "worker/route/state.h"
#include "worker/route/transport.h"

#include <errno.h>
#include <stdlib.h>

struct pipe {
    bool clear, connected;
    uint32_t sock;
    uint32_t remote_ssrc; /* of its reports */
    struct tuple to;      /* once connected */
    struct expect_list list;
};

/* ---- as a transport's way ---- */

static const struct tuple *way_to(const struct transport *t, bool rtcp)
{
    (void)rtcp;
    return &t->pipe->to;
}

static bool way_heard(struct transport *t, const struct dgram *d, bool rtcp, int64_t now_us)
{
    (void)t;
    (void)d;
    (void)rtcp;
    (void)now_us;
    return true;
}

static bool way_expects(const struct transport *t, const struct dgram *d)
{
    return t->pipe->connected && tuple_equal(&d->from, &t->pipe->to);
}

static int way_producer_added(struct transport *t, const struct producer *p)
{
    return expect_producer(&t->pipe->list, t, p);
}

static void way_producer_removed(struct transport *t)
{
    expect_clear(&t->pipe->list, t->engine);
    for (const struct producer *p = t->producers; p; p = p->next)
        expect_producer(&t->pipe->list, t, p);
    if (t->pipe->connected)
        expect_add(&t->pipe->list, t, t->pipe->remote_ssrc);
}

static void way_free(struct transport *t)
{
    expect_clear(&t->pipe->list, t->engine);
    free(t->pipe);
}

static const struct transport_way way = {
    .to = way_to,
    .heard = way_heard,
    .expects = way_expects,
    .producer_added = way_producer_added,
    .producer_removed = way_producer_removed,
    .free = way_free,
};

/* ---- requests ---- */

int pipe_create(struct engine *e, const struct params_plain *in, int64_t now_us)
{
    struct transport *t;
    if (in->clear == in->has_key || !in->rtcp_ssrc)
        return -EINVAL;
    int err = transport_new(&t, e, &way, in->router, in->transport, in->peer);
    if (err)
        return err;
    t->pipe = mem_zalloc(sizeof(*t->pipe));
    t->pipe->clear = in->clear;
    t->pipe->sock = in->sock;
    t->rtcp_ssrc = in->rtcp_ssrc;
    if (in->clear) {
        srtp_tx_new_clear(&t->tx);
        srtp_rx_new_clear(&t->rx);
    } else if (srtp_tx_new(&t->tx, &in->key, e->conf.srtp)) {
        transport_free(t);
        return -EINVAL;
    }
    transport_start(t, in->max_incoming_bitrate, now_us);
    return 0;
}

int pipe_connect(struct engine *e, uint64_t id, const struct params_remote *r, int64_t now_us)
{
    struct transport *t = transport_find(e, id);
    if (!t)
        return -ENOENT;
    struct pipe *p = t->pipe;
    if (!p || r->has_key == p->clear || !r->addr.port || !r->rtcp_ssrc)
        return -EINVAL;
    if (p->connected || expect_add(&p->list, t, r->rtcp_ssrc))
        return -EEXIST;
    if (r->has_key && srtp_rx_new(&t->rx, &r->key, e->conf.srtp)) {
        way_producer_removed(t);
        return -EINVAL;
    }
    p->connected = true;
    p->remote_ssrc = r->rtcp_ssrc;
    p->to = (struct tuple){.remote = r->addr, .sock = p->sock, .proto = NET_UDP};
    transport_tuple_changed(t, &p->to);
    transport_set_writable(t, true, now_us);
    return 0;
}
