/* rtcp.h - control packets: an iterator over a compound (RFC 3550 6, reduced size too: RFC 5506), parsers and composers.
 *
 * Pure functions, no allocation. A parser takes one packet that rtcp_next() gave and returns 0, or -EBADMSG. Composers write to a
 * writer (lib/cursor.h), whose sticky error says that something did not fit; a composer that overflows leaves it bad.
 */
#ifndef ALTHING_WORKER_WIRE_RTCP_H
#define ALTHING_WORKER_WIRE_RTCP_H

#include "lib/cursor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rtcp_type {
    RTCP_SR = 200,
    RTCP_RR = 201,
    RTCP_SDES = 202,
    RTCP_BYE = 203,
    RTCP_APP = 204,
    RTCP_RTPFB = 205, /* RFC 4585 6.2 */
    RTCP_PSFB = 206,  /* RFC 4585 6.3 */
    RTCP_XR = 207,    /* RFC 3611 */
};

enum rtcp_fmt {
    RTCP_RTPFB_NACK = 1, /* RFC 4585 6.2.1 */
    RTCP_RTPFB_TWCC = 15,
    RTCP_PSFB_PLI = 1,  /* RFC 4585 6.3.1 */
    RTCP_PSFB_FIR = 4,  /* RFC 5104 4.3.1 */
    RTCP_PSFB_AFB = 15, /* application layer: REMB */
};

#define RTCP_REPORTS_MAX 31   /* in one SR or RR */
#define RTCP_TWCC_MAX    2048 /* statuses that are composed into one feedback */
#define RTCP_SSRCS_MAX   31 /* taken from one BYE, SDES, FIR, REMB or DLRR; more are passed over */

bool rtcp_is_rtcp(const uint8_t *data, size_t len); /* RFC 5761 4: by the first two bytes */

/* ---- iterating
 * ---------------------------------------------------------------------------------------------------------------- */

struct rtcp_packet {
    const uint8_t *body; /* after the four bytes of the common header; borrowed */
    size_t len;          /* of the body, padding taken off */
    uint8_t pt;          /* enum rtcp_type, or another */
    uint8_t count;       /* report count or feedback message type, 0..31 */
};

struct rtcp_iter {
    struct reader r;
    bool bad; /* the rest is malformed; what came before it stands */
};

struct rtcp_iter rtcp_iter_of(const uint8_t *data, size_t len);
bool rtcp_next(struct rtcp_iter *it, struct rtcp_packet *out); /* false: at the end, or it->bad */

/* ---- reports
 * ------------------------------------------------------------------------------------------------------------------ */

struct rtcp_report {  /* RFC 3550 6.4.1 */
    uint32_t ssrc;    /* the stream that is reported on */
    int32_t lost;     /* cumulative, signed 24 bits */
    uint32_t max_seq; /* extended highest sequence number */
    uint32_t jitter;  /* RTP ticks */
    uint32_t lsr;     /* middle 32 bits of the last SR's NTP time; 0: none */
    uint32_t dlsr;    /* since then, 1/65536 s */
    uint8_t fraction; /* lost since the last report, 1/256 */
};

struct rtcp_sr {
    uint64_t ntp; /* 32.32 */
    uint32_t ssrc, rtp_ts, packets, octets;
};

int rtcp_parse_sr(const struct rtcp_packet *p, struct rtcp_sr *out);
/* Of an SR or RR; *n of them. */
int rtcp_parse_reports(const struct rtcp_packet *p, uint32_t *sender,
                       struct rtcp_report out[static RTCP_REPORTS_MAX], size_t *n);

struct rtcp_cname {
    const char *name; /* borrowed, not ended by a NUL */
    uint32_t ssrc;
    uint8_t len;
};
int rtcp_parse_sdes(const struct rtcp_packet *p, struct rtcp_cname out[static RTCP_SSRCS_MAX],
                    size_t *n); /* CNAMEs only */
int rtcp_parse_bye(const struct rtcp_packet *p, uint32_t out[static RTCP_SSRCS_MAX], size_t *n);

