/* bwe_loss.h - the loss part: a limit where more is lost than the path loses anyhow (draft-ietf-rmcat-gcc-02 6, with a twist).
 *
 * Once a period (BWE_LOSS_PERIOD_US and BWE_LOSS_PACKETS packets at least), by the share lost in it:
 *
 *     share > inherent + 10 %    the limit falls to rate (1 - share / 2)
 *     share < inherent +  2 %    it grows by 8 % a second, and goes when it is well over the rate
 *
 * The twist: loss that does not become less when less is sent is not ours, as on a bad radio. After a fall from share s by factor
 * f, a full queue would lose 1 - (1 - s) / f; if what is lost next is nearer to s than to that, it is `inherent`, up to
 * BWE_LOSS_INHERENT_MAX. That follows what is measured down again. Plain struct.
 */
#ifndef ALTHING_WORKER_CC_BWE_LOSS_H
#define ALTHING_WORKER_CC_BWE_LOSS_H

#include <stdbool.h>
#include <stdint.h>

#define BWE_LOSS_PERIOD_US     500000
#define BWE_LOSS_PACKETS       40
#define BWE_LOSS_PERIOD_MAX_US 3000000 /* then fewer packets do */
#define BWE_LOSS_INHERENT_MAX  0.25

struct bwe_loss {
    double bps; /* the limit; 0: none */
    double share;
    double inherent;
    int64_t since_us; /* the period's beginning; 0: not begun */
    int64_t lost, total;
    double fell_from, fell_by; /* share and factor of a fall that is not judged yet; fell_by 0: none */
};

/* lost: below 0 when packets that had been told lost arrived after all. */
void bwe_loss_take(struct bwe_loss *l, int lost, unsigned total);
void bwe_loss_forget(struct bwe_loss *l); /* what was taken in this period */
/* rate_bps: what may be sent now. */
void bwe_loss_update(struct bwe_loss *l, double rate_bps, int64_t rtt_us, int64_t now_us);
void bwe_loss_raise(struct bwe_loss *l, double bps); /* a probe went well: a limit is at least this */

#endif
