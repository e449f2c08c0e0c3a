/* rtcp_write.c - the composers. */
#include "worker/wire/rtcp.h"

#include <string.h>

#define REMB_MAGIC 0x52454d42 /* "REMB" */
#define SDES_CNAME 1

/* Where the packet starts, for end_packet(). */
static size_t begin_packet(struct writer *w, size_t count, uint8_t pt)
{
    size_t start = writer_len(w);
    writer_u8(w, (uint8_t)(0x80 | (count & 0x1f)));
    writer_u8(w, pt);
    writer_u16(w, 0);
    return start;
}

static void end_packet(struct writer *w, size_t start)
{
    if (w->bad)
        return;
    size_t words = (writer_len(w) - start) / 4 - 1;
    w->start[start + 2] = (uint8_t)(words >> 8);
    w->start[start + 3] = (uint8_t)words;
}

static size_t at_most(size_t n, size_t max)
{
    return n < max ? n : max;
}

static void write_reports(struct writer *w, const struct rtcp_report *reports, size_t n)
{
    for (const struct rtcp_report *r = reports; r < reports + n; r++) {
        writer_u32(w, r->ssrc);
        writer_u8(w, r->fraction);
        writer_u24(w, (uint32_t)r->lost & 0xffffff);
        writer_u32(w, r->max_seq);
        writer_u32(w, r->jitter);
        writer_u32(w, r->lsr);
        writer_u32(w, r->dlsr);
    }
}

void rtcp_write_sr(struct writer *w, const struct rtcp_sr *sr, const struct rtcp_report *reports,
                   size_t n)
{
    n = at_most(n, RTCP_REPORTS_MAX);
    size_t start = begin_packet(w, n, RTCP_SR);
    writer_u32(w, sr->ssrc);
    writer_u64(w, sr->ntp);
    writer_u32(w, sr->rtp_ts);
    writer_u32(w, sr->packets);
    writer_u32(w, sr->octets);
    write_reports(w, reports, n);
    end_packet(w, start);
}

void rtcp_write_rr(struct writer *w, uint32_t sender, const struct rtcp_report *reports, size_t n)
{
    n = at_most(n, RTCP_REPORTS_MAX);
    size_t start = begin_packet(w, n, RTCP_RR);
    writer_u32(w, sender);
    write_reports(w, reports, n);
    end_packet(w, start);
}

void rtcp_write_sdes(struct writer *w, uint32_t ssrc, const char *cname)
{
    size_t len = at_most(strlen(cname), 255);
    size_t start = begin_packet(w, 1, RTCP_SDES);
    writer_u32(w, ssrc);
    writer_u8(w, SDES_CNAME);
    writer_u8(w, (uint8_t)len);
    writer_bytes(w, cname, len);
    /* At least one zero ends the list, more fill the word. */
    do
        writer_u8(w, 0);
    while (!w->bad && (writer_len(w) - start) % 4);
    end_packet(w, start);
}

void rtcp_write_bye(struct writer *w, const uint32_t *ssrcs, size_t n)
{
    n = at_most(n, RTCP_SSRCS_MAX);
    size_t start = begin_packet(w, n, RTCP_BYE);
    for (size_t i = 0; i < n; i++)
        writer_u32(w, ssrcs[i]);
    end_packet(w, start);
}

void rtcp_write_rrt(struct writer *w, uint32_t sender, uint64_t ntp)
{
    size_t start = begin_packet(w, 0, RTCP_XR);
    writer_u32(w, sender);
    writer_u32(w, 4u << 24 | 2); /* block type, words */
    writer_u64(w, ntp);
    end_packet(w, start);
}

void rtcp_write_dlrr(struct writer *w, uint32_t sender, const struct rtcp_dlrr *d, size_t n)
{
    n = at_most(n, RTCP_SSRCS_MAX);
    size_t start = begin_packet(w, 0, RTCP_XR);
    writer_u32(w, sender);
    writer_u32(w, (uint32_t)(5u << 24 | 3 * n));
    for (size_t i = 0; i < n; i++) {
        writer_u32(w, d[i].ssrc);
        writer_u32(w, d[i].lrr);
        writer_u32(w, d[i].dlrr);
    }
    end_packet(w, start);
}

static size_t begin_feedback(struct writer *w, uint8_t pt, uint8_t fmt, uint32_t sender,
                             uint32_t media)
{
    size_t start = begin_packet(w, fmt, pt);
    writer_u32(w, sender);
    writer_u32(w, media);
    return start;
}

size_t rtcp_write_nack(struct writer *w, uint32_t sender, uint32_t media, const uint16_t *seqs,
                       size_t n)
{
    if (w->bad || n == 0 || w->end - w->p < 16) {
        w->bad = true;
        return 0;
    }
    size_t start = begin_feedback(w, RTCP_RTPFB, RTCP_RTPFB_NACK, sender, media);
    size_t i = 0;
    while (i < n && w->end - w->p >= 4) {
        uint16_t pid = seqs[i++];
        uint16_t blp = 0;
        for (; i < n; i++) {
            unsigned d = (uint16_t)(seqs[i] - pid);
            if (d > 16)
                break;
            if (d)
                blp = (uint16_t)(blp | 1u << (d - 1));
        }
        writer_u16(w, pid);
        writer_u16(w, blp);
    }
    end_packet(w, start);
    return i;
}

void rtcp_write_pli(struct writer *w, uint32_t sender, uint32_t media)
{
    end_packet(w, begin_feedback(w, RTCP_PSFB, RTCP_PSFB_PLI, sender, media));
}

void rtcp_write_fir(struct writer *w, uint32_t sender, uint32_t media, uint8_t seq)
{
    /* The media SSRC of the header is 0; the entry names it (RFC 5104 4.3.1.2). */
    size_t start = begin_feedback(w, RTCP_PSFB, RTCP_PSFB_FIR, sender, 0);
    writer_u32(w, media);
    writer_u32(w, (uint32_t)seq << 24);
    end_packet(w, start);
}

void rtcp_write_remb(struct writer *w, uint32_t sender, uint64_t bitrate, const uint32_t *ssrcs,
                     size_t n)
{
    n = at_most(n, RTCP_SSRCS_MAX);
    unsigned exp = 0;
    while (bitrate >> exp > 0x3ffff)
        exp++;
    size_t start = begin_feedback(w, RTCP_PSFB, RTCP_PSFB_AFB, sender, 0);
    writer_u32(w, REMB_MAGIC);
    writer_u8(w, (uint8_t)n);
    writer_u24(w, (uint32_t)(exp << 18 | bitrate >> exp));
    for (size_t i = 0; i < n; i++)
        writer_u32(w, ssrcs[i]);
    end_packet(w, start);
}
