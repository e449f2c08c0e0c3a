#include "worker/route/webrtc.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "worker/route/data.h"
#include "worker/route/router.h"
#include "worker/route/state.h"
#include "worker/route/transport.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct webrtc {
    struct transport *transport;
    struct ice *ice;
    struct dtls *dtls;
    struct path paths[ICE_TUPLES_MAX + 1];
    struct fragment fragment, old_fragment;
    bool connect_asked; /* the server said what the browser's certificate is */
    bool keys_due;      /* DTLS has connected, its keys were not taken yet */
    struct timer timer;
    int64_t now_us; /* for what DTLS hands over */
};

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

struct transport *webrtc_find(const struct engine *e, const char *ufrag)
{
    struct fragment *f = fragment_find(e, ufrag);
    return f ? f->transport : NULL;
}

static void tuple_removed(const struct tuple *tuple, void *arg)
{
    struct webrtc *w = arg;
    for (size_t i = 0; i < ICE_TUPLES_MAX + 1; i++) {
        if (w->paths[i].transport && tuple_equal(&w->paths[i].tuple, tuple))
            path_drop(w->transport->engine, &w->paths[i]);
    }
}

/* Where a check says it comes from is not proven. So a tuple stays with the transport that had it first, until ICE there holds it
 * for valid no more; a browser that the address has gone over to claims it again with its next check. */
static void claim(struct webrtc *w, const struct tuple *tuple)
{
    if (path_owner(w->transport->engine, tuple) || !ice_is_valid(w->ice, tuple))
        return;
    for (size_t i = 0; i < ICE_TUPLES_MAX + 1; i++) {
        if (w->paths[i].transport)
            continue;
        path_claim(&w->paths[i], w->transport, tuple);
        return;
    }
}

/* ---- ICE ---- */

static void tell_ice(const struct transport *t, enum ice_state state)
{
    struct engine_event ev = {
        .kind = ENGINE_ICE_STATE, .object = t->id, .ice = (enum engine_ice_state)state};
    engine_event(t->engine, &ev);
}

static void ice_changed(enum ice_state from, enum ice_state to, void *arg)
{
    const struct transport *t = ((struct webrtc *)arg)->transport;
    struct counters_worker *k = t->engine->counts;
    if (from == ICE_NEW)
        counter_add(&k->ice_connected, 1);
    if (to == ICE_DISCONNECTED)
        counter_add(&k->ice_lost, 1);
    counter_set(&t->counters->ice_state, (uint64_t)to);
    tell_ice(t, to);
}

static void ice_selected_changed(const struct tuple *tuple, void *arg)
{
    transport_tuple_changed(((struct webrtc *)arg)->transport, tuple);
}

static const struct ice_handlers ice_handlers = {
    .state = ice_changed,
    .tuple_removed = tuple_removed,
    .selected = ice_selected_changed,
};

/* ---- DTLS ---- */

static void dtls_send(const uint8_t *data, size_t len, void *arg)
{
    struct webrtc *w = arg;
    struct transport *t = w->transport;
    const struct tuple *to = ice_selected(w->ice);
    if (!to || len > OUTBOX_DATA_MAX)
        return;
    struct out_slot *slot = outbox_take(t->engine->conf.outbox, to);
    memcpy(slot->data, data, len);
    slot->len = (uint32_t)len;
    counter_add(&t->counters->packets_sent, 1);
    counter_add(&t->counters->bytes_sent, len);
}

static int take_keys(struct webrtc *w)
{
    struct transport *t = w->transport;
    struct srtp_key remote, local;
    int err = dtls_srtp_keys(w->dtls, &remote, &local);
    if (!err && !t->rx)
        err = srtp_rx_new(&t->rx, &remote, t->engine->conf.srtp);
    if (!err && !t->tx)
        err = srtp_tx_new(&t->tx, &local, t->engine->conf.srtp);
    explicit_bzero(&remote, sizeof(remote));
    explicit_bzero(&local, sizeof(local));
    return err;
}

static void count_failure(struct counters_worker *k, const char *reason)
{
    const struct {
        const char *reason;
        uint64_t *counter;
    } rows[] = {
        {"fingerprint", &k->dtls_failed_fingerprint},      {"timeout", &k->dtls_failed_timeout},
        {"no-srtp-profile", &k->dtls_failed_srtp_profile}, {"alert", &k->dtls_failed_alert},
        {"handshake", &k->dtls_failed_handshake},
    };
    counter_add(&k->dtls_failed, 1);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(reason, rows[i].reason) == 0)
            counter_add(rows[i].counter, 1);
    }
}

