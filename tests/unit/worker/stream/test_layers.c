#include "lib/clock.h"
#include "lib/rand.h"
#include "lib/seq.h"
#include "tests/unit/check.h"
#include "worker/stream/layers.h"
#include "worker/stream/picture_map.h"
#include "worker/stream/pool.h"
#include "worker/stream/seqmap.h"

#include <errno.h>
#include <stdlib.h>

static struct packet pk;
static struct layers_result res;
static const struct layers_conf simulcast = {.n_streams = 3,
                                             .spatial_layers = 1,
                                             .temporal_layers = 3,
                                             .clock_rate = 90000,
                                             .key_frames = true};

static struct layers *new_layers(struct layers_conf conf)
{
    struct layers *l;
    assert_int_equal(layers_new(&l, &conf), 0);
    return l;
}

/* A frame of one packet. */
static bool frame(struct layers *l, size_t stream, int64_t seq, uint32_t ts, unsigned tid, bool key,
                  bool sync, int64_t now_us)
{
    pk.ext_seq = seq;
    pk.rx_us = now_us;
    pk.rtp = (struct rtp){.ts = ts, .marker = true};
    pk.frame = (struct frame_info){.start = true,
                                   .end = true,
                                   .keyframe = key,
                                   .sync = sync,
                                   .temporal = (uint8_t)tid,
                                   .has_temporal = true};
    layers_packet(l, stream, &pk, NULL, now_us, &res);
    return res.forward;
}

static void assert_layers(struct layers *l, bool none, uint32_t spatial, uint32_t temporal)
{
    bool n;
    uint32_t s, t;
    assert_true(layers_changed(l, &n, &s, &t));
    assert_int_equal(n, none);
    assert_int_equal(s, spatial);
    assert_int_equal(t, temporal);
    assert_false(layers_changed(l, &n, &s, &t));
}

static void waits_for_a_key_frame(void **state)
{
    (void)state;
    struct layers_conf conf = simulcast;
    conf.n_streams = 1;
    struct layers *l = new_layers(conf);
    assert_int_equal(layers_wants_key(l), 0);
    assert_false(frame(l, 0, 10, 100, 0, false, true, 0));
    assert_false(res.current);
    assert_true(frame(l, 0, 11, 200, 0, true, true, 1));
    assert_true(res.switched && res.current && !res.skip_seq);
    assert_int_equal(layers_wants_key(l), -1);
    assert_layers(l, false, 0, 2);
    assert_true(frame(l, 0, 12, 300, 0, false, true, 2));
    assert_false(res.switched);
    assert_false(frame(l, 0, 9, 50, 0, false, true, 3)); /* before the key frame */
    /* Silence of the only stream changes nothing; a restart does. */
    layers_active(l, 0, false);
    assert_true(frame(l, 0, 13, 400, 0, false, true, S_US(9)));
    layers_restart(l);
    assert_layers(l, true, 0, 0);
    assert_int_equal(layers_wants_key(l), 0);
    assert_false(frame(l, 0, 14, 500, 0, false, true, S_US(9)));
    assert_true(frame(l, 0, 15, 600, 0, true, true, S_US(9)));
    layers_free(l);
    layers_free(NULL);
}

static void audio_waits_for_nothing(void **state)
{
    (void)state;
    struct layers *l = new_layers((struct layers_conf){
        .n_streams = 1, .spatial_layers = 1, .temporal_layers = 1, .clock_rate = 48000});
    assert_int_equal(layers_wants_key(l), -1);
    assert_true(frame(l, 0, 1, 0, 0, false, false, 0));
    assert_true(res.switched);
    pk.rtp.marker = false;
    layers_packet(l, 0, &pk, NULL, 0, &res);
    assert_false(res.marker);
    layers_restart(l);
    /* With no layers said, all of them pass. */
    assert_true(frame(l, 0, 4, 3840, 2, false, false, MS_US(80)));
    layers_restart(l);
    assert_true(frame(l, 0, 5, 4800, 0, false, false, MS_US(100)));
    assert_true(res.switched && !res.skip_seq);
    assert_int_equal(res.ts_shift, 0);
    layers_free(l);
    struct layers_conf bad = simulcast;
    bad.n_streams = 5;
    assert_int_equal(layers_new(&l, &bad), -EINVAL);
    bad = simulcast;
    bad.clock_rate = 0;
    assert_int_equal(layers_new(&l, &bad), -EINVAL);
}

