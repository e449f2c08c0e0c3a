/* ring.h - the packets of one received stream, by extended sequence number: the retransmission history of all its consumers.
 *
 * Invariant: holds at most `slots` packets, all with ext_seq in (newest - slots, newest], and after ring_expire() none older than
 * `max_age_us` but behind one that came late. What falls out of the range is unreferenced: the oldest goes first.
 */
#ifndef ALTHING_WORKER_STREAM_RING_H
#define ALTHING_WORKER_STREAM_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RING_SLOTS_MAX    4096 /* 2500 packets, rounded up */
#define RING_SLOTS_AUDIO  256
#define RING_AGE_VIDEO_US 2000000
#define RING_AGE_AUDIO_US 1000000

struct packet;
struct ring;

int ring_new(struct ring **rp, size_t slots,
             int64_t max_age_us); /* slots: rounded up to a power of two; 0 or -EINVAL */
void ring_free(struct ring *r);   /* drops its references; NULL is fine */
/* Takes a reference of its own. False: it is a duplicate or too old, and not taken. */
bool ring_put(struct ring *r, struct packet *pk);
struct packet *ring_get(const struct ring *r, int64_t ext_seq); /* borrowed; NULL: not at hand */
void ring_expire(struct ring *r, int64_t now_us);
bool ring_drop_oldest(struct ring *r);        /* false: it is empty */
void ring_clear(struct ring *r);              /* the stream starts anew */
int64_t ring_oldest_us(const struct ring *r); /* arrival of the oldest; TIME_NEVER_US: empty */
size_t ring_count(const struct ring *r);

#endif
