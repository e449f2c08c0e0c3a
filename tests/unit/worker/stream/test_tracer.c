#include "lib/clock.h"
#include "proto/counters.h"
#include "tests/unit/check.h"
#include "worker/stream/tracer.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct bench {
    int fd;
    struct trace *out;
    struct trace_reader *in;
    struct tracer t;
};

static int setup(void **state)
{
    static struct bench b;
    b.fd = counters_create();
    assert_int_equal(trace_open(&b.out, b.fd), 0);
    assert_int_equal(trace_reader_open(&b.in, b.fd), 0);
    tracer_init(&b.t, b.out);
    *state = &b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;
    trace_free(b->out);
    trace_reader_free(b->in);
    close(b->fd);
    return 0;
}

static const uint32_t all = (1u << TRACE_KINDS) - 1;

static void refuses(void **state)
{
    struct bench *b = *state;
    const struct {
        unsigned ring;
        struct tracer_job job;
        int error;
    } rows[] = {
        {TRACE_RINGS, {1, 5, all, 10}, -EINVAL}, {0, {0, 5, all, 10}, -EINVAL},
        {0, {1, 0, all, 10}, -EINVAL},           {0, {1, 5, 0, 10}, -EINVAL},
        {0, {1, 5, ~all, 10}, -EINVAL},          {0, {1, 5, all, 10}, 0},
        {0, {2, 5, all, 10}, -EEXIST},           {3, {2, 5, all, 10}, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(tracer_start(&b->t, rows[i].ring, &rows[i].job), rows[i].error);
    struct tracer none;
    tracer_init(&none, NULL);
    assert_int_equal(tracer_start(&none, 0, &rows[5].job), -ENOTSUP);
}

static void ends_in_time(void **state)
{
    struct bench *b = *state;
    assert_int_equal(tracer_next_us(&b->t), TIME_NEVER_US);
    assert_false(tracer_on(&b->t));
    assert_int_equal(tracer_start(&b->t, 0, &(struct tracer_job){1, 5, all, 200}), 0);
    assert_int_equal(tracer_start(&b->t, 1, &(struct tracer_job){2, 5, 1 << TRACE_PLI, 100}), 0);
    assert_int_equal(tracer_next_us(&b->t), 100);
    tracer_expire(&b->t, 100);
    assert_int_equal(tracer_next_us(&b->t), 200);
    assert_true(tracer_on(&b->t));
    tracer_stop(&b->t, 7);
    tracer_stop(&b->t, 0);
    assert_true(tracer_on(&b->t));
    tracer_stop(&b->t, 1);
    assert_false(tracer_on(&b->t));
}

static size_t count(struct bench *b, unsigned ring, uint64_t id, struct trace_record *last)
{
    struct trace_cursor c = {.ring = ring, .id = id};
    struct trace_record rec;
    size_t n = 0;
    while (trace_reader_next(b->in, &c, &rec)) {
        *last = rec;
        n++;
    }
    return n;
}

/* Who has asked for the object, or its transport, and for the kind, gets the record. */
static void routes(void **state)
{
    struct bench *b = *state;
    struct trace_record rec;
    const uint16_t seqs[] = {7, 8, 10};
    tracer_start(&b->t, 0, &(struct tracer_job){1, 10, all, 99});             /* the transport */
    tracer_start(&b->t, 1, &(struct tracer_job){2, 11, 1 << TRACE_NACK, 99}); /* one on it */
    tracer_start(&b->t, 2, &(struct tracer_job){3, 12, all, 99});             /* another */
    const struct tracer_subject s = {10, 11, 50, true};
    tracer_nack(&b->t, &s, 99, seqs, 3);
    tracer_pli(&b->t, &s, 99);
    tracer_nack(&b->t, &s, 99, seqs, 0);
    assert_int_equal(count(b, 0, 1, &rec), 2);
    assert_int_equal(rec.kind, TRACE_PLI);
    assert_int_equal(count(b, 2, 3, &rec), 0);
    assert_int_equal(count(b, 1, 2, &rec), 1);
    assert_int_equal(rec.kind, TRACE_NACK);
    assert_int_equal(rec.object, 11);
    assert_int_equal(rec.at_us, 50);
    assert_int_equal(rec.flags, TRACE_OUT);
    assert_int_equal(rec.ssrc, 99);
    assert_int_equal(rec.seq, 7);
    assert_int_equal(rec.count, 3);
    assert_int_equal(rec.data_len, 6);
    assert_memory_equal(rec.data, seqs, 6);
}

static void key_frames_alone(void **state)
{
    struct bench *b = *state;
    struct trace_record rec;
    const struct rtp h = {.ts = 5, .ssrc = 6, .seq = 7, .payload_len = 100, .pt = 96};
    const struct rtp_exts x = {.present =
                                   RTP_EXT_BIT(RTP_EXT_MID) | RTP_EXT_BIT(RTP_EXT_REPAIRED_RID),
                               .mid = (const uint8_t *)"0123456789abcdef0123",
                               .mid_len = 20,
                               .rrid = (const uint8_t *)"hi",
                               .rrid_len = 2};
    struct tracer_rtp p = {.h = &h, .exts = &x, .size = 120, .temporal = 2};
    tracer_start(&b->t, 0, &(struct tracer_job){1, 11, 1 << TRACE_KEYFRAME, 99});
    const struct tracer_subject s = {10, 11, 50, false};
    tracer_rtp(&b->t, &s, &p);
    p.keyframe = true;
    tracer_rtp(&b->t, &s, &p);
    assert_int_equal(count(b, 0, 1, &rec), 1);
    assert_int_equal(rec.kind, TRACE_KEYFRAME);
    assert_int_equal(rec.flags, TRACE_START);
    assert_int_equal(rec.temporal, 2);
    assert_int_equal(rec.size, 120);
    assert_int_equal(rec.payload_size, 100);
    assert_string_equal(rec.mid, "0123456789abcde");
    assert_string_equal(rec.rid, "hi");
}

static void cuts_packets(void **state)
{
    struct bench *b = *state;
    struct trace_record rec;
    uint8_t data[1200];
    memset(data, 0xab, sizeof(data));
    tracer_start(&b->t, 0, &(struct tracer_job){1, 10, 1 << TRACE_PACKET, 99});
    const struct tracer_subject s = {10, 10, 50, false};
    tracer_packet(&b->t, &s, true, data, sizeof(data), sizeof(data));
    assert_int_equal(count(b, 0, 1, &rec), 1);
    assert_int_equal(rec.size, sizeof(data));
    assert_int_equal(rec.data_len, TRACE_DATA_MAX);
    assert_int_equal(rec.flags, TRACE_RTCP);
    assert_int_equal(rec.data[TRACE_DATA_MAX - 1], 0xab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(refuses, setup, teardown),
        cmocka_unit_test_setup_teardown(ends_in_time, setup, teardown),
        cmocka_unit_test_setup_teardown(routes, setup, teardown),
        cmocka_unit_test_setup_teardown(key_frames_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(cuts_packets, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
