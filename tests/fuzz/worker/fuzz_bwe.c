/* fuzz_bwe.c - a bandwidth estimate that is told anything at any time: raw feedback, and
 * feedback made up status by status. Its target stays within the limits, and when everything
 * that was due is done, nothing is due. */
#include "lib/clock.h"
#include "lib/cursor.h"
#include "worker/cc/bwe.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rtcp_twcc_status statuses[RTCP_TWCC_MAX];

struct world {
    struct bwe *bwe;
    struct bwe_conf limits;
    int64_t now_us;
    uint16_t seq;
    struct bwe_cluster burst;
};

static void do_what_is_due(struct world *w)
{
    bwe_tick(w->bwe, w->now_us);
    bwe_probe(w->bwe, w->now_us, &w->burst);
    struct bwe_stats stats;
    bwe_stats(w->bwe, &stats);
    if (bwe_next_us(w->bwe) <= w->now_us || stats.target_bps < w->limits.min_bps ||
        stats.target_bps > w->limits.max_bps)
        abort();
}

static void send_some(struct world *w, struct reader *r)
{
    size_t bytes = reader_u16(r);
    uint8_t cluster = reader_u8(r) & 1 ? w->burst.id : 0;
    for (unsigned n = reader_u8(r), gap_us = reader_u16(r); n; n--) {
        bwe_sent(w->bwe, w->seq++, bytes, cluster, w->now_us);
        w->now_us += gap_us;
    }
}

static void raw_feedback(struct world *w, struct reader *r)
{
    size_t len = reader_u8(r);
    const uint8_t *p = reader_take(r, len);
    if (!p)
        return;
    struct rtcp_packet rtcp = {.pt = RTCP_RTPFB, .count = RTCP_RTPFB_TWCC, .body = p, .len = len};
    struct rtcp_twcc head;
    size_t n;
    if (rtcp_parse_twcc(&rtcp, &head, statuses, RTCP_TWCC_MAX, &n) == 0)
        bwe_feedback(w->bwe, statuses, n, w->now_us);
}

/* So many statuses up to a number near the newest, from an arrival on, each a step later. */
static void made_feedback(struct world *w, struct reader *r)
{
    uint16_t back = reader_u16(r);
    size_t n = reader_u8(r);
    uint8_t lost = reader_u8(r);
    int64_t at_us = (int64_t)(int32_t)reader_u32(r) * 1000 + (reader_u8(r) & 1 ? w->now_us : 0);
    int16_t step_us = (int16_t)reader_u16(r);
    for (size_t i = 0; i < n; i++)
        statuses[i] = (struct rtcp_twcc_status){.seq = (uint16_t)(w->seq - back + i),
                                                .received = !(lost >> i % 8 & 1),
                                                .arrival_us = at_us + (int64_t)i * step_us};
    bwe_feedback(w->bwe, statuses, n, w->now_us);
}

static void set_limits(struct world *w, struct reader *r)
{
    w->limits.min_bps = 1 + reader_u16(r) * 100u;
    w->limits.max_bps = w->limits.min_bps + reader_u32(r) / 4;
    bwe_set_limits(w->bwe, w->limits.min_bps, w->limits.max_bps);
}

static void report(struct world *w, struct reader *r)
{
    uint8_t fraction = reader_u8(r);
    uint32_t packets = reader_u32(r);
    bwe_loss(w->bwe, fraction, packets, w->now_us);
    bwe_rtt(w->bwe, (int64_t)reader_u32(r) - 1000);
}

static void want(struct world *w, struct reader *r)
{
    uint32_t allocated = reader_u32(r), most = reader_u32(r);
    bwe_set_wanted(w->bwe, allocated, most, w->now_us);
}

static void remb(struct world *w, struct reader *r)
{
    uint64_t bps = reader_u32(r);
    bwe_remb(w->bwe, bps << (reader_u8(r) & 31), w->now_us);
}

static void step(struct world *w, struct reader *r)
{
    switch (reader_u8(r) % 10) {
    case 0:
    case 1:
        send_some(w, r);
        break;
    case 2:
        raw_feedback(w, r);
        break;
    case 3:
    case 4:
        made_feedback(w, r);
        break;
    case 5:
        remb(w, r);
        break;
    case 6:
        report(w, r);
        break;
    case 7:
        want(w, r);
        break;
    case 8:
        w->now_us += reader_u32(r) % (unsigned)S_US(20);
        break;
    default:
        set_limits(w, r);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world w = {.limits = {.min_bps = 30000, .max_bps = 50000000}, .now_us = S_US(1000)};
    struct reader r = reader_of(data, size);
    bwe_new(&w.bwe, &w.limits, w.now_us);
    w.seq = reader_u16(&r);
    while (r.p < r.end && !r.bad) {
        step(&w, &r);
        do_what_is_due(&w);
    }
    bwe_free(w.bwe);
    return 0;
}
