/* score.h - how well a stream does, 0 (nothing comes) to 10.
 *
 * A sample for each report interval:
 *     weight = (1 / (repaired/received + 1))^4 * (repaired/retransmitted, if anything was retransmitted)
 *     lost'  = max(0, lost - repaired * weight)
 *     sample = round(((received - lost') / received)^4 * 10);   nothing expected: 10, nothing received: 0
 * The score is the mean of the last 24 samples, the newest weighing 24 times the oldest. It starts at 10. A stream that is
 * silent for too long has 0 at once, until its next packet, with which it starts again at 10. Plain struct.
 */
#ifndef ALTHING_WORKER_STREAM_SCORE_H
#define ALTHING_WORKER_STREAM_SCORE_H

#include <stdbool.h>
#include <stdint.h>

#define SCORE_MAX            10
#define SCORE_HISTORY        24
#define SCORE_SILENCE_US     1500000
#define SCORE_SILENCE_DTX_US 5000000

struct score_counts { /* of one interval */
    uint64_t expected;
    uint64_t received; /* or sent */
    uint64_t lost;
    uint64_t repaired;      /* of the lost */
    uint64_t retransmitted; /* how many resends that took */
};

struct score {
    uint8_t samples[SCORE_HISTORY];
    uint8_t count, next; /* samples held; place of the next */
    uint8_t value;
    bool silent;
};

void score_init(struct score *s);                                 /* 10; also at a layer switch */
bool score_sample(struct score *s, const struct score_counts *c); /* true: the value changed */
bool score_silence(struct score *s);                              /* value 0; true: it changed */
bool score_heard(struct score *s); /* ends a silence; true: it changed */

#endif
