#include "tests/sim/flow.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "worker/cc/twcc_recv.h"

#include <stdlib.h>
#include <string.h>

#define PACKET_BYTES  1200
#define SMALL_BYTES   200
#define SMOOTH_US     10000
#define FRAME_US      33333
#define PADDING_BYTES 250
#define UNLIMITED_BPS 20000000 /* what a source that would send any amount says it wants */
#define LATE_US       S_US(1)

struct flow {
    struct sim *sim;
    struct flow_conf conf;
    struct sim_link *there, *back;
    struct bwe *bwe;
    uint16_t seq;
    int64_t frame_us; /* when the next one comes */
    size_t pending;   /* bytes of frames not sent yet */
    int64_t send_us;  /* when the next packet may go */
    struct bwe_cluster burst;
    uint32_t burst_packets, burst_bytes; /* still to send */
    int64_t burst_us;
    int64_t wake_us; /* the event that is asked for; earlier ones that are too early do nothing */

    struct twcc_recv *recv;
    int64_t feedback_us;
    uint64_t arrived_bytes, padding_bytes;
    int64_t delay_us;
    struct sim_packet late; /* a feedback that comes again */
    struct rtcp_twcc_status st[RTCP_TWCC_MAX];
};

/* ---- receiving ------------------------------------------------------------------------------- */

static void feedback_arrived(struct sim_packet *p, int64_t now_us, void *arg)
{
    struct flow *f = arg;
    struct rtcp_iter it = rtcp_iter_of(p->data, p->len);
    struct rtcp_packet rtcp;
    while (rtcp_next(&it, &rtcp)) {
        struct rtcp_twcc head;
        size_t n;
        if (rtcp_parse_twcc(&rtcp, &head, f->st, RTCP_TWCC_MAX, &n) == 0)
            bwe_feedback(f->bwe, f->st, n, now_us);
    }
}

static void late_again(int64_t now_us, void *arg)
{
    struct flow *f = arg;
    feedback_arrived(&f->late, now_us, f);
}

static void send_feedback(struct flow *f, int64_t now_us)
{
    bool more = true;
    while (more) {
        struct sim_packet p = {.deliver = feedback_arrived, .arg = f};
        struct writer w = writer_of(p.data, sizeof(p.data));
        more = twcc_recv_feedback(f->recv, 1, now_us, &w);
        p.len = p.bytes = writer_len(&w);
        if (p.len == 0)
            return;
        sim_link_send(f->back, &p);
        if (f->conf.repeats_feedback) {
            sim_link_send(f->back, &p);
            f->late = p;
            sim_at(f->sim, now_us + LATE_US, late_again, f);
        }
    }
}

static void feedback_due(int64_t now_us, void *arg)
{
    struct flow *f = arg;
    send_feedback(f, now_us);
    sim_at(f->sim, now_us + FLOW_FEEDBACK_US, feedback_due, f);
}

static void media_arrived(struct sim_packet *p, int64_t now_us, void *arg)
{
    struct flow *f = arg;
    int64_t sent_us;
    memcpy(&sent_us, p->data, sizeof(sent_us));
    f->delay_us = now_us - sent_us;
    f->arrived_bytes += p->bytes;
    twcc_recv_packet(f->recv, p->seq, 7, now_us);
}

/* ---- sending --------------------------------------------------------------------------------- */

static void wake_at(struct flow *f, int64_t at_us);

static void send_packet(struct flow *f, size_t bytes, uint8_t cluster, int64_t now_us)
{
    struct sim_packet p = {.bytes = bytes, .deliver = media_arrived, .arg = f, .seq = f->seq};
    memcpy(p.data, &now_us, sizeof(now_us));
    p.len = sizeof(now_us);
    bwe_sent(f->bwe, f->seq++, bytes, cluster, now_us);
    sim_link_send(f->there, &p);
}

static uint32_t wanted_bps(const struct flow *f)
{
    uint32_t top = f->conf.layers_bps[FLOW_LAYERS - 1];
    uint32_t most = f->conf.most_bps ? f->conf.most_bps : UNLIMITED_BPS;
    return top && top < most ? top : most;
}

static uint32_t media_bps(const struct flow *f)
{
    uint32_t may = bwe_target_bps(f->bwe);
    uint32_t most = wanted_bps(f);
    may = may < most ? may : most;
    if (f->conf.layers_bps[0] == 0)
        return may;
    uint32_t chosen = f->conf.layers_bps[0];
    for (size_t i = 0; i < FLOW_LAYERS; i++)
        if (f->conf.layers_bps[i] && f->conf.layers_bps[i] <= may)
            chosen = f->conf.layers_bps[i];
    return chosen;
}

static size_t bytes_in(uint32_t bps, int64_t us)
{
    return (size_t)((uint64_t)bps * (uint64_t)us / 8000000);
}

