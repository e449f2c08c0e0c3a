/* A source and a sink, with a way between them that loses what the test says. */
#include "tests/unit/check.h"

#include "lib/clock.h"
#include "load/sink.h"
#include "load/source.h"
#include "load/stamp.h"
#include "worker/wire/frame.h"
#include "worker/wire/vp8.h"

#include <string.h>

#define BEGIN_US 5000000
#define SSRC     0x1234567

struct way {
    struct source *source;
    struct sink *sink;
    struct measure measure;
    uint16_t transport_seq;
    int64_t now_us;
    unsigned lose_every; /* 0: none */
    unsigned sent, markers, keys, starts;
    uint16_t last_seq;
    size_t longest;
    bool resending;
};

static void on_packet(const uint8_t *data, size_t len, size_t header_len, uint32_t roc, void *arg)
{
    struct way *w = arg;
    struct rtp h;
    struct vp8 v;
    uint8_t copy[SOURCE_PACKET_MAX];
    int64_t sent_us;
    (void)roc;
    assert_true(len <= sizeof(copy));
    memcpy(copy, data, len);
    assert_int_equal(rtp_parse(data, len, &h), 0);
    assert_int_equal(h.payload_off, header_len);
    assert_int_equal(h.ssrc, SSRC);
    assert_true(stamp_read(data + h.payload_off, h.payload_len, w->measure.tag, &sent_us));
    if (!w->resending) {
        assert_int_equal(sent_us, w->now_us);
        assert_true(!w->sent || h.seq == (uint16_t)(w->last_seq + 1));
        w->last_seq = h.seq;
        w->sent++;
        w->markers += h.marker;
        if (vp8_parse(data + h.payload_off, h.payload_len, &v) == 0) {
            w->starts += v.start;
            w->keys += v.keyframe;
        }
        w->longest = h.payload_len > w->longest ? h.payload_len : w->longest;
        if (w->lose_every && w->sent % w->lose_every == 0)
            return;
    }
    sink_packet(w->sink, copy, len, &h, w->now_us + 700);
}

static void set_up(struct way *w, enum media media, uint32_t bitrate, uint32_t frame_us)
{
    struct source_config c = {.media = media,
                              .ssrc = SSRC,
                              .payload_type = 100,
                              .mid = "1",
                              .bitrate = bitrate,
                              .frame_us = frame_us,
                              .packet_bytes = 1200,
                              .transport_seq = &w->transport_seq,
                              .measure = &w->measure,
                              .send = on_packet,
                              .arg = w};
    rtp_ext_map_init(&c.exts);
    assert_int_equal(rtp_ext_map_set(&c.exts, RTP_EXT_MID, 1), 0);
    assert_int_equal(rtp_ext_map_set(&c.exts, RTP_EXT_TRANSPORT_CC, 5), 0);
    struct sink_config s = {media, SSRC, 0, 100, &w->measure};
    w->measure.tag = 77;
    w->measure.from_us = 0;
    w->measure.to_us = TIME_NEVER_US;
    w->now_us = BEGIN_US;
    source_new(&w->source, &c);
    sink_new(&w->sink, &s);
    source_start(w->source, w->now_us);
}

static void tear_down(struct way *w)
{
    source_free(w->source);
    sink_free(w->sink);
}

static void go_on(struct way *w, int64_t us)
{
    for (int64_t end = w->now_us + us; w->now_us < end; w->now_us += 1000)
        source_run(w->source, w->now_us);
}

static struct way way;

static void audio_comes_each_20_ms(void **state)
{
    (void)state;
    memset(&way, 0, sizeof(way));
    set_up(&way, MEDIA_AUDIO, 40000, 20000);
    go_on(&way, S_US(2));
    struct sink_totals t = sink_totals(way.sink);
    assert_in_range(way.sent, 99, 101);
    assert_int_equal(way.longest, 100);
    assert_int_equal(t.counted, way.sent);
    assert_int_equal(t.lost, 0);
    assert_int_equal(spread_percentile(&way.measure.latency[MEDIA_AUDIO], 100), 700);
    tear_down(&way);
}

