/* net over real sockets on the loopback interface. */
#include "lib/clock.h"
#include "proto/counters.h"
#include "tests/unit/check.h"
#include "worker/net/net.h"
#include "worker/net/tick.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KEPT_MAX 16384

struct kept {
    struct tuple from;
    uint32_t len;
    int64_t rx_us;
    uint8_t head[16];
};

static struct {
    uv_loop_t loop;
    uv_check_t check;
    uv_timer_t patience;
    struct net *net;
    struct outbox out;
    struct counters_worker counters;
    struct sockaddr_storage udp4, udp6, tcp4;
    socklen_t udp4_len, udp6_len, tcp4_len;
    struct kept kept[KEPT_MAX];
    size_t n_kept;
    uint32_t gone[256];
    size_t n_gone;
} t;

static void on_dgrams(const struct dgram *d, size_t n, int64_t now_us, void *arg)
{
    (void)arg;
    for (size_t i = 0; i < n && t.n_kept < KEPT_MAX; i++) {
        struct kept *k = &t.kept[t.n_kept++];
        k->from = d[i].from;
        k->len = d[i].len;
        k->rx_us = d[i].rx_us;
        memcpy(k->head, d[i].data, d[i].len < sizeof(k->head) ? d[i].len : sizeof(k->head));
        assert_true(d[i].rx_us <= now_us && d[i].rx_us > now_us - 1000000);
    }
}

static void on_gone(const struct tuple *gone, int64_t now_us, void *arg)
{
    (void)now_us;
    (void)arg;
    t.gone[t.n_gone++] = gone->sock;
}

static const struct net_handlers handlers = {on_dgrams, on_gone};

static void on_check(uv_check_t *h)
{
    (void)h;
    net_receive(t.net, clock_now_us());
}

static void on_patience(uv_timer_t *h)
{
    (void)h;
}

static void flush(struct outbox *ob, void *arg)
{
    (void)arg;
    net_send(ob, t.net);
}

/* Runs the loop for some milliseconds, or until so much was received. */
static void run(unsigned ms, size_t until)
{
    int64_t end_us = clock_now_us() + ms * 1000;
    while (clock_now_us() < end_us && t.n_kept < until)
        uv_run(&t.loop, UV_RUN_ONCE);
}

static int bound(int family, int type, struct sockaddr_storage *ss, socklen_t *len)
{
    int fd = socket(family, type | SOCK_CLOEXEC, 0), on = 1;
    struct addr a;
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    addr_parse(&a, family == AF_INET ? "127.0.0.1" : "::1", 0);
    *len = addr_to_sockaddr(&a, family, ss);
    assert_int_equal(bind(fd, (struct sockaddr *)ss, *len), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(fd, 512), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)ss, len), 0);
    return fd;
}

static int start(void **state)
{
    (void)state;
    memset(&t, 0, sizeof(t));
    uv_loop_init(&t.loop);
    int udp[2] = {bound(AF_INET, SOCK_DGRAM, &t.udp4, &t.udp4_len),
                  bound(AF_INET6, SOCK_DGRAM, &t.udp6, &t.udp6_len)};
    int tcp[1] = {bound(AF_INET, SOCK_STREAM, &t.tcp4, &t.tcp4_len)};
    assert_int_equal(net_new(&t.net, &(struct net_config){.loop = &t.loop,
                                                          .udp = udp,
                                                          .n_udp = 2,
                                                          .tcp = tcp,
                                                          .n_tcp = 1,
                                                          .counters = &t.counters,
                                                          .handlers = &handlers}),
                     0);
    outbox_init(&t.out, flush, NULL);
    uv_check_init(&t.loop, &t.check);
    uv_check_start(&t.check, on_check);
    uv_timer_init(&t.loop, &t.patience);
    uv_timer_start(&t.patience, on_patience, 5, 5);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    net_free(t.net);
    outbox_free(&t.out);
    uv_close((uv_handle_t *)&t.check, NULL);
    uv_close((uv_handle_t *)&t.patience, NULL);
    uv_run(&t.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&t.loop), 0);
    return 0;
}

