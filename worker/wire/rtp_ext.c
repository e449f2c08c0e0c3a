/* rtp_ext.c - header extensions: what they are named, reading and writing their values (RFC 8285). */
#include "lib/cursor.h"
#include "worker/wire/rtp.h"

#include <errno.h>
#include <string.h>

#define PROFILE_ONE_BYTE 0xbede
#define PROFILE_TWO_BYTE 0x1000 /* and the next fifteen */
#define ID_STOP          15     /* in the one-byte form: nothing after it is looked at */
#define ONE_BYTE_MAX     16     /* longest value of the one-byte form */

void rtp_ext_map_init(struct rtp_ext_map *m)
{
    memset(m, 0, sizeof(*m));
}

int rtp_ext_map_set(struct rtp_ext_map *m, enum rtp_ext_type type, uint32_t id)
{
    if (type <= RTP_EXT_NONE || type >= RTP_EXT_COUNT || id == 0 || id > 255)
        return -EINVAL;
    if (m->type_of[id] || m->id_of[type])
        return -EEXIST;
    m->type_of[id] = (uint8_t)type;
    m->id_of[type] = (uint8_t)id;
    return 0;
}

static int32_t signed24(uint32_t v)
{
    return v & 0x800000 ? (int32_t)v - 0x1000000 : (int32_t)v;
}

/* The length of a value that always has the same; 0: at least one byte. */
static const uint8_t fixed_len[RTP_EXT_COUNT] = {
    [RTP_EXT_ABS_SEND_TIME] = 3,     [RTP_EXT_TRANSPORT_CC] = 2, [RTP_EXT_AUDIO_LEVEL] = 1,
    [RTP_EXT_VIDEO_ORIENTATION] = 1, [RTP_EXT_TOFFSET] = 3,      [RTP_EXT_PLAYOUT_DELAY] = 3,
};

static bool length_is_right(enum rtp_ext_type type, size_t len)
{
    if (type == RTP_EXT_ABS_CAPTURE_TIME)
        return len == 8 || len == 16;
    return fixed_len[type] ? len == fixed_len[type] : len > 0;
}

static void read_value(struct rtp_exts *x, enum rtp_ext_type type, const uint8_t *p, uint8_t len)
{
    struct reader v = reader_of(p, len);
    switch (type) {
    case RTP_EXT_MID:
        x->mid = p;
        x->mid_len = len;
        break;
    case RTP_EXT_RID:
        x->rid = p;
        x->rid_len = len;
        break;
    case RTP_EXT_REPAIRED_RID:
        x->rrid = p;
        x->rrid_len = len;
        break;
    case RTP_EXT_DEPENDENCY_DESCRIPTOR:
        x->dd = p;
        x->dd_len = len;
        break;
    case RTP_EXT_ABS_SEND_TIME:
        x->abs_send_time = reader_u24(&v);
        break;
    case RTP_EXT_TRANSPORT_CC:
        x->twcc = reader_u16(&v);
        break;
    case RTP_EXT_AUDIO_LEVEL:
        x->audio_level = reader_u8(&v);
        x->vad = x->audio_level >> 7;
        x->audio_level &= 0x7f;
        break;
    case RTP_EXT_VIDEO_ORIENTATION:
        x->orientation = reader_u8(&v);
        break;
    case RTP_EXT_TOFFSET:
        x->toffset = signed24(reader_u24(&v));
        break;
    case RTP_EXT_ABS_CAPTURE_TIME:
        x->capture_ntp = reader_u64(&v);
        x->has_capture_offset = len == 16;
        x->capture_offset = x->has_capture_offset ? (int64_t)reader_u64(&v) : 0;
        break;
    case RTP_EXT_PLAYOUT_DELAY:
        x->playout_max = (uint16_t)reader_u24(&v) & 0xfff;
        x->playout_min = (uint16_t)(p[0] << 4 | p[1] >> 4);
        break;
    case RTP_EXT_NONE:
    case RTP_EXT_COUNT:
        break;
    }
}

static void take_element(struct rtp_exts *x, const struct rtp_ext_map *m, uint8_t id,
                         const uint8_t *p, size_t len)
{
    enum rtp_ext_type type = m->type_of[id];
    if (type == RTP_EXT_NONE || x->present & RTP_EXT_BIT(type) || !length_is_right(type, len))
        return;
    read_value(x, type, p, (uint8_t)len);
    x->present |= RTP_EXT_BIT(type);
}

int rtp_ext_parse(const uint8_t *data, const struct rtp *h, const struct rtp_ext_map *m,
                  struct rtp_exts *out)
{
    memset(out, 0, sizeof(*out));
    bool two = (h->ext_profile & 0xfff0) == PROFILE_TWO_BYTE;
    if (h->ext_len == 0 || (!two && h->ext_profile != PROFILE_ONE_BYTE))
        return 0;
    struct reader r = reader_of(data + h->ext_off, h->ext_len);
    while (reader_left(&r)) {
        uint8_t id = reader_u8(&r);
        if (id == 0)
            continue;
        size_t len;
        if (two) {
            len = reader_u8(&r);
        } else {
            len = (size_t)(id & 0x0f) + 1;
            id >>= 4;
            if (id == ID_STOP)
                break;
        }
        const uint8_t *p = reader_take(&r, len);
        if (!p)
            return -EBADMSG;
        take_element(out, m, id, p, len);
    }
    return 0;
}