static void targets_what_there_is(void **state)
{
    (void)state;
    struct layers *l = new_layers(simulcast);
    assert_int_equal(layers_target_stream(l), -1);
    assert_int_equal(layers_wants_key(l), -1);
    frame(l, 0, 1, 0, 0, false, true, 0);
    assert_int_equal(layers_wants_key(l), 0);
    frame(l, 2, 1, 0, 0, false, true, 0);
    assert_int_equal(layers_wants_key(l), 2);
    layers_prefer(l, 1, 9);
    assert_int_equal(layers_wants_key(l), 0); /* the highest below */
    frame(l, 1, 1, 0, 0, false, true, 0);
    assert_int_equal(layers_wants_key(l), 1);
    layers_active(l, 1, false);
    layers_active(l, 0, false);
    assert_int_equal(layers_target_stream(l), 2); /* else one above */
    layers_active(l, 2, false);
    assert_int_equal(layers_target_stream(l), 2); /* none: as before */
    layers_active(l, 9, true);
    frame(l, 9, 1, 0, 0, true, true, 0);
    assert_false(res.forward);
    layers_free(l);
}

static void switches_at_the_targets_key_frame(void **state)
{
    (void)state;
    struct layers *l = new_layers(simulcast);
    layers_prefer(l, 0, 2);
    assert_true(frame(l, 0, 100, 9000, 0, true, true, MS_US(100)));
    assert_layers(l, false, 0, 2);
    layers_prefer(l, 2, 2);
    assert_false(frame(l, 2, 500, 70000, 0, false, true, MS_US(120)));
    assert_int_equal(layers_wants_key(l), 2);
    assert_true(frame(l, 0, 101, 12000, 0, false, true, MS_US(133)));
    pk.rtp.marker = false;
    pk.ext_seq = 102;
    layers_packet(l, 0, &pk, NULL, MS_US(133), &res);
    assert_true(res.forward);
    assert_true(frame(l, 2, 501, 73000, 0, true, true, MS_US(153)));
    assert_true(res.switched && res.skip_seq);
    /* By arrival: 20 ms after the last one. */
    assert_int_equal(73000 + res.ts_shift, 12000 + 1800);
    assert_layers(l, false, 2, 2);
    assert_false(frame(l, 0, 103, 15000, 0, true, true, MS_US(166)));
    assert_false(res.current);
    assert_true(frame(l, 2, 502, 76000, 0, false, true, MS_US(186)));
    /* The new one falls silent: back down. */
    layers_active(l, 2, false);
    assert_int_equal(layers_wants_key(l), 0);
    assert_true(frame(l, 0, 110, 25000, 0, true, true, MS_US(300)));
    assert_true(res.switched && !res.skip_seq);
    layers_free(l);
}

static void aligns_by_sender_reports(void **state)
{
    (void)state;
    struct layers *l = new_layers(simulcast);
    struct capture c[3] = {0};
    /* Stream 2's clock reads 1000000 when stream 0's reads 9000. */
    capture_report(&c[0], 90000, (uint64_t)5 << 32, 9000, 0);
    capture_report(&c[2], 90000, (uint64_t)5 << 32, 1000000, 0);
    layers_prefer(l, 0, 2);
    frame(l, 0, 1, 9000, 0, true, true, MS_US(100));
    layers_prefer(l, 2, 2);
    frame(l, 2, 1, 1000000, 0, false, true, MS_US(100));
    /* Captured 40 ms later, though it took 90 ms longer to arrive. */
    pk.ext_seq = 2;
    pk.rx_us = MS_US(230);
    pk.rtp.ts = 1000000 + 3600;
    pk.frame.keyframe = true;
    layers_packet(l, 2, &pk, c, MS_US(230), &res);
    assert_true(res.switched);
    assert_int_equal(pk.rtp.ts + res.ts_shift, 9000 + 3600);
    /* Back to a frame captured at the same time as the last one: as little later as can be, and that is given back. */
    layers_prefer(l, 0, 2);
    pk.rx_us = MS_US(240);
    pk.rtp.ts = 9000 + 3600;
    layers_packet(l, 0, &pk, c, MS_US(240), &res);
    assert_true(res.switched);
    assert_int_equal(pk.rtp.ts + res.ts_shift, 9000 + 3600 + 91);
    layers_prefer(l, 2, 2);
    pk.ext_seq = 3;
    pk.rx_us = MS_US(273);
    pk.rtp.ts = 1000000 + 6600;
    layers_packet(l, 2, &pk, c, MS_US(273), &res);
    assert_int_equal(pk.rtp.ts + res.ts_shift, 9000 + 6600);
    /* A report that cannot be is not believed. */
    capture_report(&c[0], 90000, (uint64_t)900 << 32, 77, MS_US(280));
    layers_prefer(l, 0, 2);
    pk.rx_us = MS_US(293);
    pk.rtp.ts = 9000 + 9600;
    layers_packet(l, 0, &pk, c, MS_US(293), &res);
    assert_true(res.switched);
    assert_int_equal(pk.rtp.ts + res.ts_shift, 9000 + 6600 + 1800);
    layers_free(l);
}

