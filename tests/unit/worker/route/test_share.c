#include "lib/clock.h"
#include "lib/mem.h"
#include "tests/unit/worker/route/world.h"
#include "worker/cc/twcc_recv.h"
#include "worker/route/consumer.h"
#include "worker/route/producer.h"
#include "worker/route/state.h"
#include "worker/route/transport.h"
#include "worker/stream/layers.h"
#include "worker/stream/pacer.h"

#include <string.h>

#define QUEUE_US    200000 /* of the bottleneck */
#define DELAY_US    20000
#define FEEDBACK_US 50000
#define FRAME_US    33000

/* A viewer behind a link of limited rate, with a queue; it tells what arrives. */
struct link {
    uint64_t bps; /* 0: no limit */
    int64_t free_us;
    struct twcc_recv *twcc;
    uint64_t audio, audio_lost, video, padding, lost;
    uint64_t bytes;
    int64_t worst_us; /* in the queue */
};

struct scene {
    struct world w;
    struct browser *a, *b;
    struct camera cam[3];
    struct link link;
    uint32_t audio_seq;
    int64_t feedback_us;
    unsigned tick;
    bool asked; /* for a key frame */
};

static void open_scene(struct scene *s, uint32_t initial)
{
    memset(s, 0, sizeof(*s));
    world_open(&s->w);
    s->a = world_join(&s->w, 10);
    s->b = world_join(&s->w, 20);
    struct params_producer video = simulcast_producer(s->a, 2), audio = audio_producer(s->a, 3);
    struct params_consumer cv = consumer_of(s->b, 4, &video), ca = consumer_of(s->b, 5, &audio);
    cv.media.codecs[0].transport_cc = true;
    rtp_ext_map_init(&ca.media.ext); /* nothing tells of audio */
    rtp_ext_map_set(&ca.media.ext, RTP_EXT_MID, 1);
    struct transport *t = transport_find(s->w.engine, 20);
    assert_int_equal(share_set_limits(t, initial, 0, 0), 0);
    assert_int_equal(producer_create(s->w.engine, &video, s->w.now_us), 0);
    assert_int_equal(producer_create(s->w.engine, &audio, s->w.now_us), 0);
    assert_int_equal(consumer_create(s->w.engine, &cv, s->w.now_us), 0);
    assert_int_equal(consumer_create(s->w.engine, &ca, s->w.now_us), 0);
    static const char *const rids[] = {"q", "h", "f"};
    for (unsigned i = 0; i < 3; i++)
        s->cam[i] = (struct camera){
            .b = s->a, .ssrc = 2000 + i * 100, .seq = 100, .ts = 5, .rid = rids[i], .mid = "m2"};
    assert_int_equal(twcc_recv_new(&s->link.twcc), 0);
}

static void close_scene(struct scene *s)
{
    twcc_recv_free(s->link.twcc);
    world_close(&s->w);
}

/* What the viewer got since the last time goes through the link. */
static void through_the_link(struct scene *s)
{
    struct link *l = &s->link;
    for (size_t i = 0; i < s->b->n_rtp; i++) {
        const struct got_rtp *r = &s->b->rtp[i];
        bool audio = r->h.ssrc == 7005;
        int64_t now_us = s->w.now_us;
        l->audio += audio;
        l->padding += r->h.ssrc == 8004 && r->h.payload_len == 0;
        l->video += r->h.ssrc == 7004;
        l->bytes += r->wire_len;
        if (l->free_us < now_us)
            l->free_us = now_us;
        if (l->bps && l->free_us - now_us > QUEUE_US) {
            l->lost++;
            l->audio_lost += audio;
            continue;
        }
        if (l->free_us - now_us > l->worst_us)
            l->worst_us = l->free_us - now_us;
        if (l->bps)
            l->free_us += (int64_t)(r->wire_len * 8 * 1000000 / l->bps);
        if (r->exts.present & RTP_EXT_BIT(RTP_EXT_TRANSPORT_CC))
            twcc_recv_packet(l->twcc, r->exts.twcc, r->h.ssrc, l->free_us + DELAY_US);
    }
    browser_forget(s->b);
}

static void tell(struct scene *s)
{
    uint8_t buf[1500];
    bool more = true;
    while (more) {
        struct writer w = writer_of(buf, sizeof(buf));
        more = twcc_recv_feedback(s->link.twcc, 1, s->w.now_us, &w);
        if (writer_len(&w) > 0)
            browser_rtcp(s->b, buf, writer_len(&w));
    }
}

