#include "load/source.h"

#include "lib/clock.h"
#include "lib/cursor.h"
#include "lib/mem.h"
#include "lib/rand.h"
#include "load/stamp.h"
#include "worker/wire/vp8.h"

#include <stdlib.h>
#include <string.h>

#define OPUS_TOC      0xfc /* CELT, full band, 20 ms, stereo, one frame (RFC 6716 3.1) */
#define AUDIO_LEVEL   30   /* -dBov */
#define NTP_EPOCH_S   2208988800
#define SRTP_OVERHEAD 16 /* the tag of AES-GCM */

struct kept {
    int64_t index; /* extended sequence number; -1: none */
    uint16_t len, header_len;
    uint8_t data[SOURCE_PACKET_MAX];
};

struct source {
    struct source_config conf;
    int64_t next_us;
    int64_t start_us; /* when the timestamps were ts_base */
    uint32_t ts_base, clock_rate;
    int64_t
        index; /* extended sequence number of the next packet; begins low, so the roll-over counter does at 0 */
    bool key_wanted;
    int64_t key_us;
    uint16_t picture_id;
    uint8_t tl0picidx;
    uint32_t packets_sent, octets_sent; /* as a sender report counts them */
    struct source_totals totals;
    struct kept history[SOURCE_HISTORY];
};

void source_new(struct source **sp, const struct source_config *conf)
{
    struct source *s = mem_zalloc(sizeof(*s));
    s->conf = *conf;
    s->next_us = TIME_NEVER_US;
    s->clock_rate = conf->media == MEDIA_AUDIO ? 48000 : 90000;
    s->ts_base = rand_u32();
    s->index = rand_u32() % 1000;
    s->key_wanted = true;
    s->key_us = -SOURCE_KEY_SPACING_US;
    for (size_t i = 0; i < SOURCE_HISTORY; i++)
        s->history[i].index = -1;
    *sp = s;
}

void source_free(struct source *s)
{
    free(s);
}

void source_start(struct source *s, int64_t now_us)
{
    if (s->next_us == TIME_NEVER_US)
        s->next_us = now_us + rand_u32() % s->conf.frame_us;
    if (!s->start_us)
        s->start_us = s->next_us;
}

void source_stop(struct source *s)
{
    s->next_us = TIME_NEVER_US;
}

int64_t source_next_us(const struct source *s)
{
    return s->next_us;
}

uint32_t source_ssrc(const struct source *s)
{
    return s->conf.ssrc;
}

void source_key(struct source *s)
{
    s->key_wanted = true;
}

/* ---- a packet ---- */

static uint32_t timestamp(const struct source *s, int64_t us)
{
    return s->ts_base + (uint32_t)((us - s->start_us) * s->clock_rate / 1000000);
}

static size_t write_header(const struct source *s, struct kept *k, bool marker, int64_t frame_us,
                           int64_t now_us)
{
    struct rtp h = {.ts = timestamp(s, frame_us),
                    .ssrc = s->conf.ssrc,
                    .seq = (uint16_t)s->index,
                    .pt = s->conf.payload_type,
                    .marker = marker};
    struct rtp_exts e = {.abs_send_time = (uint32_t)((now_us << 12) / 15625) & 0xffffff,
                         .mid = (const uint8_t *)s->conf.mid,
                         .mid_len = (uint8_t)strlen(s->conf.mid),
                         .twcc = *s->conf.transport_seq,
                         .audio_level = AUDIO_LEVEL,
                         .vad = true};
    e.present = RTP_EXT_BIT(RTP_EXT_ABS_SEND_TIME) | RTP_EXT_BIT(RTP_EXT_TRANSPORT_CC);
    if (e.mid_len)
        e.present |= RTP_EXT_BIT(RTP_EXT_MID);
    if (s->conf.media == MEDIA_AUDIO)
        e.present |= RTP_EXT_BIT(RTP_EXT_AUDIO_LEVEL);
    if (s->conf.exts.id_of[RTP_EXT_TRANSPORT_CC])
        ++*s->conf.transport_seq;
    return rtp_compose(k->data, sizeof(k->data), &h, &e, &s->conf.exts);
}

struct piece {
    bool first, last, key;
    size_t len;
};

