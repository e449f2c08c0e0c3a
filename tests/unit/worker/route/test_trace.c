/* A trace of one browser's media to another, as the worker writes it and the server reads it. */
#include "lib/clock.h"
#include "proto/counters.h"
#include "proto/trace.h"
#include "tests/unit/worker/route/world.h"
#include "worker/route/consumer.h"
#include "worker/route/producer.h"
#include "worker/stream/tracer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct traced {
    struct stage s;
    int fd;
    struct trace *out;
    struct trace_reader *in;
    struct trace_cursor cursor[2];
};

static const uint32_t all = (1u << TRACE_KINDS) - 1;

static int setup(void **state)
{
    static struct traced t;
    memset(&t, 0, sizeof(t));
    t.fd = counters_create();
    assert_int_equal(trace_open(&t.out, t.fd), 0);
    assert_int_equal(trace_reader_open(&t.in, t.fd), 0);
    stage_open_with(&t.s, (struct engine_config){.trace = t.out});
    *state = &t;
    return 0;
}

static int teardown(void **state)
{
    struct traced *t = *state;
    world_close(&t->s.w);
    trace_free(t->out);
    trace_reader_free(t->in);
    close(t->fd);
    return 0;
}

static void start(struct traced *t, unsigned ring, uint64_t object, uint32_t kinds)
{
    struct tracer_job job = {100 + ring, object, kinds, t->s.w.now_us + S_US(10)};
    assert_int_equal(engine_trace_start(t->s.w.engine, ring, &job), 0);
    t->cursor[ring] = (struct trace_cursor){.ring = ring, .id = 100 + ring};
}

/* How many records of a kind there are from here on, and the last of them. */
static size_t count(struct traced *t, unsigned ring, enum trace_kind kind, bool out,
                    struct trace_record *last)
{
    struct trace_cursor c = t->cursor[ring];
    struct trace_record rec;
    size_t n = 0;
    while (trace_reader_next(t->in, &c, &rec)) {
        if (rec.kind == kind && !(rec.flags & TRACE_OUT) == !out) {
            *last = rec;
            n++;
        }
    }
    return n;
}

/* So that consumers have sender reports to send. */
static void tell_time(struct traced *t)
{
    uint8_t buf[100];
    struct writer w = writer_of(buf, sizeof(buf));
    struct rtcp_sr sr = {.ssrc = 2000, .ntp = UINT64_C(1000) << 32, .rtp_ts = t->s.cam.ts};
    rtcp_write_sr(&w, &sr, NULL, 0);
    rtcp_write_sdes(&w, 2000, "a");
    browser_rtcp(t->s.a, buf, writer_len(&w));
    world_run(&t->s.w);
}

static void refuses(void **state)
{
    struct traced *t = *state;
    struct tracer_job job = {1, 4711, all, 1};
    assert_int_equal(engine_trace_start(t->s.w.engine, 0, &job), -ENOENT);
}

static void a_producer(void **state)
{
    struct traced *t = *state;
    struct trace_record rec;
    start(t, 0, 2, all);
    camera_frame(&t->s.cam, true, 3);
    camera_frame(&t->s.cam, false, 2);
    assert_int_equal(count(t, 0, TRACE_RTP, false, &rec), 5);
    assert_int_equal(rec.ssrc, 2000);
    assert_int_equal(rec.object, 2);
    assert_int_equal(rec.pt, PT_VP8);
    assert_true(rec.flags & TRACE_MARKER);
    assert_int_equal(count(t, 0, TRACE_KEYFRAME, false, &rec), 1);
    browser_pli(t->s.b, 7003);
    world_after(&t->s.w, S_US(1));
    assert_int_equal(count(t, 0, TRACE_PLI, true, &rec),
                     rtcp_count(t->s.a, RTCP_PSFB, RTCP_PSFB_PLI, NULL));
    assert_int_equal(rec.ssrc, 2000);
    tell_time(t);
    assert_int_equal(count(t, 0, TRACE_SR, false, &rec), 1);
    assert_int_equal(rec.values[0] >> 32, 1000);
    t->s.cam.seq++; /* one is lost */
    camera_frame(&t->s.cam, false, 2);
    world_after(&t->s.w, S_US(1));
    assert_true(count(t, 0, TRACE_NACK, true, &rec) > 0);
    assert_int_equal(rec.count, 1);
    assert_int_equal(count(t, 0, TRACE_PACKET, false, &rec), 0); /* of its transport alone */
    assert_int_equal(count(t, 0, TRACE_RTP, true, &rec), 0);
}

