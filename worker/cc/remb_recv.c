#include "worker/cc/remb_recv.h"

#include "lib/clock.h"

#define UNLIMITED_TIMES 4
#define LOSS_LOW        5  /* 2 % in 1/256 */
#define LOSS_HIGH       26 /* 10 % */

void remb_recv_init(struct remb_recv *r)
{
    *r = (struct remb_recv){.next_us = TIME_NEVER_US, .estimate_bps = REMB_RECV_START_BPS};
}

static bool has_to_tell(const struct remb_recv *r)
{
    return r->estimate || r->max_bps || r->unlimited_left;
}

static void start(struct remb_recv *r, int64_t now_us)
{
    r->next_us = has_to_tell(r) ? now_us : TIME_NEVER_US;
}

void remb_recv_set_max(struct remb_recv *r, uint32_t bps, int64_t now_us)
{
    if (bps == r->max_bps)
        return;
    r->unlimited_left = bps == 0 ? UNLIMITED_TIMES : 0;
    r->max_bps = bps;
    start(r, now_us);
}

void remb_recv_set_estimate(struct remb_recv *r, bool on, int64_t now_us)
{
    if (on == r->estimate)
        return;
    r->estimate = on;
    r->since_us = 0;
    r->bytes = 0;
    start(r, now_us);
}

void remb_recv_packet(struct remb_recv *r, size_t bytes, int64_t now_us)
{
    if (r->since_us == 0)
        r->since_us = now_us;
    r->bytes += bytes;
}

int64_t remb_recv_next_us(const struct remb_recv *r)
{
    return r->next_us;
}

static uint32_t clamp(uint64_t bps)
{
    if (bps < REMB_RECV_FLOOR_BPS)
        return REMB_RECV_FLOOR_BPS;
    return bps > REMB_RECV_UNLIMITED_BPS ? REMB_RECV_UNLIMITED_BPS : (uint32_t)bps;
}

static void update(struct remb_recv *r, uint8_t loss, int64_t now_us)
{
    int64_t us = now_us - r->since_us;
    if (r->since_us == 0 || us < REMB_RECV_ESTIMATE_US / 2)
        return; /* too short to measure a rate by */
    uint64_t rate = r->bytes * 8 * 1000000 / (uint64_t)us;
    uint64_t bps = r->estimate_bps;
    if (loss < LOSS_LOW)
        bps = rate * 3 / 2 > bps ? rate * 3 / 2 : bps;
    else if (loss > LOSS_HIGH)
        bps = (rate < bps ? rate : bps) * (512u - loss) / 512;
    r->estimate_bps = clamp(bps);
    r->bytes = 0;
    r->since_us = now_us;
}

bool remb_recv_due(struct remb_recv *r, uint8_t loss, int64_t now_us, uint32_t *bps)
{
    if (now_us < r->next_us)
        return false;
    if (r->estimate)
        update(r, loss, now_us);
    *bps = r->estimate ? r->estimate_bps : REMB_RECV_UNLIMITED_BPS;
    if (r->max_bps && r->max_bps < *bps)
        *bps = r->max_bps;
    if (r->unlimited_left)
        r->unlimited_left--;
    int64_t interval = r->estimate ? REMB_RECV_ESTIMATE_US : REMB_RECV_INTERVAL_US;
    r->next_us = has_to_tell(r) ? now_us + interval : TIME_NEVER_US;
    return true;
}
