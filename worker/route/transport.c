#include "worker/route/transport.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/rand.h"
#include "worker/cc/twcc_recv.h"
#include "worker/route/outbound.h"
#include "worker/route/router.h"
#include "worker/route/rtcp_out.h"
#include "worker/route/state.h"
#include "worker/route/taps.h"
#include "worker/stream/nack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#define REPORT_US 1000000 /* shortest time between two reports; times 1.0 to 1.5 (RFC 3550 6.3.1) */

struct transport *transport_find(const struct engine *e, uint64_t id)
{
    struct transport *t = NULL;
    HASH_FIND(hh, e->transports, &id, sizeof(id), t);
    return t;
}

/* ---- what it is found by ---- */

static struct fragment *fragment_find(const struct engine *e, const char *ufrag)
{
    struct fragment *f = NULL;
    HASH_FIND_STR(e->fragments, ufrag, f);
    return f;
}

static void fragment_add(struct transport *t, struct fragment *f, const char *ufrag)
{
    snprintf(f->ufrag, sizeof(f->ufrag), "%s", ufrag);
    f->transport = t;
    HASH_ADD_STR(t->engine->fragments, ufrag, f);
}

static void fragment_remove(struct engine *e, struct fragment *f)
{
    if (!f->transport)
        return;
    HASH_DEL(e->fragments, f);
    f->transport = NULL;
}

static void path_remove(struct engine *e, struct path *p)
{
    if (!p->transport)
        return;
    HASH_DEL(e->paths, p);
    p->transport = NULL;
}

static void tuple_removed(const struct tuple *tuple, void *arg)
{
    struct transport *t = arg;
    for (size_t i = 0; i < ICE_TUPLES_MAX + 1; i++) {
        if (t->paths[i].transport && tuple_equal(&t->paths[i].tuple, tuple))
            path_remove(t->engine, &t->paths[i]);
    }
}

/* Where a check says it comes from is not proven. So a tuple stays with the transport that had it first, until ICE there holds it
 * for valid no more; a browser that the address has gone over to claims it again with its next check. */
void transport_claim(struct transport *t, const struct tuple *tuple)
{
    struct path *p = NULL;
    HASH_FIND(hh, t->engine->paths, tuple, sizeof(*tuple), p);
    if (p || !ice_is_valid(t->ice, tuple))
        return;
    for (size_t i = 0; i < ICE_TUPLES_MAX + 1; i++) {
        p = &t->paths[i];
        if (p->transport)
            continue;
        p->tuple = *tuple;
        p->transport = t;
        HASH_ADD(hh, t->engine->paths, tuple, sizeof(p->tuple), p);
        return;
    }
}

/* ---- ICE and DTLS ---- */

static void update_writable(struct transport *t, int64_t now_us)
{
    bool writable = ice_selected(t->ice) && t->tx && dtls_state(t->dtls) == DTLS_CONNECTED;
    if (writable == t->writable)
        return;
    t->writable = writable;
    for (struct consumer *c = t->consumers; c; c = c->next)
        consumer_flow_changed(c, now_us);
    if (writable)
        transport_arm_cc(t);
}

static void ice_changed(enum ice_state from, enum ice_state to, void *arg)
{
    (void)from;
    struct transport *t = arg;
    counter_set(&t->counters->ice_state, (uint64_t)to);
    struct engine_event ev = {
        .kind = ENGINE_ICE_STATE, .object = t->id, .ice = (enum engine_ice_state)to};
    engine_event(t->engine, &ev);
}

static void ice_selected_changed(const struct tuple *tuple, void *arg)
{
    struct transport *t = arg;
    const struct engine_config *conf = &t->engine->conf;
    struct engine_event ev = {.kind = ENGINE_TUPLE,
                              .object = t->id,
                              .tcp = tuple->proto == NET_TCP,
                              .remote = tuple->remote};
    if (conf->local)
        conf->local(tuple->sock, ev.tcp, &ev.local, conf->local_arg);
    counter_set(&t->counters->tcp, ev.tcp);
    engine_event(t->engine, &ev);
}

