/* What is captured together is played together: sender reports and header extensions as a receiver gets them. */
#include "lib/clock.h"
#include "tests/unit/worker/route/world.h"
#include "worker/route/consumer.h"
#include "worker/route/producer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP_US  MS_US(20) /* a packet of audio; a frame of video is every second one */
#define SENDER_S 1000      /* the sender's NTP clock is so much ahead of its captures */
#define APART_US MS_US(1)  /* ticks and fractions, rounded */
/* A layer that comes later than the one before it cannot go back: its timestamps are late, and until the next report that is
 * not known. At most by the difference of the delays. */
#define SWITCH_US MS_US(64)

enum { AUDIO = 3 }; /* the streams: 0 to 2 are the video's */

static const struct {
    const char *mid, *rid;
    uint32_t ssrc, base, rate; /* base: the RTP timestamp of capture time 0 */
    int64_t delay_us;          /* from the capture to the wire */
} streams[] = {
    {"m2", "q", 501, 4000000000u, 90000, 0},
    {"m2", "h", 502, 77777, 90000, MS_US(20)},
    {"m2", "f", 503, 3000000000u, 90000, MS_US(60)},
    {"m3", NULL, 504, 123456789, 48000, MS_US(40)},
};

struct line {
    bool known;
    bool before; /* the last switch */
    struct rtcp_sr sr;
};

struct lips {
    struct world w;
    struct browser *a, *b;
    int64_t us; /* since the start */
    uint32_t seq[4];
    uint16_t picture_id;
    struct line video, audio; /* the last report that the receiver got */
    size_t compared;
    uint32_t shown;
    int64_t worst_us, worst_before_us;
};

static uint32_t ts_at(size_t i, int64_t us)
{
    return streams[i].base + (uint32_t)(us / 1000 * (streams[i].rate / 1000));
}

static void open_lips(struct lips *l)
{
    *l = (struct lips){.us = S_US(1)};
    world_open(&l->w);
    l->a = world_join(&l->w, 10);
    l->b = world_join(&l->w, 20);
    struct params_producer p[2] = {simulcast_producer(l->a, 2), audio_producer(l->a, 3)};
    struct params_consumer c[2] = {consumer_of(l->b, 3, &p[0]), consumer_of(l->b, 4, &p[1])};
    p[1].encodings[0].ssrc = streams[AUDIO].ssrc;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(producer_create(l->w.engine, &p[i], l->w.now_us), 0);
        assert_int_equal(consumer_create(l->w.engine, &c[i], l->w.now_us), 0);
    }
}

/* The payload ends with its capture time. */
static void capture(struct lips *l, size_t i, bool key)
{
    uint8_t payload[100];
    uint64_t us = (uint64_t)(l->us - streams[i].delay_us);
    size_t len = i == AUDIO ? sizeof(payload)
                            : vp8_payload(payload, sizeof(payload), true, key, l->picture_id,
                                          (uint8_t)l->picture_id, 0);
    memcpy(payload + len - sizeof(us), &us, sizeof(us));
    struct send_rtp r = {.ssrc = streams[i].ssrc,
                         .ts = ts_at(i, (int64_t)us),
                         .seq = 100 + l->seq[i]++,
                         .pt = i == AUDIO ? PT_OPUS : PT_VP8,
                         .marker = true,
                         .mid = streams[i].mid,
                         .rid = streams[i].rid,
                         .twcc = -1,
                         .payload = payload,
                         .len = len};
    browser_rtp(l->a, &r);
}

static void report(struct lips *l, size_t i)
{
    uint8_t buf[100];
    struct writer w = writer_of(buf, sizeof(buf));
    struct rtcp_sr sr = {
        .ssrc = streams[i].ssrc,
        .ntp = ((uint64_t)(SENDER_S + l->us / S_US(1)) << 32) +
               ((uint64_t)(l->us % S_US(1)) << 32) / 1000000,
        .rtp_ts = ts_at(i, l->us),
    };
    rtcp_write_sr(&w, &sr, NULL, 0);
    rtcp_write_sdes(&w, streams[i].ssrc, "a");
    browser_rtcp(l->a, buf, writer_len(&w));
}

static void hear_reports(struct lips *l)
{
    for (size_t i = 0; i < l->b->n_rtcp; i++) {
        struct rtcp_iter it = rtcp_iter_of(l->b->rtcp[i].data, l->b->rtcp[i].len);
        struct rtcp_packet p;
        struct rtcp_sr sr;
        while (rtcp_next(&it, &p)) {
            if (p.pt == RTCP_SR && rtcp_parse_sr(&p, &sr) == 0)
                *(sr.ssrc == 7003 ? &l->video : &l->audio) = (struct line){.known = true, .sr = sr};
        }
    }
}

/* When the receiver takes it to have been captured, against when it was. */
static void compare(struct lips *l, const struct got_rtp *g)
{
    const struct line *line = g->h.ssrc == 7003 ? &l->video : &l->audio;
    int64_t rate = g->h.ssrc == 7003 ? 90000 : 48000;
    uint64_t us;
    if (!line->known)
        return;
    memcpy(&us, g->data + g->h.payload_off + g->h.payload_len - sizeof(us), sizeof(us));
    int64_t taken = (int64_t)(line->sr.ntp >> 32) * 1000000 +
                    (int64_t)((line->sr.ntp & UINT32_MAX) * 1000000 >> 32) +
                    (int64_t)(int32_t)(g->h.ts - line->sr.rtp_ts) * 1000000 / rate - S_US(SENDER_S);
    int64_t apart = llabs(taken - (int64_t)us);
    int64_t *worst_us = line->before ? &l->worst_before_us : &l->worst_us;
    *worst_us = apart > *worst_us ? apart : *worst_us;
    l->compared++;
}

