/* What goes back to senders and receivers: reports, NACK, transport-cc, REMB; and what theirs does here. */
#include "lib/clock.h"
#include "tests/unit/worker/route/world.h"
#include "worker/route/consumer.h"
#include "worker/route/producer.h"
#include "worker/route/transport.h"
#include "worker/stream/capture.h"
#include "worker/stream/keyreq.h"

#include <string.h>

static void tell_line(struct camera *cam, uint64_t ntp_s)
{
    uint8_t buf[100];
    struct writer w = writer_of(buf, sizeof(buf));
    struct rtcp_sr sr = {.ssrc = cam->ssrc, .ntp = ntp_s << 32, .rtp_ts = cam->ts};
    rtcp_write_sr(&w, &sr, NULL, 0);
    rtcp_write_sdes(&w, cam->ssrc, "a");
    browser_rtcp(cam->b, buf, writer_len(&w));
}

static void sender_and_receiver_reports(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    for (int i = 0; i < 90; i++) {
        if (i == 10)
            tell_line(&s.cam, 500);
        camera_frame(&s.cam, i == 0, 2);
    }
    struct rtcp_packet last;
    struct rtcp_sr sr;
    assert_in_range(rtcp_count(s.b, RTCP_SR, 0, &last), 1, 3);
    assert_int_equal(rtcp_parse_sr(&last, &sr), 0);
    assert_int_equal(sr.ssrc, 7003);
    assert_true(sr.packets > 50 && sr.octets > 50 * 500);
    assert_in_range(rtcp_count(s.a, RTCP_RR, 0, NULL), 1, 8);
    struct rtcp_report r[RTCP_REPORTS_MAX];
    uint32_t sender;
    size_t n = 0, seen = 0;
    for (size_t i = 0; i < s.a->n_rtcp; i++) {
        struct rtcp_iter it = rtcp_iter_of(s.a->rtcp[i].data, s.a->rtcp[i].len);
        while (rtcp_next(&it, &last)) {
            if (last.pt == RTCP_RR && rtcp_parse_reports(&last, &sender, r, &n) == 0 && n) {
                assert_int_equal(r[0].ssrc, 2000);
                assert_int_equal(r[0].lost, 0);
                seen++;
            }
        }
    }
    assert_in_range(seen, 1, 3);
    assert_int_equal(rtcp_count(s.b, RTCP_RTPFB, RTCP_RTPFB_NACK, NULL), 0);
    world_close(&s.w);
}

/* The sender's clock is not ours: before it has told its own, and while a consumer waits for a key frame, nothing is said on ours. */
static void reports_of_one_clock(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    for (int i = 0; i < 300; i++) {
        if (i == 60)
            tell_line(&s.cam, 500);
        if (i > 100 && i % 20 == 0)
            consumer_pause(s.w.engine, 3, true, s.w.now_us);
        if (i % 20 == 2)
            consumer_pause(s.w.engine, 3, false, s.w.now_us);
        camera_frame(&s.cam, i < 100 || i % 20 == 19, 2);
    }
    size_t seen = 0;
    for (size_t i = 0; i < s.b->n_rtcp; i++) {
        struct rtcp_iter it = rtcp_iter_of(s.b->rtcp[i].data, s.b->rtcp[i].len);
        struct rtcp_packet p;
        struct rtcp_sr sr;
        while (rtcp_next(&it, &p)) {
            if (p.pt != RTCP_SR || rtcp_parse_sr(&p, &sr))
                continue;
            assert_in_range(sr.ntp >> 32, 500, 510);
            seen++;
        }
    }
    assert_true(seen > 0);
    world_close(&s.w);
}

/* The receiver reports what it lost: its score falls and the server hears of it. */
static void score_of_a_consumer(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    camera_frame(&s.cam, true, 2);
    uint32_t first = s.b->rtp[0].h.seq;
    for (uint32_t i = 1; i < 200; i++) {
        camera_frame(&s.cam, false, 2);
        if (i % 30)
            continue;
        uint8_t buf[128];
        struct writer w = writer_of(buf, sizeof(buf));
        struct rtcp_report r = {
            .ssrc = 7003, .lost = (int32_t)i, .fraction = 128, .max_seq = first + 2 * i};
        rtcp_write_rr(&w, 99, &r, 1);
        rtcp_write_sdes(&w, 99, "x");
        browser_rtcp(s.b, buf, writer_len(&w));
    }
    const struct engine_event *ev = world_last(&s.w, ENGINE_SCORE, 3);
    assert_non_null(ev);
    assert_true(ev->score < 8);
    assert_true(world_count(&s.w, ENGINE_SCORE, 3) <= 8);
    world_close(&s.w);
}

static void score_of_a_silent_producer(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    camera_frame(&s.cam, true, 2);
    world_after(&s.w, S_US(4));
    assert_int_equal(world_last(&s.w, ENGINE_SCORE, 2)->score, 0);
    camera_frame(&s.cam, false, 2);
    world_after(&s.w, S_US(1));
    assert_int_equal(world_last(&s.w, ENGINE_SCORE, 2)->score, 10);
    world_close(&s.w);
}

