#include "load/peer_int.h"

#include "lib/clock.h"

#include <stdio.h>
#include <string.h>

#define FEEDBACK_US   25000
#define SECOND_US     1000000
#define RTCP_MAX      1300
#define NACK_MAX_SEQS 256

/* ---- what is sent ---- */

void peer_send_packet(const uint8_t *data, size_t len, size_t header_len, uint32_t roc, void *arg)
{
    const struct peer *p = arg;
    link_send_rtp(p->send, data, len, header_len, roc);
}

static void on_media_timer(struct timer *t, int64_t now_us, void *arg)
{
    struct peer *p = arg;
    int64_t next_us = TIME_NEVER_US;
    (void)now_us;
    for (size_t i = 0; i < MEDIA_COUNT; i++) {
        for (size_t k = 0; k < p->producers[i].n; k++) {
            struct source *s = p->producers[i].sources[k];
            /* The stamp is the time of leaving: each frame is handed to the kernel at once. */
            if (source_next_us(s) <= clock_now_us()) {
                source_run(s, clock_now_us());
                sockets_flush(p->world->sockets);
            }
            next_us = time_min_us(next_us, source_next_us(s));
        }
    }
    if (next_us != TIME_NEVER_US)
        timer_start(p->world->timers, t, next_us);
}

void peer_media_start(struct peer *p)
{
    int64_t now_us = clock_now_us();
    if (!p->send || link_state(p->send) != LINK_UP || p->state == PEER_FAILED)
        return;
    for (size_t i = 0; i < MEDIA_COUNT; i++)
        for (size_t k = 0; k < p->producers[i].n && p->producers[i].id[0]; k++)
            source_start(p->producers[i].sources[k], now_us);
    timer_start(p->world->timers, &p->media_timer, now_us);
}

void peer_media_stop(struct peer *p)
{
    timer_stop(p->world->timers, &p->media_timer);
    timer_stop(p->world->timers, &p->feedback_timer);
}

/* ---- what the server says of what we send ---- */

static struct source *find_source(struct peer *p, uint32_t ssrc)
{
    for (size_t i = 0; i < MEDIA_COUNT; i++)
        for (size_t k = 0; k < p->producers[i].n; k++)
            if (source_ssrc(p->producers[i].sources[k]) == ssrc)
                return p->producers[i].sources[k];
    return NULL;
}

static void on_nack(struct peer *p, const struct rtcp_packet *packet)
{
    uint16_t seqs[NACK_MAX_SEQS];
    uint32_t ssrc;
    size_t n;
    if (rtcp_parse_nack(packet, &ssrc, seqs, NACK_MAX_SEQS, &n))
        return;
    struct source *s = find_source(p, ssrc);
    if (s)
        source_resend(s, seqs, n);
}

static void on_fir(struct peer *p, const struct rtcp_packet *packet)
{
    struct rtcp_fir firs[RTCP_SSRCS_MAX];
    size_t n;
    if (rtcp_parse_fir(packet, firs, &n))
        return;
    for (size_t i = 0; i < n; i++) {
        struct source *s = find_source(p, firs[i].ssrc);
        if (s)
            source_key(s);
    }
}

static void on_pli(struct peer *p, const struct rtcp_packet *packet)
{
    uint32_t ssrc;
    struct source *s = rtcp_parse_pli(packet, &ssrc) ? NULL : find_source(p, ssrc);
    if (s)
        source_key(s);
}

static void on_send_rtcp(const uint8_t *data, size_t len, int64_t rx_us, void *arg)
{
    struct rtcp_iter it = rtcp_iter_of(data, len);
    struct rtcp_packet packet;
    (void)rx_us;
    while (rtcp_next(&it, &packet)) {
        if (packet.pt == RTCP_RTPFB && packet.count == RTCP_RTPFB_NACK)
            on_nack(arg, &packet);
        else if (packet.pt == RTCP_PSFB && packet.count == RTCP_PSFB_PLI)
            on_pli(arg, &packet);
        else if (packet.pt == RTCP_PSFB && packet.count == RTCP_PSFB_FIR)
            on_fir(arg, &packet);
    }
}

static void on_send_rtp(uint8_t *data, size_t len, const struct rtp *h, int64_t rx_us, void *arg)
{
    (void)data;
    (void)len;
    (void)h;
    (void)rx_us;
    (void)arg;
}

/* ---- what is received ---- */

static void on_recv_rtp(uint8_t *data, size_t len, const struct rtp *h, int64_t rx_us, void *arg)
{
    struct peer *p = arg;
    struct rtp_exts exts;
    struct by_ssrc *b;
    if (h->ext_len && rtp_ext_parse(data, h, &p->recv_exts, &exts) == 0 &&
        exts.present & RTP_EXT_BIT(RTP_EXT_TRANSPORT_CC))
        twcc_recv_packet(p->twcc, exts.twcc, h->ssrc, rx_us);
    HASH_FIND(hh, p->streams, &h->ssrc, sizeof(h->ssrc), b);
    if (b)
        sink_packet(b->sink, data, len, h, rx_us);
}

