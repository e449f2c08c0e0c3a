/* vp9.h - the VP9 payload descriptor (RFC 9628 4.2). Pure. */
#ifndef ALTHING_WORKER_WIRE_VP9_H
#define ALTHING_WORKER_WIRE_VP9_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VP9_HEAD_MAX 5 /* bytes */

struct vp9 {
    uint16_t picture_id; /* 7 or 15 bits */
    uint8_t tl0picidx;
    uint8_t tid, sid;  /* temporal, spatial layer, 0..7 */
    uint8_t len;       /* of the descriptor; a scalability structure can make it over 200 */
    uint8_t n_spatial; /* of the scalability structure; 0: none here */
    uint8_t head_len;  /* bytes that vp9_compose() replaces */
    bool has_picture_id, wide_picture_id, has_tl0picidx, has_layers;
    bool inter;          /* P: predicted from earlier pictures */
    bool flexible;       /* F */
    bool start, end;     /* B, E: of a layer frame */
    bool not_referenced; /* Z: higher spatial layers do not use it */
    bool switching_up;   /* U */
    bool inter_layer;    /* D */
    bool keyframe;       /* start of the base layer of a picture that needs no earlier one */
};

int vp9_parse(const uint8_t *payload, size_t len, struct vp9 *out); /* 0, or -EBADMSG */

/* What replaces the first d->head_len bytes of the payload: with another picture id (always in its 15-bit form) and another
 * TL0PICIDX, where d has them. Picture ids that refer to others do so by difference. Returns its length. */
size_t vp9_compose(uint8_t out[static VP9_HEAD_MAX], const uint8_t *payload, const struct vp9 *d,
                   uint16_t picture_id, uint8_t tl0picidx);

#endif