static const struct ice_handlers ice_handlers = {
    .state = ice_changed,
    .tuple_removed = tuple_removed,
    .selected = ice_selected_changed,
};

static void dtls_send(const uint8_t *data, size_t len, void *arg)
{
    struct transport *t = arg;
    const struct tuple *to = ice_selected(t->ice);
    if (!to || len > OUTBOX_DATA_MAX)
        return;
    struct out_slot *slot = outbox_take(t->engine->conf.outbox, to);
    memcpy(slot->data, data, len);
    slot->len = (uint32_t)len;
    counter_add(&t->counters->packets_sent, 1);
    counter_add(&t->counters->bytes_sent, len);
}

static int take_keys(struct transport *t)
{
    struct srtp_key remote, local;
    int err = dtls_srtp_keys(t->dtls, &remote, &local);
    if (!err && !t->rx)
        err = srtp_rx_new(&t->rx, &remote, t->engine->conf.srtp);
    if (!err && !t->tx)
        err = srtp_tx_new(&t->tx, &local, t->engine->conf.srtp);
    explicit_bzero(&remote, sizeof(remote));
    explicit_bzero(&local, sizeof(local));
    return err;
}

static void dtls_changed(enum dtls_state from, enum dtls_state to, const char *reason, void *arg)
{
    (void)from;
    struct transport *t = arg;
    struct counters_worker *k = t->engine->counts;
    if (to == DTLS_CONNECTED) {
        counter_add(&k->dtls_connected, 1);
        t->keys_due = true; /* taken when DTLS has returned */
    }
    if (to == DTLS_FAILED)
        counter_add(&k->dtls_failed, 1);
    counter_set(&t->counters->dtls_state, (uint64_t)to);
    struct engine_event ev = {.kind = ENGINE_DTLS_STATE,
                              .object = t->id,
                              .dtls = (enum engine_dtls_state)to,
                              .reason = to == DTLS_FAILED ? reason : ""};
    engine_event(t->engine, &ev);
}

static const struct dtls_handlers dtls_handlers = {.send = dtls_send, .state = dtls_changed};

void transport_secured(struct transport *t, int64_t now_us)
{
    if (ice_selected(t->ice) && dtls_state(t->dtls) != DTLS_CONNECTED)
        dtls_start(t->dtls, now_us);
    if (t->keys_due) {
        t->keys_due = false;
        take_keys(t);
    }
    if (t->old_fragment.transport && ice_old_ufrag(t->ice)[0] == '\0')
        fragment_remove(t->engine, &t->old_fragment);
    update_writable(t, now_us);
    int64_t due_us = time_min_us(ice_next_us(t->ice), dtls_next_us(t->dtls));
    if (due_us == TIME_NEVER_US)
        timer_stop(&t->engine->timers, &t->secure_timer);
    else if (!t->secure_timer.pos || t->secure_timer.due_us != due_us)
        timer_start(&t->engine->timers, &t->secure_timer, due_us);
}

static void secure_fired(struct timer *timer, int64_t now_us, void *arg)
{
    (void)timer;
    struct transport *t = arg;
    if (ice_next_us(t->ice) <= now_us)
        ice_timer(t->ice, now_us);
    if (dtls_next_us(t->dtls) <= now_us)
        dtls_timer(t->dtls, now_us);
    transport_secured(t, now_us);
}

bool transport_writable(const struct transport *t)
{
    return t->writable;
}

const struct tuple *transport_selected(const struct transport *t)
{
    return ice_selected(t->ice);
}

/* ---- timers ---- */

static void start_reports(struct transport *t, int64_t now_us)
{
    timer_start(&t->engine->timers, &t->report_timer,
                now_us + REPORT_US + engine_random(t->engine) % (REPORT_US / 2));
}

