/* Simulcast: streams that are known by MID and RID alone, the choice among them, and what may be learnt. */
#include "lib/clock.h"
#include "tests/unit/worker/route/world.h"
#include "worker/route/consumer.h"
#include "worker/route/limits.h"
#include "worker/route/producer.h"
#include "worker/route/transport.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct set {
    struct world w;
    struct browser *a, *b;
    struct camera cam[3];
};

static void open_set(struct set *s)
{
    static const char *const rids[] = {"q", "h", "f"};
    world_open(&s->w);
    s->a = world_join(&s->w, 10);
    s->b = world_join(&s->w, 20);
    struct params_producer p = simulcast_producer(s->a, 2);
    struct params_consumer c = consumer_of(s->b, 3, &p);
    assert_int_equal(producer_create(s->w.engine, &p, s->w.now_us), 0);
    assert_int_equal(consumer_create(s->w.engine, &c, s->w.now_us), 0);
    for (uint32_t i = 0; i < 3; i++)
        s->cam[i] = (struct camera){.b = s->a,
                                    .ssrc = 501 + i,
                                    .seq = 1000 * i,
                                    .ts = 77777 * i,
                                    .picture_id = (uint16_t)(100 * i),
                                    .mid = "m2",
                                    .rid = rids[i]};
}

/* A frame of every stream that sends, then 33 ms. */
static void frames(struct set *s, unsigned sending, bool key)
{
    for (unsigned i = 0; i < 3; i++) {
        if (sending & 1u << i)
            camera_send(&s->cam[i], key, 2);
    }
    world_after(&s->w, 33000);
}

static void numbers_go_on(const struct browser *b)
{
    for (size_t i = 1; i < b->n_rtp; i++) {
        const struct rtp *h = &b->rtp[i].h, *before = &b->rtp[i - 1].h;
        assert_int_equal(h->ssrc, 7003);
        assert_int_equal((uint16_t)(h->seq - before->seq), 1);
        assert_true((int32_t)(h->ts - before->ts) >= 0);
    }
}

static void highest_by_rid(void **state)
{
    (void)state;
    struct set s;
    open_set(&s);
    for (int i = 0; i < 5; i++)
        frames(&s, 7, i == 0 || i == 2);
    for (int i = 0; i < 3; i++)
        s.cam[i].mid = s.cam[i].rid = NULL; /* browsers stop saying it when they were heard */
    for (int i = 0; i < 10; i++)
        frames(&s, 7, false);
    const struct engine_event *ev = world_last(&s.w, ENGINE_LAYERS, 3);
    assert_non_null(ev);
    assert_false(ev->none);
    assert_int_equal(ev->spatial, 2);
    assert_true(s.b->n_rtp >= 24);
    numbers_go_on(s.b);
    world_close(&s.w);
}

static void switches_where_asked(void **state)
{
    (void)state;
    struct set s;
    open_set(&s);
    for (int i = 0; i < 5; i++)
        frames(&s, 7, true);
    assert_int_equal(world_last(&s.w, ENGINE_LAYERS, 3)->spatial, 2);
    world_after(&s.w, S_US(1));
    browser_forget(s.a);
    assert_int_equal(consumer_set_preferred(s.w.engine, 3, 0, 0, s.w.now_us), 0);
    frames(&s, 7, false);
    struct rtcp_packet last;
    uint32_t ssrc;
    assert_true(rtcp_count(s.a, RTCP_PSFB, RTCP_PSFB_PLI, &last) >= 1);
    assert_int_equal(rtcp_parse_pli(&last, &ssrc), 0);
    assert_int_equal(ssrc, 501);
    assert_int_equal(world_last(&s.w, ENGINE_LAYERS, 3)->spatial, 2);
    frames(&s, 7, true);
    assert_int_equal(world_last(&s.w, ENGINE_LAYERS, 3)->spatial, 0);
    for (int i = 0; i < 5; i++)
        frames(&s, 7, false);
    numbers_go_on(s.b);
    world_close(&s.w);
}

static void falls_to_what_is_sent(void **state)
{
    (void)state;
    struct set s;
    open_set(&s);
    for (int i = 0; i < 5; i++)
        frames(&s, 7, true);
    assert_int_equal(world_last(&s.w, ENGINE_LAYERS, 3)->spatial, 2);
    for (int i = 0; i < 90; i++) /* three seconds without the highest */
        frames(&s, 3, i % 10 == 0);
    assert_int_equal(world_last(&s.w, ENGINE_LAYERS, 3)->spatial, 1);
    numbers_go_on(s.b);
    world_close(&s.w);
}

static void repair_by_repaired_rid(void **state)
{
    (void)state;
    struct set s;
    open_set(&s);
    for (int i = 0; i < 3; i++)
        frames(&s, 7, true);
    uint32_t lost = s.cam[2].seq++;
    frames(&s, 7, false);
    size_t before = s.b->n_rtp;
    uint8_t osn[600] = {(uint8_t)(lost >> 8), (uint8_t)lost};
    struct send_rtp rtx = {.ssrc = 999,
                           .ts = s.cam[2].ts,
                           .seq = 9,
                           .pt = PT_RTX,
                           .mid = "m2",
                           .rrid = "f",
                           .twcc = -1,
                           .payload = osn,
                           .len = 2 + vp8_payload(osn + 2, 200, true, false, 250, 1, 0)};
    browser_rtp(s.a, &rtx);
    world_run(&s.w);
    assert_int_equal(s.b->n_rtp, before + 1);
    assert_int_equal(s.b->rtp[before].h.payload_len, 200);
    world_close(&s.w);
}