static void on_recv_rtcp(const uint8_t *data, size_t len, int64_t rx_us, void *arg)
{
    struct peer *p = arg;
    struct rtcp_iter it = rtcp_iter_of(data, len);
    struct rtcp_packet packet;
    struct rtcp_sr sr;
    while (rtcp_next(&it, &packet)) {
        struct by_ssrc *b;
        if (packet.pt != RTCP_SR || rtcp_parse_sr(&packet, &sr))
            continue;
        HASH_FIND(hh, p->streams, &sr.ssrc, sizeof(sr.ssrc), b);
        if (b)
            sink_sender_report(b->sink, sr.ntp, rx_us);
    }
}

static void send_written(struct link *l, struct writer *w)
{
    if (!w->bad && writer_len(w))
        link_send_rtcp(l, w->start, writer_len(w));
}

static void on_feedback_timer(struct timer *t, int64_t now_us, void *arg)
{
    struct peer *p = arg;
    uint8_t buf[RTCP_MAX];
    bool more = twcc_recv_next_us(p->twcc) <= now_us;
    while (more) {
        struct writer w = writer_of(buf, sizeof(buf));
        more = twcc_recv_feedback(p->twcc, p->ssrc, now_us, &w);
        send_written(p->recv, &w);
    }
    for (size_t i = 0; i < p->n_received; i++) {
        struct writer w = writer_of(buf, sizeof(buf));
        sink_feedback(p->received[i].sink, p->ssrc, now_us, &w);
        send_written(p->recv, &w);
    }
    timer_start(p->world->timers, t, now_us + FEEDBACK_US);
}

/* ---- reports, each second ---- */

static void report_received(struct peer *p, int64_t now_us)
{
    struct rtcp_report reports[RTCP_REPORTS_MAX];
    uint8_t buf[RTCP_MAX];
    size_t n = 0;
    for (size_t i = 0; i < p->n_received; i++) {
        n += sink_report(p->received[i].sink, now_us, &reports[n]);
        if (n == RTCP_REPORTS_MAX || (n && i + 1 == p->n_received)) {
            struct writer w = writer_of(buf, sizeof(buf));
            rtcp_write_rr(&w, p->ssrc, reports, n);
            send_written(p->recv, &w);
            n = 0;
        }
    }
}

static void report_sent(struct peer *p, int64_t now_us)
{
    uint8_t buf[RTCP_MAX];
    char cname[32];
    struct rtcp_sr sr;
    struct writer w = writer_of(buf, sizeof(buf));
    for (size_t i = 0; i < MEDIA_COUNT; i++) {
        for (size_t k = 0; k < p->producers[i].n; k++) {
            if (!source_report(p->producers[i].sources[k], now_us, clock_wall_us(), &sr))
                continue;
            /* As describe_sending() says it. */
            snprintf(cname, sizeof(cname), "load-%08x", source_ssrc(p->producers[i].sources[0]));
            rtcp_write_sr(&w, &sr, NULL, 0);
            rtcp_write_sdes(&w, sr.ssrc, cname);
        }
    }
    send_written(p->send, &w);
}

static void on_second_timer(struct timer *t, int64_t now_us, void *arg)
{
    struct peer *p = arg;
    timer_start(p->world->timers, t, now_us + SECOND_US);
    if (p->state == PEER_FAILED)
        return;
    signalling_check(p->signalling, now_us);
    if (p->recv)
        report_received(p, now_us);
    if (p->send)
        report_sent(p, now_us);
}

/* ---- transports come and go ---- */

static void on_send_up(void *arg)
{
    peer_media_start(arg);
    peer_check_up(arg);
}

static void on_recv_up(void *arg)
{
    struct peer *p = arg;
    timer_start(p->world->timers, &p->feedback_timer, clock_now_us() + FEEDBACK_US);
    peer_check_up(p);
}

static void on_down(const char *reason, void *arg)
{
    peer_fail(arg, reason);
}

const struct link_handlers peer_send_handlers = {on_send_up, on_down, on_send_rtp, on_send_rtcp};
const struct link_handlers peer_recv_handlers = {on_recv_up, on_down, on_recv_rtp, on_recv_rtcp};

void peer_media_init(struct peer *p)
{
    timer_init(&p->media_timer, on_media_timer, p);
    timer_init(&p->feedback_timer, on_feedback_timer, p);
    timer_init(&p->second_timer, on_second_timer, p);
    (void)twcc_recv_new(&p->twcc);
    timer_start(p->world->timers, &p->second_timer, p->begun_us + SECOND_US);
}