static void report_fired(struct timer *timer, int64_t now_us, void *arg)
{
    (void)timer;
    struct transport *t = arg;
    transport_due(t, TRANSPORT_DUE_REPORTS);
    start_reports(t, now_us);
}

static void cc_fired(struct timer *timer, int64_t now_us, void *arg)
{
    (void)timer;
    (void)now_us;
    transport_due(arg, TRANSPORT_DUE_FEEDBACK);
}

void transport_arm_cc(struct transport *t)
{
    int64_t due_us = remb_recv_next_us(&t->remb);
    if (t->twcc_wanted)
        due_us = time_min_us(due_us, twcc_recv_next_us(t->twcc));
    if (due_us == TIME_NEVER_US)
        timer_stop(&t->engine->timers, &t->cc_timer);
    else if (!t->cc_timer.pos || t->cc_timer.due_us != due_us)
        timer_start(&t->engine->timers, &t->cc_timer, due_us);
}

static void tick_fired(struct timer *timer, int64_t now_us, void *arg)
{
    (void)timer;
    struct transport *t = arg;
    for (struct producer *p = t->producers; p; p = p->next) {
        for (size_t i = 0; i < p->n_streams; i++)
            inbound_tick(p->streams[i], now_us);
        producer_score_changed(p, now_us);
    }
    for (struct consumer *c = t->consumers; c; c = c->next)
        consumer_tick(c, now_us);
    counter_set(&t->counters->recv_bitrate, rate_bps(&t->rate_in, now_us));
    counter_set(&t->counters->send_bitrate, rate_bps(&t->rate_out, now_us));
    timer_start(&t->engine->timers, &t->tick_timer, now_us + TICK_US);
}

void transport_rtt(struct transport *t, int64_t rtt_us)
{
    counter_set(&t->counters->rtt_us, (uint64_t)rtt_us);
    for (struct producer *p = t->producers; p; p = p->next) {
        for (size_t i = 0; i < p->n_streams; i++) {
            nack_set_rtt(p->streams[i]->nack, rtt_us);
            counter_set(&p->streams[i]->counters->rtt_us, (uint64_t)rtt_us);
        }
    }
}

/* ---- making and closing ---- */

static int make_secure(struct transport *t, const struct params_transport *in)
{
    int err = ice_new(&t->ice, in->ufrag, in->password, ICE_CONSENT_US, &ice_handlers, t);
    if (!err)
        err = dtls_new(&t->dtls, t->engine->conf.cert, &dtls_handlers, t);
    if (!err)
        err = twcc_recv_new(&t->twcc);
    return err;
}

static void destroy(struct transport *t)
{
    dtls_free(t->dtls);
    ice_free(t->ice);
    srtp_rx_free(t->rx);
    srtp_tx_free(t->tx);
    twcc_recv_free(t->twcc);
    listener_clear(&t->listener);
    ssrcs_clear(&t->used);
    free(t);
}

static void start(struct transport *t, const struct params_transport *in, int64_t now_us)
{
    struct engine *e = t->engine;
    t->counters = counters_transport_take(e->conf.counters, t->id, t->router->id, now_us);
    counter_set(&t->counters->max_incoming_bitrate, in->max_incoming_bitrate);
    timer_init(&t->secure_timer, secure_fired, t);
    timer_init(&t->report_timer, report_fired, t);
    timer_init(&t->cc_timer, cc_fired, t);
    timer_init(&t->tick_timer, tick_fired, t);
    remb_recv_init(&t->remb);
    if (in->max_incoming_bitrate)
        remb_recv_set_max(&t->remb, in->max_incoming_bitrate, now_us);
    rtp_ext_map_init(&t->recv_ext);
    t->rtcp_ssrc = rand_u32() | 1;
    rand_token(t->cname, sizeof(t->cname) - 1);
    fragment_add(t, &t->fragment, in->ufrag);
    HASH_ADD(hh, e->transports, id, sizeof(t->id), t);
    DL_APPEND(t->router->transports, t);
    counter_set(&e->counts->transports, HASH_COUNT(e->transports));
    start_reports(t, now_us);
    timer_start(&e->timers, &t->tick_timer, now_us + TICK_US + engine_random(e) % TICK_US);
    transport_arm_cc(t);
}

