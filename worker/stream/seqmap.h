/* seqmap.h - a consumer's own sequence numbers, without a gap where packets were left out on purpose or the source was
 * switched.
 *
 * Input and output are extended numbers; what is sent is the output's low 16 bits. Invariants: no two inputs of a source map to
 * one output, outputs of a new source are above all of the one before, and an input maps to the same output every time. Where
 * the input lacks a packet (lost, late) the output lacks one too. The first output is random in 1000..32767: a receiver's
 * roll-over counter (RFC 3711 3.3.1) starts right. Bounded: the last SEQMAP_RUNS runs of inputs without a drop; what is older
 * maps to nothing.
 */
#ifndef ALTHING_WORKER_STREAM_SEQMAP_H
#define ALTHING_WORKER_STREAM_SEQMAP_H

#include <stdbool.h>
#include <stdint.h>

#define SEQMAP_RUNS 64 /* a power of two */

struct seqmap_run { /* inputs in [from, to) have the output input + shift */
    int64_t from, to, shift;
};

struct seqmap {
    struct seqmap_run runs[SEQMAP_RUNS]; /* a ring */
    uint32_t n_runs;                     /* made so far */
    bool synced;                         /* a source is set */
    int64_t newest_in;                   /* highest input, mapped or dropped */
    int64_t newest_out;                  /* highest output given; start - 1 at first */
};

void seqmap_init(struct seqmap *m, uint16_t random);
/* From input `first` of another source on (or of the same one, after a pause). skip: leave out one number, since the last frame
 * sent is not complete. */
void seqmap_switch(struct seqmap *m, int64_t first, bool skip);
/* False: dropped before, from before the switch, or too old: it must not be sent. */
bool seqmap_map(struct seqmap *m, int64_t in, int64_t *out);
void seqmap_drop(struct seqmap *m, int64_t in); /* this input is not sent, now or later */

#endif