static void step(struct lips *l, unsigned n)
{
    capture(l, AUDIO, false);
    if (n % 2 == 0) {
        l->picture_id++;
        for (size_t i = 0; i < 3; i++)
            capture(l, i, n % 20 == 0);
    }
    for (size_t i = 0; i < 4 && n % 50 == 10; i++)
        report(l, i);
    world_after(&l->w, STEP_US);
    l->us += STEP_US;
    hear_reports(l);
    const struct engine_event *told = world_last(&l->w, ENGINE_LAYERS, 3);
    l->video.before |= told->spatial != l->shown;
    l->shown = told->spatial;
    for (size_t i = 0; i < l->b->n_rtp; i++)
        compare(l, &l->b->rtp[i]);
    browser_forget(l->b);
    browser_forget(l->a);
}

/* Each layer has timestamps and an encoder of its own; whichever is shown, it fits the sound. */
static void lips_fit_across_layer_switches(void **state)
{
    (void)state;
    static const uint32_t shown[] = {0, 2, 1, 0, 1, 2, 0};
    struct lips l;
    open_lips(&l);
    unsigned n = 0;
    for (size_t i = 0; i < ARRAY_LEN(shown); i++) {
        consumer_set_preferred(l.w.engine, 3, shown[i], 0, l.w.now_us);
        for (unsigned end = n + 150; n < end; n++)
            step(&l, n);
        assert_int_equal(l.shown, shown[i]);
        assert_false(l.video.before);
    }
    assert_true(l.video.known && l.audio.known);
    assert_true(l.compared > 1000);
    if (l.worst_us > APART_US)
        fail_msg("%lld us apart", (long long)l.worst_us);
    if (l.worst_before_us > SWITCH_US)
        fail_msg("%lld us apart after a switch", (long long)l.worst_before_us);
    world_close(&l.w);
}

/* Each with the receiver's id; ids above 14 take the two-byte form. */
static void extensions_pass_under_other_ids(void **state)
{
    (void)state;
    static const struct rtp_exts sent[] = {
        {.present = RTP_EXT_BIT(RTP_EXT_ABS_CAPTURE_TIME), .capture_ntp = 0x123456789abcdef0},
        {.present = RTP_EXT_BIT(RTP_EXT_ABS_CAPTURE_TIME) | RTP_EXT_BIT(RTP_EXT_TOFFSET),
         .capture_ntp = 0x123456789abcdef0,
         .has_capture_offset = true,
         .capture_offset = -5000000000,
         .toffset = -3},
        {.present = RTP_EXT_BIT(RTP_EXT_VIDEO_ORIENTATION) | RTP_EXT_BIT(RTP_EXT_PLAYOUT_DELAY) |
                    RTP_EXT_BIT(RTP_EXT_AUDIO_LEVEL),
         .orientation = 0x0b,
         .playout_min = 10,
         .playout_max = 4000,
         .audio_level = 30,
         .vad = true},
    };
    const uint32_t all = RTP_EXT_BIT(RTP_EXT_ABS_CAPTURE_TIME) | RTP_EXT_BIT(RTP_EXT_TOFFSET) |
                         RTP_EXT_BIT(RTP_EXT_VIDEO_ORIENTATION) |
                         RTP_EXT_BIT(RTP_EXT_PLAYOUT_DELAY) | RTP_EXT_BIT(RTP_EXT_AUDIO_LEVEL);
    for (uint32_t theirs = 7; theirs <= 207; theirs += 200) {
        struct world w;
        world_open(&w);
        struct browser *a = world_join(&w, 10), *b = world_join(&w, 20);
        for (enum rtp_ext_type t = RTP_EXT_AUDIO_LEVEL; t < RTP_EXT_COUNT; t++) {
            if (!(all & RTP_EXT_BIT(t)))
                continue;
            assert_int_equal(rtp_ext_map_set(&a->send_ext, t, 30 + t), 0);
            assert_int_equal(rtp_ext_map_set(&b->recv_ext, t, theirs + 12 - t), 0);
        }
        struct params_producer p = audio_producer(a, 2);
        struct params_consumer c = consumer_of(b, 3, &p);
        assert_int_equal(producer_create(w.engine, &p, w.now_us), 0);
        assert_int_equal(consumer_create(w.engine, &c, w.now_us), 0);
        for (uint32_t i = 0; i < ARRAY_LEN(sent); i++) {
            struct send_rtp r = {.ssrc = 2000,
                                 .ts = 960 * i,
                                 .seq = 100 + i,
                                 .pt = PT_OPUS,
                                 .twcc = -1,
                                 .exts = &sent[i],
                                 .payload = "speech",
                                 .len = 6};
            browser_rtp(a, &r);
            world_after(&w, 20000);
            assert_int_equal(b->n_rtp, i + 1);
            const struct got_rtp *g = &b->rtp[i];
            const struct rtp_exts *x = &g->exts;
            assert_int_equal(g->h.ext_profile, theirs > 14 ? 0x1000 : 0xbede);
            assert_int_equal(x->present & all, sent[i].present);
            assert_true(x->capture_ntp == sent[i].capture_ntp);
            assert_int_equal(x->has_capture_offset, sent[i].has_capture_offset);
            assert_true(x->capture_offset == sent[i].capture_offset);
            assert_int_equal(x->toffset, sent[i].toffset);
            assert_int_equal(x->orientation, sent[i].orientation);
            assert_int_equal(x->playout_min, sent[i].playout_min);
            assert_int_equal(x->playout_max, sent[i].playout_max);
            assert_int_equal(x->audio_level, sent[i].audio_level);
            assert_int_equal(x->vad, sent[i].vad);
        }
        world_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lips_fit_across_layer_switches),
        cmocka_unit_test(extensions_pass_under_other_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
