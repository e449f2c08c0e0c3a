/* Data channels through an engine: browsers with associations of their own over DTLS. */
#include "lib/clock.h"
#include "tests/unit/worker/route/world.h"
#include "worker/route/data_consumer.h"
#include "worker/route/data_producer.h"
#include "worker/route/router.h"
#include "worker/route/transport.h"
#include "worker/route/webrtc.h"
#include "worker/sctp/association.h"
#include "worker/wire/dcep.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define QUEUE 8192
#define KEEP  2048

struct got {
    uint16_t stream;
    uint32_t ppid, sum;
    size_t len;
    bool unordered;
};

struct peer {
    struct browser *b;
    struct association *a;
    bool deaf; /* what comes is lost */
    struct {
        uint8_t data[1500];
        size_t len;
    } * queue;
    size_t head, tail;
    struct got *got;
    size_t n_got;
};

struct hall {
    struct world w;
    struct peer a, b, c; /* transports 10, 20, 30 */
};

static uint32_t sum_of(const uint8_t *data, size_t len)
{
    uint32_t sum = 1;
    for (size_t i = 0; i < len; i++)
        sum = sum * 31 + data[i];
    return sum;
}

/* Taken later: the library is not called from within itself. */
static void on_data(struct browser *b, const uint8_t *data, size_t len)
{
    struct peer *p = b->data_arg;
    if (p->deaf || p->tail - p->head == QUEUE)
        return;
    memcpy(p->queue[p->tail % QUEUE].data, data, len);
    p->queue[p->tail++ % QUEUE].len = len;
}

static void on_send(const uint8_t *packet, size_t len, void *arg)
{
    struct peer *p = arg;
    assert_int_equal(dtls_write(p->b->dtls, packet, len), 0);
}

static void on_message(const struct association_message *m, void *arg)
{
    struct peer *p = arg;
    assert_true(p->n_got < KEEP);
    p->got[p->n_got++] =
        (struct got){m->stream, m->ppid, sum_of(m->data, m->len), m->len, m->unordered};
}

static const struct association_handlers handlers = {.send = on_send, .message = on_message};
static const struct association_config usual = {
    .streams = 1024, .max_message = 262144, .send_buffer = 1048576};

/* How many packets that were. */
static size_t take(struct peer *p)
{
    size_t n = p->tail - p->head;
    while (p->head < p->tail) {
        size_t i = p->head++ % QUEUE;
        association_input(p->a, p->queue[i].data, p->queue[i].len);
    }
    return n;
}

static void pump(struct hall *h)
{
    do {
        world_run(&h->w);
    } while (take(&h->a) + take(&h->b) + take(&h->c) > 0);
}

static void pass(struct hall *h, int64_t us)
{
    for (int64_t end_us = h->w.now_us + us; h->w.now_us < end_us;) {
        world_after(&h->w, MS_US(10));
        pump(h);
    }
}

static void join(struct hall *h, struct peer *p, uint64_t transport)
{
    p->b = world_join(&h->w, transport);
    p->b->on_data = on_data;
    p->b->data_arg = p;
    p->queue = calloc(QUEUE, sizeof(*p->queue));
    p->got = calloc(KEEP, sizeof(*p->got));
    assert_non_null(p->queue);
    assert_non_null(p->got);
    assert_int_equal(association_new(&p->a, &usual, &handlers, p), 0);
}

static int produce(struct hall *h, struct peer *p, uint64_t id, uint16_t stream)
{
    return data_producer_create(h->w.engine,
                                &(struct params_data_producer){.transport = p->b->transport,
                                                               .data_producer = id,
                                                               .stream = {.id = stream}},
                                h->w.now_us);
}

static int consume(struct hall *h, struct peer *p, uint64_t id, uint64_t producer,
                   struct params_stream stream)
{
    return data_consumer_create(h->w.engine,
                                &(struct params_data_consumer){.transport = p->b->transport,
                                                               .data_consumer = id,
                                                               .data_producer = producer,
                                                               .stream = stream},
                                h->w.now_us);
}