static void write_payload(const struct source *s, struct writer *w, const struct piece *p,
                          int64_t now_us)
{
    static const uint8_t key_header[10] = {0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01};
    uint8_t *begin = w->p;
    if (s->conf.media == MEDIA_AUDIO) {
        writer_u8(w, OPUS_TOC);
    } else {
        struct vp8 d = {.picture_id = s->picture_id,
                        .tl0picidx = s->tl0picidx,
                        .has_picture_id = true,
                        .has_tl0picidx = true,
                        .has_tid = true,
                        .partition_start = p->first};
        uint8_t descriptor[VP8_DESCRIPTOR_MAX];
        d.tid = 0;
        writer_bytes(w, descriptor, vp8_compose(descriptor, &d, d.picture_id, d.tl0picidx));
        if (p->first && p->key)
            writer_bytes(w, key_header, sizeof(key_header));
        else if (p->first)
            writer_u8(w, 0x11);
    }
    size_t written = (size_t)(w->p - begin), fill = p->len - STAMP_LEN - written;
    uint8_t *rest = writer_take(w, fill);
    if (rest)
        memset(rest, 0x5a, fill);
    stamp_write(w, s->conf.measure->tag, now_us);
}

static void send_packet(struct source *s, const struct piece *p, int64_t frame_us, int64_t now_us)
{
    struct kept *k = &s->history[s->index % SOURCE_HISTORY];
    bool marker = s->conf.media == MEDIA_VIDEO && p->last;
    size_t header_len = write_header(s, k, marker, frame_us, now_us);
    struct writer w = writer_of(k->data + header_len, sizeof(k->data) - header_len);
    write_payload(s, &w, p, now_us);
    k->index = s->index;
    k->header_len = (uint16_t)header_len;
    k->len = (uint16_t)(header_len + writer_len(&w));
    s->conf.send(k->data, k->len, header_len, (uint32_t)(s->index >> 16), s->conf.arg);
    s->index++;
    s->packets_sent++;
    s->octets_sent += (uint32_t)writer_len(&w);
    s->totals.packets++;
    s->totals.bytes += k->len + SRTP_OVERHEAD;
    if (measure_counts(s->conf.measure, now_us)) {
        s->totals.counted++;
        s->totals.counted_bytes += k->len + SRTP_OVERHEAD;
    }
}

/* ---- a frame ---- */

static bool take_key(struct source *s, int64_t now_us)
{
    if (s->conf.media == MEDIA_AUDIO || !s->key_wanted ||
        now_us - s->key_us < SOURCE_KEY_SPACING_US)
        return false;
    s->key_wanted = false;
    s->key_us = now_us;
    s->totals.key_frames++;
    return true;
}

static void send_frame(struct source *s, int64_t frame_us, int64_t now_us)
{
    size_t bytes = (size_t)((uint64_t)s->conf.bitrate * s->conf.frame_us / 8000000);
    if (bytes < SOURCE_PACKET_MIN)
        bytes = SOURCE_PACKET_MIN;
    size_t n = (bytes + s->conf.packet_bytes - 1) / s->conf.packet_bytes;
    struct piece p = {.key = take_key(s, now_us)};
    for (size_t i = 0; i < n; i++) {
        p.first = i == 0;
        p.last = i + 1 == n;
        p.len = bytes / n + (i < bytes % n);
        send_packet(s, &p, frame_us, now_us);
    }
    s->picture_id = (s->picture_id + 1) & 0x7fff;
    s->tl0picidx++;
    s->totals.frames++;
}

void source_run(struct source *s, int64_t now_us)
{
    int64_t late_us = s->next_us == TIME_NEVER_US ? 0 : now_us - s->next_us;
    if (late_us > SOURCE_LATE_US) {
        int64_t skipped = late_us / s->conf.frame_us;
        s->totals.skipped_frames += (uint64_t)skipped;
        s->next_us += skipped * s->conf.frame_us;
    }
    while (s->next_us <= now_us) {
        send_frame(s, s->next_us, now_us);
        s->next_us += s->conf.frame_us;
    }
}

/* ---- what receivers ask for ---- */

void source_resend(struct source *s, const uint16_t *seqs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct kept *k = &s->history[seqs[i] % SOURCE_HISTORY];
        if (k->index < 0 || (uint16_t)k->index != seqs[i]) {
            s->totals.not_kept++;
            continue;
        }
        s->conf.send(k->data, k->len, k->header_len, (uint32_t)(k->index >> 16), s->conf.arg);
        s->totals.resent++;
    }
}

bool source_report(const struct source *s, int64_t now_us, int64_t wall_us, struct rtcp_sr *out)
{
    if (!s->packets_sent)
        return false;
    uint64_t seconds = (uint64_t)(wall_us / 1000000) + NTP_EPOCH_S;
    uint64_t fraction = ((uint64_t)(wall_us % 1000000) << 32) / 1000000;
    *out = (struct rtcp_sr){.ntp = seconds << 32 | fraction,
                            .ssrc = s->conf.ssrc,
                            .rtp_ts = timestamp(s, now_us),
                            .packets = s->packets_sent,
                            .octets = s->octets_sent};
    return true;
}

void source_count_anew(struct source *s)
{
    s->totals.counted = s->totals.counted_bytes = 0;
}

struct source_totals source_totals(const struct source *s)
{
    return s->totals;
}
