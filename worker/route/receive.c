/* receive.c - the media that comes to a transport: SRTP opened and to the streams, SRTCP to rtcp_in. */
#include "worker/cc/twcc_recv.h"
#include "worker/route/rtcp_in.h"
#include "worker/route/state.h"
#include "worker/route/taps.h"
#include "worker/route/transport.h"

#include <errno.h>
#include <string.h>

void transport_count_received(struct transport *t, const struct dgram *d, int64_t now_us)
{
    counter_add(&t->counters->packets_received, 1);
    counter_add(&t->counters->bytes_received, d->len);
    rate_add(&t->rate_in, d->len, now_us);
}

/* ---- RTP ---- */

static struct packet *spare_packet(struct engine *e)
{
    if (!e->spare)
        e->spare = pool_get(e->pool);
    if (!e->spare && inbound_make_room(e))
        e->spare = pool_get(e->pool);
    return e->spare;
}

static void count_refused(struct transport *t, int err)
{
    struct counters_worker *k = t->engine->counts;
    if (err == -EALREADY) {
        counter_add(&k->dropped_srtp_replay, 1);
        counter_add(&t->counters->srtp_replays, 1);
    } else if (err == -EBADMSG) {
        counter_add(&k->dropped_srtp_auth, 1);
        counter_add(&t->counters->srtp_auth_failures, 1);
    } else {
        counter_add(&k->dropped_rtp_parse, 1);
    }
}

void transport_rtp(struct transport *t, const struct dgram *d, int64_t now_us)
{
    struct engine *e = t->engine;
    size_t header = rtp_header_len(d->data, d->len), len = 0;
    if (!t->rx || !header) {
        counter_add(t->rx ? &e->counts->dropped_rtp_parse : &e->counts->dropped_no_keys, 1);
        return;
    }
    struct packet *pk = spare_packet(e);
    if (!pk) {
        counter_add(&e->counts->dropped_pool_exhausted, 1);
        return;
    }
    int err = srtp_rx_rtp(t->rx, d->data, d->len, header, pk->data, sizeof(pk->data), &len);
    if (err) {
        count_refused(t, err);
        return;
    }
    if (!t->way->heard(t, d, false, now_us)) {
        counter_add(&e->counts->dropped_not_validated, 1);
        return;
    }
    e->spare = NULL;
    pk->len = (uint32_t)len;
    pk->rx_us = d->rx_us;
    transport_count_received(t, d, now_us);
    transport_opened_rtp(t, pk, now_us);
}

static const struct listener_entry *stream_of(struct transport *t, const struct packet *pk,
                                              int64_t now_us)
{
    const struct listener_entry *found = listener_find(&t->listener, pk->rtp.ssrc);
    if (found)
        return found;
    struct listener_packet q = {.ssrc = pk->rtp.ssrc, .payload_type = pk->rtp.pt, .now_us = now_us};
    if (pk->exts.present & RTP_EXT_BIT(RTP_EXT_MID)) {
        q.mid = pk->exts.mid;
        q.mid_len = pk->exts.mid_len;
    }
    if (pk->exts.present & RTP_EXT_BIT(RTP_EXT_RID)) {
        q.rid = pk->exts.rid;
        q.rid_len = pk->exts.rid_len;
    }
    if (pk->exts.present & RTP_EXT_BIT(RTP_EXT_REPAIRED_RID)) {
        q.repaired_rid = pk->exts.rrid;
        q.repaired_rid_len = pk->exts.rrid_len;
    }
    return listener_learn(&t->listener, &q);
}

static void congestion(struct transport *t, const struct packet *pk, int64_t now_us)
{
    if (t->twcc_wanted && pk->exts.present & RTP_EXT_BIT(RTP_EXT_TRANSPORT_CC))
        twcc_recv_packet(t->twcc, pk->exts.twcc, pk->rtp.ssrc, pk->rx_us);
    remb_recv_packet(&t->remb, pk->len, now_us);
    transport_arm_cc(t);
}

void transport_opened_rtp(struct transport *t, struct packet *pk, int64_t now_us)
{
    struct counters_worker *k = t->engine->counts;
    if (rtp_parse(pk->data, pk->len, &pk->rtp)) {
        counter_add(&k->dropped_rtp_parse, 1);
        packet_unref(pk);
        return;
    }
    rtp_ext_parse(pk->data, &pk->rtp, &t->recv_ext, &pk->exts);
    if (tapped(t))
        tap_headers_in(t, pk, now_us);
    congestion(t, pk, now_us);
    const struct listener_entry *found = stream_of(t, pk, now_us);
    if (!found) {
        counter_add(&k->dropped_no_stream, 1);
        packet_unref(pk);
        return;
    }
    if (found->rtx) {
        counter_add(&t->counters->rtx_bytes_received, pk->len);
    } else {
        counter_add(&t->counters->rtp_packets_received, 1);
        counter_add(&t->counters->rtp_bytes_received, pk->len);
    }
    inbound_packet(found->stream, pk, found->rtx, now_us);
}

/* ---- RTCP ---- */

void transport_rtcp(struct transport *t, const struct dgram *d, int64_t now_us)
{
    if (!t->rx) {
        counter_add(&t->engine->counts->dropped_no_keys, 1);
        return;
    }
    size_t len = d->len;
    int err = srtp_rx_rtcp(t->rx, d->data, &len);
    if (err) {
        count_refused(t, err);
        return;
    }
    if (!t->way->heard(t, d, true, now_us)) {
        counter_add(&t->engine->counts->dropped_not_validated, 1);
        return;
    }
    transport_count_received(t, d, now_us);
    counter_add(&t->counters->rtcp_packets_received, 1);
    if (tapped(t))
        tap_rtcp(t, d->data, len, false, now_us);
    rtcp_in(t, d->data, len, now_us);
}