static void drops_temporal_layers(void **state)
{
    (void)state;
    struct layers_conf conf = simulcast;
    conf.n_streams = 1;
    struct layers *l = new_layers(conf);
    layers_prefer(l, 0, 0);
    assert_true(frame(l, 0, 1, 0, 0, true, true, 0));
    assert_layers(l, false, 0, 0);
    assert_false(frame(l, 0, 2, 1, 2, false, true, 0));
    assert_true(res.current);
    layers_prefer(l, 0, 2);
    /* Up only at frames that say so. */
    assert_false(frame(l, 0, 3, 2, 1, false, false, 0));
    assert_false(frame(l, 0, 4, 3, 2, false, false, 0));
    assert_true(frame(l, 0, 5, 4, 0, false, true, 0));
    assert_true(frame(l, 0, 6, 5, 1, false, true, 0));
    assert_layers(l, false, 0, 1);
    /* What comes late from before is still dropped. */
    assert_false(frame(l, 0, 3, 2, 1, false, false, 0));
    assert_false(frame(l, 0, 7, 6, 2, false, false, 0));
    assert_true(frame(l, 0, 8, 7, 2, false, true, 0));
    assert_layers(l, false, 0, 2);
    /* Down at once. */
    layers_prefer(l, 0, 1);
    assert_false(frame(l, 0, 9, 8, 2, false, true, 0));
    assert_true(frame(l, 0, 10, 9, 1, false, false, 0));
    /* A key frame allows everything. */
    layers_prefer(l, 0, 2);
    assert_true(frame(l, 0, 11, 10, 0, true, true, 0));
    assert_true(frame(l, 0, 12, 11, 2, false, false, 0));
    layers_free(l);
}

static bool svc_packet(struct layers *l, int64_t seq, unsigned sid, bool key, bool start, bool end,
                       bool marker)
{
    pk.ext_seq = seq;
    pk.rtp = (struct rtp){.marker = marker};
    pk.frame = (struct frame_info){
        .start = start, .end = end, .keyframe = key, .sync = true, .spatial = (uint8_t)sid};
    layers_packet(l, 0, &pk, NULL, 0, &res);
    return res.forward;
}

static void drops_spatial_layers_of_one_stream(void **state)
{
    (void)state;
    struct layers *l = new_layers((struct layers_conf){.n_streams = 1,
                                                       .spatial_layers = 3,
                                                       .temporal_layers = 1,
                                                       .clock_rate = 90000,
                                                       .key_frames = true});
    layers_prefer(l, 1, 0);
    assert_true(svc_packet(l, 1, 0, true, true, true, false));
    assert_false(res.marker);
    assert_true(svc_packet(l, 2, 1, false, true, false, false));
    assert_true(svc_packet(l, 3, 1, false, false, true, false));
    assert_true(res.marker); /* the end of the picture as it is sent */
    assert_false(svc_packet(l, 4, 2, false, true, true, true));
    layers_prefer(l, 2, 0);
    assert_int_equal(layers_wants_key(l), 0);
    assert_true(svc_packet(l, 5, 0, false, true, true, false));
    assert_false(svc_packet(l, 6, 2, false, true, true, true));
    assert_true(svc_packet(l, 7, 0, true, true, true, false));
    assert_int_equal(layers_wants_key(l), -1);
    assert_true(svc_packet(l, 8, 2, false, true, true, true));
    assert_true(res.marker);
    /* Down at any picture. */
    layers_prefer(l, 0, 0);
    assert_int_equal(layers_wants_key(l), -1);
    assert_true(svc_packet(l, 9, 0, false, true, true, false));
    assert_true(res.marker);
    assert_false(svc_packet(l, 10, 1, false, true, true, false));
    layers_free(l);
}