static void hall_open(struct hall *h)
{
    memset(h, 0, sizeof(*h));
    world_open(&h->w);
    join(h, &h->a, 10);
    join(h, &h->b, 20);
    join(h, &h->c, 30);
    assert_int_equal(produce(h, &h->a, 100, 1), 0);
    assert_int_equal(consume(h, &h->b, 200, 100, (struct params_stream){.id = 5}), 0);
    assert_int_equal(
        consume(h, &h->c, 201, 100, (struct params_stream){.id = 6, .unordered = true}), 0);
    association_connect(h->a.a);
    association_connect(h->b.a); /* c answers */
    pass(h, MS_US(200));
    const uint64_t transports[] = {10, 20, 30};
    for (size_t i = 0; i < ARRAY_LEN(transports); i++) {
        const struct engine_event *ev = world_last(&h->w, ENGINE_SCTP_STATE, transports[i]);
        assert_non_null(ev);
        assert_int_equal(ev->sctp, ENGINE_SCTP_CONNECTED);
    }
}

static void hall_close(struct hall *h)
{
    struct peer *peers[] = {&h->a, &h->b, &h->c};
    for (size_t i = 0; i < ARRAY_LEN(peers); i++) {
        association_free(peers[i]->a);
        free(peers[i]->queue);
        free(peers[i]->got);
    }
    world_close(&h->w);
}

static int say(struct peer *p, uint16_t stream, uint32_t ppid, const void *data, size_t len)
{
    return association_send(p->a, &(struct association_message){
                                      .stream = stream, .ppid = ppid, .data = data, .len = len});
}

/* ---- tests ---- */

static void test_all_get_it(void **state)
{
    (void)state;
    static const struct {
        uint32_t ppid;
        size_t len;
    } rows[] = {{51, 1},    {53, 1},     {56, 1},      {57, 1},
                {51, 1000}, {53, 65536}, {51, 200000}, {53, 262144}};
    static uint8_t data[262144];
    struct hall h;
    hall_open(&h);
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 13 + i / 256);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        h.b.n_got = h.c.n_got = 0;
        assert_int_equal(say(&h.a, 1, rows[i].ppid, data, rows[i].len), 0);
        pass(&h, MS_US(500));
        assert_int_equal(h.b.n_got, 1);
        assert_int_equal(h.c.n_got, 1);
        assert_int_equal(h.a.n_got, 0);
        assert_int_equal(h.b.got[0].stream, 5);
        assert_int_equal(h.c.got[0].stream, 6);
        assert_false(h.b.got[0].unordered);
        assert_true(h.c.got[0].unordered);
        assert_int_equal(h.b.got[0].ppid, rows[i].ppid);
        assert_int_equal(h.b.got[0].len, rows[i].len);
        assert_int_equal(h.b.got[0].sum, sum_of(data, rows[i].len));
        assert_int_equal(h.c.got[0].sum, h.b.got[0].sum);
    }
    hall_close(&h);
}

static void test_not_forwarded(void **state)
{
    (void)state;
    struct hall h;
    hall_open(&h);
    say(&h.a, 2, 51, "x", 1); /* no data producer there */
    say(&h.a, 1, 54, "x", 1); /* deprecated */
    say(&h.a, 1, 1, "x", 1);
    say(&h.b, 5, 51, "x", 1); /* a data consumer's stream is one way */
    pass(&h, MS_US(300));
    assert_int_equal(h.a.n_got + h.b.n_got + h.c.n_got, 0);
    /* in-band: answered where there is a data producer */
    uint8_t open[64];
    size_t len = dcep_compose(open, sizeof(open), &(struct dcep){.type = DCEP_OPEN});
    say(&h.a, 2, DCEP_PPID_CONTROL, open, len);
    say(&h.a, 1, DCEP_PPID_CONTROL, open, len - 1);
    pass(&h, MS_US(300));
    assert_int_equal(h.a.n_got, 0);
    say(&h.a, 1, DCEP_PPID_CONTROL, open, len);
    pass(&h, MS_US(300));
    assert_int_equal(h.a.n_got, 1);
    assert_int_equal(h.a.got[0].stream, 1);
    assert_int_equal(h.a.got[0].ppid, DCEP_PPID_CONTROL);
    assert_int_equal(h.a.got[0].len, DCEP_ACK_LEN);
    assert_int_equal(h.b.n_got + h.c.n_got, 0);
    hall_close(&h);
}

