#include "tests/unit/worker/route/world.h"

#include "lib/clock.h"
#include "worker/route/consumer.h"
#include "worker/route/producer.h"
#include "worker/route/router.h"
#include "worker/route/transport.h"
#include "worker/route/webrtc.h"
#include "worker/stream/layers.h"
#include "worker/wire/demux.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stun/stunagent.h>
#include <stun/usages/ice.h>

#define KEEP 8192 /* of what a browser gets */

/* ---- what a browser gets ---- */

static void take_rtp(struct browser *b, const uint8_t *data, size_t len)
{
    assert_non_null(b->rx);
    assert_true(b->n_rtp < KEEP);
    struct got_rtp *g = &b->rtp[b->n_rtp++];
    memset(g, 0, sizeof(*g));
    memcpy(g->wire, data, len);
    g->wire_len = len;
    assert_int_equal(data[0] & 0x0f, 0); /* no CSRCs */
    size_t header = 12 + ((data[0] & 0x10) ? 4 + 4u * (size_t)(data[14] << 8 | data[15]) : 0);
    int err = srtp_rx_rtp(b->rx, data, len, header, g->data, sizeof(g->data), &g->len);
    if (err == -EALREADY) {
        g->replay = true;
        return;
    }
    assert_int_equal(err, 0);
    assert_int_equal(rtp_parse(g->data, g->len, &g->h), 0);
    assert_int_equal(rtp_ext_parse(g->data, &g->h, &b->recv_ext, &g->exts), 0);
}

static void take_rtcp(struct browser *b, const uint8_t *data, size_t len)
{
    assert_true(b->n_rtcp < KEEP);
    struct got_rtcp *g = &b->rtcp[b->n_rtcp++];
    memcpy(g->data, data, len);
    g->len = len;
    assert_int_equal(srtp_rx_rtcp(b->rx, g->data, &g->len), 0);
    /* RFC 3550 6.1: a report first, and a CNAME in it */
    struct rtcp_iter it = rtcp_iter_of(g->data, g->len);
    struct rtcp_packet p;
    bool cname = false, first = true;
    while (rtcp_next(&it, &p)) {
        if (first)
            assert_true(p.pt == RTCP_SR || p.pt == RTCP_RR);
        first = false;
        cname |= p.pt == RTCP_SDES;
    }
    assert_false(it.bad);
    assert_true(cname);
}

static void browser_input(struct browser *b, const uint8_t *data, size_t len)
{
    switch (demux_kind(data, len)) {
    case DEMUX_STUN:
        b->stun_replies++;
        break;
    case DEMUX_DTLS:
        dtls_input(b->dtls, data, len, b->world->now_us);
        break;
    case DEMUX_RTP:
        take_rtp(b, data, len);
        break;
    case DEMUX_RTCP:
        take_rtcp(b, data, len);
        break;
    default:
        fail_msg("the engine sent nonsense");
    }
}

static void flushed(struct outbox *ob, void *arg)
{
    struct world *w = arg;
    for (size_t i = 0; i < ob->n; i++) {
        const struct out_slot *s = &ob->slots[i];
        if (!s->len)
            continue;
        w->n_flushed++;
        bool taken = false;
        for (size_t j = 0; j < w->n_browsers; j++) {
            if (!tuple_equal(&w->browsers[j].tuple, &s->to))
                continue;
            taken = true;
            browser_input(&w->browsers[j], s->data, s->len);
        }
        if (!taken && w->wire)
            w->wire(w, s);
    }
}

static void on_event(const struct engine_event *ev, void *arg)
{
    struct world *w = arg;
    assert_true(w->n_events < ARRAY_LEN(w->events));
    w->events[w->n_events++] = *ev;
}

/* ---- the world ---- */

void world_open_with(struct world *w, struct engine_config conf)
{
    memset(w, 0, sizeof(*w));
    w->now_us = S_US(1000);
    w->batch_limit = SIZE_MAX;
    assert_int_equal(dtls_cert_new(&w->cert), 0);
    assert_int_equal(dtls_cert_new(&w->browser_cert), 0);
    outbox_init(&w->outbox, flushed, w);
    conf.outbox = &w->outbox;
    conf.cert = w->cert;
    conf.event = on_event;
    conf.event_arg = w;
    assert_int_equal(engine_new(&w->engine, &conf), 0);
    assert_int_equal(router_create(w->engine, WORLD_ROUTER, "room"), 0);
}

void world_open(struct world *w)
{
    world_open_with(w, (struct engine_config){0});
}

