#include "load/link.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/rand.h"
#include "load/binding.h"
#include "worker/wire/demux.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONSENT_EVERY_US 4000000
#define CONSENT_SPREAD   2000000
#define UFRAG_LEN        8
#define CHECKS_KEPT      8          /* answers to these, the last ones, are taken */
#define HOST_PRIORITY    2130706431 /* RFC 8445 5.1.2.1: a host candidate */

struct link {
    struct sockets *sockets;
    struct timers *timers;
    struct timer timer;
    const struct link_handlers *handlers;
    void *arg;
    int sock;
    enum link_state state;
    struct link_remote remote;
    char username[LINK_UFRAG_MAX + UFRAG_LEN + 2];
    uint64_t tie_breaker;
    uint8_t ids[CHECKS_KEPT][BINDING_ID_LEN];
    unsigned checks;
    int64_t check_us;    /* when the next check is sent */
    int64_t answered_us; /* when the last was, or the beginning */
    struct dtls *dtls;
    struct srtp_rx *rx;
    struct srtp_tx *tx;
    uint64_t bad;
};

static void go_down(struct link *l, const char *reason)
{
    if (l->state == LINK_DOWN)
        return;
    l->state = LINK_DOWN;
    timer_stop(l->timers, &l->timer);
    l->handlers->down(reason, l->arg);
}

static void schedule(struct link *l)
{
    if (l->state != LINK_DOWN)
        timer_start(l->timers, &l->timer, time_min_us(l->check_us, dtls_next_us(l->dtls)));
}

/* ---- ICE ---- */

static void send_check(struct link *l, int64_t now_us)
{
    struct binding_check c = {l->username, l->remote.password, l->tie_breaker, HOST_PRIORITY, {0}};
    rand_bytes(c.id, sizeof(c.id));
    memcpy(l->ids[l->checks++ % CHECKS_KEPT], c.id, sizeof(c.id));
    struct out_slot *slot = sockets_take(l->sockets, l->sock);
    slot->len = (uint32_t)binding_request(slot->data, sizeof(slot->data), &c);
    l->check_us = now_us + (l->state == LINK_CHECKING
                                ? LINK_CHECK_US
                                : CONSENT_EVERY_US + (int64_t)(rand_u32() % CONSENT_SPREAD));
}

static void on_stun(struct link *l, const struct dgram *d, int64_t now_us)
{
    for (size_t i = 0; i < CHECKS_KEPT && i < l->checks; i++) {
        int err = binding_answer(d->data, d->len, l->remote.password, l->ids[i]);
        if (err == -EBADMSG)
            continue;
        if (err) {
            go_down(l, "ICE: the server refuses the check");
            return;
        }
        l->answered_us = now_us;
        if (l->state == LINK_CHECKING) {
            l->state = LINK_SHAKING;
            l->check_us = now_us + CONSENT_EVERY_US;
            dtls_start(l->dtls, now_us);
        }
        return;
    }
}

/* ---- DTLS ---- */

static void on_dtls_send(const uint8_t *data, size_t len, void *arg)
{
    struct link *l = arg;
    if (len > OUTBOX_DATA_MAX)
        return;
    struct out_slot *slot = sockets_take(l->sockets, l->sock);
    memcpy(slot->data, data, len);
    slot->len = (uint32_t)len;
}

static void on_dtls_state(enum dtls_state from, enum dtls_state to, const char *reason, void *arg)
{
    struct link *l = arg;
    struct srtp_key remote, local;
    char text[80];
    (void)from;
    if (to == DTLS_FAILED || to == DTLS_CLOSED) {
        snprintf(text, sizeof(text), "DTLS %s %s", to == DTLS_CLOSED ? "closed" : "failed", reason);
        go_down(l, text);
    }
    if (to != DTLS_CONNECTED || l->state != LINK_SHAKING)
        return;
    if (dtls_srtp_keys(l->dtls, &remote, &local) ||
        srtp_rx_new(&l->rx, &remote, SRTP_BACKEND_EVP) ||
        srtp_tx_new(&l->tx, &local, SRTP_BACKEND_EVP)) {
        go_down(l, "SRTP: no keys");
        return;
    }
    l->state = LINK_UP;
    l->handlers->up(l->arg);
}

static const struct dtls_handlers dtls_handlers = {on_dtls_send, on_dtls_state, NULL};

/* ---- in ---- */

