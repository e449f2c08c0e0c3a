#include "worker/wire/h26x.h"

#include "lib/cursor.h"

#include <errno.h>

enum { H264_IDR = 5, H264_SPS = 7, H264_STAP_A = 24, H264_FU_A = 28, H264_FU_B = 29 };
enum {
    H265_TSA_N = 2,
    H265_TSA_R = 3,
    H265_BLA = 16,
    H265_IRAP_LAST = 23,
    H265_VPS = 32,
    H265_SPS = 33,
    H265_AP = 48,
    H265_FU = 49
};

/* A slice counts only when it is a picture's first: its first bit says so, in H.264 as first_mb_in_slice 0 (7.3.3), in H.265 as
 * first_slice_segment_in_pic_flag (7.3.6.1). */
static bool h264_is_key(uint8_t type, struct reader unit)
{
    return type == H264_SPS || (type == H264_IDR && reader_u8(&unit) & 0x80);
}

static bool h265_is_key(uint8_t type, struct reader unit)
{
    bool irap = type >= H265_BLA && type <= H265_IRAP_LAST;
    return type == H265_VPS || type == H265_SPS || (irap && reader_u8(&unit) & 0x80);
}

/* The units of an aggregate, each behind its 16-bit length. */
static int h264_aggregate(struct reader *r, struct h26x *out)
{
    do {
        struct reader unit = reader_sub(r, reader_u16(r));
        uint8_t type = reader_u8(&unit) & 0x1f;
        if (r->bad || unit.bad)
            return -EBADMSG;
        out->keyframe |= h264_is_key(type, unit);
    } while (reader_left(r));
    return 0;
}

static int h265_aggregate(struct reader *r, struct h26x *out)
{
    do {
        struct reader unit = reader_sub(r, reader_u16(r));
        uint8_t type = reader_u16(&unit) >> 9 & 0x3f;
        if (r->bad || unit.bad)
            return -EBADMSG;
        out->tsa |= type == H265_TSA_N || type == H265_TSA_R;
        out->keyframe |= h265_is_key(type, unit);
    } while (reader_left(r));
    return 0;
}

int h264_parse(const uint8_t *payload, size_t len, struct h26x *out)
{
    struct reader r = reader_of(payload, len);
    uint8_t type = reader_u8(&r) & 0x1f;
    *out = (struct h26x){.start = true};
    if (r.bad)
        return -EBADMSG;
    if (type == H264_STAP_A)
        return h264_aggregate(&r, out);
    if (type == H264_FU_A || type == H264_FU_B) {
        uint8_t fu = reader_u8(&r);
        if (r.bad)
            return -EBADMSG;
        if (type == H264_FU_B)
            reader_u16(&r); /* DON */
        out->start = fu & 0x80;
        out->keyframe = out->start && h264_is_key(fu & 0x1f, r);
        return 0;
    }
    out->keyframe = h264_is_key(type, r);
    return 0;
}

int h265_parse(const uint8_t *payload, size_t len, struct h26x *out)
{
    struct reader r = reader_of(payload, len);
    uint16_t header = reader_u16(&r);
    uint8_t type = header >> 9 & 0x3f;
    *out = (struct h26x){.start = true};
    /* The field is one more than the layer and never 0 (RFC 7798 1.1.4). */
    if (r.bad || (header & 7) == 0)
        return -EBADMSG;
    out->tid = (uint8_t)((header & 7) - 1);
    out->tsa = type == H265_TSA_N || type == H265_TSA_R;
    if (type == H265_AP)
        return h265_aggregate(&r, out);
    if (type == H265_FU) {
        uint8_t fu = reader_u8(&r);
        if (r.bad)
            return -EBADMSG;
        out->start = fu & 0x80;
        out->tsa = (fu & 0x3f) == H265_TSA_N || (fu & 0x3f) == H265_TSA_R;
        out->keyframe = out->start && h265_is_key(fu & 0x3f, r);
        return 0;
    }
    out->keyframe = h265_is_key(type, r);
    return 0;
}
