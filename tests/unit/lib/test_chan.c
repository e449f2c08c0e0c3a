#include "lib/chan.h"
#include "tests/unit/check.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void pair(struct chan **a, struct chan **b, size_t bound)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
    assert_int_equal(chan_new(a, fds[0], bound), 0);
    assert_int_equal(chan_new(b, fds[1], bound), 0);
}

static void keeps_frames_whole_and_in_order(void **state)
{
    (void)state;
    struct chan *a, *b;
    pair(&a, &b, 8 << 20);
    static uint8_t big[CHAN_FRAME_MAX], got[CHAN_FRAME_MAX];
    unsigned sent = 0;
    /* More than the socket takes, so that the queue is used. */
    for (; sent < 60; sent++) {
        memset(big, (int)sent, sizeof(big));
        assert_int_equal(chan_send(a, big, sizeof(big)), 0);
    }
    assert_true(chan_pending(a));
    unsigned seen = 0;
    while (seen < sent) {
        ssize_t n = chan_recv(b, got, sizeof(got), NULL, NULL);
        if (n == 0) {
            assert_int_equal(chan_flush(a), 0);
            continue;
        }
        assert_int_equal(n, sizeof(got));
        assert_int_equal(got[0], seen);
        assert_int_equal(got[sizeof(got) - 1], seen);
        seen++;
    }
    assert_false(chan_pending(a));
    chan_free(a);
    chan_free(b);
}

static void refuses_past_its_bound(void **state)
{
    (void)state;
    struct chan *a, *b;
    pair(&a, &b, 1000);
    static uint8_t frame[400];
    int err = 0;
    for (unsigned i = 0; i < 100000 && !err; i++)
        err = chan_send(a, frame, sizeof(frame));
    assert_int_equal(err, -ENOBUFS);
    assert_int_equal(chan_send(a, frame, CHAN_FRAME_MAX + 1), -EMSGSIZE);
    chan_free(a);
    chan_free(b);
}

static void carries_descriptors(void **state)
{
    (void)state;
    struct chan *a, *b;
    pair(&a, &b, 1000);
    int p[2];
    assert_int_equal(pipe(p), 0);
    assert_int_equal(chan_send_fds(a, "x", 1, p, 2), 0);
    close(p[0]);
    close(p[1]);
    int got[CHAN_FDS_MAX];
    size_t n;
    char buf[4];
    assert_int_equal(chan_recv(b, buf, sizeof(buf), got, &n), 1);
    assert_int_equal(n, 2);
    assert_int_equal(write(got[1], "hi", 2), 2);
    assert_int_equal(read(got[0], buf, sizeof(buf)), 2);
    close(got[0]);
    close(got[1]);
    chan_free(a);
    chan_free(b);
}

static void says_when_the_other_end_is_gone(void **state)
{
    (void)state;
    struct chan *a, *b;
    pair(&a, &b, 1000);
    chan_free(b);
    char buf[4];
    assert_int_equal(chan_recv(a, buf, sizeof(buf), NULL, NULL), -EPIPE);
    assert_int_equal(chan_send(a, "x", 1), -EPIPE);
    chan_free(a);
}

static void reports_a_frame_that_did_not_fit(void **state)
{
    (void)state;
    struct chan *a, *b;
    pair(&a, &b, 1000);
    assert_int_equal(chan_send(a, "12345678", 8), 0);
    char buf[4];
    assert_int_equal(chan_recv(b, buf, sizeof(buf), NULL, NULL), -EMSGSIZE);
    chan_free(a);
    chan_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_frames_whole_and_in_order),
        cmocka_unit_test(refuses_past_its_bound),
        cmocka_unit_test(carries_descriptors),
        cmocka_unit_test(says_when_the_other_end_is_gone),
        cmocka_unit_test(reports_a_frame_that_did_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