static void drop_in(struct world *w)
{
    for (size_t i = 0; i < w->n_in; i++)
        free(w->in[i].data);
    w->n_in = 0;
}

void world_close(struct world *w)
{
    engine_free(w->engine);
    for (size_t i = 0; i < w->n_browsers; i++) {
        struct browser *b = &w->browsers[i];
        dtls_free(b->dtls);
        srtp_rx_free(b->rx);
        srtp_tx_free(b->tx);
        free(b->rtp);
        free(b->rtcp);
    }
    drop_in(w);
    free(w->in);
    outbox_free(&w->outbox);
    dtls_cert_free(w->cert);
    dtls_cert_free(w->browser_cert);
}

void world_push(struct world *w, const struct tuple *from, const void *data, size_t len)
{
    if (w->n_in == w->cap_in) {
        w->cap_in = w->cap_in ? w->cap_in * 2 : 64;
        w->in = realloc(w->in, w->cap_in * sizeof(*w->in));
        assert_non_null(w->in);
    }
    /* exactly as long as it is, so that a sanitizer sees what is read behind it */
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, data, len);
    w->in[w->n_in++] = (struct dgram){copy, (uint32_t)len, w->now_us, *from};
}

void world_run(struct world *w)
{
    do {
        size_t n = w->n_in;
        struct dgram *in = w->in;
        w->in = NULL;
        w->n_in = w->cap_in = 0;
        for (size_t at = 0; at < n; at += w->batch_limit < n - at ? w->batch_limit : n - at)
            engine_receive(w->engine, in + at, w->batch_limit < n - at ? w->batch_limit : n - at,
                           w->now_us);
        engine_timers(w->engine, w->now_us);
        engine_send(w->engine, w->now_us);
        assert_true(engine_next_us(w->engine) > 0);
        for (size_t i = 0; i < n; i++)
            free(in[i].data);
        free(in);
    } while (w->n_in); /* answers of the browsers */
}

void world_after(struct world *w, int64_t us)
{
    int64_t end_us = w->now_us + us;
    for (;;) {
        int64_t next_us = engine_next_us(w->engine);
        if (next_us > end_us)
            break;
        if (next_us > w->now_us)
            w->now_us = next_us;
        world_run(w);
    }
    w->now_us = end_us;
    world_run(w);
}

const struct engine_event *world_last(const struct world *w, enum engine_event_kind kind,
                                      uint64_t object)
{
    for (size_t i = w->n_events; i-- > 0;) {
        if (w->events[i].kind == kind && w->events[i].object == object)
            return &w->events[i];
    }
    return NULL;
}

size_t world_count(const struct world *w, enum engine_event_kind kind, uint64_t object)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n_events; i++)
        n += w->events[i].kind == kind && w->events[i].object == object;
    return n;
}

/* ---- a browser ---- */

static void dtls_out(const uint8_t *data, size_t len, void *arg)
{
    struct browser *b = arg;
    world_push(b->world, &b->tuple, data, len);
}

static void dtls_state_changed(enum dtls_state from, enum dtls_state to, const char *reason,
                               void *arg)
{
    (void)from;
    (void)to;
    (void)reason;
    (void)arg;
}

static void dtls_data(const uint8_t *data, size_t len, void *arg)
{
    struct browser *b = arg;
    if (b->on_data)
        b->on_data(b, data, len);
}

static const struct dtls_handlers dtls_handlers = {
    .send = dtls_out, .state = dtls_state_changed, .data = dtls_data};

static void map_extensions(struct browser *b)
{
    rtp_ext_map_init(&b->send_ext);
    rtp_ext_map_set(&b->send_ext, RTP_EXT_MID, EXT_MID);
    rtp_ext_map_set(&b->send_ext, RTP_EXT_RID, EXT_RID);
    rtp_ext_map_set(&b->send_ext, RTP_EXT_REPAIRED_RID, EXT_RRID);
    rtp_ext_map_set(&b->send_ext, RTP_EXT_TRANSPORT_CC, EXT_TWCC);
    rtp_ext_map_init(&b->recv_ext);
    rtp_ext_map_set(&b->recv_ext, RTP_EXT_MID, 1);
    rtp_ext_map_set(&b->recv_ext, RTP_EXT_ABS_SEND_TIME, 4);
    rtp_ext_map_set(&b->recv_ext, RTP_EXT_TRANSPORT_CC, 5);
}