static void test_pause(void **state)
{
    (void)state;
    struct hall h;
    hall_open(&h);
    assert_int_equal(data_consumer_pause(h.w.engine, 200, true), 0);
    say(&h.a, 1, 51, "1", 1);
    pass(&h, MS_US(300));
    assert_int_equal(h.b.n_got, 0);
    assert_int_equal(h.c.n_got, 1);
    assert_int_equal(data_producer_pause(h.w.engine, 100, true), 0);
    assert_int_equal(data_consumer_pause(h.w.engine, 200, false), 0);
    say(&h.a, 1, 51, "2", 1);
    pass(&h, MS_US(300));
    assert_int_equal(h.b.n_got, 0);
    assert_int_equal(h.c.n_got, 1);
    assert_int_equal(data_producer_pause(h.w.engine, 100, false), 0);
    say(&h.a, 1, 51, "3", 1);
    pass(&h, MS_US(300));
    assert_int_equal(h.b.n_got, 1);
    assert_int_equal(h.c.n_got, 2);
    assert_int_equal(data_producer_pause(h.w.engine, 9, true), -ENOENT);
    assert_int_equal(data_consumer_pause(h.w.engine, 9, true), -ENOENT);
    hall_close(&h);
}

/* After a channel has closed, at both ends, its stream can be used again. */
static void test_close(void **state)
{
    (void)state;
    struct hall h;
    hall_open(&h);
    for (uint64_t round = 0; round < 4; round++) {
        h.b.n_got = h.c.n_got = 0;
        say(&h.a, 1, 51, "x", 1);
        pass(&h, MS_US(300));
        assert_int_equal(h.b.n_got, 1);
        if (round % 2)
            data_consumer_close(h.w.engine, 200 + 10 * round, h.w.now_us);
        data_producer_close(h.w.engine, 100 + round, h.w.now_us);
        pass(&h, S_US(1));
        say(&h.a, 1, 51, "x", 1);
        pass(&h, MS_US(300));
        assert_int_equal(h.b.n_got, 1);
        assert_int_equal(produce(&h, &h.a, 101 + round, 1), 0);
        assert_int_equal(
            consume(&h, &h.b, 210 + 10 * round, 101 + round, (struct params_stream){.id = 5}), 0);
    }
    data_producer_close(h.w.engine, 9, h.w.now_us);
    data_consumer_close(h.w.engine, 9, h.w.now_us);
    /* a transport goes, with both kinds on it */
    assert_int_equal(produce(&h, &h.b, 300, 7), 0);
    assert_int_equal(consume(&h, &h.a, 301, 300, (struct params_stream){.id = 1}), 0);
    say(&h.a, 1, 51, "x", 1);
    transport_close(h.w.engine, 20, h.w.now_us);
    assert_int_equal(data_consumer_pause(h.w.engine, 301, true), -ENOENT);
    pass(&h, MS_US(300));
    transport_close(h.w.engine, 10, h.w.now_us);
    pass(&h, MS_US(300));
    hall_close(&h);
}

