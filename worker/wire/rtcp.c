/* rtcp.c - iterating over a compound, and the parsers. */
#include "worker/wire/rtcp.h"

#include <errno.h>

#define HEADER_LEN 4
#define REPORT_LEN 24
#define SDES_CNAME 1
#define XR_RRT     4
#define XR_DLRR    5
#define REMB_MAGIC 0x52454d42 /* "REMB" */

bool rtcp_is_rtcp(const uint8_t *data, size_t len)
{
    return len >= 2 && data[0] >> 6 == 2 && data[1] >= 192 && data[1] <= 223;
}

struct rtcp_iter rtcp_iter_of(const uint8_t *data, size_t len)
{
    return (struct rtcp_iter){reader_of(data, len), false};
}

bool rtcp_next(struct rtcp_iter *it, struct rtcp_packet *out)
{
    if (it->bad || reader_left(&it->r) == 0)
        return false;
    uint8_t first = reader_u8(&it->r);
    out->pt = reader_u8(&it->r);
    out->count = first & 0x1f;
    out->len = (size_t)reader_u16(&it->r) * 4;
    out->body = reader_take(&it->r, out->len);
    it->bad = it->r.bad || first >> 6 != 2;
    if (!it->bad && first & 0x20) {
        uint8_t pad = out->len ? out->body[out->len - 1] : 0;
        it->bad = pad == 0 || pad > out->len;
        out->len -= it->bad ? 0 : pad;
    }
    return !it->bad;
}

int rtcp_parse_sr(const struct rtcp_packet *p, struct rtcp_sr *out)
{
    struct reader r = reader_of(p->body, p->len);
    out->ssrc = reader_u32(&r);
    out->ntp = reader_u64(&r);
    out->rtp_ts = reader_u32(&r);
    out->packets = reader_u32(&r);
    out->octets = reader_u32(&r);
    return r.bad || p->pt != RTCP_SR ? -EBADMSG : 0;
}

static void read_report(struct reader *r, struct rtcp_report *out)
{
    out->ssrc = reader_u32(r);
    out->fraction = reader_u8(r);
    uint32_t lost = reader_u24(r);
    out->lost = lost & 0x800000 ? (int32_t)lost - 0x1000000 : (int32_t)lost;
    out->max_seq = reader_u32(r);
    out->jitter = reader_u32(r);
    out->lsr = reader_u32(r);
    out->dlsr = reader_u32(r);
}

int rtcp_parse_reports(const struct rtcp_packet *p, uint32_t *sender,
                       struct rtcp_report out[static RTCP_REPORTS_MAX], size_t *n)
{
    struct reader r = reader_of(p->body, p->len);
    *n = 0;
    *sender = reader_u32(&r);
    if (p->pt == RTCP_SR)
        reader_take(&r, 20);
    else if (p->pt != RTCP_RR)
        return -EBADMSG;
    for (size_t i = 0; i < p->count && i < RTCP_REPORTS_MAX; i++)
        read_report(&r, &out[i]);
    if (r.bad)
        return -EBADMSG;
    *n = p->count;
    return 0;
}

/* The items of one chunk; false: malformed. */
static bool read_sdes_chunk(struct reader *r, struct rtcp_cname *out, bool *found)
{
    const uint8_t *start = r->p;
    *found = false;
    out->ssrc = reader_u32(r);
    for (;;) {
        uint8_t type = reader_u8(r);
        if (type == 0)
            break;
        uint8_t len = reader_u8(r);
        const uint8_t *text = reader_take(r, len);
        if (!text)
            return false;
        if (type == SDES_CNAME && !*found) {
            *found = true;
            out->name = (const char *)text;
            out->len = len;
        }
    }
    reader_take(r, (size_t)(start - r->p) & 3); /* chunks start on a word */
    return !r->bad;
}

int rtcp_parse_sdes(const struct rtcp_packet *p, struct rtcp_cname out[static RTCP_SSRCS_MAX],
                    size_t *n)
{
    struct reader r = reader_of(p->body, p->len);
    *n = 0;
    if (p->pt != RTCP_SDES)
        return -EBADMSG;
    for (unsigned i = 0; i < p->count; i++) {
        bool found;
        if (!read_sdes_chunk(&r, &out[*n], &found))
            return -EBADMSG;
        *n += found;
    }
    return 0;
}

int rtcp_parse_bye(const struct rtcp_packet *p, uint32_t out[static RTCP_SSRCS_MAX], size_t *n)
{
    struct reader r = reader_of(p->body, p->len);
    *n = 0;
    for (unsigned i = 0; i < p->count && i < RTCP_SSRCS_MAX; i++)
        out[i] = reader_u32(&r);
    if (r.bad || p->pt != RTCP_BYE)
        return -EBADMSG;
    *n = p->count;
    return 0;
}