static void make_frames(struct flow *f, uint32_t bps, int64_t now_us)
{
    for (; f->frame_us <= now_us; f->frame_us += FRAME_US) {
        double size = 0.7 + 0.6 * sim_chance(f->sim);
        f->pending += (size_t)(size * (double)bytes_in(bps, FRAME_US));
    }
}

static int64_t time_at(size_t bytes, uint32_t bps)
{
    return bps ? (int64_t)(bytes * 8 * 1000000 / bps) : S_US(1);
}

static void send_smooth(struct flow *f, int64_t now_us)
{
    uint32_t bps = media_bps(f);
    while (f->send_us <= now_us) {
        size_t bytes = bytes_in(bps, SMOOTH_US);
        bytes = bytes > PACKET_BYTES ? PACKET_BYTES : bytes < SMALL_BYTES ? SMALL_BYTES : bytes;
        send_packet(f, bytes, 0, now_us);
        f->send_us += time_at(bytes, bps);
    }
    wake_at(f, f->send_us);
}

static void send_frames(struct flow *f, int64_t now_us)
{
    make_frames(f, media_bps(f), now_us);
    while (f->pending && f->send_us <= now_us) {
        size_t bytes = f->pending > PACKET_BYTES ? PACKET_BYTES : f->pending;
        f->pending -= bytes;
        send_packet(f, bytes, 0, now_us);
        f->send_us = now_us + time_at(bytes, bwe_pacing_bps(f->bwe));
    }
    wake_at(f, f->pending ? f->send_us : f->frame_us);
}

static void send_burst(struct flow *f, int64_t now_us)
{
    if (bwe_probe(f->bwe, now_us, &f->burst)) {
        f->burst_packets = f->burst.min_packets;
        f->burst_bytes = f->burst.min_bytes;
        f->burst_us = now_us;
    }
    while ((f->burst_packets || f->burst_bytes) && f->burst_us <= now_us) {
        size_t bytes = f->burst.min_bytes / f->burst.min_packets;
        bytes = bytes > PACKET_BYTES ? PACKET_BYTES : bytes < PADDING_BYTES ? PADDING_BYTES : bytes;
        send_packet(f, bytes, f->burst.id, now_us);
        f->padding_bytes += bytes;
        f->burst_packets -= f->burst_packets > 0;
        f->burst_bytes -= f->burst_bytes < bytes ? f->burst_bytes : (uint32_t)bytes;
        f->burst_us += time_at(bytes, f->burst.bps);
    }
    if (f->burst_packets || f->burst_bytes)
        wake_at(f, f->burst_us);
}

static void wake(int64_t now_us, void *arg)
{
    struct flow *f = arg;
    if (now_us < f->wake_us)
        return;
    f->wake_us = TIME_NEVER_US;
    bwe_set_wanted(f->bwe, media_bps(f), wanted_bps(f), now_us);
    if (bwe_next_us(f->bwe) <= now_us)
        bwe_tick(f->bwe, now_us);
    send_burst(f, now_us);
    if (f->conf.kind == FLOW_SMOOTH)
        send_smooth(f, now_us);
    else
        send_frames(f, now_us);
    wake_at(f, bwe_next_us(f->bwe));
}

static void wake_at(struct flow *f, int64_t at_us)
{
    if (at_us >= f->wake_us)
        return;
    f->wake_us = at_us;
    sim_at(f->sim, at_us, wake, f);
}

static void begin(int64_t now_us, void *arg)
{
    struct flow *f = arg;
    f->send_us = f->frame_us = now_us;
    bwe_new(&f->bwe, &f->conf.bwe, now_us);
    feedback_due(now_us, f);
    wake_at(f, now_us);
}

struct flow *flow_new(struct sim *s, const struct flow_conf *conf, struct sim_link *there,
                      struct sim_link *back)
{
    struct flow *f = mem_zalloc(sizeof(*f));
    f->sim = s;
    f->conf = *conf;
    f->there = there;
    f->back = back;
    f->wake_us = TIME_NEVER_US;
    twcc_recv_new(&f->recv);
    if (conf->start_us == 0)
        begin(sim_now_us(s), f);
    else
        sim_at(s, sim_now_us(s) + conf->start_us, begin, f);
    return f;
}

void flow_free(struct flow *f)
{
    if (!f)
        return;
    bwe_free(f->bwe);
    twcc_recv_free(f->recv);
    free(f);
}

void flow_set_most(struct flow *f, uint32_t most_bps)
{
    f->conf.most_bps = most_bps;
}

struct bwe *flow_bwe(struct flow *f)
{
    return f->bwe;
}

uint64_t flow_arrived_bytes(const struct flow *f)
{
    return f->arrived_bytes;
}

uint64_t flow_padding_bytes(const struct flow *f)
{
    return f->padding_bytes;
}

int64_t flow_delay_us(const struct flow *f)
{
    return f->delay_us;
}