int transport_create(struct engine *e, const struct params_transport *in, int64_t now_us)
{
    struct router *r = router_find(e, in->router);
    if (!r)
        return -ENOENT;
    if (transport_find(e, in->transport) || fragment_find(e, in->ufrag))
        return -EEXIST;
    if (HASH_COUNT(e->transports) >= LIMIT_TRANSPORTS)
        return -ENOSPC;
    struct transport *t = mem_zalloc(sizeof(*t));
    t->id = in->transport;
    t->engine = e;
    t->router = r;
    snprintf(t->peer, sizeof(t->peer), "%s", in->peer);
    int err = make_secure(t, in);
    if (err) {
        destroy(t);
        return -EINVAL;
    }
    start(t, in, now_us);
    return 0;
}

void transport_close(struct engine *e, uint64_t id, int64_t now_us)
{
    struct transport *t = transport_find(e, id);
    if (!t)
        return;
    while (t->consumers)
        consumer_close(e, t->consumers->id, now_us);
    while (t->producers)
        producer_close(e, t->producers->id, now_us);
    engine_unmark(e, t);
    timer_stop(&e->timers, &t->secure_timer);
    timer_stop(&e->timers, &t->report_timer);
    timer_stop(&e->timers, &t->cc_timer);
    timer_stop(&e->timers, &t->tick_timer);
    for (size_t i = 0; i < ICE_TUPLES_MAX + 1; i++)
        path_remove(e, &t->paths[i]);
    fragment_remove(e, &t->fragment);
    fragment_remove(e, &t->old_fragment);
    DL_DELETE(t->router->transports, t);
    HASH_DEL(e->transports, t);
    counters_transport_release(e->conf.counters, t->counters, now_us);
    counter_set(&e->counts->transports, HASH_COUNT(e->transports));
    destroy(t);
}

/* ---- requests ---- */

int transport_connect(struct engine *e, uint64_t id, bool remote_server,
                      const struct params_fingerprint *prints, size_t n, int64_t now_us)
{
    struct transport *t = transport_find(e, id);
    if (!t)
        return -ENOENT;
    struct dtls_fingerprint remote[LIMIT_FINGERPRINTS];
    for (size_t i = 0; i < n; i++) {
        if (strlen(prints[i].algorithm) >= sizeof(remote[i].algorithm) ||
            strlen(prints[i].value) >= sizeof(remote[i].value))
            return -EINVAL;
        snprintf(remote[i].algorithm, sizeof(remote[i].algorithm), "%s", prints[i].algorithm);
        snprintf(remote[i].value, sizeof(remote[i].value), "%s", prints[i].value);
    }
    int err = dtls_connect(t->dtls, remote_server, remote, n, now_us);
    if (err)
        return err == -EALREADY ? -EEXIST : -EINVAL;
    transport_secured(t, now_us);
    return 0;
}

int transport_restart_ice(struct engine *e, uint64_t id, const char *ufrag, const char *password,
                          int64_t now_us)
{
    struct transport *t = transport_find(e, id);
    if (!t)
        return -ENOENT;
    if (fragment_find(e, ufrag))
        return -EEXIST;
    if (ice_restart(t->ice, ufrag, password))
        return -EINVAL;
    fragment_remove(e, &t->old_fragment);
    fragment_remove(e, &t->fragment);
    if (ice_old_ufrag(t->ice)[0])
        fragment_add(t, &t->old_fragment, ice_old_ufrag(t->ice));
    fragment_add(t, &t->fragment, ufrag);
    transport_secured(t, now_us);
    return 0;
}

