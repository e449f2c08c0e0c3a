#include "worker/stream/recv.h"

#include "lib/mem.h"
#include "lib/seq.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CYCLE       65536
#define US          1000000
#define JITTER_MAX  5 /* seconds between two packets that tell nothing of jitter */
#define RTX_OSN_LEN 2

/* What is counted since the start; an interval is the difference of two. */
struct totals {
    uint64_t expected, received, repaired, retransmitted;
};

struct recv {
    uint32_t ssrc, clock_rate;
    bool started;
    bool renamed;    /* the next packet is the first of another SSRC */
    int32_t suspect; /* the number that would make a jump a new start; -1: none */
    int64_t
        newest; /* extended; the first cycle is 1, so that what came before the first packet is positive */
    int64_t first;            /* lowest since the (new) start */
    uint64_t expected_before; /* before the last new start */
    uint64_t seen[RECV_WINDOW / 64];
    struct recv_stats stats;
    uint64_t received; /* in time, repairs excluded */
    struct totals at_report, at_sample;
    int64_t last_us;
    uint32_t last_ts;   /* of the last packet that jitter was measured by */
    int64_t last_ts_us; /* its arrival */
    uint32_t jitter16;  /* times 16 */
    uint32_t lsr;
    int64_t lsr_us;
};

int recv_new(struct recv **rp, uint32_t ssrc, uint32_t clock_rate)
{
    if (clock_rate == 0)
        return -EINVAL;
    struct recv *r = mem_zalloc(sizeof(*r));
    r->ssrc = ssrc;
    r->clock_rate = clock_rate;
    r->suspect = -1;
    *rp = r;
    return 0;
}

void recv_free(struct recv *r)
{
    free(r);
}

static uint64_t bit_of(int64_t ext_seq)
{
    return UINT64_C(1) << (ext_seq & 63);
}

static uint64_t *word_of(struct recv *r, int64_t ext_seq)
{
    return &r->seen[(ext_seq & (RECV_WINDOW - 1)) / 64];
}

static void start_at(struct recv *r, int64_t ext_seq)
{
    memset(r->seen, 0, sizeof(r->seen));
    *word_of(r, ext_seq) |= bit_of(ext_seq);
    r->newest = r->first = ext_seq;
    r->suspect = -1;
    r->started = true;
    r->last_ts_us = 0;
}

static uint64_t expected(const struct recv *r)
{
    return r->expected_before + (r->started ? (uint64_t)(r->newest - r->first + 1) : 0);
}

static void start_anew(struct recv *r, uint16_t seq)
{
    r->expected_before = expected(r);
    start_at(r, (r->newest / CYCLE + 2) * CYCLE + seq);
}

static void move_to(struct recv *r, int64_t ext_seq)
{
    while (r->newest < ext_seq) {
        r->newest++;
        *word_of(r, r->newest) &= ~bit_of(r->newest);
    }
}

/* Takes a number that is in range. */
static enum recv_result take(struct recv *r, int64_t ext_seq)
{
    if (ext_seq > r->newest)
        move_to(r, ext_seq);
    else if (*word_of(r, ext_seq) & bit_of(ext_seq))
        return RECV_DUPLICATE;
    *word_of(r, ext_seq) |= bit_of(ext_seq);
    if (ext_seq < r->first)
        r->first = ext_seq;
    return RECV_NEW;
}

static bool in_range(int delta)
{
    return delta < RECV_MAX_DROPOUT && delta > -RECV_MAX_MISORDER;
}

static enum recv_result number(struct recv *r, uint16_t seq, int64_t *ext_seq)
{
    enum recv_result result = RECV_NEW;
    if (!r->started) {
        start_at(r, CYCLE + seq);
        *ext_seq = r->newest;
        return RECV_NEW;
    }
    int delta = seq16_diff(seq, (uint16_t)r->newest);
    if (!r->renamed && in_range(delta)) {
        *ext_seq = r->newest + delta;
        r->suspect = -1;
        return take(r, *ext_seq);
    }
    if (r->renamed || r->suspect == seq) {
        start_anew(r, seq);
        r->renamed = false;
        *ext_seq = r->newest;
        result = RECV_RESTARTED;
    } else {
        r->suspect = (uint16_t)(seq + 1);
        result = RECV_DROPPED;
    }
    return result;
}

/* Of the first packet of each frame only (RFC 3550 A.8): the others of its timestamp were not sampled when they left. */
static void measure_jitter(struct recv *r, uint32_t ts, int64_t now_us)
{
    if (r->last_ts_us && ts != r->last_ts) {
        int64_t ticks = (now_us - r->last_ts_us) * r->clock_rate / US;
        int64_t d = ticks - seq32_diff(ts, r->last_ts);
        d = d < 0 ? -d : d;
        if (d < (int64_t)JITTER_MAX * r->clock_rate)
            r->jitter16 += (uint32_t)d - ((r->jitter16 + 8) >> 4);
    }
    if (r->last_ts_us == 0 || ts != r->last_ts) {
        r->last_ts = ts;
        r->last_ts_us = now_us;
    }
}