static int client(int type, const struct sockaddr_storage *to, socklen_t len)
{
    int fd = socket(to->ss_family, type | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)to, len), 0);
    return fd;
}

static void put(const struct tuple *to, uint8_t first, uint32_t len)
{
    struct out_slot *s = outbox_take(&t.out, to);
    memset(s->data, first, len);
    s->len = len;
}

/* What a client socket gets, in order. */
static void expect(int fd, uint8_t first, size_t len)
{
    uint8_t buf[4096];
    ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
    assert_int_equal(n, len);
    if (len)
        assert_int_equal(buf[0], first);
}

static void udp_both_ways(int fd, uint32_t sock)
{
    size_t before = t.n_kept;
    assert_int_equal(send(fd, "hello", 5, 0), 5);
    run(1000, before + 1);
    assert_int_equal(t.n_kept, before + 1);
    struct kept *k = &t.kept[before];
    assert_int_equal(k->len, 5);
    assert_memory_equal(k->head, "hello", 5);
    assert_int_equal(k->from.sock, sock);
    assert_int_equal(k->from.proto, NET_UDP);
    put(&k->from, 'x', 300);
    outbox_flush(&t.out);
    expect(fd, 'x', 300);
}

static void udp_v4_and_v6(void **state)
{
    (void)state;
    struct addr local;
    int a = client(SOCK_DGRAM, &t.udp4, t.udp4_len), b = client(SOCK_DGRAM, &t.udp6, t.udp6_len);
    udp_both_ways(a, 0);
    udp_both_ways(b, 1);
    assert_true(net_local(1, false, &local, t.net));
    assert_false(net_local(2, false, &local, t.net));
    assert_false(net_local(7, true, &local, t.net));
    assert_int_equal(t.counters.datagrams_received, 2);
    assert_int_equal(t.counters.bytes_sent, 600);
    close(a);
    close(b);
}

/* Whatever is grouped into one message arrives as the datagrams it was made of. */
static void runs_arrive_as_they_were(void **state)
{
    (void)state;
    static const uint16_t sizes[] = {1200, 1200, 1200, 700, 700, 1, 1200, 1500, 20, 20, 20, 1990};
    int a = client(SOCK_DGRAM, &t.udp4, t.udp4_len), b = client(SOCK_DGRAM, &t.udp6, t.udp6_len);
    assert_int_equal(send(a, "a", 1, 0), 1);
    run(1000, 1);
    assert_int_equal(send(b, "b", 1, 0), 1);
    run(1000, 2);
    struct tuple to_a = t.kept[0].from, to_b = t.kept[1].from;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        put(&to_a, (uint8_t)i, sizes[i]);
    for (size_t i = 0; i < 130; i++) /* over the 64 of one message, with one that nobody filled */
        put(&to_b, (uint8_t)i, i == 77 ? 0 : 100);
    put(&to_a, 99, 1200);
    outbox_flush(&t.out);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        expect(a, (uint8_t)i, sizes[i]);
    expect(a, 99, 1200);
    for (size_t i = 0; i < 130; i++)
        if (i != 77)
            expect(b, (uint8_t)i, 100);
    assert_int_equal(t.counters.datagrams_sent, ARRAY_LEN(sizes) + 130);
    close(a);
    close(b);
}

static void what_cannot_be_sent_is_counted(void **state)
{
    (void)state;
    struct tuple to = {.sock = 0, .proto = NET_UDP};
    assert_int_equal(addr_parse(&to.remote, "::1", 9), 0); /* over the IPv4 socket */
    put(&to, 1, 10);
    to.proto = NET_TCP; /* a connection that never was */
    to.sock = 12345;
    put(&to, 1, 10);
    outbox_flush(&t.out);
    assert_int_equal(t.counters.send_errors, 2);
    assert_int_equal(t.counters.datagrams_sent, 0);
}

