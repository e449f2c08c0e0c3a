#include "worker/sctp/association.h"

#include "lib/clock.h"
#include "tests/unit/check.h"
#include "worker/sctp/stack.h"
#include "worker/wire/dcep.h"

#include <errno.h>

#include <stdlib.h>
#include <string.h>

#include <sys/time.h>

#define QUEUE 65536
#define KEEP  4096

struct packet {
    int to;
    size_t len;
    uint8_t data[1500];
};

struct got {
    uint16_t stream;
    uint32_t ppid;
    bool unordered;
    size_t len;
    uint32_t sum, number;
};

/* Two associations and the way between them. */
struct pair {
    struct association *a[2];
    struct end {
        struct pair *pair;
        int me;
        struct got *got;
        size_t n_got, n_connected, n_over;
        size_t sent;
        size_t longest;
    } ends[2];
    struct packet *queue;
    size_t head, tail;
    unsigned lose; /* one packet in so many; 0: none */
    uint32_t random;
    int64_t now_us;
};

/* What the library measures round trips by; in here it is the tests' own time. */
static int64_t wall_us;

int gettimeofday(struct timeval *tv, void *tz)
{
    (void)tz;
    *tv = (struct timeval){1700000000 + wall_us / 1000000, wall_us % 1000000};
    return 0;
}

static void on_send(const uint8_t *data, size_t len, void *arg)
{
    struct end *e = arg;
    struct pair *p = e->pair;
    assert_true(len <= ASSOCIATION_MTU);
    e->sent++;
    e->longest = len > e->longest ? len : e->longest;
    p->random = p->random * 1664525 + 1013904223;
    if (p->lose && (p->random >> 16) % p->lose == 0)
        return;
    assert_true(p->tail - p->head < QUEUE);
    struct packet *q = &p->queue[p->tail++ % QUEUE];
    q->to = 1 - e->me;
    q->len = len;
    memcpy(q->data, data, len);
}

static void on_state(enum association_state from, enum association_state to, void *arg)
{
    struct end *e = arg;
    assert_true(to > from);
    e->n_connected += to == ASSOCIATION_CONNECTED;
    e->n_over += to > ASSOCIATION_CONNECTED;
}

static uint32_t sum_of(const uint8_t *data, size_t len)
{
    uint32_t sum = 1;
    for (size_t i = 0; i < len; i++)
        sum = sum * 31 + data[i];
    return sum;
}

static void on_message(const struct association_message *m, void *arg)
{
    struct end *e = arg;
    assert_true(e->n_got < KEEP);
    struct got *g = &e->got[e->n_got++];
    *g = (struct got){m->stream, m->ppid, m->unordered, m->len, sum_of(m->data, m->len), 0};
    if (m->len >= 4)
        memcpy(&g->number, m->data, 4);
}

static const struct association_handlers handlers = {on_send, on_state, on_message};
static const struct association_config usual = {
    .streams = 1024, .max_message = 262144, .send_buffer = 1048576};

static void deliver(struct pair *p)
{
    while (p->head < p->tail) {
        /* exactly as long as it is, so that a sanitizer sees what is read behind it */
        struct packet *q = &p->queue[p->head++ % QUEUE];
        uint8_t *copy = malloc(q->len);
        assert_non_null(copy);
        memcpy(copy, q->data, q->len);
        association_input(p->a[q->to], copy, q->len);
        free(copy);
    }
}

static void pass(struct pair *p, int64_t us)
{
    deliver(p);
    for (int64_t end_us = p->now_us + us; p->now_us < end_us;) {
        p->now_us = time_min_us(time_min_us(end_us, stack_next_us()), p->now_us + MS_US(10));
        wall_us = p->now_us;
        stack_timer(p->now_us);
        deliver(p);
    }
}

static void pair_open_with(struct pair *p, const struct association_config *left,
                           const struct association_config *right)
{
    memset(p, 0, sizeof(*p));
    p->queue = calloc(QUEUE, sizeof(*p->queue));
    p->now_us = S_US(1000);
    wall_us = p->now_us;
    stack_open();
    stack_timer(p->now_us);
    for (int i = 0; i < 2; i++) {
        p->ends[i] = (struct end){.pair = p, .me = i, .got = calloc(KEEP, sizeof(struct got))};
        assert_int_equal(association_new(&p->a[i], i ? right : left, &handlers, &p->ends[i]), 0);
    }
}

static void pair_open(struct pair *p)
{
    pair_open_with(p, &usual, &usual);
    assert_int_equal(association_connect(p->a[0]), 0);
    assert_int_equal(association_connect(p->a[1]), 0);
    pass(p, MS_US(100));
    assert_int_equal(association_state(p->a[0]), ASSOCIATION_CONNECTED);
    assert_int_equal(association_state(p->a[1]), ASSOCIATION_CONNECTED);
}

static void pair_close(struct pair *p)
{
    for (int i = 0; i < 2; i++) {
        association_free(p->a[i]);
        free(p->ends[i].got);
    }
    assert_true(stack_next_us() == TIME_NEVER_US);
    stack_close();
    free(p->queue);
}

