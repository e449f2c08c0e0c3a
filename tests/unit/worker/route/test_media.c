/* One browser's media to another: what is composed, what waits for a key frame, what is resent. */
#include "lib/clock.h"
#include "tests/unit/worker/route/world.h"
#include "worker/route/consumer.h"
#include "worker/route/outbound.h"
#include "worker/route/producer.h"
#include "worker/route/transport.h"
#include "worker/route/webrtc.h"

#include <errno.h>
#include <string.h>

static void joins_and_tells(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    world_join(&w, 10);
    assert_int_equal(world_last(&w, ENGINE_ICE_STATE, 10)->ice, ENGINE_ICE_COMPLETED);
    assert_int_equal(world_last(&w, ENGINE_DTLS_STATE, 10)->dtls, ENGINE_DTLS_CONNECTED);
    assert_int_equal(world_last(&w, ENGINE_TUPLE, 10)->remote.port, 5010);
    world_after(&w, S_US(40)); /* no consent */
    assert_int_equal(world_last(&w, ENGINE_ICE_STATE, 10)->ice, ENGINE_ICE_DISCONNECTED);
    world_close(&w);
}

static void restarts_ice_and_moves(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    camera_frame(&s.cam, true, 2);
    assert_int_equal(webrtc_restart_ice(s.w.engine, 20, s.a->ufrag, s.b->password, s.w.now_us),
                     -EEXIST);
    assert_int_equal(
        webrtc_restart_ice(s.w.engine, 20, "another", "anotherpassword0123456789", s.w.now_us), 0);
    browser_check(s.b, false); /* the old ones are taken until the new ones are used */
    world_run(&s.w);
    assert_int_equal(s.b->stun_replies, 2);
    strcpy(s.b->ufrag, "another");
    strcpy(s.b->password, "anotherpassword0123456789");
    s.b->tuple.proto = NET_TCP;
    s.b->tuple.sock = 77;
    browser_check(s.b, true);
    world_run(&s.w);
    assert_int_equal(s.b->stun_replies, 3);
    assert_true(world_last(&s.w, ENGINE_TUPLE, 20)->tcp);
    strcpy(s.b->ufrag, "ufrag20");
    browser_check(s.b, true);
    world_run(&s.w);
    assert_int_equal(s.b->stun_replies, 3);
    camera_frame(&s.cam, false, 2); /* the same call, on another path */
    assert_int_equal(s.b->n_rtp, 4);
    engine_tcp_gone(s.w.engine, &s.b->tuple, s.w.now_us);
    engine_tcp_gone(s.w.engine, &s.b->tuple, s.w.now_us);
    camera_frame(&s.cam, false, 2);
    assert_int_equal(s.b->n_rtp, 4); /* what goes to the old UDP path is not this browser's */
    world_close(&s.w);
}