static void tell_dtls(const struct transport *t, enum dtls_state state, const char *reason)
{
    struct engine_event ev = {.kind = ENGINE_DTLS_STATE,
                              .object = t->id,
                              .dtls = (enum engine_dtls_state)state,
                              .reason = state == DTLS_FAILED ? reason : ""};
    engine_event(t->engine, &ev);
}

static void dtls_changed(enum dtls_state from, enum dtls_state to, const char *reason, void *arg)
{
    (void)from;
    struct webrtc *w = arg;
    struct transport *t = w->transport;
    struct counters_worker *k = t->engine->counts;
    if (to == DTLS_CONNECTED) {
        counter_add(&k->dtls_connected, 1);
        w->keys_due = true; /* taken when DTLS has returned */
    }
    if (to == DTLS_FAILED)
        count_failure(k, reason);
    counter_set(&t->counters->dtls_state, (uint64_t)to);
    tell_dtls(t, to, reason);
}

static void dtls_data(const uint8_t *data, size_t len, void *arg)
{
    struct webrtc *w = arg;
    data_input(w->transport, data, len, w->now_us);
}

static const struct dtls_handlers dtls_handlers = {
    .send = dtls_send, .state = dtls_changed, .data = dtls_data};

/* After anything of ICE or DTLS. */
static void secured(struct webrtc *w, int64_t now_us)
{
    struct transport *t = w->transport;
    if (ice_selected(w->ice) && dtls_state(w->dtls) != DTLS_CONNECTED)
        dtls_start(w->dtls, now_us);
    if (w->keys_due) {
        w->keys_due = false;
        take_keys(w);
    }
    if (w->old_fragment.transport && ice_old_ufrag(w->ice)[0] == '\0')
        fragment_remove(t->engine, &w->old_fragment);
    transport_set_writable(
        t, ice_selected(w->ice) && t->tx && dtls_state(w->dtls) == DTLS_CONNECTED, now_us);
    int64_t due_us = time_min_us(ice_next_us(w->ice), dtls_next_us(w->dtls));
    if (due_us == TIME_NEVER_US)
        timer_stop(&t->engine->timers, &w->timer);
    else if (!w->timer.pos || w->timer.due_us != due_us)
        timer_start(&t->engine->timers, &w->timer, due_us);
}

static void timer_fired(struct timer *timer, int64_t now_us, void *arg)
{
    (void)timer;
    struct webrtc *w = arg;
    if (ice_next_us(w->ice) <= now_us)
        ice_timer(w->ice, now_us);
    if (dtls_next_us(w->dtls) <= now_us)
        dtls_timer(w->dtls, now_us);
    secured(w, now_us);
}

/* ---- as a transport's way ---- */

static const struct tuple *way_to(const struct transport *t, bool rtcp)
{
    (void)rtcp;
    return ice_selected(t->webrtc->ice);
}

static void way_stun(struct transport *t, const struct dgram *d, int64_t now_us)
{
    struct webrtc *w = t->webrtc;
    uint8_t reply[ICE_REPLY_MAX];
    size_t len = ice_input(w->ice, &d->from, d->data, d->len, now_us, reply);
    if (len > 0) {
        struct out_slot *slot = outbox_take(t->engine->conf.outbox, &d->from);
        memcpy(slot->data, reply, len);
        slot->len = (uint32_t)len;
        transport_count_received(t, d, now_us);
        counter_add(&t->counters->stun_requests, 1);
        transport_count_sent(t, len, now_us);
        claim(w, &d->from);
    } else {
        counter_add(&t->engine->counts->dropped_bad_stun, 1);
    }
    secured(w, now_us);
}

static void way_dtls(struct transport *t, const struct dgram *d, int64_t now_us)
{
    transport_count_received(t, d, now_us);
    t->webrtc->now_us = now_us;
    dtls_input(t->webrtc->dtls, d->data, d->len, now_us);
    secured(t->webrtc, now_us);
}

static bool way_heard(struct transport *t, const struct dgram *d, bool rtcp, int64_t now_us)
{
    (void)rtcp;
    (void)now_us;
    ice_media_from(t->webrtc->ice, &d->from);
    return true;
}

static void way_tcp_gone(struct transport *t, const struct tuple *gone, int64_t now_us)
{
    ice_forget_sock(t->webrtc->ice, gone->sock);
    secured(t->webrtc, now_us);
}

static void way_tell(const struct transport *t)
{
    const struct webrtc *w = t->webrtc;
    tell_ice(t, ice_state(w->ice));
    if (ice_selected(w->ice))
        transport_tuple_changed(t, ice_selected(w->ice));
    tell_dtls(t, dtls_state(w->dtls), "");
}

