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
    FRAME_CODEC_RED = 7,
};

#define FRAME_SPATIAL_MAX  4
#define FRAME_TEMPORAL_MAX 8
/* A decode target by its layers, as a bit. */
#define FRAME_CELL(spatial, temporal) (UINT32_C(1) << ((spatial)*FRAME_TEMPORAL_MAX + (temporal)))

/* What must be known from earlier packets of the stream. Zeroed at its start. */
struct frame_ctx {
    struct dd_structure dd;
    uint32_t active_targets; /* of the dependency descriptor: a bit each */
    uint8_t vp9_layers;      /* spatial ones that the scalability structure named last; 0: none yet */
};

struct frame_info {
    uint16_t picture_id; /* VP8, VP9: 7 or 15 bits */
    uint8_t tl0picidx;   /* VP8, VP9 */
    uint8_t spatial;     /* layer, 0 when not said */
    uint8_t temporal;    /* layer, 0 when not said */
    uint8_t desc_len;    /* VP8: bytes that vp8_compose() replaces; else 0 */
    uint16_t number;     /* of the frame (dependency descriptor), modulo 2^16; only when chained */
    /* Decode targets (FRAME_CELL()). known: those there may be, 0: not said, then spatial and temporal tell all. Of these: */
    uint32_t known;
    uint32_t active;   /* are sent now */
    uint32_t needs;    /* need this frame */
    uint32_t switches; /* can be switched to at this frame, if what it refers to is there */
    /* By spatial layer: how many frames before this one is the one before it that decoding the layer cannot do without; 0: none. */
    uint8_t chain[FRAME_SPATIAL_MAX];
    bool chained;
    bool keyframe;       /* this packet starts one: from here a decoder can start */
    bool start, end;     /* first, last packet of a frame (of a layer frame) */
    bool sync;           /* VP8: this frame needs none but of layer 0: from it on its temporal layer can be decoded */
    bool sync_above;     /* VP9, H.265: if this frame can be decoded, so can all of higher temporal layers after it */
    bool has_picture_id, has_tl0picidx;
    bool wide_picture_id; /* 15 bits, else 7 */
    bool has_temporal;    /* the layer was said */
    bool dtx;             /* Opus: silence */
};

/* exts may be NULL; its dependency descriptor is read for AV1, H.264 and H.265, and is then enough: the payload may be encrypted.
 * 0; -EBADMSG: the payload is malformed or empty and nothing describes it, *out is zeroed but for `end`: forward it, or not, as
 * if nothing were known. */
int frame_parse(enum frame_codec codec, const uint8_t *payload, size_t len, bool marker,
                const struct rtp_exts *exts, struct frame_ctx *ctx, struct frame_info *out);

#endif
