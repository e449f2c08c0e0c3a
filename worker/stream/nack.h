/* nack.h - which packets to ask for again, and when (RFC 4585 6.2.1).
 *
 * Invariant: `missing` holds exactly the numbers in (first, newest] not yet received and not yet given up; at most conf.max of
 * them, none more than NACK_MAX_AGE behind newest. A number is first due NACK_DELAY_US after it was found missing (it may be
 * only late), then every round trip, NACK_RETRIES times, then given up. When there would be more than conf.max, those before
 * the last key frame are given up; if that is not enough, all are, and only a key frame helps: nack_needs_key(). Pure: no
 * clock, no I/O; one allocation at its making.
 */
#ifndef ALTHING_WORKER_STREAM_NACK_H
#define ALTHING_WORKER_STREAM_NACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NACK_MAX            1000
#define NACK_MAX_AUDIO      128
#define NACK_MAX_AGE        10000
#define NACK_RETRIES        10
#define NACK_DELAY_US       10000
#define NACK_DEFAULT_RTT_US 100000
#define NACK_MIN_SPACING_US 20000 /* not asked for again sooner than this */

struct nack;

int nack_new(struct nack **np, size_t max); /* max: 1..NACK_MAX; 0 or -EINVAL */
void nack_free(struct nack *n);             /* NULL is fine */
void nack_received(struct nack *n, int64_t ext_seq, bool keyframe,
                   int64_t now_us); /* RTX repairs too */
/* Those that are due, ascending; they count as asked for. More than max: call again. */
size_t nack_due(struct nack *n, int64_t now_us, uint16_t *seqs, size_t max);
int64_t nack_next_us(const struct nack *n); /* TIME_NEVER_US: nothing pending */
void nack_set_rtt(struct nack *n, int64_t rtt_us);
bool nack_needs_key(struct nack *n); /* too much was lost; true once an occasion */
void nack_reset(struct nack *n);     /* the stream starts anew */
size_t nack_missing(const struct nack *n);

#endif
