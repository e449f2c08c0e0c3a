/* speaker.h - who of several speaks most: dominant speaker identification (I. Volfin, I. Cohen: Dominant speaker identification for
 * multipoint videoconferencing, 2013), on the levels that senders put in each packet (RFC 6464).
 *
 * Each has the last second as SPEAKER_SLOTS slots of 20 ms. At an evaluation it is scored over three lengths: how loud the newest
 * slot is, in how many of the last five it was loud, and in how many such fives of the second it was active:
 *     score(v of n, p, lambda) = ln C(n, v) + v ln p + (n - v) ln(1 - p) - ln lambda + lambda v, at least 1e-10
 * A candidate takes over when the logarithms of its scores over the dominant one's exceed 3, 2 and 0; of several the one
 * with the largest second. Where nobody is dominant yet they are compared with silence, which never takes over: the last one to
 * speak stays dominant. What counts as loud is measured from the lowest level of the last 15 s.
 *
 * Pure: levels and the time in. A speaker is its owner's, and in at most one list.
 */
#ifndef ALTHING_WORKER_STREAM_SPEAKER_H
#define ALTHING_WORKER_STREAM_SPEAKER_H

#include <stdbool.h>
#include <stdint.h>

#define SPEAKER_SLOT_US 20000
#define SPEAKER_SLOTS   50
#define SPEAKER_MEDIUMS 10
#define SPEAKER_IDLE_US 40000 /* without a level for longer it is silent */

struct speaker {
    struct speaker *prev, *next;
    bool muted;                        /* (the owner's) is not chosen */
    uint8_t levels[SPEAKER_SLOTS];     /* 0 (silence) to 127, the newest first */
    uint8_t min_level, next_min;       /* lowest above 0; 0: none yet */
    uint16_t min_slots;                /* that next_min was looked for in */
    int64_t slot;                      /* of levels[0]: time / SPEAKER_SLOT_US; 0: none yet */
    double immediate, medium, lengthy; /* scores of the last evaluation */
};

struct speakers {
    struct speaker *list;
    struct speaker *dominant; /* NULL: none */
};

void speakers_add(struct speakers *ss, struct speaker *s);    /* zeroed but for `muted` */
bool speakers_remove(struct speakers *ss, struct speaker *s); /* true: it was the dominant one */
void speaker_level(struct speaker *s, uint8_t level, int64_t now_us);
/* Evaluates all. True: another one is dominant. */
bool speakers_choose(struct speakers *ss, int64_t now_us);

#endif
