/* vp9.h - the VP9 payload descriptor (RFC 9628 4.2). Pure. */
#ifndef ALTHING_WORKER_WIRE_VP9_H
#define ALTHING_WORKER_WIRE_VP9_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vp9 {
    uint16_t picture_id; /* 7 or 15 bits */
    uint8_t tl0picidx;
    uint8_t tid, sid;  /* temporal, spatial layer, 0..7 */
    uint8_t len;       /* of the descriptor; a scalability structure can make it over 200 */
    uint8_t n_spatial; /* of the scalability structure; 0: none here */
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

#endif
