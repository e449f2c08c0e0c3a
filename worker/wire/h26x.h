/* h26x.h - where an H.264 (RFC 6184 5) or H.265 (RFC 7798 4.4) payload starts a frame that can be decoded alone. Pure. */
#ifndef ALTHING_WORKER_WIRE_H26X_H
#define ALTHING_WORKER_WIRE_H26X_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A key frame is told by an SPS or IDR slice (H.265: VPS, SPS or IRAP slice) as a single unit, in an aggregate, or at the start
 * of a fragmented unit. */
struct h26x {
    bool keyframe;
    bool start;  /* not the rest of a fragmented unit */
    bool tsa;    /* H.265 only: after this picture none refers to one before it of its temporal layer or above */
    uint8_t tid; /* H.265 only: temporal layer, 0..6 */
};

int h264_parse(const uint8_t *payload, size_t len, struct h26x *out); /* 0, or -EBADMSG */
int h265_parse(const uint8_t *payload, size_t len, struct h26x *out); /* 0, or -EBADMSG */

#endif
