#include "tests/unit/check.h"
#include "worker/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FD_MIN 3

static void reads_the_command_line(void **state)
{
    (void)state;
    /* %d is a descriptor that is open. */
    static const struct {
        const char *args[8];
        int want;
    } rows[] = {
        {{"--channel=%d", "--counters=%d", "--life=%d", "--udp=%d"}, -1},
        {{"--channel=%d", "--counters=%d", "--life=%d", "--udp=%d", "--udp=%d", "--tcp=%d"}, -1},
        {{"--channel", "%d", "--counters=%d", "--life=%d", "--udp=%d"}, -1},
        {{"--version"}, 0},
        {{"--help"}, 0},
        {{NULL}, 2},
        {{"--counters=%d", "--life=%d", "--udp=%d"}, 2},
        {{"--channel=%d", "--life=%d", "--udp=%d"}, 2},
        {{"--channel=%d", "--counters=%d", "--udp=%d"}, 2},
        {{"--channel=%d", "--counters=%d", "--life=%d"}, 2},
        {{"--channel=%d", "--counters=%d", "--life=%d", "--udp=%d", "more"}, 2},
        {{"--channel=%d", "--counters=%d", "--life=%d", "--udp="}, 2},
        {{"--channel=%d", "--counters=%d", "--life=%d", "--udp=9x"}, 2},
        {{"--channel=%d", "--counters=%d", "--life=%d", "--udp=-1"}, 2},
        {{"--channel=%d", "--counters=%d", "--life=%d", "--udp=1"}, 2},
        {{"--channel=%d", "--counters=%d", "--life=%d", "--udp=99999"}, 2},
        {{"--unknown"}, 2},
        {{"--udp"}, 2},
    };
    int fd = dup(STDERR_FILENO);
    assert_true(fd >= FD_MIN);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[8][40];
        char *argv[10] = {text[7]};
        int argc = 1;
        struct options o;
        strcpy(text[7], "althing-worker");
        for (size_t j = 0; j < 7 && rows[i].args[j]; j++) {
            const char *d = strstr(rows[i].args[j], "%d");
            int n = d ? (int)(d - rows[i].args[j]) : (int)strlen(rows[i].args[j]);
            if (d)
                snprintf(text[j], sizeof(text[j]), "%.*s%d", n, rows[i].args[j], fd);
            else
                snprintf(text[j], sizeof(text[j]), "%s", rows[i].args[j]);
            argv[argc++] = text[j];
        }
        assert_int_equal(options_parse(&o, argc, argv, "1.2.3"), rows[i].want);
        if (rows[i].want == -1)
            assert_int_equal(o.channel, fd);
    }
    close(fd);
}

static void takes_so_many_sockets(void **state)
{
    (void)state;
    char text[40];
    char *argv[OPTIONS_SOCKETS_MAX + 2];
    struct options o;
    int fd = dup(STDERR_FILENO);
    snprintf(text, sizeof(text), "--udp=%d", fd);
    for (size_t i = 0; i < ARRAY_LEN(argv); i++)
        argv[i] = text;
    assert_int_equal(options_parse(&o, ARRAY_LEN(argv), argv, ""), 2);
    assert_int_equal(o.n_udp, OPTIONS_SOCKETS_MAX);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_command_line),
        cmocka_unit_test(takes_so_many_sockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
