/* rtp.h - an RTP packet's header, parsed once into a flat struct and composed afresh for each receiver (RFC 3550 5.1, RFC 8285).
 *
 * Pure functions, no allocation. What rtp_parse() accepts lies within the bytes it was given: header, extension block, payload and
 * padding follow each other and end with the packet. Offsets count from the packet's first byte.
 */
#ifndef ALTHING_WORKER_WIRE_RTP_H
#define ALTHING_WORKER_WIRE_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RTP_HEADER_LEN 12    /* without CSRCs and extensions */
#define RTP_MAX_LEN    65535 /* longer ones are refused */

struct rtp {
    uint32_t ts;          /* RTP timestamp */
    uint32_t ssrc;        /* of the sender */
    uint16_t seq;         /* sequence number */
    uint16_t payload_off; /* first byte of the payload */
    uint16_t payload_len; /* without padding; may be 0 */
    uint16_t ext_off;     /* first byte of the extension elements */
    uint16_t ext_len;     /* 0: no extension block */
    uint16_t ext_profile; /* 0xbede, 0x100x, or something unknown */
    uint8_t pt;           /* payload type, 0..127 */
    uint8_t pad_len;      /* with its length byte; 0: the P bit is clear */
    bool marker;
};

int rtp_parse(const uint8_t *data, size_t len, struct rtp *out); /* 0, or -EBADMSG */
/* Where the payload begins; 0: malformed. All there is to know of an encrypted packet: its padding is encrypted too, so the P bit
 * says nothing yet. */
size_t rtp_header_len(const uint8_t *data, size_t len);

/* The header extensions that a worker knows, with the numbers of proto/worker.proto. */
enum rtp_ext_type {
    RTP_EXT_NONE = 0,
    RTP_EXT_MID = 1,                   /* RFC 9143 15 */
    RTP_EXT_RID = 2,                   /* RFC 8852 */
    RTP_EXT_REPAIRED_RID = 3,          /* RFC 8852 */
    RTP_EXT_ABS_SEND_TIME = 4,         /* 6.18 fixed-point seconds */
    RTP_EXT_TRANSPORT_CC = 5,          /* transport-wide sequence number */
    RTP_EXT_AUDIO_LEVEL = 6,           /* RFC 6464 */
    RTP_EXT_DEPENDENCY_DESCRIPTOR = 7, /* AV1 RTP specification, appendix A */
    RTP_EXT_VIDEO_ORIENTATION = 8,     /* 3GPP TS 26.114 7.4.5 */
    RTP_EXT_TOFFSET = 9,               /* RFC 5450 */
    RTP_EXT_ABS_CAPTURE_TIME = 10,
    RTP_EXT_PLAYOUT_DELAY = 11,
    RTP_EXT_COUNT = 12,
};

/* Which id means which extension in one direction of a transport. Ids are 1..14, or to 255 in the two-byte form. */
struct rtp_ext_map {
    uint8_t type_of[256];         /* enum rtp_ext_type by id */
    uint8_t id_of[RTP_EXT_COUNT]; /* id by type; 0: not negotiated */
};

void rtp_ext_map_init(struct rtp_ext_map *m);
/* 0; -EINVAL: no such type or id (15 only means something in the two-byte form, which is then used); -EEXIST: either is taken. */
int rtp_ext_map_set(struct rtp_ext_map *m, enum rtp_ext_type type, uint32_t id);

#define RTP_EXT_BIT(type) (1u << (type))

/* A packet's extensions. A member is valid when its bit is set in `present`. Pointers borrow the packet's bytes. */
struct rtp_exts {
    uint32_t present;       /* RTP_EXT_BIT(type) | ... */
    uint32_t abs_send_time; /* 24 bits */
    const uint8_t *mid;     /* not ended by a NUL, at least one byte */
    const uint8_t *rid;     /* the same */
    const uint8_t *rrid;    /* the same */
    const uint8_t *dd;      /* dependency descriptor: wire/dd.h reads it */
    uint64_t capture_ntp;   /* abs-capture-time: NTP, 32.32 */
    int64_t capture_offset; /* the capture clock's offset, 32.32; only with has_capture_offset */
    int32_t toffset;        /* signed 24 bits, RTP ticks */
    uint16_t twcc;          /* transport-wide sequence number */
    uint16_t playout_min;   /* 12 bits, 10 ms */
    uint16_t playout_max;   /* 12 bits, 10 ms */
    uint8_t mid_len, rid_len, rrid_len, dd_len;
    uint8_t audio_level; /* 0..127, -dBov */
    uint8_t orientation; /* the byte as sent */
    bool vad;            /* of audio_level: voice */
    bool has_capture_offset;
};

/* Reads the extensions that m names; unknown ids, and known ones of a length that cannot be, are passed over. The first of two with
 * one id counts. 0; -EBADMSG: an element passes the end of the block (what stood before it is in *out). */
int rtp_ext_parse(const uint8_t *data, const struct rtp *h, const struct rtp_ext_map *m,
                  struct rtp_exts *out);

/* Writes a header: h's pt, marker, seq, ts, ssrc, the P bit when h->pad_len is not 0, and those of `exts` that are present and
 * have an id in m. One-byte form when every id is below 15 and every value 1 to 16 bytes long, else two-byte. No CSRCs. exts
 * and m may be NULL. Returns its length; 0: it does not fit. */
size_t rtp_compose(uint8_t *out, size_t cap, const struct rtp *h, const struct rtp_exts *exts,
                   const struct rtp_ext_map *m);

#endif
