#include "worker/route/plain.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "worker/route/expect.h"
#include "worker/route/producer.h"
#include "worker/route/state.h"
#include "worker/route/transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct plain {
    struct transport *transport;
    bool comedia, mux, clear, connected;
    uint32_t sock;
    struct path rtp, rtcp;   /* rtcp is unused when multiplexed */
    uint32_t remote_ssrc;    /* of its reports; 0: that of its media */
    struct expect_list list; /* while an address is still to be learnt */
    int64_t heard_us;
    struct timer timer;
};

static bool learnt(const struct plain *p)
{
    return p->rtp.transport && (p->mux || p->rtcp.transport);
}

/* Everything that helps to find out what is not known yet, and nothing else. */
static void expect_again(struct plain *p)
{
    struct transport *t = p->transport;
    expect_clear(&p->list, t->engine);
    if (!p->comedia || learnt(p))
        return;
    for (const struct producer *pr = t->producers; pr; pr = pr->next)
        expect_producer(&p->list, t, pr); /* an SSRC that went to another meanwhile stays there */
    if (p->remote_ssrc)
        expect_add(&p->list, t, p->remote_ssrc);
}

static void update(struct plain *p, int64_t now_us)
{
    struct transport *t = p->transport;
    transport_set_writable(t, t->rx && t->tx && p->rtp.transport, now_us);
}

/* ---- learning ---- */

static void timer_fired(struct timer *timer, int64_t now_us, void *arg)
{
    struct plain *p = arg;
    struct engine *e = p->transport->engine;
    int64_t due_us = p->heard_us + PLAIN_SILENCE_US;
    if (due_us > now_us) {
        timer_start(&e->timers, timer, due_us);
        return;
    }
    path_drop(e, &p->rtp);
    path_drop(e, &p->rtcp);
    expect_again(p);
    update(p, now_us);
}

static bool announced(const struct transport *t, const struct dgram *d)
{
    struct rtp h;
    bool rtx;
    if (rtp_parse(d->data, d->len, &h))
        return false;
    const struct listener_entry *found = listener_find(&t->listener, h.ssrc);
    return found && producer_codec(found->stream->producer, h.pt, &rtx) && rtx == found->rtx;
}

static bool learn_rtp(struct plain *p, const struct dgram *d, bool rtcp, int64_t now_us)
{
    struct transport *t = p->transport;
    if (p->clear && (rtcp || !announced(t, d)))
        return false;
    if (!path_claim(&p->rtp, t, &d->from))
        return false;
    p->heard_us = now_us;
    timer_start(&t->engine->timers, &p->timer, now_us + PLAIN_SILENCE_US);
    transport_tuple_changed(t, &d->from);
    expect_again(p);
    update(p, now_us);
    return true;
}

static bool learn_rtcp(struct plain *p, const struct dgram *d)
{
    struct addr a = d->from.remote, b = p->rtp.tuple.remote;
    a.port = b.port = 0;
    if (memcmp(&a, &b, sizeof(a)) != 0 || d->from.sock != p->rtp.tuple.sock ||
        !path_claim(&p->rtcp, p->transport, &d->from))
        return false;
    expect_again(p);
    return true;
}

static bool way_heard(struct transport *t, const struct dgram *d, bool rtcp, int64_t now_us)
{
    struct plain *p = t->plain;
    if (!p->comedia)
        return true;
    if (p->rtp.transport && tuple_equal(&p->rtp.tuple, &d->from)) {
        p->heard_us = now_us;
        return true;
    }
    if (p->rtcp.transport && tuple_equal(&p->rtcp.tuple, &d->from))
        return true;
    if (!p->rtp.transport)
        return (!rtcp || p->mux) && learn_rtp(p, d, rtcp, now_us);
    return rtcp && !p->mux && !p->rtcp.transport && learn_rtcp(p, d);
}

/* ---- as a transport's way ---- */

static const struct tuple *way_to(const struct transport *t, bool rtcp)
{
    const struct plain *p = t->plain;
    const struct path *path = rtcp && !p->mux ? &p->rtcp : &p->rtp;
    return path->transport ? &path->tuple : NULL;
}

static bool way_expects(const struct transport *t, const struct dgram *d)
{
    return t->plain->comedia && d->from.proto == NET_UDP && d->from.sock == t->plain->sock;
}

static int way_producer_added(struct transport *t, const struct producer *pr)
{
    struct plain *p = t->plain;
    return p->comedia && !learnt(p) ? expect_producer(&p->list, t, pr) : 0;
}

static void way_producer_removed(struct transport *t)
{
    expect_again(t->plain);
}

static void way_free(struct transport *t)
{
    struct plain *p = t->plain;
    struct engine *e = t->engine;
    timer_stop(&e->timers, &p->timer);
    expect_clear(&p->list, e);
    path_drop(e, &p->rtp);
    path_drop(e, &p->rtcp);
    free(p);
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

int plain_create(struct engine *e, const struct params_plain *in, int64_t now_us)
{
    struct transport *t;
    if (in->clear == in->has_key)
        return -EINVAL;
    int err = transport_new(&t, e, &way, in->router, in->transport, in->peer);
    if (err)
        return err;
    struct plain *p = mem_zalloc(sizeof(*p));
    p->transport = t;
    p->comedia = in->comedia;
    p->mux = in->rtcp_mux;
    p->clear = in->clear;
    p->sock = in->sock;
    timer_init(&p->timer, timer_fired, p);
    t->plain = p;
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

static int check_remote(const struct transport *t, const struct params_remote *r)
{
    const struct plain *p = t->plain;
    if (p->connected)
        return -EEXIST;
    if (r->has_key == p->clear || p->comedia != (r->addr.port == 0) ||
        (!p->comedia && p->mux != (r->rtcp_port == 0)))
        return -EINVAL;
    return 0;
}

static int claim_fixed(struct plain *p, const struct params_remote *r)
{
    struct tuple tuple = {.remote = r->addr, .sock = p->sock, .proto = NET_UDP};
    if (!path_claim(&p->rtp, p->transport, &tuple))
        return -EEXIST;
    tuple.remote.port = r->rtcp_port;
    if (!p->mux && !path_claim(&p->rtcp, p->transport, &tuple)) {
        path_drop(p->transport->engine, &p->rtp);
        return -EEXIST;
    }
    return 0;
}

int plain_connect(struct engine *e, uint64_t id, const struct params_remote *r, int64_t now_us)
{
    struct transport *t = transport_find(e, id);
    if (!t)
        return -ENOENT;
    if (!t->plain)
        return -EINVAL;
    struct plain *p = t->plain;
    int err = check_remote(t, r);
    if (!err && !p->comedia)
        err = claim_fixed(p, r);
    if (!err && r->has_key && srtp_rx_new(&t->rx, &r->key, e->conf.srtp)) {
        path_drop(e, &p->rtp);
        path_drop(e, &p->rtcp);
        err = -EINVAL;
    }
    if (err)
        return err;
    p->connected = true;
    p->remote_ssrc = r->rtcp_ssrc;
    expect_again(p);
    if (!p->comedia)
        transport_tuple_changed(t, &p->rtp.tuple);
    update(p, now_us);
    return 0;
}
