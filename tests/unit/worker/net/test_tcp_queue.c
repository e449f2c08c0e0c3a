#include "tests/unit/check.h"
#include "worker/net/rfc4571.h"
#include "worker/net/tcp_queue.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void cuts_frames(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len, max;
        int want;
        size_t frame_len, used;
    } rows[] = {
        {"", 0, 10, 0, 0, 0},
        {"\0", 1, 10, 0, 0, 0},
        {"\0\0", 2, 10, 1, 0, 2},
        {"\0\3ab", 4, 10, 0, 0, 0},
        {"\0\3abcd", 6, 10, 1, 3, 5},
        {"\0\12", 2, 10, 0, 0, 0},
        {"\0\13", 2, 10, -EMSGSIZE, 0, 0},
        {"\377\377", 2, 2048, -EMSGSIZE, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t buf[16], *frame = NULL;
        size_t frame_len = 0, used = 0;
        memcpy(buf, rows[i].bytes, rows[i].len);
        int got = rfc4571_next(buf, rows[i].len, rows[i].max, &frame, &frame_len, &used);
        assert_int_equal(got, rows[i].want);
        assert_int_equal(frame_len, rows[i].frame_len);
        assert_int_equal(used, rows[i].used);
        if (got == 1)
            assert_ptr_equal(frame, buf + 2);
    }
}

/* Frames of all sizes through a socket that takes little, with a reader that is slow: what arrives are whole frames, in order. */
static void keeps_the_stream_whole(void **state)
{
    (void)state;
    int fds[2], small = 4096;
    struct tcp_queue q;
    uint8_t data[1500], got[65536];
    size_t sent = 0, dropped = 0, received = 0, n_got = 0;
    uint16_t expect = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    tcp_queue_init(&q, 20000);
    for (unsigned round = 0; round < 3000; round++) {
        size_t len = 2 + round * 7 % (sizeof(data) - 2);
        data[0] = (uint8_t)(sent >> 8);
        data[1] = (uint8_t)sent;
        memset(data + 2, (int)(len & 0xff), len - 2);
        int err = tcp_queue_send(&q, fds[0], data, len);
        assert_true(err == 0 || err == -ENOBUFS);
        sent += err == 0;
        dropped += err != 0;
        assert_true(tcp_queue_len(&q) <= 20000);
        ssize_t n = recv(fds[1], got + n_got, 500 + round % 1000, MSG_DONTWAIT);
        n_got += n > 0 ? (size_t)n : 0;
        assert_int_equal(tcp_queue_flush(&q, fds[0]), 0);
        if (round == 2999) {
            while (tcp_queue_len(&q)) {
                n = recv(fds[1], got + n_got, sizeof(got) - n_got, MSG_DONTWAIT);
                n_got += n > 0 ? (size_t)n : 0;
                assert_int_equal(tcp_queue_flush(&q, fds[0]), 0);
            }
            n = recv(fds[1], got + n_got, sizeof(got) - n_got, MSG_DONTWAIT);
            n_got += n > 0 ? (size_t)n : 0;
        }
        uint8_t *frame, *p = got;
        size_t frame_len, used;
        while (rfc4571_next(p, n_got, 2048, &frame, &frame_len, &used) == 1) {
            assert_int_equal(frame[0] << 8 | frame[1], expect++);
            for (size_t i = 2; i < frame_len; i++)
                assert_int_equal(frame[i], frame_len & 0xff);
            received++;
            p += used;
            n_got -= used;
        }
        memmove(got, p, n_got);
    }
    assert_int_equal(received, sent);
    assert_true(dropped > 0);
    close(fds[1]);
    assert_int_equal(tcp_queue_send(&q, fds[0], data, 10), -EPIPE);
    tcp_queue_free(&q);
    close(fds[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_frames),
        cmocka_unit_test(keeps_the_stream_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
