/* pool.h - the worker's received packets: slots of 2 KiB, allocated once, each counted.
 *
 * Invariant: a slot is either free or has at least one reference. pool_get() on an empty pool is NULL: the caller makes the
 * ring with the oldest packet drop it (ring.h), or drops the new one; it never waits and never allocates. Not thread-safe.
 *
 * `rtp`, `exts` and `frame` are filled in by the receiver of the packet and never change afterwards. For a packet that an RTX
 * stream brought they say what the original said (recv.h), although the bytes in `data` are the RTX packet's.
 */
#ifndef ALTHING_WORKER_STREAM_POOL_H
#define ALTHING_WORKER_STREAM_POOL_H

#include "worker/wire/frame.h"
#include "worker/wire/rtp.h"

#include <stddef.h>
#include <stdint.h>

#define POOL_SLOT        2048 /* bytes, all of struct packet */
#define POOL_PACKET_HEAD 256
#define POOL_DATA        (POOL_SLOT - POOL_PACKET_HEAD) /* a packet's bytes: 1792 */

struct pool;

struct packet {
    struct pool *pool;
    struct packet *next_free;
    uint32_t refs;
    uint32_t len;    /* bytes in data */
    int64_t rx_us;   /* arrival */
    int64_t ext_seq; /* extended sequence number in its stream (recv.h) */
    struct rtp rtp;
    struct frame_info frame;
    struct rtp_exts exts;
    _Alignas(POOL_PACKET_HEAD) uint8_t data[POOL_DATA];
};
_Static_assert(sizeof(struct packet) == POOL_SLOT, "a slot is 2 KiB");

int pool_new(struct pool **pp, size_t slots); /* 0, -EINVAL (none) or -ENOMEM */
void pool_free(struct pool *p);               /* nothing of it may be in use; NULL is fine */
struct packet *
pool_get(struct pool *p); /* with one reference, `data` undefined, the rest zero; NULL: exhausted */
size_t pool_slots(const struct pool *p);
size_t pool_used(const struct pool *p);

static inline struct packet *packet_ref(struct packet *pk)
{
    pk->refs++;
    return pk;
}

void packet_unref(struct packet *pk); /* the last one frees the slot; NULL is fine */

static inline const uint8_t *packet_payload(const struct packet *pk)
{
    return pk->data + pk->rtp.payload_off;
}

#endif
