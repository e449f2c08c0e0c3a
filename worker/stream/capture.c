#include "worker/stream/capture.h"

#define US 1000000

static int64_t us_of_ntp(uint64_t ntp)
{
    return (int64_t)(ntp >> 32) * US + (int64_t)((ntp & UINT32_MAX) * US >> 32);
}

uint64_t capture_ntp_of_us(int64_t us)
{
    uint64_t u = (uint64_t)us;
    return u / US << 32 | ((u % US) << 32) / US;
}

/* To the nearest tick. Whole seconds first: their product with the rate may wrap, as the timestamp does. */
static uint32_t ticks_of_us(int64_t us, uint32_t clock_rate)
{
    int64_t s = us / US;
    int64_t rest = us % US;
    if (rest < 0) {
        s--;
        rest += US;
    }
    return (uint32_t)(s * clock_rate + (rest * clock_rate + US / 2) / US);
}

void capture_report(struct capture *c, uint32_t clock_rate, uint64_t ntp, uint32_t rtp_ts,
                    int64_t now_us)
{
    /* An all-zero time says that the sender has no clock (RFC 3550 6.4.1). */
    c->known = ntp != 0 && clock_rate != 0;
    c->clock_rate = clock_rate;
    c->ts = rtp_ts;
    c->ntp_us = us_of_ntp(ntp);
    c->rx_us = now_us;
}

bool capture_valid(const struct capture *c, int64_t now_us)
{
    return c->known && now_us - c->rx_us <= CAPTURE_VALID_US;
}

uint32_t capture_convert(const struct capture *from, const struct capture *to, uint32_t ts)
{
    int64_t since = (int64_t)(int32_t)(ts - from->ts) * US / from->clock_rate;
    return to->ts + ticks_of_us(from->ntp_us + since - to->ntp_us, to->clock_rate);
}

void capture_at(const struct capture *c, int64_t now_us, uint64_t *ntp, uint32_t *rtp_ts)
{
    int64_t since = now_us - c->rx_us;
    *ntp = capture_ntp_of_us(c->ntp_us + since);
    *rtp_ts = c->ts + ticks_of_us(since, c->clock_rate);
}