static void count_unfinished(const struct webrtc *w)
{
    struct counters_worker *k = w->transport->engine->counts;
    enum dtls_state dtls = w->dtls ? dtls_state(w->dtls) : DTLS_CLOSED;
    if (!w->connect_asked || (dtls != DTLS_NEW && dtls != DTLS_CONNECTING))
        return;
    counter_add(ice_state(w->ice) == ICE_NEW ? &k->closed_before_ice : &k->closed_before_dtls, 1);
}

static void way_sctp(struct transport *t, const uint8_t *packet, size_t len)
{
    dtls_write(t->webrtc->dtls, packet, len);
}

static void way_free(struct transport *t)
{
    struct webrtc *w = t->webrtc;
    struct engine *e = t->engine;
    count_unfinished(w);
    timer_stop(&e->timers, &w->timer);
    for (size_t i = 0; i < ICE_TUPLES_MAX + 1; i++)
        path_drop(e, &w->paths[i]);
    fragment_remove(e, &w->fragment);
    fragment_remove(e, &w->old_fragment);
    dtls_free(w->dtls);
    ice_free(w->ice);
    free(w);
}

static const struct transport_way way = {
    .to = way_to,
    .stun = way_stun,
    .dtls = way_dtls,
    .heard = way_heard,
    .tcp_gone = way_tcp_gone,
    .tell = way_tell,
    .sctp = way_sctp,
    .free = way_free,
};

/* ---- requests ---- */

static int make_secure(struct webrtc *w, const struct params_transport *in)
{
    int err = ice_new(&w->ice, in->ufrag, in->password, ICE_CONSENT_US, &ice_handlers, w);
    if (!err)
        err = dtls_new(&w->dtls, w->transport->engine->conf.cert, &dtls_handlers, w);
    return err;
}

int webrtc_create(struct engine *e, const struct params_transport *in, int64_t now_us)
{
    struct transport *t;
    if (router_find(e, in->router) && fragment_find(e, in->ufrag))
        return -EEXIST;
    int err = transport_new(&t, e, &way, in->router, in->transport, in->peer);
    if (err)
        return err;
    struct webrtc *w = mem_zalloc(sizeof(*w));
    w->transport = t;
    timer_init(&w->timer, timer_fired, w);
    t->webrtc = w;
    if (share_set_limits(t, in->initial_outgoing_bitrate, in->min_outgoing_bitrate,
                         in->max_outgoing_bitrate) ||
        make_secure(w, in) || (in->sctp.streams && data_new(t, &in->sctp))) {
        transport_free(t);
        return -EINVAL;
    }
    fragment_add(t, &w->fragment, in->ufrag);
    transport_start(t, in->max_incoming_bitrate, now_us);
    return 0;
}

static struct webrtc *find(const struct engine *e, uint64_t id, int *err)
{
    struct transport *t = transport_find(e, id);
    *err = !t ? -ENOENT : t->webrtc ? 0 : -EINVAL;
    return t ? t->webrtc : NULL;
}

int webrtc_connect(struct engine *e, uint64_t id, bool remote_server,
                   const struct params_fingerprint *prints, size_t n, int64_t now_us)
{
    int err;
    struct webrtc *w = find(e, id, &err);
    if (!w)
        return err;
    struct dtls_fingerprint remote[LIMIT_FINGERPRINTS];
    for (size_t i = 0; i < n; i++) {
        if (strlen(prints[i].algorithm) >= sizeof(remote[i].algorithm) ||
            strlen(prints[i].value) >= sizeof(remote[i].value))
            return -EINVAL;
        snprintf(remote[i].algorithm, sizeof(remote[i].algorithm), "%s", prints[i].algorithm);
        snprintf(remote[i].value, sizeof(remote[i].value), "%s", prints[i].value);
    }
    err = dtls_connect(w->dtls, remote_server, remote, n, now_us);
    if (err)
        return err == -EALREADY ? -EEXIST : -EINVAL;
    w->connect_asked = true;
    secured(w, now_us);
    return 0;
}

int webrtc_restart_ice(struct engine *e, uint64_t id, const char *ufrag, const char *password,
                       int64_t now_us)
{
    int err;
    struct webrtc *w = find(e, id, &err);
    if (!w)
        return err;
    if (fragment_find(e, ufrag))
        return -EEXIST;
    if (ice_restart(w->ice, ufrag, password))
        return -EINVAL;
    fragment_remove(e, &w->old_fragment);
    fragment_remove(e, &w->fragment);
    if (ice_old_ufrag(w->ice)[0])
        fragment_add(w->transport, &w->old_fragment, ice_old_ufrag(w->ice));
    fragment_add(w->transport, &w->fragment, ufrag);
    secured(w, now_us);
    return 0;
}