static int say(struct pair *p, int from, struct association_message m)
{
    return association_send(p->a[from], &m);
}

static void fill(uint8_t *data, size_t len, uint32_t number)
{
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)(i * 7 + number);
    if (len >= 4)
        memcpy(data, &number, 4);
}

/* ---- tests ---- */

static void test_connect(void **state)
{
    (void)state;
    struct pair p;
    pair_open(&p); /* both at once */
    assert_int_equal(p.ends[0].n_connected, 1);
    assert_int_equal(association_dropped(p.a[0]) + association_dropped(p.a[1]), 0);
    pair_close(&p);

    pair_open_with(&p, &usual, &usual); /* one of them, the other by its packet */
    assert_int_equal(say(&p, 0, (struct association_message){.data = (uint8_t *)"x", .len = 1}),
                     -ENOTCONN);
    assert_int_equal(association_connect(p.a[0]), 0);
    assert_int_equal(association_connect(p.a[0]), 0);
    pass(&p, MS_US(100));
    assert_int_equal(association_state(p.a[1]), ASSOCIATION_CONNECTED);
    pair_close(&p);

    pair_open_with(&p, &usual, &usual); /* the peer comes a minute later */
    association_connect(p.a[0]);
    p.lose = 1;
    pass(&p, S_US(60));
    assert_int_equal(association_state(p.a[0]), ASSOCIATION_CONNECTING);
    assert_true(p.ends[0].sent < 30);
    p.lose = 0;
    pass(&p, S_US(5));
    assert_int_equal(association_state(p.a[0]), ASSOCIATION_CONNECTED);
    pair_close(&p);
}

static void test_sizes(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 4, 1000, 1200, 65536, 200000, 262144};
    static uint8_t data[262145];
    struct pair p;
    pair_open(&p);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        fill(data, sizes[i], (uint32_t)i);
        for (int from = 0; from < 2; from++) {
            struct end *to = &p.ends[1 - from];
            to->n_got = 0;
            assert_int_equal(say(&p, from,
                                 (struct association_message){.stream = (uint16_t)(i * 170),
                                                              .ppid = DCEP_PPID_BINARY,
                                                              .data = data,
                                                              .len = sizes[i],
                                                              .unordered = i % 2}),
                             0);
            pass(&p, MS_US(500));
            assert_int_equal(to->n_got, 1);
            assert_int_equal(to->got[0].len, sizes[i]);
            assert_int_equal(to->got[0].sum, sum_of(data, sizes[i]));
            assert_int_equal(to->got[0].ppid, DCEP_PPID_BINARY);
            assert_int_equal(to->got[0].stream, i * 170);
            assert_int_equal(to->got[0].unordered, i % 2);
        }
    }
    const struct association_message bad[] = {{.data = data, .len = 0},
                                              {.data = data, .len = 1, .stream = 1024},
                                              {.data = data, .len = 262145}};
    assert_int_equal(say(&p, 0, bad[0]), -EINVAL);
    assert_int_equal(say(&p, 0, bad[1]), -EINVAL);
    assert_int_equal(say(&p, 0, bad[2]), -EMSGSIZE);
    assert_true(p.ends[0].longest > 1000);
    pair_close(&p);
}

static void test_order_with_loss(void **state)
{
    (void)state;
    uint8_t data[3000];
    struct pair p;
    pair_open(&p);
    p.lose = 20;
    for (uint32_t i = 0; i < 1000; i++) {
        size_t len = 4 + i * 37 % (sizeof(data) - 4);
        fill(data, len, i);
        while (say(&p, 0,
                   (struct association_message){
                       .stream = 7, .ppid = DCEP_PPID_STRING, .data = data, .len = len}))
            pass(&p, MS_US(50));
    }
    pass(&p, S_US(300));
    assert_int_equal(p.ends[1].n_got, 1000);
    for (uint32_t i = 0; i < 1000; i++)
        assert_int_equal(p.ends[1].got[i].number, i);
    pair_close(&p);
}

static void test_partial_reliability(void **state)
{
    (void)state;
    static const struct {
        enum association_reliability reliability;
        uint16_t parameter;
    } rows[] = {{ASSOCIATION_RETRANSMITS, 0}, {ASSOCIATION_LIFETIME, 50}};
    uint8_t data[500];
    for (size_t row = 0; row < ARRAY_LEN(rows); row++) {
        struct pair p;
        pair_open(&p);
        p.lose = 5;
        for (uint32_t i = 0; i < 500; i++) {
            fill(data, sizeof(data), i);
            say(&p, 0,
                (struct association_message){.stream = 1,
                                             .ppid = DCEP_PPID_BINARY,
                                             .data = data,
                                             .len = sizeof(data),
                                             .unordered = true,
                                             .reliability = rows[row].reliability,
                                             .parameter = rows[row].parameter});
            pass(&p, MS_US(20));
        }
        pass(&p, S_US(20));
        assert_true(p.ends[1].n_got > 100 && p.ends[1].n_got < 500);
        /* and what is reliable still gets through */
        p.lose = 0;
        p.ends[1].n_got = 0;
        assert_int_equal(say(&p, 0,
                             (struct association_message){
                                 .stream = 2, .ppid = 51, .data = data, .len = sizeof(data)}),
                         0);
        pass(&p, S_US(20));
        assert_true(p.ends[1].n_got >= 1);
        assert_int_equal(p.ends[1].got[p.ends[1].n_got - 1].stream, 2);
        pair_close(&p);
    }
}