static bool count(struct recv *r, enum recv_result result, size_t bytes, int64_t now_us)
{
    if (result == RECV_DUPLICATE || result == RECV_DROPPED)
        return false;
    r->stats.packets++;
    r->stats.bytes += bytes;
    r->last_us = now_us;
    return true;
}

enum recv_result recv_packet(struct recv *r, const struct rtp *h, size_t bytes, int64_t now_us,
                             int64_t *ext_seq)
{
    int64_t newest = r->newest;
    enum recv_result result = number(r, h->seq, ext_seq);
    if (!count(r, result, bytes, now_us)) {
        r->stats.discarded++;
        return result;
    }
    r->received++;
    if (r->newest != newest)
        measure_jitter(r, h->ts, now_us);
    return result;
}

int recv_rtx_unwrap(const uint8_t *data, struct rtp *h, uint8_t media_pt, uint32_t media_ssrc)
{
    if (h->payload_len < RTX_OSN_LEN)
        return h->payload_len ? -EBADMSG : -ENODATA;
    const uint8_t *osn = data + h->payload_off;
    h->seq = (uint16_t)(osn[0] << 8 | osn[1]);
    h->payload_off = (uint16_t)(h->payload_off + RTX_OSN_LEN);
    h->payload_len = (uint16_t)(h->payload_len - RTX_OSN_LEN);
    h->pt = media_pt;
    h->ssrc = media_ssrc;
    return 0;
}

enum recv_result recv_rtx_packet(struct recv *r, const struct rtp *h, size_t bytes, int64_t now_us,
                                 int64_t *ext_seq)
{
    enum recv_result result = RECV_DROPPED;
    r->stats.retransmitted++;
    r->stats.rtx_bytes += bytes;
    int delta = recv_started(r) ? seq16_diff(h->seq, (uint16_t)r->newest) : 0;
    if (recv_started(r) && in_range(delta)) {
        *ext_seq = r->newest + delta;
        result = take(r, *ext_seq);
    }
    if (count(r, result, bytes, now_us))
        r->stats.repaired++;
    else
        r->stats.rtx_discarded++;
    return result;
}

void recv_rtx_discarded(struct recv *r, size_t bytes)
{
    r->stats.rtx_bytes += bytes;
    r->stats.rtx_discarded++;
}

bool recv_started(const struct recv *r)
{
    return r->started && !r->renamed;
}

int64_t recv_first(const struct recv *r)
{
    return r->first;
}

int64_t recv_newest(const struct recv *r)
{
    return r->started ? r->newest : -1;
}

int64_t recv_last_us(const struct recv *r)
{
    return r->last_us;
}

void recv_change_ssrc(struct recv *r, uint32_t ssrc)
{
    r->ssrc = ssrc;
    r->renamed = r->started;
    r->lsr = 0;
    r->lsr_us = 0;
}

void recv_sender_report(struct recv *r, uint64_t ntp, int64_t now_us)
{
    r->lsr = (uint32_t)(ntp >> 16);
    r->lsr_us = now_us;
}

static struct totals totals_now(const struct recv *r)
{
    return (struct totals){expected(r), r->received, r->stats.repaired, r->stats.retransmitted};
}

static uint8_t fraction_of(uint64_t expected, uint64_t received)
{
    if (expected == 0 || received >= expected)
        return 0;
    uint64_t f = (expected - received) * 256 / expected;
    return (uint8_t)(f > 255 ? 255 : f);
}

static int64_t positive(uint64_t a, uint64_t b)
{
    return a > b ? (int64_t)(a - b) : 0;
}

void recv_report(struct recv *r, int64_t now_us, struct rtcp_report *out)
{
    struct totals t = totals_now(r);
    int64_t lost = positive(t.expected, t.received);
    r->stats.fraction =
        fraction_of(t.expected - r->at_report.expected, t.received - r->at_report.received);
    r->at_report = t;
    *out = (struct rtcp_report){
        .ssrc = r->ssrc,
        .fraction = r->stats.fraction,
        .lost = (int32_t)(lost < 0x7fffff ? lost : 0x7fffff),
        .max_seq = r->started ? (uint32_t)(r->newest - CYCLE) : 0,
        .jitter = r->jitter16 >> 4,
        .lsr = r->lsr,
    };
    if (r->lsr_us)
        out->dlsr = (uint32_t)((now_us - r->lsr_us) * 65536 / US);
}

void recv_interval(struct recv *r, struct score_counts *out)
{
    struct totals t = totals_now(r), *b = &r->at_sample;
    *out = (struct score_counts){
        .expected = t.expected - b->expected,
        .received = t.received - b->received,
        .repaired = t.repaired - b->repaired,
        .retransmitted = t.retransmitted - b->retransmitted,
    };
    out->lost = (uint64_t)positive(out->expected, out->received);
    *b = t;
}

void recv_stats(const struct recv *r, struct recv_stats *out)
{
    *out = r->stats;
    out->jitter = r->jitter16 >> 4;
    out->lost = positive(expected(r), r->received + r->stats.repaired);
}
