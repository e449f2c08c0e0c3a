/* What a receiver's numbers must survive: one number is one packet, and none is so far ahead that its roll-over counter is lost. */
#include "lib/clock.h"
#include "tests/unit/worker/route/world.h"
#include "worker/route/consumer.h"
#include "worker/route/limits.h"
#include "worker/route/producer.h"
#include "worker/route/state.h"
#include "worker/route/transport.h"

#include <errno.h>
#include <string.h>

static void in_a_row(const struct browser *b)
{
    for (size_t i = 0; i < b->n_rtp; i++) {
        assert_false(b->rtp[i].replay);
        assert_int_equal(b->rtp[i].h.seq, (uint16_t)(b->rtp[0].h.seq + i));
    }
}

/* The key frame's first packet is the last that the batch has room for: what follows it is in the history, but not yet in a batch. */
static void a_batch_ends_in_a_key_frame(void **state)
{
    (void)state;
    for (size_t before = LIMIT_BATCH - 3; before <= LIMIT_BATCH; before++) {
        struct stage s;
        stage_open(&s);
        for (size_t i = 0; i < before; i++)
            camera_send(&s.cam, false, 1);
        camera_send(&s.cam, true, 4);
        world_run(&s.w);
        assert_int_equal(s.b->n_rtp, 4);
        in_a_row(s.b);
        world_close(&s.w);
    }
}

static void speak(struct browser *b, uint32_t ssrc, uint32_t seq, const char *mid)
{
    struct send_rtp r = {.ssrc = ssrc,
                         .ts = 960 * seq,
                         .seq = seq,
                         .pt = PT_OPUS,
                         .twcc = -1,
                         .mid = mid,
                         .payload = "speech",
                         .len = 6};
    browser_rtp(b, &r);
}

/* The sender starts its numbers anew, or its SSRC, while packets of before wait in the same batch. */
static void a_stream_starts_anew_in_a_batch(void **state)
{
    (void)state;
    for (int renamed = 0; renamed < 2; renamed++) {
        struct world w;
        world_open(&w);
        struct browser *a = world_join(&w, 10), *b = world_join(&w, 20);
        struct params_producer p = audio_producer(a, 2);
        p.encodings[0].ssrc = 0;
        struct params_consumer c = consumer_of(b, 3, &p);
        assert_int_equal(producer_create(w.engine, &p, w.now_us), 0);
        assert_int_equal(consumer_create(w.engine, &c, w.now_us), 0);
        for (uint32_t seq = 100; seq < 105; seq++) {
            speak(a, 500, seq, "m2");
            world_after(&w, 20000);
        }
        speak(a, 500, 105, "m2");
        for (uint32_t seq = 20000; seq < 20003; seq++)
            speak(a, renamed ? 501 : 500, seq, "m2");
        world_run(&w);
        for (uint32_t seq = 20003; seq < 20006; seq++) {
            speak(a, renamed ? 501 : 500, seq, "m2");
            world_after(&w, 20000);
        }
        assert_in_range(b->n_rtp, 5 + 5, 5 + 7);
        in_a_row(b);
        world_close(&w);
    }
}

/* A payload type that the receiver does not have is left out without a gap, and is no key frame. */
static void an_unknown_payload_type_leaves_no_gap(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    camera_frame(&s.cam, true, 2);
    world_after(&s.w, S_US(1));
    browser_pli(s.b, 7003);
    browser_forget(s.a);
    for (int i = 0; i < 40000; i++) {
        struct send_rtp other = {.ssrc = 2000,
                                 .ts = s.cam.ts,
                                 .seq = s.cam.seq++,
                                 .pt = 50,
                                 .twcc = -1,
                                 .payload = "other",
                                 .len = 5};
        browser_rtp(s.a, &other);
        if (i % 100 == 0)
            world_run(&s.w);
    }
    world_after(&s.w, S_US(1));
    assert_true(rtcp_count(s.a, RTCP_PSFB, RTCP_PSFB_PLI, NULL) > 0);
    camera_frame(&s.cam, true, 2);
    assert_int_equal(s.b->n_rtp, 4);
    in_a_row(s.b);
    world_close(&s.w);
}

/* Its SRTCP index would start again when a consumer of that SSRC is closed. */
static void the_ssrc_of_reports_is_nobody_elses(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    struct params_producer p = video_producer(s.a, 2);
    struct params_consumer c = consumer_of(s.b, 4, &p);
    c.ssrc = transport_find(s.w.engine, 20)->rtcp_ssrc;
    assert_int_equal(consumer_create(s.w.engine, &c, s.w.now_us), -EEXIST);
    c = consumer_of(s.b, 4, &p);
    c.rtx_ssrc = transport_find(s.w.engine, 20)->rtcp_ssrc;
    assert_int_equal(consumer_create(s.w.engine, &c, s.w.now_us), -EEXIST);
    world_close(&s.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_ends_in_a_key_frame),
        cmocka_unit_test(a_stream_starts_anew_in_a_batch),
        cmocka_unit_test(an_unknown_payload_type_leaves_no_gap),
        cmocka_unit_test(the_ssrc_of_reports_is_nobody_elses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