static void the_load_brings_the_tick(void **state)
{
    (void)state;
    int a = client(SOCK_DGRAM, &t.udp4, t.udp4_len);
    uint8_t data[64] = {0};
    size_t sent = 0;
    for (unsigned round = 0; round < 60; round++) {
        for (unsigned i = 0; i < 150; i++, sent++) {
            memcpy(data, &sent, sizeof(sent));
            assert_int_equal(send(a, data, sizeof(data), 0), sizeof(data));
        }
        run(2, KEPT_MAX);
    }
    run(1000, sent);
    assert_int_equal(t.n_kept, sent);
    for (size_t i = 0; i < sent; i++)
        assert_memory_equal(t.kept[i].head, &i, sizeof(i));
    assert_true(t.counters.ticks > 0);
    /* And back: when it is quiet, the tick ends and a datagram is noticed all the same. */
    run(2 * TICK_QUIET_WINDOWS * TICK_WINDOW_US / 1000, KEPT_MAX);
    uint64_t ticks = t.counters.ticks;
    run(50, KEPT_MAX);
    assert_int_equal(t.counters.ticks, ticks);
    udp_both_ways(a, 0);
    close(a);
}

static void frame(int fd, const char *text, size_t len)
{
    uint8_t buf[4096] = {(uint8_t)(len >> 8), (uint8_t)len};
    memcpy(buf + 2, text, len);
    assert_int_equal(send(fd, buf, len + 2, MSG_NOSIGNAL), len + 2);
}

static void tcp_frames(void **state)
{
    (void)state;
    uint8_t got[100];
    struct addr local;
    int fd = client(SOCK_STREAM, &t.tcp4, t.tcp4_len);
    frame(fd, "one", 3);
    frame(fd, "", 0);
    static const char split[] = "\0\5split";
    for (size_t i = 0; i < sizeof(split) - 1; i++) { /* byte by byte */
        assert_int_equal(send(fd, &split[i], 1, 0), 1);
        run(2, KEPT_MAX);
    }
    frame(fd, "three", 5);
    run(1000, 3);
    assert_int_equal(t.n_kept, 3);
    assert_memory_equal(t.kept[0].head, "one", 3);
    assert_memory_equal(t.kept[1].head, "split", 5);
    assert_memory_equal(t.kept[2].head, "three", 5);
    struct tuple from = t.kept[0].from;
    assert_int_equal(from.proto, NET_TCP);
    assert_true(net_local(from.sock, true, &local, t.net));
    put(&from, 'q', 10);
    put(&from, 'r', 20);
    outbox_flush(&t.out);
    assert_int_equal(recv(fd, got, sizeof(got), 0), 34);
    assert_memory_equal(got, "\0\12qqqqqqqqqq\0\24rr", 16);
    assert_int_equal(t.counters.tcp_connections, 1);
    close(fd);
    run(100, KEPT_MAX);
    assert_int_equal(t.n_gone, 1);
    assert_int_equal(t.gone[0], from.sock);
    assert_false(net_local(from.sock, true, &local, t.net));
    assert_int_equal(t.counters.tcp_connections, 0);
}

static void tcp_nonsense_ends_its_connection_only(void **state)
{
    (void)state;
    int good = client(SOCK_STREAM, &t.tcp4, t.tcp4_len);
    int bad = client(SOCK_STREAM, &t.tcp4, t.tcp4_len);
    char byte;
    assert_int_equal(send(bad, "GET / HTTP/1.1\r\n\r\n", 18, 0), 18);
    run(100, KEPT_MAX);
    assert_int_equal(t.n_gone, 1);
    assert_int_equal(t.counters.dropped_tcp_frame, 1);
    assert_true(recv(bad, &byte, 1, 0) <= 0);
    frame(good, "ok", 2);
    run(1000, 1);
    assert_int_equal(t.n_kept, 1);
    close(good);
    close(bad);
}

/* The last data and a reset come together: libuv stops watching such a descriptor. */
static void a_reset_behind_data_ends_its_connection(void **state)
{
    (void)state;
    static const struct linger at_once = {1, 0};
    int fd = client(SOCK_STREAM, &t.tcp4, t.tcp4_len);
    frame(fd, "one", 3);
    run(1000, 1);
    assert_int_equal(t.n_kept, 1);
    frame(fd, "two", 3);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
    run(200, SIZE_MAX);
    assert_int_equal(t.n_gone, 1);
    assert_int_equal(t.counters.tcp_connections, 0);
}