static void on_rtp(struct link *l, const struct dgram *d)
{
    uint8_t plain[OUTBOX_DATA_MAX];
    struct rtp h;
    size_t len = 0, header_len = rtp_header_len(d->data, d->len);
    if (!l->rx || !header_len ||
        srtp_rx_rtp(l->rx, d->data, d->len, header_len, plain, sizeof(plain), &len) ||
        rtp_parse(plain, len, &h)) {
        l->bad++;
        return;
    }
    l->handlers->rtp(plain, len, &h, d->rx_us, l->arg);
}

static void on_rtcp(struct link *l, const struct dgram *d)
{
    size_t len = d->len;
    if (!l->rx || srtp_rx_rtcp(l->rx, d->data, &len))
        l->bad++;
    else
        l->handlers->rtcp(d->data, len, d->rx_us, l->arg);
}

static void on_dgram(const struct dgram *d, void *arg)
{
    struct link *l = arg;
    if (l->state == LINK_DOWN)
        return;
    switch (demux_kind(d->data, d->len)) {
    case DEMUX_STUN:
        on_stun(l, d, d->rx_us);
        schedule(l);
        break;
    case DEMUX_DTLS:
        dtls_input(l->dtls, d->data, d->len, d->rx_us);
        schedule(l);
        break;
    case DEMUX_RTP:
        on_rtp(l, d);
        break;
    case DEMUX_RTCP:
        on_rtcp(l, d);
        break;
    case DEMUX_UNKNOWN:
        l->bad++;
        break;
    }
}

static void on_timer(struct timer *t, int64_t now_us, void *arg)
{
    struct link *l = arg;
    (void)t;
    if (now_us - l->answered_us > LINK_CONSENT_US) {
        go_down(l, l->state == LINK_CHECKING ? "ICE: no check was answered"
                                             : "ICE: the server does not answer any more");
        return;
    }
    if (now_us >= l->check_us)
        send_check(l, now_us);
    if (now_us >= dtls_next_us(l->dtls))
        dtls_timer(l->dtls, now_us);
    schedule(l);
}

/* ---- out ---- */

void link_send_rtp(struct link *l, const uint8_t *data, size_t len, size_t header_len, uint32_t roc)
{
    if (l->state != LINK_UP || len > LINK_PACKET_MAX)
        return;
    struct out_slot *slot = sockets_take(l->sockets, l->sock);
    memcpy(slot->data, data, header_len);
    struct srtp_job job = {.tx = l->tx,
                           .out = slot->data,
                           .payload = data + header_len,
                           .aad_len = (uint32_t)header_len,
                           .payload_len = (uint32_t)(len - header_len),
                           .roc = roc};
    srtp_tx_rtp(&job, 1);
    slot->len = job.out_len;
}

void link_send_rtcp(struct link *l, const uint8_t *data, size_t len)
{
    if (l->state != LINK_UP || len > LINK_PACKET_MAX)
        return;
    struct out_slot *slot = sockets_take(l->sockets, l->sock);
    memcpy(slot->data, data, len);
    slot->len = srtp_tx_rtcp(l->tx, slot->data, &len, OUTBOX_DATA_MAX) ? 0 : (uint32_t)len;
}

/* ---- life ---- */

void link_free(struct link *l)
{
    if (!l)
        return;
    timer_stop(l->timers, &l->timer);
    if (l->sock >= 0)
        sockets_remove(l->sockets, l->sock);
    dtls_free(l->dtls);
    srtp_rx_free(l->rx);
    srtp_tx_free(l->tx);
    free(l);
}

int link_new(struct link **lp, const struct link_config *conf, int64_t now_us)
{
    struct link *l = mem_zalloc(sizeof(*l));
    char ours[UFRAG_LEN + 1];
    l->sockets = conf->sockets;
    l->timers = conf->timers;
    l->handlers = conf->handlers;
    l->arg = conf->arg;
    l->remote = *conf->remote;
    l->check_us = l->answered_us = now_us;
    timer_init(&l->timer, on_timer, l);
    rand_token(ours, UFRAG_LEN);
    rand_bytes(&l->tie_breaker, sizeof(l->tie_breaker));
    snprintf(l->username, sizeof(l->username), "%s:%s", l->remote.ufrag, ours);
    l->sock = sockets_add(conf->sockets, &l->remote.addr, on_dgram, l);
    int err = l->sock < 0 ? l->sock : dtls_new(&l->dtls, conf->cert, &dtls_handlers, l);
    if (!err)
        err = dtls_connect(l->dtls, true, l->remote.fingerprints, l->remote.n_fingerprints, now_us);
    if (err) {
        link_free(l);
        return err;
    }
    schedule(l);
    *lp = l;
    return 0;
}

enum link_state link_state(const struct link *l)
{
    return l->state;
}

uint64_t link_bad(const struct link *l)
{
    return l->bad;
}