static void test_refused(void **state)
{
    (void)state;
    struct hall h;
    hall_open(&h);
    assert_int_equal(produce(&h, &h.a, 100, 2), -EEXIST);
    assert_int_equal(produce(&h, &h.a, 101, 1), -EEXIST);
    assert_int_equal(produce(&h, &h.a, 101, 1024), -EINVAL);
    const struct params_stream free_one = {.id = 9}, taken = {.id = 5}, none = {.id = 1024};
    assert_int_equal(consume(&h, &h.b, 200, 100, free_one), -EEXIST);
    assert_int_equal(consume(&h, &h.b, 202, 100, taken), -EEXIST);
    assert_int_equal(consume(&h, &h.b, 202, 100, none), -EINVAL);
    assert_int_equal(consume(&h, &h.b, 202, 99, free_one), -ENOENT);
    for (uint64_t i = 0; i < LIMIT_TRANSPORT_DATA_PRODUCERS; i++)
        assert_int_equal(produce(&h, &h.b, 1000 + i, (uint16_t)i), 0);
    assert_int_equal(produce(&h, &h.b, 2000, 64), -ENOSPC);

    struct params_transport p = {.router = WORLD_ROUTER,
                                 .transport = 77,
                                 .ufrag = "abcdefgh",
                                 .password = "0123456789012345678901",
                                 .peer = ""};
    struct browser none_there = {.transport = 77};
    struct peer without = {.b = &none_there};
    assert_int_equal(webrtc_create(h.w.engine, &p, h.w.now_us), 0);
    assert_int_equal(produce(&h, &without, 3000, 1), -ENOTSUP);
    assert_int_equal(consume(&h, &without, 3000, 100, free_one), -ENOTSUP);
    none_there.transport = 78;
    assert_int_equal(produce(&h, &without, 3000, 1), -ENOENT);
    p.transport = 78;
    p.ufrag = "ijklmnop";
    p.sctp = (struct params_sctp){.streams = 1, .max_message = 1 << 20, .send_buffer = 1 << 20};
    assert_int_equal(webrtc_create(h.w.engine, &p, h.w.now_us), -EINVAL);
    assert_int_equal(router_create(h.w.engine, 2, "other"), 0);
    p.router = 2;
    p.sctp = (struct params_sctp){.streams = 16, .max_message = 65536, .send_buffer = 65536};
    assert_int_equal(webrtc_create(h.w.engine, &p, h.w.now_us), 0);
    assert_int_equal(consume(&h, &without, 3000, 100, free_one), -EINVAL);
    hall_close(&h);
}

/* One receiver hears nothing any more: it alone loses messages, and the server is told once a second. */
static void test_slow_receiver(void **state)
{
    (void)state;
    static uint8_t data[60000];
    struct hall h;
    hall_open(&h);
    h.b.deaf = true;
    for (int i = 0; i < 40; i++) {
        assert_int_equal(say(&h.a, 1, 53, data, sizeof(data)), 0);
        pass(&h, MS_US(50));
    }
    pass(&h, S_US(1));
    assert_int_equal(h.c.n_got, 40);
    size_t told = world_count(&h.w, ENGINE_SCTP_SEND_BUFFER_FULL, 200);
    assert_in_range(told, 1, 3);
    assert_in_range(world_last(&h.w, ENGINE_SCTP_SEND_BUFFER_FULL, 200)->dropped, 1, 40);
    assert_int_equal(world_count(&h.w, ENGINE_SCTP_SEND_BUFFER_FULL, 201), 0);
    hall_close(&h);
}

/* Before anybody asked for data channels, nothing answers. */
static void test_unasked(void **state)
{
    (void)state;
    struct hall h = {0};
    world_open(&h.w);
    join(&h, &h.a, 10);
    association_connect(h.a.a);
    world_after(&h.w, S_US(1));
    take(&h.a);
    assert_int_equal(association_state(h.a.a), ASSOCIATION_CONNECTING);
    assert_int_equal(produce(&h, &h.a, 100, 1), 0);
    world_after(&h.w, MS_US(20));
    for (int i = 0; i < 10; i++) {
        take(&h.a);
        world_after(&h.w, MS_US(20));
    }
    assert_int_equal(association_state(h.a.a), ASSOCIATION_CONNECTED);
    association_free(h.a.a);
    free(h.a.queue);
    free(h.a.got);
    world_close(&h.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_get_it), cmocka_unit_test(test_not_forwarded),
        cmocka_unit_test(test_pause),      cmocka_unit_test(test_close),
        cmocka_unit_test(test_refused),    cmocka_unit_test(test_slow_receiver),
        cmocka_unit_test(test_unasked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
