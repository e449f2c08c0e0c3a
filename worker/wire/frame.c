#include "worker/wire/frame.h"

#include "worker/wire/av1.h"
#include "worker/wire/h26x.h"
#include "worker/wire/opus.h"
#include "worker/wire/rtp.h"
#include "worker/wire/vp8.h"
#include "worker/wire/vp9.h"

#include <errno.h>

static int from_vp8(const uint8_t *payload, size_t len, struct frame_info *f)
{
    struct vp8 d;
    if (vp8_parse(payload, len, &d) < 0)
        return -EBADMSG;
    f->keyframe = d.keyframe;
    f->start = d.start;
    f->desc_len = d.len;
    f->has_picture_id = d.has_picture_id;
    f->picture_id = d.picture_id;
    f->wide_picture_id = d.wide_picture_id;
    f->has_tl0picidx = d.has_tl0picidx;
    f->tl0picidx = d.tl0picidx;
    f->has_temporal = d.has_tid;
    f->temporal = d.tid;
    f->sync = d.sync || d.tid == 0;
    return 0;
}

static int from_vp9(const uint8_t *payload, size_t len, struct frame_info *f)
{
    struct vp9 d;
    if (vp9_parse(payload, len, &d) < 0)
        return -EBADMSG;
    f->keyframe = d.keyframe;
    f->start = d.start;
    f->end = d.end;
    f->has_picture_id = d.has_picture_id;
    f->picture_id = d.picture_id;
    f->wide_picture_id = d.wide_picture_id;
    f->has_tl0picidx = d.has_tl0picidx;
    f->tl0picidx = d.tl0picidx;
    f->has_temporal = d.has_layers;
    f->temporal = d.tid;
    f->spatial = d.sid;
    f->sync = d.switching_up || d.tid == 0;
    f->sync_above = d.switching_up;
    f->not_referenced = d.not_referenced;
    f->inter = d.inter;
    return 0;
}

static int from_h26x(enum frame_codec codec, const uint8_t *payload, size_t len,
                     struct frame_info *f)
{
    struct h26x h;
    int err =
        codec == FRAME_CODEC_H264 ? h264_parse(payload, len, &h) : h265_parse(payload, len, &h);
    if (err < 0)
        return err;
    f->keyframe = h.keyframe;
    f->start = h.start;
    f->temporal = h.tid;
    f->has_temporal = codec == FRAME_CODEC_H265;
    f->sync = h.tid == 0;
    return 0;
}

static int from_av1(const uint8_t *payload, size_t len, struct frame_info *f)
{
    struct av1 a;
    if (av1_parse(payload, len, &a) < 0)
        return -EBADMSG;
    f->keyframe = a.keyframe;
    f->start = !a.continues;
    f->has_temporal = a.has_layers;
    f->temporal = a.tid;
    f->spatial = a.sid;
    f->sync = a.tid == 0;
    return 0;
}

/* Whether one of the targets that this frame's layers are the highest of can be switched to at it. */
static bool switches_to_own_layer(const struct dd_structure *s, const struct dd *d)
{
    for (unsigned t = 0; t < s->n_targets; t++)
        if (s->target_temporal[t] == d->temporal && s->target_spatial[t] == d->spatial &&
            dd_dti_of(d->dti, t) == DD_SWITCH)
            return true;
    return false;
}

/* The descriptor knows better than the payload: it is there to be read by routers. */
static void refine(const struct rtp_exts *exts, struct frame_ctx *ctx, struct frame_info *f)
{
    struct dd d;
    if (dd_parse(exts->dd, exts->dd_len, &ctx->dd, &d) < 0)
        return;
    f->start = d.start;
    f->end = d.end;
    f->keyframe = d.start && d.has_structure;
    f->has_temporal = true;
    f->temporal = d.temporal;
    f->spatial = d.spatial;
    f->sync = d.temporal == 0 || switches_to_own_layer(&ctx->dd, &d);
}

static int read_payload(enum frame_codec codec, const uint8_t *payload, size_t len,
                        struct frame_info *f)
{
    switch (codec) {
    case FRAME_CODEC_VP8:
        return from_vp8(payload, len, f);
    case FRAME_CODEC_VP9:
        return from_vp9(payload, len, f);
    case FRAME_CODEC_H264:
    case FRAME_CODEC_H265:
        return from_h26x(codec, payload, len, f);
    case FRAME_CODEC_AV1:
        return from_av1(payload, len, f);
    case FRAME_CODEC_OPUS:
        f->dtx = opus_is_dtx(payload, len);
        break;
    case FRAME_CODEC_OTHER:
        break;
    }
    f->keyframe = f->start = f->end = f->sync = true;
    return 0;
}

int frame_parse(enum frame_codec codec, const uint8_t *payload, size_t len, bool marker,
                const struct rtp_exts *exts, struct frame_ctx *ctx, struct frame_info *out)
{
    *out = (struct frame_info){.end = marker};
    int err = read_payload(codec, payload, len, out);
    if (err < 0) {
        *out = (struct frame_info){.end = marker};
        return err;
    }
    bool described =
        codec == FRAME_CODEC_AV1 || codec == FRAME_CODEC_H264 || codec == FRAME_CODEC_H265;
    if (described && exts && exts->present & RTP_EXT_BIT(RTP_EXT_DEPENDENCY_DESCRIPTOR))
        refine(exts, ctx, out);
    return 0;
}