static void tcp_queue_is_bounded(void **state)
{
    (void)state;
    static uint8_t got[1 << 20];
    int fd = client(SOCK_STREAM, &t.tcp4, t.tcp4_len);
    frame(fd, "x", 1);
    run(1000, 1);
    struct tuple from = t.kept[0].from;
    size_t put_in = 0, received = 0;
    while (!t.counters.dropped_tcp_queue && put_in < 100000) {
        for (unsigned i = 0; i < 100; i++, put_in++)
            put(&from, 7, 1500);
        outbox_flush(&t.out);
    }
    assert_true(t.counters.dropped_tcp_queue > 0);
    size_t want = (put_in - t.counters.dropped_tcp_queue) * 1502;
    for (unsigned i = 0; i < 2000 && received < want; i++) {
        ssize_t n = recv(fd, got, sizeof(got), MSG_DONTWAIT);
        received += n > 0 ? (size_t)n : 0;
        run(1, KEPT_MAX);
    }
    assert_int_equal(received, want);
    close(fd);
}

static void tcp_connections_are_bounded(void **state)
{
    (void)state;
    int fds[NET_TCP_IP_MAX + 10];
    char byte;
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = client(SOCK_STREAM, &t.tcp4, t.tcp4_len);
        if (i % 16 == 0)
            run(6, KEPT_MAX);
    }
    run(30, KEPT_MAX);
    assert_int_equal(t.counters.tcp_connections, NET_TCP_IP_MAX);
    assert_int_equal(t.counters.tcp_refused, 10);
    assert_true(recv(fds[NET_TCP_IP_MAX + 5], &byte, 1, 0) <= 0);
    /* One of them proves itself by being answered. */
    frame(fds[3], "me", 2);
    run(1000, 1);
    put(&t.kept[0].from, 1, 1);
    outbox_flush(&t.out);
    int64_t now_us = clock_now_us();
    assert_true(net_next_us(t.net) <= now_us + 1000000);
    net_timer(t.net, now_us + NET_TCP_FIRST_US + 1000000);
    assert_int_equal(t.counters.tcp_connections, 1);
    assert_int_equal(t.n_gone, NET_TCP_IP_MAX - 1);
    net_timer(t.net, now_us + NET_TCP_IDLE_US + 2 * NET_TCP_FIRST_US);
    assert_int_equal(t.counters.tcp_connections, 0);
    assert_true(net_next_us(t.net) == TIME_NEVER_US);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
}

static void bad_descriptors_are_refused(void **state)
{
    (void)state;
    struct net *n = NULL;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_true(net_new(&n, &(struct net_config){.loop = &t.loop,
                                                 .udp = fds,
                                                 .n_udp = 1,
                                                 .counters = &t.counters,
                                                 .handlers = &handlers}) < 0);
    assert_null(n);
    assert_int_equal(close(fds[0]), 0);
    assert_int_equal(close(fds[1]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(udp_v4_and_v6, start, stop),
        cmocka_unit_test_setup_teardown(runs_arrive_as_they_were, start, stop),
        cmocka_unit_test_setup_teardown(what_cannot_be_sent_is_counted, start, stop),
        cmocka_unit_test_setup_teardown(the_load_brings_the_tick, start, stop),
        cmocka_unit_test_setup_teardown(tcp_frames, start, stop),
        cmocka_unit_test_setup_teardown(tcp_nonsense_ends_its_connection_only, start, stop),
        cmocka_unit_test_setup_teardown(a_reset_behind_data_ends_its_connection, start, stop),
        cmocka_unit_test_setup_teardown(tcp_queue_is_bounded, start, stop),
        cmocka_unit_test_setup_teardown(tcp_connections_are_bounded, start, stop),
        cmocka_unit_test_setup_teardown(bad_descriptors_are_refused, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