static void transport_cc_goes_back(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    uint8_t payload[1400];
    for (uint32_t i = 1; i <= 20; i++) {
        struct send_rtp p = {
            .ssrc = 2000,
            .ts = 3000 * i,
            .seq = i,
            .pt = PT_VP8,
            .marker = true,
            .twcc = i == 7 ? -1 : (int)i,
            .payload = payload,
            .len = vp8_payload(payload, 100, true, i == 1, (uint16_t)i, (uint8_t)i, 0)};
        browser_rtp(s.a, &p);
        world_after(&s.w, 10000);
    }
    world_after(&s.w, 200000);
    size_t received = 0, lost = 0;
    for (size_t i = 0; i < s.a->n_rtcp; i++) {
        struct rtcp_iter it = rtcp_iter_of(s.a->rtcp[i].data, s.a->rtcp[i].len);
        struct rtcp_packet p;
        while (rtcp_next(&it, &p)) {
            struct rtcp_twcc head;
            struct rtcp_twcc_status st[64];
            size_t n;
            if (p.pt != RTCP_RTPFB || p.count != RTCP_RTPFB_TWCC)
                continue;
            assert_int_equal(rtcp_parse_twcc(&p, &head, st, 64, &n), 0);
            assert_int_equal(head.media_ssrc, 2000);
            for (size_t j = 0; j < n; j++) {
                received += st[j].received;
                lost += !st[j].received;
            }
        }
    }
    assert_int_equal(received, 19);
    assert_int_equal(lost, 1);
    world_close(&s.w);
}

static void the_limit_is_told_by_remb(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    camera_frame(&s.cam, true, 2);
    assert_int_equal(transport_set_max_incoming(s.w.engine, 10, 700000, s.w.now_us), 0);
    world_after(&s.w, S_US(4));
    struct rtcp_packet last;
    struct rtcp_remb remb;
    assert_in_range(rtcp_count(s.a, RTCP_PSFB, RTCP_PSFB_AFB, &last), 2, 4);
    assert_int_equal(rtcp_parse_remb(&last, &remb), 0);
    assert_in_range(remb.bitrate, 690000, 700000);
    assert_int_equal(remb.ssrcs[0], 2000);
    world_close(&s.w);
}

static void nacks_end(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    camera_frame(&s.cam, true, 2);
    s.cam.seq += 200; /* more than one message holds */
    for (int i = 0; i < 100; i++)
        camera_frame(&s.cam, false, 1);
    size_t asked = rtcp_count(s.a, RTCP_RTPFB, RTCP_RTPFB_NACK, NULL);
    assert_in_range(asked, 2, 60);
    browser_forget(s.a);
    for (int i = 0; i < 100; i++)
        camera_frame(&s.cam, false, 1);
    assert_int_equal(rtcp_count(s.a, RTCP_RTPFB, RTCP_RTPFB_NACK, NULL), 0);
    world_close(&s.w);
}

/* Fifty viewers come within two seconds: the sender is asked for a key frame as often as keyreq.h allows, and all get one. */
static void many_viewers_cost_few_key_frames(void **state)
{
    (void)state;
    static struct stage s;
    stage_open(&s);
    camera_frame(&s.cam, true, 2);
    for (int i = 0; i < 20; i++)
        camera_frame(&s.cam, false, 1);
    browser_forget(s.a);
    browser_forget(s.b);
    struct params_producer p = video_producer(s.a, 2);
    size_t asked = 0, keys = 0;
    for (uint64_t i = 0; i < 80; i++) {
        if (i < 50) {
            struct params_consumer c = consumer_of(s.b, 100 + i, &p);
            assert_int_equal(consumer_create(s.w.engine, &c, s.w.now_us), 0);
        }
        size_t before = asked;
        asked = rtcp_count(s.a, RTCP_PSFB, RTCP_PSFB_PLI, NULL);
        keys += asked > before;
        camera_frame(&s.cam, asked > before, 1);
    }
    assert_in_range(asked, 1, 80 * 33000 / KEYREQ_SPACING_US + 1);
    assert_int_equal(keys, asked);
    size_t started = 0;
    for (uint32_t i = 0; i < 50; i++) {
        bool got = false;
        for (size_t k = 0; k < s.b->n_rtp; k++)
            got |= s.b->rtp[k].h.ssrc == 7100 + i;
        started += got;
    }
    assert_int_equal(started, 50);
    world_close(&s.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sender_and_receiver_reports),
        cmocka_unit_test(reports_of_one_clock),
        cmocka_unit_test(score_of_a_consumer),
        cmocka_unit_test(score_of_a_silent_producer),
        cmocka_unit_test(transport_cc_goes_back),
        cmocka_unit_test(the_limit_is_told_by_remb),
        cmocka_unit_test(nacks_end),
        cmocka_unit_test(many_viewers_cost_few_key_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