static void a_consumer(void **state)
{
    struct traced *t = *state;
    struct trace_record rec;
    start(t, 0, 3, all);
    camera_frame(&t->s.cam, true, 3);
    assert_int_equal(count(t, 0, TRACE_RTP, true, &rec), 3);
    const struct got_rtp *got = &t->s.b->rtp[t->s.b->n_rtp - 1];
    assert_int_equal(rec.ssrc, 7003);
    assert_int_equal(rec.seq, got->h.seq);
    assert_int_equal(rec.size, got->len);
    assert_int_equal(rec.payload_size, got->h.payload_len);
    assert_int_equal(rec.twcc, got->exts.twcc);
    assert_string_equal(rec.mid, "c3");
    assert_int_equal(count(t, 0, TRACE_KEYFRAME, true, &rec), 1);
    assert_int_equal(count(t, 0, TRACE_LAYERS, true, &rec), 1);
    assert_int_equal(rec.spatial, 0);
    tell_time(t);
    browser_nack(t->s.b, 7003, got->h.seq);
    browser_pli(t->s.b, 7003);
    world_after(&t->s.w, S_US(3));
    assert_int_equal(count(t, 0, TRACE_NACK, false, &rec), 1);
    assert_int_equal(rec.seq, got->h.seq);
    assert_int_equal(count(t, 0, TRACE_PLI, false, &rec), 1);
    assert_int_equal(count(t, 0, TRACE_RTP, true, &rec), 4);
    assert_true(rec.flags & TRACE_RTX);
    assert_true(count(t, 0, TRACE_SR, true, &rec) > 0);
    assert_int_equal(rec.values[1], 3);
}

/* With its transport: the headers as they would be in a capture, and everything of what is on it. */
static void a_transport(void **state)
{
    struct traced *t = *state;
    struct trace_record rec;
    start(t, 0, 20, 1 << TRACE_PACKET);
    start(t, 1, 10, all);
    camera_frame(&t->s.cam, true, 3);
    assert_int_equal(count(t, 0, TRACE_PACKET, true, &rec), 3);
    const struct got_rtp *got = &t->s.b->rtp[t->s.b->n_rtp - 1];
    assert_int_equal(rec.size, got->len);
    assert_int_equal(rec.data_len, got->h.payload_off); /* no payload */
    assert_memory_equal(rec.data, got->data, rec.data_len);
    assert_int_equal(count(t, 1, TRACE_PACKET, false, &rec), 3);
    assert_int_equal(count(t, 1, TRACE_RTP, false, &rec), 3);
    tell_time(t);
    world_after(&t->s.w, S_US(2));
    assert_true(count(t, 0, TRACE_PACKET, true, &rec) > 3);
    assert_true(rec.flags & TRACE_RTCP);
}

static void ends(void **state)
{
    struct traced *t = *state;
    struct trace_record rec;
    start(t, 0, 2, 1 << TRACE_RTP);
    start(t, 1, 2, 1 << TRACE_RTP);
    camera_frame(&t->s.cam, true, 2);
    engine_trace_stop(t->s.w.engine, 101);
    camera_frame(&t->s.cam, false, 2);
    assert_int_equal(count(t, 0, TRACE_RTP, false, &rec), 4);
    assert_int_equal(count(t, 1, TRACE_RTP, false, &rec), 2);
    browser_check(t->s.a, false);
    world_after(&t->s.w, S_US(11));
    camera_frame(&t->s.cam, false, 2);
    assert_int_equal(count(t, 0, TRACE_RTP, false, &rec), 4);
    start(t, 0, 2, 1 << TRACE_RTP); /* the ring is free again */
    producer_close(t->s.w.engine, 2, t->s.w.now_us);
    camera_frame(&t->s.cam, false, 2);
    assert_int_equal(count(t, 0, TRACE_RTP, false, &rec), 0);
    engine_close_all(t->s.w.engine, t->s.w.now_us);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(a_producer, setup, teardown),
        cmocka_unit_test_setup_teardown(a_consumer, setup, teardown),
        cmocka_unit_test_setup_teardown(a_transport, setup, teardown),
        cmocka_unit_test_setup_teardown(ends, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