/* ---- a whole consumer: three lossy streams, preferences that change, restarts of streams ---------- */

struct source {
    int64_t seq;
    uint32_t ts_base;
    uint16_t pid;
    uint8_t tl0;
    bool key_wanted;
};

struct consumer {
    struct layers *l;
    struct seqmap seq;
    struct picture_map vp8;
    struct capture captures[3];
    int64_t newest_out;
    uint32_t newest_ts;
    uint16_t newest_pid;
    unsigned sent, switches;
    bool any;
};

static void consume(struct consumer *c, size_t stream, const struct packet *p)
{
    layers_packet(c->l, stream, p, c->captures, p->rx_us, &res);
    if (res.switched) {
        seqmap_switch(&c->seq, p->ext_seq, res.skip_seq);
        picture_map_switch(&c->vp8);
        c->switches++;
        assert_true(p->frame.keyframe);
    }
    if (!res.forward) {
        if (res.current) {
            seqmap_drop(&c->seq, p->ext_seq);
            picture_map_drop(&c->vp8, &p->frame);
        }
        return;
    }
    int64_t out;
    uint16_t pid;
    uint8_t tl0;
    if (!picture_map_frame(&c->vp8, &p->frame, &pid, &tl0) ||
        !seqmap_map(&c->seq, p->ext_seq, &out))
        return;
    uint32_t ts = p->rtp.ts + res.ts_shift;
    if (c->any && out > c->newest_out) {
        /* In the order of their numbers timestamps and picture ids never go back. */
        assert_true(seq32_diff(ts, c->newest_ts) >= 0);
        assert_true(seq32_diff(ts, c->newest_ts) < 90000 * 2);
        assert_true(((pid - c->newest_pid) & 0x7fff) < 100);
        assert_int_equal(ts == c->newest_ts, pid == c->newest_pid);
    }
    if (!c->any || out > c->newest_out) {
        c->newest_out = out;
        c->newest_ts = ts;
        c->newest_pid = pid;
    }
    c->any = true;
    c->sent++;
}

static void produce(struct consumer *c, struct source *s, size_t stream, unsigned tick,
                    int64_t now_us)
{
    bool key = s->key_wanted || tick == 0;
    unsigned tid = key || tick % 4 == 0 ? 0 : tick % 2 == 0 ? 1 : 2;
    s->pid = (s->pid + 1) & 0x7fff;
    s->tl0 = (uint8_t)(s->tl0 + (tid == 0));
    s->key_wanted = false;
    struct packet frame_packets[4];
    for (unsigned i = 0; i < 4; i++) {
        frame_packets[i].ext_seq = s->seq++;
        frame_packets[i].rx_us = now_us + (int64_t)i * 500;
        frame_packets[i].rtp = (struct rtp){.ts = s->ts_base + tick * 3000, .marker = i == 3};
        frame_packets[i].frame = (struct frame_info){.start = i == 0,
                                                     .keyframe = key && i == 0,
                                                     .temporal = (uint8_t)tid,
                                                     .has_temporal = true,
                                                     .sync = tid == 0 || tick % 8 < 4,
                                                     .picture_id = s->pid,
                                                     .has_picture_id = true,
                                                     .wide_picture_id = true,
                                                     .tl0picidx = s->tl0,
                                                     .has_tl0picidx = true,
                                                     .end = i == 3};
    }
    if (rand_u32() % 4 == 0) {
        struct packet t = frame_packets[1];
        frame_packets[1] = frame_packets[2];
        frame_packets[2] = t;
    }
    for (unsigned i = 0; i < 4; i++)
        if (rand_u32() % 20)
            consume(c, stream, &frame_packets[i]);
}

