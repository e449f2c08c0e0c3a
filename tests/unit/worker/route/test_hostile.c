/* What anybody may send, and what the server may ask in the worst moment. */
#include "lib/clock.h"
#include "proto/counters.h"
#include "tests/unit/worker/route/world.h"
#include "worker/route/consumer.h"
#include "worker/route/limits.h"
#include "worker/route/producer.h"
#include "worker/route/router.h"
#include "worker/route/transport.h"
#include "worker/route/webrtc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static uint32_t random_state = 12345;

static uint32_t any(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

static void still_works(struct stage *s)
{
    browser_forget(s->b);
    camera_frame(&s->cam, true, 3);
    assert_int_equal(s->b->n_rtp, 3);
}

static void garbage_of_every_class(void **state)
{
    (void)state;
    static const uint8_t first[] = {0, 1, 3, 4, 20, 22, 63, 64, 127, 128, 144, 160, 191, 192, 255};
    struct stage s;
    stage_open(&s);
    camera_frame(&s.cam, true, 3);
    struct tuple stranger = s.a->tuple;
    stranger.remote.port = 9;
    size_t sent = s.w.n_flushed;
    for (int i = 0; i < 20000; i++) {
        uint8_t data[300];
        size_t len = any() % (i % 10 ? 64 : sizeof(data));
        for (size_t j = 0; j < len; j++)
            data[j] = (uint8_t)any();
        if (len)
            data[0] = first[any() % sizeof(first)];
        if (len > 1 && i % 3 == 0)
            data[1] = (uint8_t)(200 + any() % 8);
        world_push(&s.w, i % 2 ? &stranger : &s.a->tuple, data, len);
        if (i % 100 == 0)
            world_run(&s.w);
    }
    world_run(&s.w);
    assert_true(s.w.n_flushed <= sent + 4); /* nothing is answered */
    still_works(&s);
    world_close(&s.w);
}

static void replayed_once(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    camera_frame(&s.cam, true, 3);
    uint8_t payload[1400], out[1600];
    struct send_rtp p = {
        .ssrc = 2000,
        .ts = s.cam.ts + 3000,
        .seq = s.cam.seq++,
        .pt = PT_VP8,
        .marker = true,
        .twcc = -1,
        .payload = payload,
        .len = vp8_payload(payload, 100, true, false, (uint16_t)(s.cam.picture_id + 1), 2, 0)};
    size_t len = browser_seal(s.a, &p, out);
    s.cam.picture_id++;
    browser_forget(s.b);
    for (int i = 0; i < 1000; i++)
        world_push(&s.w, &s.a->tuple, out, len);
    world_run(&s.w);
    assert_int_equal(s.b->n_rtp, 1);
    still_works(&s);
    world_close(&s.w);
}

static void wrong_key_changes_nothing(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    camera_frame(&s.cam, true, 3);
    uint8_t payload[1400], out[1600];
    browser_forget(s.b);
    for (uint32_t i = 0; i < 1000; i++) {
        struct send_rtp p = {.ssrc = 2000,
                             .ts = 1,
                             .seq = s.cam.seq + i,
                             .pt = PT_VP8,
                             .twcc = -1,
                             .payload = payload,
                             .len = vp8_payload(payload, 100, true, true, 1, 1, 0)};
        size_t len = browser_seal(s.b, &p, out); /* b's keys from a's address */
        world_push(&s.w, &s.a->tuple, out, len);
        len = browser_seal(s.a, &p, out);
        out[len - 1 - i % 16] ^= 1;
        world_push(&s.w, &s.a->tuple, out, len);
    }
    world_run(&s.w);
    assert_int_equal(s.b->n_rtp, 0);
    assert_int_equal(world_last(&s.w, ENGINE_DTLS_STATE, 10)->dtls, ENGINE_DTLS_CONNECTED);
    world_close(&s.w);
}

/* A check of its own transport, sent with another browser's address: that one's media does not go astray. */
static void a_check_in_anothers_name(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    struct browser *m = world_join(&s.w, 30);
    struct tuple own = m->tuple;
    camera_frame(&s.cam, true, 2);
    for (int i = 0; i < 3; i++) {
        m->tuple = s.a->tuple;
        browser_check(m, false);
        m->tuple = own;
        world_run(&s.w);
        still_works(&s);
    }
    /* when nobody has it any more it is taken */
    transport_close(s.w.engine, 10, s.w.now_us);
    struct params_producer p = audio_producer(m, 40);
    struct params_consumer c = consumer_of(s.b, 41, &p);
    assert_int_equal(producer_create(s.w.engine, &p, s.w.now_us), 0);
    assert_int_equal(consumer_create(s.w.engine, &c, s.w.now_us), 0);
    m->tuple = s.a->tuple;
    s.a->tuple = own;
    browser_check(m, false);
    struct send_rtp r = {
        .ssrc = 40000, .seq = 1, .pt = PT_OPUS, .twcc = -1, .payload = "speech", .len = 6};
    browser_rtp(m, &r);
    browser_forget(s.b);
    world_run(&s.w);
    assert_int_equal(s.b->n_rtp, 1);
    world_close(&s.w);
}

/* Authentic, but nonsense inside. */
static void nonsense_from_a_browser(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    camera_frame(&s.cam, true, 3);
    for (int i = 0; i < 3000; i++) {
        uint8_t data[200] = {0x80};
        size_t len = 8 + any() % (sizeof(data) - 8);
        for (size_t j = 4; j < len; j++)
            data[j] = (uint8_t)any();
        data[0] = (uint8_t)(0x80 | any() % 32);
        data[1] = (uint8_t)(200 + any() % 8);
        data[2] = 0;
        data[3] = (uint8_t)(any() % 4 ? len / 4 - 1 : any());
        if (i % 2)
            memcpy(data + 8, (const uint8_t[]){0, 0, 0x1b, 0x5b}, 4); /* 7003 */
        browser_rtcp(s.b, data, len);
        struct send_rtp p = {.ssrc = any() % 2 ? 2000 : 2001,
                             .ts = any(),
                             .seq = s.cam.seq + any() % 5000,
                             .pt = (uint8_t)(95 + any() % 4),
                             .twcc = (int)(any() % 65536),
                             .payload = data,
                             .len = any() % sizeof(data)};
        browser_rtp(s.a, &p);
        if (i % 50 == 0)
            world_after(&s.w, 20000);
        browser_forget(s.b);
        browser_forget(s.a);
    }
    world_after(&s.w, S_US(1));
    world_close(&s.w);
}

static void a_flood_of_nacks_is_capped(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    for (int i = 0; i < 60; i++)
        camera_frame(&s.cam, i == 0, 4);
    size_t media = s.b->n_rtp;
    uint16_t newest = s.b->rtp[media - 1].h.seq;
    uint16_t seqs[240];
    for (size_t i = 0; i < 240; i++)
        seqs[i] = (uint16_t)(newest - 239 + i);
    for (int i = 0; i < 1000; i++) {
        uint8_t buf[1200];
        struct writer w = writer_of(buf, sizeof(buf));
        rtcp_write_rr(&w, 99, NULL, 0);
        rtcp_write_nack(&w, 99, 7003, seqs, 240);
        browser_rtcp(s.b, buf, writer_len(&w));
        world_after(&s.w, 1000);
    }
    assert_true(s.b->n_rtp - media <= 240 * 10);
    world_close(&s.w);
}

static void closes_in_the_middle_of_a_batch(void **state)
{
    (void)state;
    for (int what = 0; what < 6; what++) {
        struct stage s;
        stage_open(&s);
        camera_frame(&s.cam, true, 3);
        camera_send(&s.cam, false, 3);
        engine_receive(s.w.engine, s.w.in, s.w.n_in, s.w.now_us); /* received, not yet sent */
        switch (what) {
        case 0:
            consumer_close(s.w.engine, 3, s.w.now_us);
            break;
        case 1:
            producer_close(s.w.engine, 2, s.w.now_us);
            break;
        case 2:
            transport_close(s.w.engine, 10, s.w.now_us);
            break;
        case 3:
            transport_close(s.w.engine, 20, s.w.now_us);
            break;
        case 4:
            router_close(s.w.engine, WORLD_ROUTER, s.w.now_us);
            break;
        default:
            engine_close_all(s.w.engine, s.w.now_us);
        }
        engine_send(s.w.engine, s.w.now_us);
        assert_int_equal(s.b->n_rtp, 3);
        world_run(&s.w);
        world_after(&s.w, S_US(2));
        world_close(&s.w);
    }
}

static void more_than_a_batch_holds(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    camera_frame(&s.cam, true, 1);
    for (int i = 0; i < 300; i++)
        camera_send(&s.cam, false, 10);
    world_run(&s.w);
    assert_int_equal(s.b->n_rtp, 3001);
    world_close(&s.w);
}

static void a_small_pool(void **state)
{
    (void)state;
    struct stage s;
    world_open_with(&s.w, (struct engine_config){.pool_slots = 40});
    s.a = world_join(&s.w, 10);
    s.b = world_join(&s.w, 20);
    struct params_producer p = video_producer(s.a, 2);
    struct params_consumer c = consumer_of(s.b, 3, &p);
    assert_int_equal(producer_create(s.w.engine, &p, s.w.now_us), 0);
    assert_int_equal(consumer_create(s.w.engine, &c, s.w.now_us), 0);
    s.cam = (struct camera){.b = s.a, .ssrc = 2000, .seq = 1};
    for (int i = 0; i < 100; i++)
        camera_frame(&s.cam, i == 0, 5);
    assert_int_equal(s.b->n_rtp, 500); /* the history shrinks, not the stream */
    camera_send(&s.cam, false, 100);   /* more at once than there are slots */
    world_run(&s.w);
    assert_in_range(s.b->n_rtp, 530, 540);
    world_close(&s.w);
}

static void limits_and_reuse(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    struct engine *e = s.w.engine;
    struct params_producer p = video_producer(s.a, 2);
    struct params_consumer c = consumer_of(s.b, 3, &p);
    assert_int_equal(consumer_create(e, &c, s.w.now_us), -EEXIST);
    consumer_close(e, 3, s.w.now_us);
    assert_int_equal(consumer_create(e, &c, s.w.now_us), -EEXIST); /* the SSRC was sent with */
    c = consumer_of(s.b, 4, &p);
    c.rtx_ssrc = 7003;
    assert_int_equal(consumer_create(e, &c, s.w.now_us), -EEXIST);
    c = consumer_of(s.b, 4, &p);
    c.producer = 99;
    assert_int_equal(consumer_create(e, &c, s.w.now_us), -ENOENT);
    uint64_t id = 1000;
    for (size_t i = 0; i < LIMIT_TRANSPORT_CONSUMERS; i++) {
        c = consumer_of(s.b, id++, &p);
        c.ssrc = (uint32_t)(100000 + i);
        c.rtx_ssrc = 0;
        assert_int_equal(consumer_create(e, &c, s.w.now_us), 0);
    }
    c = consumer_of(s.b, id, &p);
    assert_int_equal(consumer_create(e, &c, s.w.now_us), -ENOSPC);
    assert_int_equal(router_create(e, WORLD_ROUTER, "x"), -EEXIST);
    size_t n = 1;
    for (uint64_t r = 2; n < LIMIT_ROUTERS; r++, n++)
        assert_int_equal(router_create(e, r, "x"), 0);
    assert_int_equal(router_create(e, 1u << 20, "x"), -ENOSPC);
    struct params_transport t = {
        .router = 2, .transport = 10, .ufrag = "abcd", .password = s.a->password, .peer = "x"};
    assert_int_equal(webrtc_create(e, &t, s.w.now_us), -EEXIST);
    t.transport = 77;
    t.ufrag = s.a->ufrag;
    assert_int_equal(webrtc_create(e, &t, s.w.now_us), -EEXIST);
    t.ufrag = "abcd";
    t.router = 1u << 20;
    assert_int_equal(webrtc_create(e, &t, s.w.now_us), -ENOENT);
    t.router = 2;
    assert_int_equal(webrtc_create(e, &t, s.w.now_us), 0);
    struct params_consumer other = consumer_of(s.b, 5, &p);
    other.transport = 77; /* in another room */
    assert_int_equal(consumer_create(e, &other, s.w.now_us), -ENOENT);
    world_close(&s.w);
}

static void counts_in_shared_memory(void **state)
{
    (void)state;
    int fd = counters_create();
    struct counters *counters;
    assert_int_equal(counters_open(&counters, fd), 0);
    struct world w;
    world_open_with(&w, (struct engine_config){.counters = counters});
    struct browser *a = world_join(&w, 10), *b = world_join(&w, 20);
    struct params_producer p = video_producer(a, 2);
    struct params_consumer c = consumer_of(b, 3, &p);
    assert_int_equal(producer_create(w.engine, &p, w.now_us), 0);
    assert_int_equal(consumer_create(w.engine, &c, w.now_us), 0);
    struct camera cam = {.b = a, .ssrc = 2000, .seq = 1};
    for (int i = 0; i < 60; i++)
        camera_frame(&cam, i == 0, 2);
    const struct counters_worker *k = counters_worker(counters);
    assert_int_equal(k->routers, 1);
    assert_int_equal(k->transports, 2);
    assert_int_equal(k->producers, 1);
    assert_int_equal(k->consumers, 1);
    assert_int_equal(k->dtls_connected, 2);
    engine_close_all(w.engine, w.now_us);
    assert_int_equal(k->consumers, 0);
    assert_int_equal(k->routers, 0);
    world_close(&w);
    counters_free(counters);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(garbage_of_every_class),
        cmocka_unit_test(replayed_once),
        cmocka_unit_test(wrong_key_changes_nothing),
        cmocka_unit_test(a_check_in_anothers_name),
        cmocka_unit_test(nonsense_from_a_browser),
        cmocka_unit_test(a_flood_of_nacks_is_capped),
        cmocka_unit_test(closes_in_the_middle_of_a_batch),
        cmocka_unit_test(more_than_a_batch_holds),
        cmocka_unit_test(a_small_pool),
        cmocka_unit_test(limits_and_reuse),
        cmocka_unit_test(counts_in_shared_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