int transport_set_max_incoming(struct engine *e, uint64_t id, uint32_t bitrate, int64_t now_us)
{
    struct transport *t = transport_find(e, id);
    if (!t)
        return -ENOENT;
    remb_recv_set_max(&t->remb, bitrate, now_us);
    counter_set(&t->counters->max_incoming_bitrate, bitrate);
    transport_arm_cc(t);
    return 0;
}

void transport_tcp_gone(struct transport *t, uint32_t sock, int64_t now_us)
{
    ice_forget_sock(t->ice, sock);
    transport_secured(t, now_us);
}

/* ---- producers ---- */

bool transport_ext_fits(const struct transport *t, const struct rtp_ext_map *ext)
{
    for (unsigned type = 1; type < RTP_EXT_COUNT; type++) {
        uint8_t id = ext->id_of[type];
        if (id && t->recv_ext.type_of[id] && t->recv_ext.type_of[id] != type)
            return false;
    }
    return true;
}

static void learn_ext(struct transport *t, const struct rtp_ext_map *ext)
{
    for (unsigned type = 1; type < RTP_EXT_COUNT; type++) {
        uint8_t id = ext->id_of[type];
        /* one extension may have several ids to read it by */
        if (id && rtp_ext_map_set(&t->recv_ext, (enum rtp_ext_type)type, id))
            t->recv_ext.type_of[id] = (uint8_t)type;
    }
}

void transport_producers_changed(struct transport *t, const struct params_media *media,
                                 int64_t now_us)
{
    bool remb = false;
    if (media)
        learn_ext(t, &media->ext);
    t->twcc_wanted = false;
    for (const struct producer *p = t->producers; p; p = p->next) {
        t->twcc_wanted |=
            p->media.codecs[0].transport_cc && p->media.ext.id_of[RTP_EXT_TRANSPORT_CC] != 0;
        remb |= p->media.codecs[0].remb;
    }
    remb_recv_set_estimate(&t->remb, remb && !t->twcc_wanted, now_us);
    transport_arm_cc(t);
}

/* ---- sending ---- */

void transport_due(struct transport *t, unsigned due)
{
    t->due |= due;
    engine_mark(t->engine, t);
}

void transport_count_sent(struct transport *t, size_t bytes, int64_t now_us)
{
    counter_add(&t->counters->packets_sent, 1);
    counter_add(&t->counters->bytes_sent, bytes);
    rate_add(&t->rate_out, bytes, now_us);
}

void transport_send_rtcp(struct transport *t, const uint8_t *data, size_t len, int64_t now_us)
{
    if (len == 0 || len + SRTP_TRAILER_MAX > OUTBOX_DATA_MAX)
        return;
    struct out_slot *slot = outbox_take(t->engine->conf.outbox, transport_selected(t));
    size_t sealed = len;
    memcpy(slot->data, data, len);
    slot->len = 0;
    if (srtp_tx_rtcp(t->tx, slot->data, &sealed, sizeof(slot->data)))
        return;
    slot->len = (uint32_t)sealed;
    counter_add(&t->counters->rtcp_packets_sent, 1);
    transport_count_sent(t, sealed, now_us);
    if (tapped(t))
        tap_rtcp(t, data, len, true, now_us);
}

static void send_consumers(struct transport *t, int64_t now_us)
{
    while (t->ready) {
        struct consumer *c = t->ready;
        DL_DELETE2(t->ready, c, prev_ready, next_ready);
        c->ready = false;
        if (c->flowing)
            outbound_consumer(c, now_us);
        c->n_resends = 0;
    }
}

void transport_send(struct transport *t, int64_t now_us)
{
    unsigned due = t->due;
    t->due = 0;
    if (t->writable && due & TRANSPORT_DUE_REPORTS)
        rtcp_out_reports(t, now_us);
    if (t->writable && due & TRANSPORT_DUE_FEEDBACK) {
        rtcp_out_feedback(t, now_us);
        transport_arm_cc(t);
    }
    send_consumers(t, now_us);
}