static void audio_both_ways(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    struct browser *b[2] = {world_join(&w, 10), world_join(&w, 20)};
    struct params_producer p[2] = {audio_producer(b[0], 2), audio_producer(b[1], 3)};
    struct params_consumer c[2] = {consumer_of(b[0], 4, &p[1]), consumer_of(b[1], 5, &p[0])};
    for (int i = 0; i < 2; i++)
        assert_int_equal(producer_create(w.engine, &p[i], w.now_us), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(consumer_create(w.engine, &c[i], w.now_us), 0);
    uint8_t opus[80];
    for (uint32_t n = 0; n < 50; n++) {
        for (uint32_t i = 0; i < 2; i++) {
            memset(opus, (int)(n + i), sizeof(opus));
            struct send_rtp r = {.ssrc = 2000 + 1000 * i,
                                 .ts = 960 * n,
                                 .seq = 100 + n,
                                 .pt = PT_OPUS,
                                 .twcc = -1,
                                 .payload = opus,
                                 .len = sizeof(opus)};
            browser_rtp(b[i], &r);
        }
        world_after(&w, 20000);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(b[i]->n_rtp, 50);
        for (size_t n = 0; n < 50; n++) {
            const struct got_rtp *g = &b[i]->rtp[n];
            assert_int_equal(g->h.ssrc, c[i].ssrc);
            assert_int_equal(g->h.pt, 101);
            assert_int_equal(g->h.payload_len, sizeof(opus));
            assert_int_equal(g->data[g->h.payload_off], (int)n + 1 - i);
            assert_int_equal(g->h.seq, (uint16_t)(b[i]->rtp[0].h.seq + n));
            assert_true(g->exts.present & RTP_EXT_BIT(RTP_EXT_ABS_SEND_TIME));
            assert_int_equal(g->exts.twcc, n);
            assert_int_equal(g->exts.mid_len, 2);
            assert_memory_equal(g->exts.mid, i ? "c5" : "c4", 2);
        }
    }
    world_close(&w);
}

static void video_waits_for_a_key_frame(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    camera_frame(&s.cam, false, 3);
    assert_int_equal(s.b->n_rtp, 0);
    assert_int_equal(rtcp_count(s.a, RTCP_PSFB, RTCP_PSFB_PLI, NULL), 1);
    camera_frame(&s.cam, true, 4);
    camera_frame(&s.cam, false, 2);
    assert_int_equal(s.b->n_rtp, 6);
    uint16_t first = s.b->rtp[0].h.seq;
    for (size_t i = 0; i < 6; i++) {
        const struct got_rtp *g = &s.b->rtp[i];
        assert_int_equal(g->h.ssrc, 7003);
        assert_int_equal(g->h.pt, 101);
        assert_int_equal(g->h.seq, (uint16_t)(first + i));
        assert_int_equal(g->h.marker, i == 3 || i == 5);
        assert_int_equal(g->h.payload_len, 500);
    }
    assert_int_equal((uint32_t)(s.b->rtp[4].h.ts - s.b->rtp[0].h.ts), 3000);
    world_close(&s.w);
}

static void pause_and_resume(void **state)
{
    (void)state;
    for (int producer = 0; producer < 2; producer++) {
        struct stage s;
        stage_open(&s);
        camera_frame(&s.cam, true, 2);
        assert_int_equal(s.b->n_rtp, 2);
        if (producer)
            assert_int_equal(producer_pause(s.w.engine, 2, true, s.w.now_us), 0);
        else
            assert_int_equal(consumer_pause(s.w.engine, 3, true, s.w.now_us), 0);
        camera_frame(&s.cam, true, 2);
        assert_int_equal(s.b->n_rtp, 2);
        browser_forget(s.a);
        world_after(&s.w, S_US(1));
        camera_frame(&s.cam, false, 1);
        if (producer)
            assert_int_equal(producer_pause(s.w.engine, 2, false, s.w.now_us), 0);
        else
            assert_int_equal(consumer_pause(s.w.engine, 3, false, s.w.now_us), 0);
        camera_frame(&s.cam, false, 2);
        assert_int_equal(rtcp_count(s.a, RTCP_PSFB, RTCP_PSFB_PLI, NULL), 1);
        assert_int_equal(s.b->n_rtp, 2);
        camera_frame(&s.cam, true, 2);
        assert_int_equal(s.b->n_rtp, 4);
        assert_int_equal(s.b->rtp[2].h.seq, (uint16_t)(s.b->rtp[1].h.seq + 1));
        world_close(&s.w);
    }
}

static void answers_nack_by_rtx(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    camera_frame(&s.cam, true, 5);
    struct got_rtp lost = s.b->rtp[2];
    browser_nack(s.b, 7003, lost.h.seq);
    assert_int_equal(s.b->n_rtp, 6);
    const struct got_rtp *g = &s.b->rtp[5];
    assert_int_equal(g->h.ssrc, 8003);
    assert_int_equal(g->h.pt, 102);
    assert_int_equal(g->h.ts, lost.h.ts);
    assert_int_equal(g->h.payload_len, lost.h.payload_len + 2);
    assert_int_equal(g->data[g->h.payload_off] << 8 | g->data[g->h.payload_off + 1], lost.h.seq);
    assert_memory_equal(g->data + g->h.payload_off + 2, lost.data + lost.h.payload_off,
                        lost.h.payload_len);
    browser_nack(s.b, 7003, lost.h.seq); /* within the same round trip */
    assert_int_equal(s.b->n_rtp, 6);
    world_after(&s.w, 200000);
    browser_forget(s.b);
    browser_nack(s.b, 7003, lost.h.seq);
    assert_int_equal(s.b->n_rtp, 1);
    assert_int_equal(s.b->rtp[0].h.ssrc, 8003);
    browser_nack(s.b, 7003, (uint16_t)(lost.h.seq + 100)); /* never sent */
    browser_nack(s.b, 12345, lost.h.seq);                  /* not its stream */
    assert_int_equal(s.b->n_rtp, 1);
    world_close(&s.w);
}

static void resends_the_same_bytes_without_rtx(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    struct params_producer p = video_producer(s.a, 2);
    struct params_consumer c = consumer_of(s.b, 4, &p);
    c.rtx_ssrc = 0;
    consumer_close(s.w.engine, 3, s.w.now_us);
    assert_int_equal(consumer_create(s.w.engine, &c, s.w.now_us), 0);
    camera_frame(&s.cam, true, 5);
    assert_int_equal(s.b->n_rtp, 5);
    struct got_rtp lost = s.b->rtp[1];
    for (int i = 0; i < 3; i++) {
        world_after(&s.w, 150000);
        browser_nack(s.b, 7004, lost.h.seq);
    }
    assert_int_equal(s.b->n_rtp, 8);
    for (int i = 5; i < 8; i++) {
        assert_true(s.b->rtp[i].replay);
        assert_int_equal(s.b->rtp[i].wire_len, lost.wire_len);
        assert_memory_equal(s.b->rtp[i].wire, lost.wire, lost.wire_len);
    }
    world_close(&s.w);
}

static void levels_the_packets_of_a_frame(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    s.cam.picture_id++;
    static const size_t lens[] = {998, 999, 998, 999, 700};
    for (size_t i = 0; i < ARRAY_LEN(lens); i++)
        camera_packet(&s.cam, i == 0, i == 4, true, lens[i]);
    world_run(&s.w);
    assert_int_equal(s.b->n_rtp, 5);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(s.b->rtp[i].wire_len, s.b->rtp[1].wire_len);
        assert_int_equal(s.b->rtp[i].h.payload_len, lens[i]);
        assert_int_equal(s.b->rtp[i].h.pad_len, 999 - lens[i]);
    }
    assert_int_equal(s.b->rtp[4].h.pad_len, 0);
    world_close(&s.w);
}