static void a_consumer_sees_one_stream(void **state)
{
    (void)state;
    for (int round = 0; round < 6; round++) {
        struct consumer c = {.l = new_layers(simulcast)};
        struct source s[3];
        seqmap_init(&c.seq, (uint16_t)rand_u32());
        picture_map_init(&c.vp8);
        for (unsigned i = 0; i < 3; i++)
            s[i] = (struct source){.seq = 65536 + rand_u32() % 65536,
                                   .ts_base = rand_u32(),
                                   .pid = rand_u32() & 0x7fff};
        for (unsigned tick = 0; tick < 6000; tick++) {
            int64_t now_us = S_US(100) + tick * INT64_C(33333);
            for (unsigned i = 0; i < 3; i++) {
                if (round & 1 && tick % 100 == 0)
                    capture_report(&c.captures[i], 90000,
                                   ((uint64_t)4000000 << 32) +
                                       ((uint64_t)tick * (UINT64_C(1) << 32)) / 30,
                                   s[i].ts_base + tick * 3000, now_us);
                produce(&c, &s[i], i, tick, now_us + i * 3000);
            }
            int wants = layers_wants_key(c.l);
            if (wants >= 0 && rand_u32() % 3 == 0)
                s[wants].key_wanted = true;
            if (rand_u32() % 50 == 0)
                layers_prefer(c.l, rand_u32() % 3, rand_u32() % 3);
            if (rand_u32() % 80 == 0 || tick % 800 == 30)
                layers_allow(c.l, rand_u32() % 4, rand_u32() % 4);
            if (tick % 800 == 0)
                layers_allow_none(c.l);
            if (rand_u32() % 300 == 0)
                layers_active(c.l, rand_u32() % 3, false);
            if (rand_u32() % 500 == 0)
                layers_restart(c.l);
        }
        assert_true(c.switches > 50);
        assert_true(c.sent > 6000);
        layers_free(c.l);
    }
}

static void sends_what_is_allowed_of_the_preferred(void **state)
{
    (void)state;
    struct layers *l = new_layers(simulcast);
    for (size_t i = 0; i < 3; i++)
        frame(l, i, 1, 0, 0, i == 2, true, 0);
    frame(l, 2, 2, 0, 0, true, true, 0);
    assert_layers(l, false, 2, 2);
    layers_allow(l, 0, 1);
    assert_int_equal(layers_wants_key(l), 0);
    assert_false(frame(l, 2, 3, 3000, 2, false, false, 1)); /* what goes on too high goes on low */
    assert_true(frame(l, 2, 4, 6000, 0, false, false, 2));
    assert_true(frame(l, 0, 2, 9000, 0, true, true, 3));
    assert_layers(l, false, 0, 1);
    layers_prefer(l, 2, 0); /* the limit stays */
    assert_int_equal(layers_target_stream(l), 0);
    layers_allow(l, 2, LAYERS_ALL);
    assert_int_equal(layers_wants_key(l), 2);
    layers_prefer(l, 1, 2); /* and allowing more than is preferred changes nothing */
    assert_int_equal(layers_wants_key(l), 1);
    layers_free(l);
}

static void sends_nothing_when_nothing_is_allowed(void **state)
{
    (void)state;
    struct layers_conf one = simulcast;
    one.n_streams = 1;
    const struct layers_conf *confs[] = {&simulcast, &one};
    for (size_t i = 0; i < 2; i++) {
        struct layers *l = new_layers(*confs[i]);
        layers_active(l, 0, true);
        frame(l, 0, 1, 0, 0, true, true, 0);
        assert_layers(l, false, 0, 2);
        layers_allow_none(l);
        assert_layers(l, true, 0, 0);
        assert_int_equal(layers_wants_key(l), -1);
        assert_int_equal(layers_target_stream(l), -1);
        assert_false(frame(l, 0, 2, 3000, 0, true, true, 1));
        layers_prefer(l, 0, 0);
        layers_active(l, 0, false);
        assert_false(frame(l, 0, 3, 6000, 0, true, true, 2));
        layers_allow(l, LAYERS_ALL, LAYERS_ALL);
        assert_int_equal(layers_wants_key(l), 0);
        assert_true(frame(l, 0, 4, 9000, 0, true, true, 3));
        assert_layers(l, false, 0, 0);
        layers_free(l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_for_a_key_frame),
        cmocka_unit_test(audio_waits_for_nothing),
        cmocka_unit_test(targets_what_there_is),
        cmocka_unit_test(switches_at_the_targets_key_frame),
        cmocka_unit_test(aligns_by_sender_reports),
        cmocka_unit_test(drops_temporal_layers),
        cmocka_unit_test(drops_spatial_layers_of_one_stream),
        cmocka_unit_test(sends_what_is_allowed_of_the_preferred),
        cmocka_unit_test(sends_nothing_when_nothing_is_allowed),
        cmocka_unit_test(a_consumer_sees_one_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
