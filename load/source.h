/* source.h - one synthetic RTP stream that a peer sends: frames of even packets at an even rate, valid to look at, ending with
 * stamps.
 *
 * Opus: a packet each 20 ms. VP8: one temporal layer; the first frame is a key frame, and the next one after source_key(), at most
 * one each SOURCE_KEY_SPACING_US; key frames are as large as the others. What was sent is kept, SOURCE_HISTORY packets, and sent
 * again to the bit when asked for. A source that is late by more than SOURCE_LATE_US leaves frames out, and counts them.
 */
#ifndef ALTHING_LOAD_SOURCE_H
#define ALTHING_LOAD_SOURCE_H

#include "load/measure.h"
#include "worker/wire/rtcp.h"
#include "worker/wire/rtp.h"

#include <stdbool.h>
#include <stdint.h>

#define SOURCE_HISTORY        256 /* packets, a power of two */
#define SOURCE_KEY_SPACING_US 300000
#define SOURCE_LATE_US        200000
#define SOURCE_PACKET_MIN     64   /* payload bytes */
#define SOURCE_PACKET_MAX     1300 /* and of headers together */

struct source;

/* A plain packet: header_len bytes of header, then payload; roc is the roll-over counter of its number. */
typedef void source_send_f(const uint8_t *data, size_t len, size_t header_len, uint32_t roc, void *arg);

struct source_config {
    enum media media;
    uint32_t ssrc;
    uint8_t payload_type;
    char mid[16]; /* "": none is sent */
    struct rtp_ext_map exts;
    uint32_t bitrate;        /* of payloads, bits a second */
    uint32_t frame_us;       /* from one frame to the next */
    uint32_t packet_bytes;   /* payload of a packet at most */
    uint16_t *transport_seq; /* the next of the transport (transport-cc); borrowed, like what follows */
    struct measure *measure;
    source_send_f *send;
    void *arg;
};

struct source_totals {
    uint64_t packets, bytes; /* bytes of whole datagrams */
    uint64_t counted;        /* packets of the time that is measured */
    uint64_t counted_bytes;
    uint64_t frames, key_frames, skipped_frames, resent, not_kept;
};

void source_new(struct source **sp, const struct source_config *conf);
void source_free(struct source *s); /* NULL is fine */
void source_start(struct source *s, int64_t now_us);
void source_stop(struct source *s);
int64_t source_next_us(const struct source *s); /* TIME_NEVER_US: stopped */
void source_run(struct source *s, int64_t now_us); /* sends the frames that are due */

uint32_t source_ssrc(const struct source *s);
void source_key(struct source *s);
void source_resend(struct source *s, const uint16_t *seqs, size_t n);
/* What a sender report says now; false: nothing was sent yet. */
bool source_report(const struct source *s, int64_t now_us, int64_t wall_us, struct rtcp_sr *out);
void source_count_anew(struct source *s); /* `counted` begins again */
struct source_totals source_totals(const struct source *s);

#endif