static struct browser *new_browser(struct world *w, uint64_t transport, uint16_t port)
{
    assert_true(w->n_browsers < WORLD_BROWSERS);
    struct browser *b = &w->browsers[w->n_browsers++];
    b->world = w;
    b->transport = transport;
    b->tuple.proto = NET_UDP;
    addr_parse(&b->tuple.remote, "192.0.2.1", port);
    b->rtp = calloc(KEEP, sizeof(*b->rtp));
    b->rtcp = calloc(KEEP, sizeof(*b->rtcp));
    map_extensions(b);
    return b;
}

struct browser *world_plain(struct world *w, uint64_t transport, uint16_t port,
                            const struct srtp_key *key)
{
    struct browser *b = new_browser(w, transport, port);
    if (key) {
        assert_int_equal(srtp_rx_new(&b->rx, key, SRTP_BACKEND_EVP), 0);
        assert_int_equal(srtp_tx_new(&b->tx, key, SRTP_BACKEND_EVP), 0);
    } else {
        srtp_rx_new_clear(&b->rx);
        srtp_tx_new_clear(&b->tx);
    }
    return b;
}

struct browser *world_browser(struct world *w, uint64_t transport)
{
    struct browser *b = new_browser(w, transport, (uint16_t)(5000 + transport));
    snprintf(b->ufrag, sizeof(b->ufrag), "ufrag%u", (unsigned)transport);
    snprintf(b->password, sizeof(b->password), "password%016u", (unsigned)transport);
    struct params_transport p = {.router = WORLD_ROUTER,
                                 .transport = transport,
                                 .ufrag = b->ufrag,
                                 .password = b->password,
                                 .peer = "peer",
                                 .sctp = {1024, 262144, 1048576}};
    assert_int_equal(webrtc_create(w->engine, &p, w->now_us), 0);
    return b;
}

