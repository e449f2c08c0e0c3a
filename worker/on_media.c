#include "worker/on_methods.h"

#include <errno.h>
#include <string.h>

int on_media_string(char *out, size_t cap, const char *in)
{
    size_t len = strlen(in);
    if (len >= cap)
        return -EINVAL;
    for (size_t i = 0; i < len; i++) {
        if (in[i] <= ' ' || in[i] == 0x7f)
            return -EINVAL;
    }
    memcpy(out, in, len + 1);
    return 0;
}

int on_media_codec(struct params_codec *out, const Althing__Codec *in)
{
    if (in->payload_type > 127 || in->clock_rate == 0 || in->clock_rate > 1000000)
        return -EINVAL;
    if (in->has_rtx && (in->rtx_payload_type > 127 || in->rtx_payload_type == in->payload_type))
        return -EINVAL;
    if ((unsigned)in->type > FRAME_CODEC_RED)
        return -EINVAL;
    *out = (struct params_codec){
        .type = (enum frame_codec)in->type,
        .payload_type = (uint8_t)in->payload_type,
        .producer_payload_type = (uint8_t)in->payload_type,
        .has_rtx = in->has_rtx,
        .rtx_payload_type = (uint8_t)in->rtx_payload_type,
        .clock_rate = in->clock_rate,
        .nack = in->nack,
        .pli = in->pli,
        .fir = in->fir,
        .remb = in->remb,
        .transport_cc = in->transport_cc,
        .use_dtx = in->use_dtx,
    };
    return on_media_string(out->subtype, sizeof(out->subtype), in->mime_subtype);
}

int on_media_extensions(struct rtp_ext_map *ext, Althing__Extension *const *in, size_t n)
{
    rtp_ext_map_init(ext);
    for (size_t i = 0; i < n; i++) {
        unsigned type = (unsigned)in[i]->type;
        if (type == RTP_EXT_NONE || type >= RTP_EXT_COUNT)
            continue; /* of a newer server: not for this worker */
        if (rtp_ext_map_set(ext, (enum rtp_ext_type)type, in[i]->id))
            return -EINVAL;
    }
    return 0;
}