/* A frame that would be a gap for ever, if its number was not closed up. */
static void padding_leaves_no_gap(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    camera_frame(&s.cam, true, 2);
    for (int i = 0; i < 4; i++) {
        struct send_rtp pad = {.ssrc = 2000,
                               .ts = s.cam.ts,
                               .seq = s.cam.seq++,
                               .pt = PT_VP8,
                               .pad_len = 200,
                               .twcc = -1,
                               .payload = ""};
        browser_rtp(s.a, &pad);
    }
    camera_frame(&s.cam, false, 2);
    assert_int_equal(s.b->n_rtp, 4);
    assert_int_equal(s.b->rtp[2].h.seq, (uint16_t)(s.b->rtp[1].h.seq + 1));
    world_close(&s.w);
}

static void throttles_key_frame_requests(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    camera_frame(&s.cam, true, 2);
    world_after(&s.w, S_US(1));
    browser_forget(s.a);
    for (int i = 0; i < 1000; i++) {
        browser_pli(s.b, 7003);
        world_after(&s.w, 1000);
    }
    size_t n = rtcp_count(s.a, RTCP_PSFB, RTCP_PSFB_PLI, NULL);
    assert_in_range(n, 1, 3);
    struct rtcp_packet last;
    uint32_t ssrc;
    rtcp_count(s.a, RTCP_PSFB, RTCP_PSFB_PLI, &last);
    assert_int_equal(rtcp_parse_pli(&last, &ssrc), 0);
    assert_int_equal(ssrc, 2000);
    world_close(&s.w);
}

