/* vp8.h - the VP8 payload descriptor (RFC 7741 4.2, 4.3). Pure. */
#ifndef ALTHING_WORKER_WIRE_VP8_H
#define ALTHING_WORKER_WIRE_VP8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VP8_DESCRIPTOR_MAX 6 /* bytes */

struct vp8 {
    uint16_t picture_id; /* 7 or 15 bits */
    uint8_t tl0picidx;
    uint8_t tid;       /* temporal layer, 0..3 */
    uint8_t keyidx;    /* 5 bits */
    uint8_t partition; /* PID, 3 bits */
    uint8_t len;       /* of the descriptor */
    bool has_picture_id, wide_picture_id, has_tl0picidx, has_tid, has_keyidx;
    bool non_reference, partition_start; /* N, S */
    bool sync;                           /* Y */
    bool start;                          /* of a frame: S and PID 0 */
    bool keyframe;                       /* start, and the frame header's P bit is 0 */
};

int vp8_parse(const uint8_t *payload, size_t len, struct vp8 *out); /* 0, or -EBADMSG */

/* The descriptor that replaces the first d->len bytes of the payload: d's, with another picture id (always in its 15-bit form) and
 * another TL0PICIDX, where d has them. Returns its length. */
size_t vp8_compose(uint8_t out[static VP8_DESCRIPTOR_MAX], const struct vp8 *d, uint16_t picture_id,
                   uint8_t tl0picidx);

#endif