/* One of RFC 3611's two that matter for a round trip without an SR (4.4, 4.5). */
struct rtcp_dlrr {
    uint32_t ssrc, lrr, dlrr;
};
struct rtcp_xr {
    uint32_t ssrc; /* of who sent it */
    bool has_rrt;
    uint64_t rrt_ntp; /* receiver reference time */
    size_t n_dlrr;
    struct rtcp_dlrr dlrr[RTCP_SSRCS_MAX];
};
int rtcp_parse_xr(const struct rtcp_packet *p,
                  struct rtcp_xr *out); /* unknown blocks are passed over */

/* ---- feedback
 * ----------------------------------------------------------------------------------------------------------------- */

/* The sequence numbers that a NACK asks for, in its order, at most `max`: *n. What is over max is passed over. */
int rtcp_parse_nack(const struct rtcp_packet *p, uint32_t *media_ssrc, uint16_t *seqs, size_t max,
                    size_t *n);
int rtcp_parse_pli(const struct rtcp_packet *p, uint32_t *media_ssrc);

struct rtcp_fir {
    uint32_t ssrc;
    uint8_t seq; /* command sequence number: a repeated one is the same request */
};
int rtcp_parse_fir(const struct rtcp_packet *p, struct rtcp_fir out[static RTCP_SSRCS_MAX],
                   size_t *n);

struct rtcp_remb {
    uint64_t bitrate; /* bits a second, saturated to INT64_MAX */
    size_t n_ssrcs;
    uint32_t ssrcs[RTCP_SSRCS_MAX];
};
int rtcp_parse_remb(const struct rtcp_packet *p,
                    struct rtcp_remb *out); /* -EBADMSG too for another AFB */

struct rtcp_twcc_status {
    int64_t arrival_us; /* on a clock whose zero nobody knows; wraps after 2^24 * 64 ms */
    uint16_t seq;
    bool received; /* arrival_us is valid */
};
struct rtcp_twcc {
    uint32_t media_ssrc;
    uint16_t base_seq;
    uint8_t count; /* of feedback messages, wraps */
};
/* *n statuses, in order, from base_seq on. -EMSGSIZE: it reports more than `max` packets, and nothing is taken. */
int rtcp_parse_twcc(const struct rtcp_packet *p, struct rtcp_twcc *out, struct rtcp_twcc_status *st,
                    size_t max, size_t *n);

/* ---- composing
 * ---------------------------------------------------------------------------------------------------------------- */

void rtcp_write_sr(struct writer *w, const struct rtcp_sr *sr, const struct rtcp_report *reports,
                   size_t n); /* n up to 31 */
void rtcp_write_rr(struct writer *w, uint32_t sender, const struct rtcp_report *reports,
                   size_t n);                                             /* n up to 31 */
void rtcp_write_sdes(struct writer *w, uint32_t ssrc, const char *cname); /* cut off at 255 */
void rtcp_write_bye(struct writer *w, const uint32_t *ssrcs, size_t n);   /* n up to 31 */
void rtcp_write_rrt(struct writer *w, uint32_t sender, uint64_t ntp);     /* an XR packet */
void rtcp_write_dlrr(struct writer *w, uint32_t sender, const struct rtcp_dlrr *d,
                     size_t n); /* an XR packet */
/* seqs ascend (across the wrap); neighbours share a bitmask. Returns how many of them went in: less than n when the room ends. */
size_t rtcp_write_nack(struct writer *w, uint32_t sender, uint32_t media, const uint16_t *seqs,
                       size_t n);
void rtcp_write_pli(struct writer *w, uint32_t sender, uint32_t media);
void rtcp_write_fir(struct writer *w, uint32_t sender, uint32_t media, uint8_t seq);
void rtcp_write_remb(struct writer *w, uint32_t sender, uint64_t bitrate, const uint32_t *ssrcs,
                     size_t n); /* n up to 31 */
/* Statuses of consecutive numbers, the first one's being the base, at least one received, arrivals not below 0. Those that
 * cannot be told in this packet (for want of room, or since a delta is over 8 s; at most RTCP_TWCC_MAX) are left for the next:
 * returns how many are in it. 0: nothing was written, and the writer is as before. */
size_t rtcp_write_twcc(struct writer *w, uint32_t sender, uint32_t media, uint8_t count,
                       const struct rtcp_twcc_status *st, size_t n);

#endif
