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

/* All of a layer's temporal cells below and with its own. */
static uint32_t cells_from(unsigned spatial, unsigned temporal)
{
    uint32_t all = (1u << FRAME_TEMPORAL_MAX) - 1;
    return (all & all << temporal) << (spatial * FRAME_TEMPORAL_MAX);
}

/* Targets are the layers of the structure. A frame that higher layers do not refer to (K-SVC) is needed by its own only. */
static void vp9_targets(const struct vp9 *d, unsigned n_spatial, struct frame_info *f)
{
    for (unsigned s = 0; s < n_spatial && s < FRAME_SPATIAL_MAX; s++) {
        f->known |= cells_from(s, 0);
        if (s == d->sid || (s > d->sid && !d->not_referenced))
            f->needs |= cells_from(s, d->tid);
    }
    f->active = f->known;
}

static int from_vp9(const uint8_t *payload, size_t len, struct frame_ctx *ctx, struct frame_info *f)
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
    f->sync_above = d.switching_up;
    if (d.n_spatial)
        ctx->vp9_layers = d.n_spatial;
    if (d.has_layers && ctx->vp9_layers > 1)
        vp9_targets(&d, ctx->vp9_layers, f);
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
    f->sync_above = h.tsa;
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
    return 0;
}

static void dd_chains(const struct dd_structure *s, const struct dd *d, struct frame_info *f)
{
    f->chained = s->n_chains > 0;
    f->number = d->frame_number;
    for (unsigned t = 0; t < s->n_targets; t++) {
        if (s->target_chain[t] >= DD_CHAINS || s->target_spatial[t] >= FRAME_SPATIAL_MAX)
            f->chained = false;
        else
            f->chain[s->target_spatial[t]] = d->chain_diff[s->target_chain[t]];
    }
}

static void dd_targets(const struct dd_structure *s, const struct dd *d, uint32_t active,
                       struct frame_info *f)
{
    for (unsigned t = 0; t < s->n_targets; t++) {
        uint32_t cell = FRAME_CELL(s->target_spatial[t], s->target_temporal[t]);
        enum dd_dti dti = dd_dti_of(d->dti, t);
        f->known |= cell;
        f->active |= active >> t & 1 ? cell : 0;
        f->needs |= dti != DD_NOT_PRESENT ? cell : 0;
        f->switches |= dti == DD_SWITCH ? cell : 0;
    }
}

/* The descriptor knows better than the payload: it is there to be read by routers. 0; -1: it says nothing. */
static int refine(const struct rtp_exts *exts, struct frame_ctx *ctx, struct frame_info *f)
{
    struct dd d;
    if (dd_parse(exts->dd, exts->dd_len, &ctx->dd, &d) < 0)
        return -1;
    if (d.has_structure || d.has_active)
        ctx->active_targets = d.has_active ? d.active_targets : UINT32_MAX;
    f->start = d.start;
    f->end = d.end;
    f->keyframe = d.start && d.has_structure;
    f->has_temporal = true;
    f->temporal = d.temporal;
    f->spatial = d.spatial;
    f->sync = f->sync_above = false;
    dd_targets(&ctx->dd, &d, ctx->active_targets, f);
    if (ctx->dd.n_chains)
        dd_chains(&ctx->dd, &d, f);
    return 0;
}

static int read_payload(enum frame_codec codec, const uint8_t *payload, size_t len,
                        struct frame_ctx *ctx, struct frame_info *f)
{
    switch (codec) {
    case FRAME_CODEC_VP8:
        return from_vp8(payload, len, f);
    case FRAME_CODEC_VP9:
        return from_vp9(payload, len, ctx, f);
    case FRAME_CODEC_H264:
    case FRAME_CODEC_H265:
        return from_h26x(codec, payload, len, f);
    case FRAME_CODEC_AV1:
        return from_av1(payload, len, f);
    case FRAME_CODEC_OPUS:
        f->dtx = opus_is_dtx(payload, len);
        break;
    case FRAME_CODEC_RED: /* wire/red.h reads it, for each receiver */
    case FRAME_CODEC_OTHER:
        break;
    }
    f->keyframe = f->start = f->end = f->sync = true;
    return 0;
}

int frame_parse(enum frame_codec codec, const uint8_t *payload, size_t len, bool marker,
                const struct rtp_exts *exts, struct frame_ctx *ctx, struct frame_info *out)
{
    bool described =
        (codec == FRAME_CODEC_AV1 || codec == FRAME_CODEC_H264 || codec == FRAME_CODEC_H265) &&
        exts && exts->present & RTP_EXT_BIT(RTP_EXT_DEPENDENCY_DESCRIPTOR);
    *out = (struct frame_info){.end = marker};
    int err = read_payload(codec, payload, len, ctx, out);
    if (err < 0)
        *out = (struct frame_info){.end = marker};
    if (described && refine(exts, ctx, out) == 0)
        err = 0;
    return err;
}