static void send_audio(struct scene *s)
{
    static const uint8_t opus[80] = {0x78};
    struct send_rtp p = {.ssrc = 3000,
                         .ts = s->audio_seq * 960,
                         .seq = s->audio_seq,
                         .pt = PT_OPUS,
                         .twcc = -1,
                         .payload = opus,
                         .len = sizeof(opus)};
    s->audio_seq++;
    browser_rtp(s->a, &p);
}

static void pass(struct scene *s, int64_t us)
{
    for (int64_t end_us = s->w.now_us + us; s->w.now_us < end_us;) {
        world_after(&s->w, 1000);
        through_the_link(s);
        if (s->w.now_us >= s->feedback_us) {
            s->feedback_us = s->w.now_us + FEEDBACK_US;
            tell(s);
        }
    }
}

/* Three streams of about 60, 240 and 1200 kbit/s; key frames when they are asked for, or so many are sent. */
static void film(struct scene *s, double seconds)
{
    static const size_t packets[] = {1, 2, 10};
    for (int n = (int)(seconds * 1000000 / FRAME_US); n > 0; n--, s->tick++) {
        struct rtcp_packet pli;
        s->asked |= rtcp_count(s->a, RTCP_PSFB, RTCP_PSFB_PLI, &pli) > 0;
        browser_forget(s->a);
        if (s->tick % 300 == 0) { /* consent */
            browser_check(s->a, false);
            browser_check(s->b, false);
        }
        for (unsigned i = 0; i < 3; i++) {
            bool first = s->tick == 0 || (s->asked && s->tick % 8 == 0);
            s->cam[i].picture_id++;
            s->cam[i].tl0++;
            s->cam[i].ts += 2970;
            for (size_t k = 0; k < packets[i] * (first ? 3 : 1); k++)
                camera_packet(&s->cam[i], k == 0, k + 1 == packets[i] * (first ? 3 : 1), first,
                              i == 0 ? 250 : 500);
        }
        s->asked &= s->tick % 8 != 0;
        send_audio(s);
        pass(s, FRAME_US / 2);
        send_audio(s);
        pass(s, FRAME_US - FRAME_US / 2);
    }
}

static int layer(const struct scene *s)
{
    const struct engine_event *ev = world_last(&s->w, ENGINE_LAYERS, 4);
    return !ev || ev->none ? -1 : (int)ev->spatial;
}

static void opens_up_on_a_free_way(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, 300000);
    film(&s, 3);
    assert_int_equal(layer(&s), 2);
    assert_true(s.link.padding > 0);
    assert_int_equal(s.link.lost, 0);
    close_scene(&s);
}

static void falls_behind_a_bottleneck_and_climbs_back(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, 600000);
    film(&s, 8);
    assert_int_equal(layer(&s), 2);
    s.link.bps = 500000;
    film(&s, 5);
    assert_true(layer(&s) < 2);
    s.link.audio = s.link.audio_lost = s.link.bytes = 0;
    film(&s, 20);
    assert_int_equal(layer(&s), 1);
    assert_int_equal(s.link.audio_lost, 0);
    assert_true(s.link.bytes * 8 / 20 > 250000);
    s.link.bps = 0;
    film(&s, 10);
    assert_int_equal(layer(&s), 2);
    close_scene(&s);
}

static void tells_when_nothing_fits(void **state)
{
    (void)state;
    struct scene s;
    open_scene(&s, 600000);
    film(&s, 5);
    s.link.bps = 60000;
    film(&s, 12);
    const struct engine_event *ev = world_last(&s.w, ENGINE_BANDWIDTH_SHORT, 4);
    assert_non_null(ev);
    assert_true(ev->is_short);
    s.link.audio = s.link.audio_lost = s.link.video = 0;
    film(&s, 3);
    assert_true(s.link.audio_lost * 50 <= s.link.audio);
    s.link.bps = 0;
    film(&s, 10);
    ev = world_last(&s.w, ENGINE_BANDWIDTH_SHORT, 4);
    assert_false(ev->is_short);
    assert_true(layer(&s) >= 0);
    close_scene(&s);
}

/* The way is all but closed while a queue grows, so that the last thing known of it is the worst. */
static void comes_back_from_the_worst(void **state)
{
    (void)state;
    for (uint64_t bps = 20000; bps <= 120000; bps += 20000) {
        struct scene s;
        open_scene(&s, 600000);
        film(&s, 5);
        s.link.bps = bps;
        film(&s, 20);
        s.link.bps = 0;
        film(&s, 15);
        assert_true(layer(&s) >= 0);
        close_scene(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_up_on_a_free_way),
        cmocka_unit_test(falls_behind_a_bottleneck_and_climbs_back),
        cmocka_unit_test(tells_when_nothing_fits),
        cmocka_unit_test(comes_back_from_the_worst),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