static void read_xr_block(uint8_t type, struct reader *r, struct rtcp_xr *out)
{
    if (type == XR_RRT && reader_left(r) == 8) {
        out->has_rrt = true;
        out->rrt_ntp = reader_u64(r);
    } else if (type == XR_DLRR) {
        while (reader_left(r) >= 12 && out->n_dlrr < RTCP_SSRCS_MAX) {
            struct rtcp_dlrr *d = &out->dlrr[out->n_dlrr++];
            d->ssrc = reader_u32(r);
            d->lrr = reader_u32(r);
            d->dlrr = reader_u32(r);
        }
    }
}

int rtcp_parse_xr(const struct rtcp_packet *p, struct rtcp_xr *out)
{
    struct reader r = reader_of(p->body, p->len);
    out->ssrc = reader_u32(&r);
    out->has_rrt = false;
    out->n_dlrr = 0;
    while (reader_left(&r) && !r.bad) {
        uint8_t type = reader_u8(&r);
        reader_u8(&r);
        struct reader block = reader_sub(&r, (size_t)reader_u16(&r) * 4);
        if (!r.bad)
            read_xr_block(type, &block, out);
    }
    return r.bad || p->pt != RTCP_XR ? -EBADMSG : 0;
}

/* The two SSRCs that all feedback starts with. */
static bool read_feedback(const struct rtcp_packet *p, uint8_t pt, uint8_t fmt, struct reader *r,
                          uint32_t *media)
{
    *r = reader_of(p->body, p->len);
    reader_u32(r);
    *media = reader_u32(r);
    return !r->bad && p->pt == pt && p->count == fmt;
}

int rtcp_parse_nack(const struct rtcp_packet *p, uint32_t *media_ssrc, uint16_t *seqs, size_t max,
                    size_t *n)
{
    struct reader r;
    *n = 0;
    if (!read_feedback(p, RTCP_RTPFB, RTCP_RTPFB_NACK, &r, media_ssrc))
        return -EBADMSG;
    while (reader_left(&r) && !r.bad) {
        uint16_t pid = reader_u16(&r);
        uint16_t blp = reader_u16(&r);
        uint32_t set = (uint32_t)blp << 1 | 1;
        for (unsigned i = 0; set && !r.bad; i++, set >>= 1)
            if (set & 1 && *n < max)
                seqs[(*n)++] = (uint16_t)(pid + i);
    }
    return r.bad ? -EBADMSG : 0;
}

int rtcp_parse_pli(const struct rtcp_packet *p, uint32_t *media_ssrc)
{
    struct reader r;
    return read_feedback(p, RTCP_PSFB, RTCP_PSFB_PLI, &r, media_ssrc) ? 0 : -EBADMSG;
}

int rtcp_parse_fir(const struct rtcp_packet *p, struct rtcp_fir out[static RTCP_SSRCS_MAX],
                   size_t *n)
{
    struct reader r;
    uint32_t media;
    *n = 0;
    if (!read_feedback(p, RTCP_PSFB, RTCP_PSFB_FIR, &r, &media) || reader_left(&r) % 8)
        return -EBADMSG;
    while (reader_left(&r) && *n < RTCP_SSRCS_MAX) {
        struct rtcp_fir *f = &out[(*n)++];
        f->ssrc = reader_u32(&r);
        f->seq = reader_u8(&r);
        reader_u24(&r);
    }
    return 0;
}

int rtcp_parse_remb(const struct rtcp_packet *p, struct rtcp_remb *out)
{
    struct reader r;
    uint32_t media;
    if (!read_feedback(p, RTCP_PSFB, RTCP_PSFB_AFB, &r, &media) || reader_u32(&r) != REMB_MAGIC)
        return -EBADMSG;
    uint8_t count = reader_u8(&r);
    uint32_t rate = reader_u24(&r);
    unsigned exp = rate >> 18;
    uint64_t mantissa = rate & 0x3ffff;
    out->bitrate = mantissa > (uint64_t)INT64_MAX >> exp ? INT64_MAX : mantissa << exp;
    out->n_ssrcs = 0;
    for (unsigned i = 0; i < count; i++) {
        uint32_t ssrc = reader_u32(&r);
        if (!r.bad && out->n_ssrcs < RTCP_SSRCS_MAX)
            out->ssrcs[out->n_ssrcs++] = ssrc;
    }
    return r.bad ? -EBADMSG : 0;
}
