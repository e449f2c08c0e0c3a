#include "worker/cc/bwe_prober.h"

#include "lib/clock.h"

#include <math.h>

#define TIMES       2.0 /* the target, or what the last one showed */
#define ENOUGH      0.8 /* of the packets and of the bytes that were asked for */
#define SLOWER      0.9 /* of the rate sent: a queue grew */
#define OF_SLOWER   0.95
#define LONGEST_US  S_US(1)
#define TOO_MUCH    2.0 /* times as fast as sent: held up, then let go at once */
#define MORE_WANTED 1.1

static uint64_t length_us(const struct bwe_prober *p)
{
    return (uint64_t)BWE_PROBER_US << p->longer;
}

/* True when a burst is due. A burst that would show no more than the target is not worth it. */
static bool ask(struct bwe_prober *p, double bps, double target_bps, int64_t now_us)
{
    bps = fmin(bps, BWE_PROBER_OVER * p->wanted_bps);
    if (p->state != BWE_PROBER_IDLE || p->wanted_bps <= target_bps || bps <= target_bps)
        return false;
    p->burst.id = (uint8_t)(p->burst.id == UINT8_MAX ? 1 : p->burst.id + 1);
    p->burst.bps = (uint32_t)fmin(bps, UINT32_MAX);
    p->burst.min_packets = BWE_PROBER_PACKETS;
    p->burst.min_bytes = (uint32_t)((uint64_t)p->burst.bps * length_us(p) / 8000000);
    p->state = BWE_PROBER_DUE;
    p->asked_us = now_us;
    p->look_us = now_us + BWE_PROBE_EVERY_US;
    return true;
}

void bwe_prober_want(struct bwe_prober *p, uint32_t max_bps, double target_bps, int64_t now_us)
{
    bool more = max_bps > MORE_WANTED * p->wanted_bps;
    p->wanted_bps = max_bps;
    if (max_bps <= target_bps) {
        p->look_us = 0;
        return;
    }
    if (!p->begun)
        p->begun = ask(p, BWE_PROBER_FIRST * target_bps, target_bps, now_us);
    else if (more && now_us - p->asked_us >= BWE_PROBER_AGAIN_US)
        ask(p, TIMES * target_bps, target_bps, now_us);
    if (p->look_us == 0)
        p->look_us = now_us + BWE_PROBER_AGAIN_US;
}

void bwe_prober_again(struct bwe_prober *p, double bps, int64_t now_us)
{
    p->state = BWE_PROBER_IDLE;
    ask(p, bps, 0, now_us);
}

void bwe_prober_look(struct bwe_prober *p, const struct bwe_prober_view *v, int64_t now_us)
{
    if (p->state == BWE_PROBER_OUT && now_us - p->asked_us >= BWE_PROBE_GIVE_UP_US) {
        p->state = BWE_PROBER_IDLE;
        if (p->good == 0 && p->asked < BWE_PROBER_TRIES)
            ask(p, p->burst.bps, v->target_bps, now_us);
    }
    if (p->wanted_bps <= v->target_bps)
        p->look_us = 0;
    else if (p->look_us == 0)
        p->look_us = p->asked_us + BWE_PROBE_EVERY_US;
    if (p->look_us == 0 || now_us < p->look_us)
        return;
    if (!v->useful || !ask(p, TIMES * v->target_bps, v->target_bps, now_us))
        p->look_us = now_us + BWE_PROBER_AGAIN_US;
}

bool bwe_prober_take(struct bwe_prober *p, int64_t now_us, struct bwe_cluster *c)
{
    if (p->state != BWE_PROBER_DUE)
        return false;
    p->state = BWE_PROBER_OUT;
    p->asked_us = now_us;
    p->sent_packets = p->sent_bytes = 0;
    p->packets = p->bytes = 0;
    p->asked++;
    *c = p->burst;
    return true;
}

int64_t bwe_prober_next_us(const struct bwe_prober *p)
{
    if (p->state == BWE_PROBER_DUE)
        return p->asked_us;
    int64_t next_us = p->look_us ? p->look_us : TIME_NEVER_US;
    if (p->state == BWE_PROBER_OUT)
        next_us = time_min_us(next_us, p->asked_us + BWE_PROBE_GIVE_UP_US);
    return next_us;
}

static bool is_out(const struct bwe_prober *p)
{
    return p->sent_packets >= p->burst.min_packets && p->sent_bytes >= p->burst.min_bytes;
}

uint8_t bwe_prober_sent(struct bwe_prober *p, uint8_t id, size_t bytes, int64_t now_us)
{
    if (p->state != BWE_PROBER_OUT || is_out(p) || (p->sent_packets == 0 && id != p->burst.id))
        return 0;
    if (id == p->burst.id) {
        p->sent_packets++;
        p->sent_bytes += (uint32_t)bytes;
        /* The answer is waited for from the last one on. */
        p->asked_us = now_us;
    }
    return p->burst.id;
}

void bwe_prober_arrived(struct bwe_prober *p, uint8_t id, size_t bytes, int64_t sent_us,
                        int64_t arrival_us)
{
    if (p->state != BWE_PROBER_OUT || id == 0 || id != p->burst.id)
        return;
    uint32_t n = (uint32_t)bytes;
    if (p->packets == 0 || sent_us < p->first_sent_us)
        p->first_sent_us = sent_us;
    if (p->packets == 0 || sent_us >= p->last_sent_us) {
        p->last_sent_us = sent_us;
        p->last_sent_bytes = n;
    }
    if (p->packets == 0 || arrival_us < p->first_arrival_us) {
        p->first_arrival_us = arrival_us;
        p->first_arrival_bytes = n;
    }
    if (p->packets == 0 || arrival_us > p->last_arrival_us)
        p->last_arrival_us = arrival_us;
    p->packets++;
    p->bytes += n;
}

/* Bits a second, or 0 when the times say nothing. */
static double rate(uint32_t bytes, int64_t us)
{
    if (us <= 0 || us > LONGEST_US)
        return 0;
    return (double)bytes * 8 * 1000000 / (double)us;
}

static double shown(const struct bwe_prober *p)
{
    double sent = rate(p->bytes - p->last_sent_bytes, p->last_sent_us - p->first_sent_us);
    double arrived =
        rate(p->bytes - p->first_arrival_bytes, p->last_arrival_us - p->first_arrival_us);
    if (sent <= 0 || arrived <= 0 || arrived > TOO_MUCH * sent)
        return 0;
    return arrived < SLOWER * sent ? OF_SLOWER * arrived : fmin(sent, arrived);
}

double bwe_prober_result(struct bwe_prober *p, double target_bps, int64_t now_us)
{
    if (p->state != BWE_PROBER_OUT || !is_out(p) || p->packets < ENOUGH * p->burst.min_packets ||
        p->bytes < ENOUGH * p->burst.min_bytes)
        return 0;
    p->state = BWE_PROBER_IDLE;
    double bps = shown(p);
    if (bps <= 0)
        return 0;
    p->good++;
    p->longer = bps > target_bps ? 0 : p->longer < BWE_PROBER_LONGER ? p->longer + 1 : p->longer;
    if (bps >= BWE_PROBER_GOOD * p->burst.bps)
        ask(p, TIMES * bps, fmax(bps, target_bps), now_us);
    return bps;
}
