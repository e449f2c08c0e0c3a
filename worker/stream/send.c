#include "worker/stream/send.h"

#include "lib/mem.h"
#include "worker/stream/capture.h"
#include "worker/wire/rtp.h"

#include <errno.h>
#include <stdlib.h>

#define US         1000000
#define RTT_MAX_US 10000000 /* what a report says beyond this is nonsense */

struct sent_report {
    uint32_t lsr; /* what the receiver will name it by; 0: none */
    int64_t at_us;
};

struct send {
    uint32_t ssrc, clock_rate;
    struct sent_report reports[SEND_SRS];
    unsigned next_report;
    struct send_stats stats;
    int64_t tokens;   /* bytes that may be resent now */
    uint64_t payload; /* octets as sender reports count them */
    uint32_t last_ts;
    int64_t first_us, last_us; /* of packets sent; only when stats.packets is not 0 */
    bool on_line;              /* a report was on the sender's line */
    struct send_stats at_report;
    size_t mask;
    struct send_entry history[]; /* by sequence number */
};

int send_new(struct send **sp, uint32_t ssrc, uint32_t clock_rate, size_t slots)
{
    if (slots == 0 || slots > 32768 || slots & (slots - 1) || clock_rate == 0)
        return -EINVAL;
    struct send *s = mem_zalloc(sizeof(*s) + slots * sizeof(struct send_entry));
    s->ssrc = ssrc;
    s->clock_rate = clock_rate;
    s->mask = slots - 1;
    s->tokens = SEND_BURST_BYTES;
    *sp = s;
    return 0;
}

void send_free(struct send *s)
{
    free(s);
}

void send_sent(struct send *s, const struct send_entry *e, size_t bytes, int64_t now_us)
{
    struct send_entry *at = &s->history[e->seq & s->mask];
    size_t head = RTP_HEADER_LEN + (size_t)e->pad_len;
    *at = *e;
    at->bytes = (uint16_t)bytes;
    at->sent_ms = (uint32_t)(now_us / 1000);
    at->resends = 0;
    if (s->stats.packets++ == 0)
        s->first_us = now_us;
    s->stats.bytes += bytes;
    s->tokens += (int64_t)bytes / 2;
    if (s->tokens > SEND_BURST_BYTES)
        s->tokens = SEND_BURST_BYTES;
    s->payload += bytes > head ? bytes - head : 0;
    s->last_ts = e->ts;
    s->last_us = now_us;
}

int64_t send_rtt_us(const struct send *s)
{
    return s->stats.rtt_us ? s->stats.rtt_us : SEND_DEFAULT_RTT_US;
}

static struct send_entry *find(struct send *s, uint16_t seq)
{
    struct send_entry *e = &s->history[seq & s->mask];
    return e->bytes && e->seq == seq ? e : NULL;
}

const struct send_entry *send_nacked(struct send *s, uint16_t seq, int64_t now_us)
{
    const struct send_entry *e = find(s, seq);
    if (!e) {
        s->stats.nack_misses++;
        return NULL;
    }
    /* The first time it was asked for it cannot have been on its way; a resend may still be. */
    uint32_t since_ms = (uint32_t)(now_us / 1000) - e->sent_ms;
    if (e->resends && since_ms < send_rtt_us(s) / 1000) {
        s->stats.nack_guarded++;
        return NULL;
    }
    if (e->resends == SEND_RESENDS_MAX || s->tokens < e->bytes) {
        s->stats.nack_refused++;
        return NULL;
    }
    return e;
}

void send_resent(struct send *s, uint16_t seq, size_t bytes, int64_t now_us)
{
    s->stats.retransmitted++;
    s->stats.rtx_bytes += bytes;
    s->tokens -= (int64_t)bytes;
    struct send_entry *e = find(s, seq);
    if (!e)
        return;
    if (e->resends == 0)
        s->stats.repaired++;
    if (e->resends < SEND_RESENDS_MAX)
        e->resends++;
    e->sent_ms = (uint32_t)(now_us / 1000);
}

void send_missed(struct send *s)
{
    s->stats.nack_misses++;
}

static void measure_rtt(struct send *s, const struct rtcp_report *r, int64_t now_us)
{
    if (r->lsr == 0)
        return;
    for (unsigned i = 0; i < SEND_SRS; i++) {
        if (s->reports[i].lsr != r->lsr)
            continue;
        int64_t rtt = now_us - s->reports[i].at_us - (int64_t)r->dlsr * US / 65536;
        if (rtt < RTT_MAX_US)
            s->stats.rtt_us = rtt > 1000 ? rtt : 1000;
        return;
    }
}

bool send_report(struct send *s, const struct rtcp_report *r, int64_t now_us,
                 struct score_counts *c)
{
    struct send_stats *b = &s->at_report;
    measure_rtt(s, r, now_us);
    int64_t lost = (int64_t)r->lost - b->lost;
    s->stats.lost = r->lost;
    s->stats.jitter = r->jitter;
    s->stats.fraction = r->fraction;
    uint64_t sent = s->stats.packets - b->packets;
    *c = (struct score_counts){
        .expected = sent,
        .received = sent,
        .lost = lost > 0 ? (uint64_t)lost : 0,
        .repaired = s->stats.repaired - b->repaired,
        .retransmitted = s->stats.retransmitted - b->retransmitted,
    };
    *b = s->stats;
    return sent > 0;
}

bool send_make_report(struct send *s, const struct capture *c, uint32_t ts_shift, int64_t wall_us,
                      int64_t now_us, struct rtcp_sr *out)
{
    bool known = c && c->known;
    if (s->stats.packets == 0 || now_us - s->last_us > SEND_IDLE_US)
        return false;
    if (!known && (s->on_line || now_us - s->first_us < SEND_LINE_US))
        return false;
    s->on_line = known;
    *out = (struct rtcp_sr){
        .ssrc = s->ssrc,
        .packets = (uint32_t)s->stats.packets,
        .octets = (uint32_t)s->payload,
    };
    if (known) {
        capture_at(c, now_us, &out->ntp, &out->rtp_ts);
        out->rtp_ts += ts_shift;
    } else {
        out->ntp = capture_ntp_of_us(wall_us);
        out->rtp_ts = s->last_ts + (uint32_t)((now_us - s->last_us) * s->clock_rate / US);
    }
    s->reports[s->next_report++ % SEND_SRS] =
        (struct sent_report){(uint32_t)(out->ntp >> 16), now_us};
    return true;
}

void send_stats(const struct send *s, struct send_stats *out)
{
    *out = s->stats;
}