static size_t value_len(const struct rtp_exts *x, enum rtp_ext_type type)
{
    switch (type) {
    case RTP_EXT_MID:
        return x->mid_len;
    case RTP_EXT_RID:
        return x->rid_len;
    case RTP_EXT_REPAIRED_RID:
        return x->rrid_len;
    case RTP_EXT_DEPENDENCY_DESCRIPTOR:
        return x->dd_len;
    case RTP_EXT_ABS_CAPTURE_TIME:
        return x->has_capture_offset ? 16 : 8;
    default:
        return fixed_len[type];
    }
}

static void write_capture_time(struct writer *w, const struct rtp_exts *x)
{
    writer_u64(w, x->capture_ntp);
    if (x->has_capture_offset)
        writer_u64(w, (uint64_t)x->capture_offset);
}

static void write_value(struct writer *w, const struct rtp_exts *x, enum rtp_ext_type type)
{
    switch (type) {
    case RTP_EXT_MID:
        writer_bytes(w, x->mid, x->mid_len);
        break;
    case RTP_EXT_RID:
        writer_bytes(w, x->rid, x->rid_len);
        break;
    case RTP_EXT_REPAIRED_RID:
        writer_bytes(w, x->rrid, x->rrid_len);
        break;
    case RTP_EXT_DEPENDENCY_DESCRIPTOR:
        writer_bytes(w, x->dd, x->dd_len);
        break;
    case RTP_EXT_ABS_SEND_TIME:
        writer_u24(w, x->abs_send_time);
        break;
    case RTP_EXT_TRANSPORT_CC:
        writer_u16(w, x->twcc);
        break;
    case RTP_EXT_AUDIO_LEVEL:
        writer_u8(w, (uint8_t)(x->vad << 7 | (x->audio_level & 0x7f)));
        break;
    case RTP_EXT_VIDEO_ORIENTATION:
        writer_u8(w, x->orientation);
        break;
    case RTP_EXT_TOFFSET:
        writer_u24(w, (uint32_t)x->toffset);
        break;
    case RTP_EXT_ABS_CAPTURE_TIME:
        write_capture_time(w, x);
        break;
    case RTP_EXT_PLAYOUT_DELAY:
        writer_u24(w, (uint32_t)(x->playout_min & 0xfff) << 12 | (x->playout_max & 0xfff));
        break;
    case RTP_EXT_NONE:
    case RTP_EXT_COUNT:
        break;
    }
}

/* The types to write, in the order of their numbers. */
static uint32_t wanted(const struct rtp_exts *x, const struct rtp_ext_map *m)
{
    uint32_t set = 0;
    for (enum rtp_ext_type t = RTP_EXT_NONE + 1; t < RTP_EXT_COUNT; t++)
        if (x->present & RTP_EXT_BIT(t) && m->id_of[t])
            set |= RTP_EXT_BIT(t);
    return set;
}

static bool fits_one_byte(const struct rtp_exts *x, const struct rtp_ext_map *m, uint32_t set)
{
    for (enum rtp_ext_type t = RTP_EXT_NONE + 1; t < RTP_EXT_COUNT; t++) {
        if (!(set & RTP_EXT_BIT(t)))
            continue;
        size_t len = value_len(x, t);
        if (m->id_of[t] >= ID_STOP || len == 0 || len > ONE_BYTE_MAX)
            return false;
    }
    return true;
}

static void write_block(struct writer *w, const struct rtp_exts *x, const struct rtp_ext_map *m,
                        uint32_t set)
{
    bool one = fits_one_byte(x, m, set);
    writer_u16(w, one ? PROFILE_ONE_BYTE : PROFILE_TWO_BYTE);
    uint8_t *words = writer_take(w, 2);
    size_t start = writer_len(w);
    for (enum rtp_ext_type t = RTP_EXT_NONE + 1; t < RTP_EXT_COUNT; t++) {
        if (!(set & RTP_EXT_BIT(t)))
            continue;
        size_t len = value_len(x, t);
        if (one) {
            writer_u8(w, (uint8_t)((size_t)m->id_of[t] << 4 | (len - 1)));
        } else {
            writer_u8(w, m->id_of[t]);
            writer_u8(w, (uint8_t)len);
        }
        write_value(w, x, t);
    }
    while ((writer_len(w) - start) % 4 && !w->bad)
        writer_u8(w, 0);
    if (w->bad)
        return;
    size_t n = (writer_len(w) - start) / 4;
    words[0] = (uint8_t)(n >> 8);
    words[1] = (uint8_t)n;
}

size_t rtp_compose(uint8_t *out, size_t cap, const struct rtp *h, const struct rtp_exts *exts,
                   const struct rtp_ext_map *m)
{
    uint32_t set = exts && m ? wanted(exts, m) : 0;
    struct writer w = writer_of(out, cap);
    writer_u8(&w, (uint8_t)(0x80 | (h->pad_len ? 0x20 : 0) | (set ? 0x10 : 0)));
    writer_u8(&w, (uint8_t)(h->marker << 7 | (h->pt & 0x7f)));
    writer_u16(&w, h->seq);
    writer_u32(&w, h->ts);
    writer_u32(&w, h->ssrc);
    if (set)
        write_block(&w, exts, m, set);
    return w.bad ? 0 : writer_len(&w);
}