static void video_is_frames_of_even_packets(void **state)
{
    (void)state;
    memset(&way, 0, sizeof(way));
    set_up(&way, MEDIA_VIDEO, 1000000, 40000);
    go_on(&way, S_US(4));
    struct sink_totals t = sink_totals(way.sink);
    assert_in_range(way.markers, 99, 101);
    assert_int_equal(way.sent, way.markers * 5); /* 5000 bytes a frame */
    assert_int_equal(way.starts, way.markers);
    assert_int_equal(way.longest, 1000);
    assert_int_equal(way.keys, 1);
    assert_int_equal(way.transport_seq, way.sent);
    assert_int_equal(t.frames, way.markers);
    assert_int_equal(t.lost, 0);
    assert_int_equal(way.measure.freezes, 0);
    tear_down(&way);
}

static void key_frames_come_when_asked_for_and_not_too_often(void **state)
{
    (void)state;
    memset(&way, 0, sizeof(way));
    set_up(&way, MEDIA_VIDEO, 100000, 40000);
    go_on(&way, S_US(1));
    for (int i = 0; i < 100; i++) {
        source_key(way.source);
        go_on(&way, 10000);
    }
    assert_in_range(way.keys, 4, 5);
    tear_down(&way);
}

/* What is lost is asked for, and sent again to the bit. */
static void what_is_lost_is_counted_and_repaired(void **state)
{
    (void)state;
    struct rtcp_iter it;
    struct rtcp_packet packet;
    uint8_t buf[1200];
    uint16_t seqs[64];
    uint32_t ssrc;
    size_t n;
    memset(&way, 0, sizeof(way));
    way.lose_every = 10;
    set_up(&way, MEDIA_VIDEO, 1000000, 40000);
    go_on(&way, 400000);
    struct sink_totals t = sink_totals(way.sink);
    assert_true(t.lost >= 3);
    go_on(&way, 20000);
    struct writer w = writer_of(buf, sizeof(buf));
    sink_feedback(way.sink, 1, way.now_us + 20000, &w);
    it = rtcp_iter_of(buf, writer_len(&w));
    assert_true(rtcp_next(&it, &packet));
    assert_int_equal(rtcp_parse_nack(&packet, &ssrc, seqs, ARRAY_LEN(seqs), &n), 0);
    assert_int_equal(ssrc, SSRC);
    way.resending = true;
    source_resend(way.source, seqs, n);
    assert_int_equal(source_totals(way.source).resent, n);
    assert_int_equal(sink_totals(way.sink).lost, 0);
    source_resend(way.source, seqs, n); /* nothing comes twice */
    assert_int_equal(sink_totals(way.sink).duplicate, n);
    seqs[0] = (uint16_t)(seqs[0] + 1000);
    source_resend(way.source, seqs, 1);
    assert_int_equal(source_totals(way.source).not_kept, 1);
    tear_down(&way);
}

static void only_the_time_that_is_measured_counts(void **state)
{
    (void)state;
    memset(&way, 0, sizeof(way));
    set_up(&way, MEDIA_AUDIO, 40000, 20000);
    way.measure.from_us = BEGIN_US + S_US(1);
    way.measure.to_us = BEGIN_US + S_US(2);
    go_on(&way, S_US(4));
    assert_int_equal(source_totals(way.source).counted, 50);
    assert_int_equal(sink_totals(way.sink).counted, 50);
    assert_int_equal(way.measure.latency[MEDIA_AUDIO].count, 50);
    source_count_anew(way.source);
    sink_count_anew(way.sink);
    assert_int_equal(source_totals(way.source).counted, 0);
    assert_int_equal(sink_totals(way.sink).counted, 0);
    tear_down(&way);
}

static void a_stall_leaves_frames_out_and_freezes(void **state)
{
    (void)state;
    memset(&way, 0, sizeof(way));
    set_up(&way, MEDIA_VIDEO, 100000, 40000);
    go_on(&way, S_US(1));
    way.now_us += S_US(1);
    go_on(&way, S_US(1));
    assert_in_range(source_totals(way.source).skipped_frames, 24, 26);
    assert_int_equal(way.measure.freezes, 1);
    assert_in_range(way.measure.freeze_us, 1000000, 1080000);
    source_stop(way.source);
    assert_int_equal(source_next_us(way.source), TIME_NEVER_US);
    tear_down(&way);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(audio_comes_each_20_ms),
        cmocka_unit_test(video_is_frames_of_even_packets),
        cmocka_unit_test(key_frames_come_when_asked_for_and_not_too_often),
        cmocka_unit_test(what_is_lost_is_counted_and_repaired),
        cmocka_unit_test(only_the_time_that_is_measured_counts),
        cmocka_unit_test(a_stall_leaves_frames_out_and_freezes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