static void unknown_goes_nowhere(void **state)
{
    (void)state;
    struct set s;
    open_set(&s);
    for (int i = 0; i < 3; i++)
        frames(&s, 7, true);
    static const struct {
        const char *mid, *rid;
    } cases[] = {{NULL, NULL}, {"m2", NULL}, {"m2", "x"}, {"m3", "f"},
                 {NULL, "f"},  {"m", "f"},   {"m22", "f"}};
    size_t before = s.b->n_rtp;
    for (uint32_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct camera c = {
            .b = s.a, .ssrc = 900 + i, .seq = 5, .mid = cases[i].mid, .rid = cases[i].rid};
        camera_frame(&c, true, 2);
    }
    assert_int_equal(s.b->n_rtp, before);
    world_close(&s.w);
}

static void learning_is_bounded(void **state)
{
    (void)state;
    struct set s;
    open_set(&s);
    frames(&s, 7, true);
    /* a sender that changes its SSRC all the time is heard until it has had enough */
    struct camera c = s.cam[2];
    for (uint32_t i = 0; i < 2 * LIMIT_LEARNT_SSRCS; i++) {
        c.ssrc = 10000 + i;
        camera_send(&c, true, 1);
        world_run(&s.w);
    }
    assert_true(s.b->n_rtp <= LIMIT_LEARNT_SSRCS + 8);
    size_t before = s.b->n_rtp;
    frames(&s, 1, true); /* what was learnt stands */
    consumer_set_preferred(s.w.engine, 3, 0, 0, s.w.now_us);
    frames(&s, 1, true);
    frames(&s, 1, true);
    assert_true(s.b->n_rtp > before);
    world_close(&s.w);
}

/* A camera that is switched on and off for hours: each time it is another producer with SSRCs of its own. */
static void learning_begins_anew_with_a_producer(void **state)
{
    (void)state;
    struct set s;
    open_set(&s);
    for (uint32_t round = 0; round < LIMIT_LEARNT_SSRCS / 3 + 5; round++) {
        producer_close(s.w.engine, 2, s.w.now_us);
        struct params_producer p = simulcast_producer(s.a, 2);
        struct params_consumer c = consumer_of(s.b, 100 + round, &p);
        assert_int_equal(producer_create(s.w.engine, &p, s.w.now_us), 0);
        assert_int_equal(consumer_create(s.w.engine, &c, s.w.now_us), 0);
        for (int i = 0; i < 3; i++)
            s.cam[i].ssrc += 10;
        browser_forget(s.b);
        frames(&s, 7, true);
        assert_true(s.b->n_rtp > 0);
        s.w.n_events = 0;
    }
    world_close(&s.w);
}

static void signalled_ssrcs_and_their_collisions(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    struct browser *a = world_join(&w, 10);
    struct params_producer p = video_producer(a, 2), q = video_producer(a, 3);
    assert_int_equal(producer_create(w.engine, &p, w.now_us), 0);
    assert_int_equal(producer_create(w.engine, &p, w.now_us), -EEXIST);
    q.encodings[0].ssrc = p.encodings[0].rtx_ssrc;
    assert_int_equal(producer_create(w.engine, &q, w.now_us), -EEXIST);
    q = video_producer(a, 3);
    memcpy(q.media.mid, p.media.mid, sizeof(q.media.mid));
    assert_int_equal(producer_create(w.engine, &q, w.now_us), -EEXIST);
    q = video_producer(a, 3);
    rtp_ext_map_init(&q.media.ext);
    rtp_ext_map_set(&q.media.ext, RTP_EXT_RID, EXT_MID); /* means something else here */
    assert_int_equal(producer_create(w.engine, &q, w.now_us), -EINVAL);
    producer_close(w.engine, 2, w.now_us);
    assert_int_equal(producer_create(w.engine, &p, w.now_us), 0);
    p.transport = 11;
    assert_int_equal(producer_create(w.engine, &p, w.now_us), -ENOENT);
    world_close(&w);
}

static void many_producers_come_and_go(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    struct browser *a = world_join(&w, 10);
    for (int round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < LIMIT_TRANSPORT_PRODUCERS; i++) {
            struct params_producer p = video_producer(a, 100 + i);
            assert_int_equal(producer_create(w.engine, &p, w.now_us), 0);
        }
        struct params_producer more = video_producer(a, 99);
        assert_int_equal(producer_create(w.engine, &more, w.now_us), -ENOSPC);
        for (uint64_t i = 0; i < LIMIT_TRANSPORT_PRODUCERS; i += 1 + (uint64_t)(round == 0)) {
            struct camera c = {.b = a, .ssrc = (uint32_t)(1000 * (100 + i)), .seq = 1};
            camera_frame(&c, true, 1);
            producer_close(w.engine, 100 + i, w.now_us);
        }
        for (uint64_t i = 0; i < LIMIT_TRANSPORT_PRODUCERS; i++)
            producer_close(w.engine, 100 + i, w.now_us);
    }
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(highest_by_rid),
        cmocka_unit_test(switches_where_asked),
        cmocka_unit_test(falls_to_what_is_sent),
        cmocka_unit_test(repair_by_repaired_rid),
        cmocka_unit_test(unknown_goes_nowhere),
        cmocka_unit_test(learning_is_bounded),
        cmocka_unit_test(learning_begins_anew_with_a_producer),
        cmocka_unit_test(signalled_ssrcs_and_their_collisions),
        cmocka_unit_test(many_producers_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
