/* ctl_cause.h - whose quality is bad, and the likely cause in words.
 *
 * Judged from one snapshot: what the counters say of the last second or so. A stream is bad when nothing comes although it should,
 * its score is below CTL_SCORE_GOOD, it loses CTL_LOSS_BAD or more, its round trip takes CTL_RTT_BAD_US or more, its jitter is
 * CTL_JITTER_BAD_MS or more, or its receiver gets fewer layers than it asks for. The cause is looked for from the sender on: what
 * is lost on the way to the server is not blamed on the way from it. A cause begins with what is wrong: its end may be cut off.
 */
#ifndef ALTHING_OBSERVER_CTL_CAUSE_H
#define ALTHING_OBSERVER_CTL_CAUSE_H

#include "observer/ctl_model.h"

#define CTL_SCORE_GOOD    7
#define CTL_LOSS_BAD      5 /* of 256: 2 % */
#define CTL_RTT_BAD_US    300000
#define CTL_JITTER_BAD_MS 60
#define CTL_CAUSE_MAX     160

/* 0: nothing is wrong; else how bad it is, 1 to 100, and the cause. */
unsigned ctl_cause(const struct ctl_stream *s, char cause[static CTL_CAUSE_MAX]);

#endif
