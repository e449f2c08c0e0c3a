#include "tests/unit/check.h"

#include "load/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static int read_line(struct options *o, const char *line)
{
    static char copy[256];
    char *argv[32] = {(char *)(uintptr_t) "althing-load"}, *rest = copy;
    int argc = 1;
    snprintf(copy, sizeof(copy), "%s", line);
    for (char *word; (word = strsep(&rest, " "));)
        if (*word)
            argv[argc++] = word;
    optind = 0;
    return options_read(o, argc, argv);
}

static void has_defaults(void **state)
{
    (void)state;
    struct options o;
    assert_int_equal(read_line(&o, "wss://example.org/room"), OPTIONS_OK);
    assert_int_equal(o.rooms, 1);
    assert_int_equal(o.peers, 3);
    assert_int_equal(o.senders, 3);
    assert_int_equal(o.audio_bitrate, 40000);
    assert_int_equal(o.video_bitrate, 500000);
    assert_true(o.duration_s == 10);
    assert_true(o.until_loss < 0);
    assert_true(o.gro);
    assert_true(o.congestion);
    assert_false(o.insecure);
}

static void takes_what_is_said(void **state)
{
    (void)state;
    struct options o;
    assert_int_equal(read_line(&o, "--rooms 4 --peers=10 --senders 2 --audio off "
                                   "--video 2Mbit/25fps/1000B --simulcast 3 --duration 1.5 "
                                   "--until-loss 0.5 --until-latency 50 --gro off --insecure "
                                   "--json - --server-pid 1 ws://[::1]:80/r"),
                     OPTIONS_OK);
    assert_int_equal(o.rooms * o.peers, 40);
    assert_int_equal(o.senders, 2);
    assert_int_equal(o.audio_bitrate, 0);
    assert_int_equal(o.video_bitrate, 2000000);
    assert_int_equal(o.fps, 25);
    assert_int_equal(o.packet_bytes, 1000);
    assert_int_equal(o.layers, 3);
    assert_true(o.duration_s == 1.5);
    assert_true(o.until_loss == 0.5);
    assert_true(o.until_latency_s == 0.05);
    assert_false(o.gro);
    assert_true(o.insecure);
    assert_int_equal(o.server_pid, 1);
}

static void refuses_nonsense(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "nowhere",
        "wss://a/b wss://a/c",
        "--rooms 0 wss://a/b",
        "--rooms 1.5 wss://a/b",
        "--rooms 1x wss://a/b",
        "--rooms 4001 wss://a/b",
        "--rooms 100 --peers 100 wss://a/b",
        "--audio off --video off wss://a/b",
        "--audio 1 wss://a/b",
        "--audio 10Gbit wss://a/b",
        "--audio 40kbits wss://a/b",
        "--video 500kbit/0fps wss://a/b",
        "--video 500kbit/30 wss://a/b",
        "--video 500kbit/9000B wss://a/b",
        "--video 500kbit// wss://a/b",
        "--simulcast 4 wss://a/b",
        "--duration 0 wss://a/b",
        "--duration inf wss://a/b",
        "--duration nan wss://a/b",
        "--until-loss -1 wss://a/b",
        "--gro maybe wss://a/b",
        "--server-pid -1 wss://a/b",
        "--nothing wss://a/b",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct options o;
        if (read_line(&o, rows[i]) != EX_USAGE)
            fail_msg("taken: %s", rows[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_defaults),
        cmocka_unit_test(takes_what_is_said),
        cmocka_unit_test(refuses_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