static void repairs_by_rtx_from_the_sender(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    camera_frame(&s.cam, true, 3);
    uint32_t lost = s.cam.seq++;
    camera_frame(&s.cam, false, 2);
    world_after(&s.w, 50000);
    struct rtcp_packet last;
    uint16_t seqs[8];
    uint32_t media;
    size_t n;
    assert_true(rtcp_count(s.a, RTCP_RTPFB, RTCP_RTPFB_NACK, &last) >= 1);
    assert_int_equal(rtcp_parse_nack(&last, &media, seqs, 8, &n), 0);
    assert_int_equal(media, 2000);
    assert_int_equal(n, 1);
    assert_int_equal(seqs[0], (uint16_t)lost);
    size_t before = s.b->n_rtp;
    uint8_t osn[1400] = {(uint8_t)(lost >> 8), (uint8_t)lost};
    size_t len = vp8_payload(osn + 2, 300, true, false, 77, 1, 0) + 2;
    struct send_rtp rtx = {.ssrc = 2001,
                           .ts = s.cam.ts,
                           .seq = 40,
                           .pt = PT_RTX,
                           .twcc = -1,
                           .payload = osn,
                           .len = len};
    browser_rtp(s.a, &rtx);
    world_run(&s.w);
    assert_int_equal(s.b->n_rtp, before + 1);
    assert_int_equal(s.b->rtp[before].h.payload_len, 300);
    assert_int_equal(s.b->rtp[before].h.pt, 101);
    assert_int_equal(s.b->rtp[before].h.seq, (uint16_t)(s.b->rtp[2].h.seq + 1));
    world_close(&s.w);
}

/* The first packet of the key frame is the last to come: in a later batch, or in the same one. */
static void sends_what_came_before_its_key_frame(void **state)
{
    (void)state;
    for (int batches = 1; batches <= 2; batches++) {
        struct stage s;
        stage_open(&s);
        uint32_t first = s.cam.seq++;
        camera_packet(&s.cam, false, false, false, 500);
        camera_packet(&s.cam, false, true, false, 500);
        if (batches == 2)
            world_run(&s.w);
        assert_int_equal(s.b->n_rtp, 0);
        uint32_t next = s.cam.seq;
        s.cam.seq = first;
        camera_packet(&s.cam, true, false, true, 500);
        s.cam.seq = next;
        camera_send(&s.cam, false, 2);
        world_run(&s.w);
        assert_int_equal(s.b->n_rtp, 5);
        for (size_t i = 1; i < 5; i++) {
            assert_false(s.b->rtp[i].replay);
            assert_int_equal(s.b->rtp[i].h.seq, (uint16_t)(s.b->rtp[0].h.seq + i));
        }
        assert_true(s.b->rtp[2].h.marker && s.b->rtp[4].h.marker);
        world_close(&s.w);
    }
}

static void many_consumers_in_bursts(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    struct params_producer p = video_producer(s.a, 2);
    for (uint64_t i = 100; i < 160; i++) {
        struct params_consumer c = consumer_of(s.b, i, &p);
        assert_int_equal(consumer_create(s.w.engine, &c, s.w.now_us), 0);
    }
    camera_frame(&s.cam, true, 20); /* 61 consumers, 1220 packets: more than the outbox has slots */
    assert_int_equal(s.b->n_rtp, 61 * 20);
    for (size_t i = 1; i < s.b->n_rtp; i++) {
        if (s.b->rtp[i].h.ssrc == s.b->rtp[i - 1].h.ssrc)
            assert_int_equal(s.b->rtp[i].h.seq, (uint16_t)(s.b->rtp[i - 1].h.seq + 1));
    }
    world_close(&s.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_and_tells),
        cmocka_unit_test(restarts_ice_and_moves),
        cmocka_unit_test(audio_both_ways),
        cmocka_unit_test(video_waits_for_a_key_frame),
        cmocka_unit_test(pause_and_resume),
        cmocka_unit_test(answers_nack_by_rtx),
        cmocka_unit_test(resends_the_same_bytes_without_rtx),
        cmocka_unit_test(levels_the_packets_of_a_frame),
        cmocka_unit_test(padding_leaves_no_gap),
        cmocka_unit_test(throttles_key_frame_requests),
        cmocka_unit_test(repairs_by_rtx_from_the_sender),
        cmocka_unit_test(sends_what_came_before_its_key_frame),
        cmocka_unit_test(many_consumers_in_bursts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
