/* frame.h - which part of which frame a payload is, whatever the codec. Pure; the context is the caller's, one a stream.
 *
 * For a codec that nothing is known of every packet is a frame of its own, start and key frame: it can be forwarded at any point.
 */
#ifndef ALTHING_WORKER_WIRE_FRAME_H
#define ALTHING_WORKER_WIRE_FRAME_H

#include "worker/wire/dd.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rtp_exts;

/* The numbers of proto/worker.proto. */
enum frame_codec {
    FRAME_CODEC_OTHER = 0,
    FRAME_CODEC_OPUS = 1,
    FRAME_CODEC_VP8 = 2,
    FRAME_CODEC_VP9 = 3,
    FRAME_CODEC_H264 = 4,
    FRAME_CODEC_AV1 = 5,
    FRAME_CODEC_H265 = 6,
};

/* What must be known from earlier packets of the stream. Zeroed at its start. */
struct frame_ctx {
    struct dd_structure dd;
};

struct frame_info {
    uint16_t picture_id; /* VP8, VP9: 7 or 15 bits */
    uint8_t tl0picidx;   /* VP8, VP9 */
    uint8_t spatial;     /* layer, 0 when not said */
    uint8_t temporal;    /* layer, 0 when not said */
    uint8_t desc_len;    /* VP8: bytes that vp8_compose() replaces; else 0 */
    bool keyframe;       /* this packet starts one: from here a decoder can start */
    bool start, end;     /* first, last packet of a frame (of a layer frame) */
    bool sync;           /* from this frame on its temporal layer can be decoded */
    bool sync_above;     /* VP9: after this frame all higher temporal layers can be decoded */
    bool has_picture_id, has_tl0picidx;
    bool wide_picture_id; /* 15 bits, else 7 */
    bool has_temporal;    /* the layer was said */
    bool not_referenced;  /* VP9: higher spatial layers do not need it */
    bool inter;           /* VP9: it needs earlier pictures */
    bool dtx;             /* Opus: silence */
};

/* exts may be NULL; its dependency descriptor is read for AV1, H.264 and H.265. 0; -EBADMSG: the payload is malformed or empty,
 * *out is zeroed but for `end`: forward it, or not, as if nothing were known. */
int frame_parse(enum frame_codec codec, const uint8_t *payload, size_t len, bool marker,
                const struct rtp_exts *exts, struct frame_ctx *ctx, struct frame_info *out);

#endif