void browser_check(struct browser *b, bool nominate)
{
    static const uint16_t known[] = {STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS,
                                     STUN_ATTRIBUTE_MESSAGE_INTEGRITY, 0};
    StunAgent agent;
    StunMessage m;
    uint8_t buf[600];
    char username[64];
    stun_agent_init(&agent, known, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
    int n = snprintf(username, sizeof(username), "%s:theirs", b->ufrag);
    size_t len = stun_usage_ice_conncheck_create(
        &agent, &m, buf, sizeof(buf), (uint8_t *)username, (size_t)n, (uint8_t *)b->password,
        strlen(b->password), nominate, true, 1, 1, NULL, STUN_USAGE_ICE_COMPATIBILITY_RFC5245);
    assert_true(len > 0);
    world_push(b->world, &b->tuple, buf, len);
}

void world_secure(struct browser *b)
{
    struct world *w = b->world;
    struct dtls_fingerprint theirs;
    struct srtp_key remote, local;
    assert_int_equal(dtls_cert_fingerprints(w->cert, &theirs, 1), 1);
    assert_int_equal(dtls_new(&b->dtls, w->browser_cert, &dtls_handlers, b), 0);
    browser_check(b, true);
    world_run(w);
    assert_int_equal(b->stun_replies, 1);
    assert_int_equal(dtls_connect(b->dtls, true, &theirs, 1, w->now_us), 0);
    dtls_start(b->dtls, w->now_us);
    world_run(w);
    assert_int_equal(dtls_state(b->dtls), DTLS_CONNECTED);
    assert_int_equal(dtls_srtp_keys(b->dtls, &remote, &local), 0);
    assert_int_equal(srtp_rx_new(&b->rx, &remote, SRTP_BACKEND_EVP), 0);
    assert_int_equal(srtp_tx_new(&b->tx, &local, SRTP_BACKEND_EVP), 0);
}

struct browser *world_join(struct world *w, uint64_t transport)
{
    struct browser *b = world_browser(w, transport);
    struct dtls_fingerprint ours;
    assert_int_equal(dtls_cert_fingerprints(w->browser_cert, &ours, 1), 1);
    struct params_fingerprint print = {ours.algorithm, ours.value};
    assert_int_equal(webrtc_connect(w->engine, transport, false, &print, 1, w->now_us), 0);
    world_secure(b);
    return b;
}

void browser_forget(struct browser *b)
{
    b->n_rtp = b->n_rtcp = 0;
}

static void set_text(struct rtp_exts *x, enum rtp_ext_type type, const uint8_t **to, uint8_t *len,
                     const char *s)
{
    if (!s)
        return;
    x->present |= RTP_EXT_BIT(type);
    *to = (const uint8_t *)s;
    *len = (uint8_t)strlen(s);
}

size_t browser_seal(struct browser *b, const struct send_rtp *p, uint8_t out[static 1600])
{
    struct rtp h = {.ts = p->ts,
                    .ssrc = p->ssrc,
                    .seq = (uint16_t)p->seq,
                    .pt = p->pt,
                    .marker = p->marker,
                    .pad_len = p->pad_len};
    struct rtp_exts x = {0};
    if (p->exts)
        x = *p->exts;
    set_text(&x, RTP_EXT_MID, &x.mid, &x.mid_len, p->mid);
    set_text(&x, RTP_EXT_RID, &x.rid, &x.rid_len, p->rid);
    set_text(&x, RTP_EXT_REPAIRED_RID, &x.rrid, &x.rrid_len, p->rrid);
    if (p->twcc > 0) {
        x.present |= RTP_EXT_BIT(RTP_EXT_TRANSPORT_CC);
        x.twcc = (uint16_t)p->twcc;
    }
    size_t head = rtp_compose(out, 1600, &h, &x, &b->send_ext);
    struct srtp_job job = {.tx = b->tx,
                           .out = out,
                           .payload = p->payload,
                           .aad_len = (uint32_t)head,
                           .payload_len = (uint32_t)p->len,
                           .pad_len = p->pad_len,
                           .roc = p->seq >> 16};
    srtp_tx_rtp(&job, 1);
    assert_true(job.out_len > 0);
    return job.out_len;
}

void browser_rtp(struct browser *b, const struct send_rtp *p)
{
    uint8_t out[1600];
    world_push(b->world, &b->tuple, out, browser_seal(b, p, out));
}

void browser_rtcp(struct browser *b, const void *plain, size_t len)
{
    uint8_t out[1600];
    memcpy(out, plain, len);
    assert_int_equal(srtp_tx_rtcp(b->tx, out, &len, sizeof(out)), 0);
    world_push(b->world, &b->tuple, out, len);
}

size_t vp8_payload(uint8_t *out, size_t len, bool start, bool key, uint16_t picture_id, uint8_t tl0,
                   uint8_t tid)
{
    memset(out, 0xa5, len);
    out[0] = (uint8_t)(0x80 | (start ? 0x10 : 0));
    out[1] = 0xe0; /* I, L, T */
    out[2] = (uint8_t)(0x80 | picture_id >> 8);
    out[3] = (uint8_t)picture_id;
    out[4] = tl0;
    out[5] = (uint8_t)(tid << 6 | 0x20);
    static const uint8_t key_head[] = {0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01};
    static const uint8_t delta_head[] = {0x11, 0, 0};
    if (start && key)
        memcpy(out + 6, key_head, sizeof(key_head));
    else if (start)
        memcpy(out + 6, delta_head, sizeof(delta_head));
    return len;
}

/* ---- parameters ---- */

static void media_of(struct params_media *m, bool video, const char *mid)
{
    m->n_codecs = 1;
    m->codecs[0] = video ? (struct params_codec){.type = FRAME_CODEC_VP8,
                                                 .payload_type = PT_VP8,
                                                 .producer_payload_type = PT_VP8,
                                                 .has_rtx = true,
                                                 .rtx_payload_type = PT_RTX,
                                                 .clock_rate = 90000,
                                                 .nack = true,
                                                 .pli = true,
                                                 .fir = true,
                                                 .transport_cc = true,
                                                 .subtype = "VP8"}
                         : (struct params_codec){.type = FRAME_CODEC_OPUS,
                                                 .payload_type = PT_OPUS,
                                                 .producer_payload_type = PT_OPUS,
                                                 .clock_rate = 48000,
                                                 .subtype = "opus"};
    snprintf(m->mid, sizeof(m->mid), "%s", mid);
    snprintf(m->cname, sizeof(m->cname), "cname");
}

static struct params_producer producer_base(const struct browser *b, uint64_t id, bool video)
{
    char mid[16];
    struct params_producer p = {
        .transport = b->transport, .producer = id, .kind = video ? PARAMS_VIDEO : PARAMS_AUDIO};
    snprintf(mid, sizeof(mid), "m%u", (unsigned)id);
    media_of(&p.media, video, mid);
    p.media.ext = b->send_ext;
    p.n_encodings = 1;
    for (size_t i = 0; i < LIMIT_ENCODINGS; i++)
        p.encodings[i].spatial_layers = p.encodings[i].temporal_layers = 1;
    p.encodings[0].ssrc = (uint32_t)(1000 * id);
    return p;
}

struct params_producer video_producer(const struct browser *b, uint64_t id)
{
    struct params_producer p = producer_base(b, id, true);
    p.encodings[0].rtx_ssrc = p.encodings[0].ssrc + 1;
    return p;
}

struct params_producer simulcast_producer(const struct browser *b, uint64_t id)
{
    static const char *const rids[] = {"q", "h", "f"};
    struct params_producer p = producer_base(b, id, true);
    p.n_encodings = 3;
    p.encodings[0].ssrc = 0;
    for (size_t i = 0; i < 3; i++)
        snprintf(p.encodings[i].rid, sizeof(p.encodings[i].rid), "%s", rids[i]);
    return p;
}

struct params_producer audio_producer(const struct browser *b, uint64_t id)
{
    return producer_base(b, id, false);
}

struct params_consumer consumer_of(const struct browser *b, uint64_t id,
                                   const struct params_producer *p)
{
    char mid[16];
    struct params_consumer c = {.transport = b->transport,
                                .consumer = id,
                                .producer = p->producer,
                                .ssrc = (uint32_t)(7000 + id),
                                .rtx_ssrc = p->kind == PARAMS_VIDEO ? (uint32_t)(8000 + id) : 0,
                                .preferred_spatial = LAYERS_ALL,
                                .preferred_temporal = LAYERS_ALL};
    snprintf(mid, sizeof(mid), "c%u", (unsigned)id);
    media_of(&c.media, p->kind == PARAMS_VIDEO, mid);
    c.media.codecs[0].payload_type = 101;
    c.media.codecs[0].rtx_payload_type = 102;
    c.media.codecs[0].transport_cc = false; /* it would have to tell what arrives */
    c.media.ext = b->recv_ext;
    return c;
}

size_t rtcp_count(const struct browser *b, uint8_t pt, uint8_t fmt, struct rtcp_packet *last)
{
    size_t n = 0;
    for (size_t i = 0; i < b->n_rtcp; i++) {
        struct rtcp_iter it = rtcp_iter_of(b->rtcp[i].data, b->rtcp[i].len);
        struct rtcp_packet p;
        while (rtcp_next(&it, &p)) {
            if (p.pt != pt || (pt >= RTCP_RTPFB && p.count != fmt))
                continue;
            n++;
            if (last)
                *last = p;
        }
    }
    return n;
}

/* ---- ready-made ---- */

void browser_nack(struct browser *b, uint32_t ssrc, uint16_t seq)
{
    uint8_t buf[64];
    struct writer w = writer_of(buf, sizeof(buf));
    rtcp_write_rr(&w, 99, NULL, 0);
    rtcp_write_nack(&w, 99, ssrc, &seq, 1);
    browser_rtcp(b, buf, writer_len(&w));
    world_run(b->world);
}

void browser_pli(struct browser *b, uint32_t ssrc)
{
    uint8_t buf[64];
    struct writer w = writer_of(buf, sizeof(buf));
    rtcp_write_rr(&w, 99, NULL, 0);
    rtcp_write_pli(&w, 99, ssrc);
    browser_rtcp(b, buf, writer_len(&w));
    world_run(b->world);
}

void camera_packet(struct camera *c, bool start, bool end, bool key, size_t len)
{
    uint8_t payload[1400];
    struct send_rtp p = {.ssrc = c->ssrc,
                         .ts = c->ts,
                         .seq = c->seq++,
                         .pt = PT_VP8,
                         .marker = end,
                         .mid = c->mid,
                         .rid = c->rid,
                         .twcc = -1,
                         .payload = payload,
                         .len =
                             vp8_payload(payload, len, start, key, c->picture_id, c->tl0, c->tid)};
    browser_rtp(c->b, &p);
}

void camera_send(struct camera *c, bool key, size_t packets)
{
    c->picture_id++;
    c->tl0++;
    c->ts += 3000;
    for (size_t i = 0; i < packets; i++)
        camera_packet(c, i == 0, i == packets - 1, key, 500);
}

void camera_frame(struct camera *c, bool key, size_t packets)
{
    camera_send(c, key, packets);
    world_after(c->b->world, 33000);
}

void stage_open(struct stage *s)
{
    stage_open_with(s, (struct engine_config){0});
}

void stage_open_with(struct stage *s, struct engine_config conf)
{
    world_open_with(&s->w, conf);
    s->a = world_join(&s->w, 10);
    s->b = world_join(&s->w, 20);
    struct params_producer p = video_producer(s->a, 2);
    struct params_consumer c = consumer_of(s->b, 3, &p);
    assert_int_equal(producer_create(s->w.engine, &p, s->w.now_us), 0);
    assert_int_equal(consumer_create(s->w.engine, &c, s->w.now_us), 0);
    s->cam = (struct camera){.b = s->a, .ssrc = 2000, .seq = 65530, .ts = 5};
}