/* Nobody takes what is sent: the buffer fills, refuses, and is empty again when the peer is back. */
static void test_send_buffer(void **state)
{
    (void)state;
    static uint8_t data[65536];
    struct pair p;
    size_t taken = 0;
    pair_open(&p);
    p.lose = 1;
    while (!say(&p, 0, (struct association_message){.ppid = 53, .data = data, .len = sizeof(data)}))
        assert_true(++taken < 100);
    assert_true(taken >= 14 && taken <= 16);
    p.lose = 0;
    pass(&p, S_US(60));
    assert_int_equal(p.ends[1].n_got, taken);
    assert_int_equal(
        say(&p, 0, (struct association_message){.ppid = 53, .data = data, .len = sizeof(data)}), 0);
    pair_close(&p);
}

static void test_too_long(void **state)
{
    (void)state;
    static uint8_t data[262144];
    struct pair p;
    struct association_config narrow = usual;
    narrow.max_message = 16384;
    pair_open_with(&p, &usual, &narrow);
    association_connect(p.a[0]);
    pass(&p, MS_US(100));
    assert_int_equal(
        say(&p, 0, (struct association_message){.ppid = 53, .data = data, .len = 16384}), 0);
    pass(&p, MS_US(300));
    assert_int_equal(p.ends[1].n_got, 1);
    assert_int_equal(
        say(&p, 0, (struct association_message){.ppid = 53, .data = data, .len = 16385}), 0);
    pass(&p, MS_US(300));
    assert_int_equal(p.ends[1].n_got, 1);
    assert_int_equal(association_state(p.a[1]), ASSOCIATION_FAILED);
    assert_int_equal(association_state(p.a[0]), ASSOCIATION_FAILED); /* it was told */
    assert_int_equal(p.ends[0].n_over, 1);
    pair_close(&p);
}

static void test_reset(void **state)
{
    (void)state;
    const uint8_t byte = 0;
    struct pair p;
    pair_open(&p);
    /* many at once, and again: the stream can be used anew each time */
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 2; i++)
            p.ends[i].n_got = 0;
        for (uint16_t s = 0; s < 200; s++) {
            struct association_message m = {.stream = s, .ppid = 53, .data = &byte, .len = 1};
            assert_int_equal(say(&p, 0, m), 0);
            assert_int_equal(say(&p, 1, m), 0);
        }
        pass(&p, S_US(2));
        assert_int_equal(p.ends[0].n_got, 200);
        assert_int_equal(p.ends[1].n_got, 200);
        for (uint16_t s = 0; s < 200; s++)
            association_reset(p.a[round % 2], s);
        pass(&p, S_US(10));
    }
    size_t sent = p.ends[0].sent + p.ends[1].sent;
    pass(&p, S_US(10));
    assert_true(p.ends[0].sent + p.ends[1].sent - sent <
                5); /* they do not answer each other for ever */
    association_reset(p.a[0], 1024);
    pair_close(&p);
}

/* The other side goes without a word, and its successor is somebody else. */
static void test_peer_gone(void **state)
{
    (void)state;
    const uint8_t byte = 0;
    struct pair p;
    pair_open(&p);
    association_free(p.a[1]);
    assert_int_equal(association_new(&p.a[1], &usual, &handlers, &p.ends[1]), 0);
    p.ends[1].n_connected = 0;
    assert_int_equal(say(&p, 0, (struct association_message){.ppid = 53, .data = &byte, .len = 1}),
                     0);
    pass(&p, S_US(10));
    assert_int_equal(p.ends[1].n_connected, 1); /* the association began anew */
    pair_close(&p);
}

static void test_many(void **state)
{
    (void)state;
    static struct pair pairs[20];
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
        pair_open(&pairs[i]);
    const uint8_t byte = 0;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        assert_int_equal(say(&pairs[i], 0,
                             (struct association_message){
                                 .stream = (uint16_t)i, .ppid = 53, .data = &byte, .len = 1}),
                         0);
        deliver(&pairs[i]);
        for (size_t j = 0; j < ARRAY_LEN(pairs); j++)
            assert_int_equal(pairs[j].ends[1].n_got, j <= i);
    }
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        for (int j = 0; j < 2; j++) {
            association_free(pairs[i].a[j]);
            free(pairs[i].ends[j].got);
        }
        stack_close();
        free(pairs[i].queue);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connect),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_order_with_loss),
        cmocka_unit_test(test_partial_reliability),
        cmocka_unit_test(test_send_buffer),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_reset),
        cmocka_unit_test(test_peer_gone),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
