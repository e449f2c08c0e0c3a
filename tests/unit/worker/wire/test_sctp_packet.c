#include "tests/unit/check.h"
#include "worker/wire/sctp_packet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEADER 0x13, 0x88, 0x13, 0x88, 1, 2, 3, 4, 0, 0, 0, 0
#define INIT   0, 0, 0, 1, 0, 16, 0, 0, 4, 0, 4, 0, 0, 0, 0, 9
#define DATA   0, 3, 0, 17, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 51, 'x', 0, 0, 0
#define SACK   3, 0, 0, 16, 0, 0, 0, 1, 0, 16, 0, 0, 0, 0, 0, 0
#define RESET  0, 13, 0, 18, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 7, 0, 0

static const struct {
    const char *name;
    uint8_t bytes[64]; /* behind the header */
    size_t len;
    int result;
} rows[] = {
    {"no chunk", {0}, 0, -EBADMSG},
    {"a header cut off", {0, 0, 0}, 3, -EBADMSG},
    {"length below four", {11, 0, 0, 3}, 4, -EBADMSG},
    {"longer than it is", {11, 0, 0, 8}, 4, -EBADMSG},
    {"COOKIE ACK", {11, 0, 0, 4}, 4, 0},
    {"COOKIE ACK with a value", {11, 0, 0, 8, 0, 0, 0, 0}, 8, -EBADMSG},
    {"DATA", {DATA}, 20, 0},
    {"DATA, its last padding missing", {DATA}, 17, 0},
    {"DATA without data", {0, 3, 0, 16, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 51}, 16, -EBADMSG},
    {"SACK, DATA", {SACK, DATA}, 36, 0},
    {"SACK with a block", {3, 0, 0, 20, 0, 0, 0, 1, 0, 16, 0, 0, 0, 1, 0, 0, 0, 2, 0, 3}, 20, 0},
    {"SACK with a block missing", {3, 0, 0, 16, 0, 0, 0, 1, 0, 16, 0, 0, 0, 1, 0, 0}, 16, -EBADMSG},
    {"INIT", {1, 0, 0, 20, INIT}, 20, 0},
    {"INIT with others", {1, 0, 0, 20, INIT, 11, 0, 0, 4}, 24, -EBADMSG},
    {"INIT behind others", {11, 0, 0, 4, 1, 0, 0, 20, INIT}, 24, -EBADMSG},
    {"INIT, extensions", {1, 0, 0, 26, INIT, 0x80, 8, 0, 6, 130, 192, 0, 0}, 28, 0},
    {"INIT, an unknown parameter", {1, 0, 0, 24, INIT, 0x81, 8, 0, 4}, 24, 0},
    {"INIT, a parameter too long", {1, 0, 0, 24, INIT, 0x81, 8, 0, 5}, 24, -EBADMSG},
    {"INIT, a parameter too short", {1, 0, 0, 24, INIT, 0x81, 8, 0, 3}, 24, -EBADMSG},
    {"INIT, an IPv4 address", {1, 0, 0, 28, INIT, 0, 5, 0, 8, 127, 0, 0, 1}, 28, -ENOTSUP},
    {"INIT ACK, a host name", {2, 0, 0, 28, INIT, 0, 11, 0, 8, 'a', 0, 0, 0}, 28, -ENOTSUP},
    {"INIT, a primary address", {1, 0, 0, 24, INIT, 0xc0, 4, 0, 4}, 24, -ENOTSUP},
    {"HEARTBEAT", {4, 0, 0, 8, 0, 1, 0, 4}, 8, 0},
    {"HEARTBEAT of another kind", {4, 0, 0, 8, 0, 2, 0, 4}, 8, -EBADMSG},
    {"COOKIE ECHO, DATA", {10, 0, 0, 5, 1, 0, 0, 0, DATA}, 28, 0},
    {"DATA, COOKIE ECHO", {DATA, 10, 0, 0, 5, 1}, 25, -EBADMSG},
    {"ABORT", {6, 0, 0, 4}, 4, 0},
    {"ABORT, a cause", {6, 0, 0, 10, 0, 12, 0, 6, 'b', 'y'}, 10, 0},
    {"ERROR, a cause cut off", {9, 0, 0, 8, 0, 12, 0, 6}, 8, -EBADMSG},
    {"RE-CONFIG", {130, 0, 0, 22, RESET}, 24, 0},
    {"RE-CONFIG, add streams", {130, 0, 0, 16, 0, 17, 0, 12, 0, 0, 0, 1, 0, 9, 0, 0}, 16, -ENOTSUP},
    {"RE-CONFIG, half a stream",
     {130, 0, 0, 21, 0, 13, 0, 17, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0},
     21,
     -EBADMSG},
    {"FORWARD TSN", {192, 0, 0, 12, 0, 0, 0, 1, 0, 1, 0, 2}, 12, 0},
    {"FORWARD TSN, half a stream", {192, 0, 0, 10, 0, 0, 0, 1, 0, 1}, 10, -EBADMSG},
    {"AUTH", {15, 0, 0, 8, 0, 0, 0, 0}, 8, -ENOTSUP},
    {"ASCONF", {193, 0, 0, 8, 0, 0, 0, 0}, 8, -ENOTSUP},
    {"I-DATA", {64, 3, 0, 20, 0}, 20, -ENOTSUP},
    {"ECNE", {12, 0, 0, 8, 0, 0, 0, 1}, 8, -ENOTSUP},
    {"packet drop", {129, 0, 0, 8, 0, 0, 0, 1}, 8, -ENOTSUP},
};

static void lets_in_what_is_needed(void **state)
{
    (void)state;
    static const uint8_t header[] = {HEADER};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sctp_packet p;
        size_t len = sizeof(header) + rows[i].len;
        uint8_t *copy = malloc(len);
        assert_non_null(copy);
        memcpy(copy, header, sizeof(header));
        memcpy(copy + sizeof(header), rows[i].bytes, rows[i].len);
        int err = sctp_packet_check(copy, len, &p);
        if (err != rows[i].result)
            fail_msg("%s: %d", rows[i].name, err);
        assert_int_equal(p.source_port, 5000);
        assert_int_equal(p.destination_port, 5000);
        assert_int_equal(p.tag, 0x01020304);
        for (size_t cut = 0; cut < sizeof(header); cut++)
            assert_int_equal(sctp_packet_check(copy, cut, &p), -EBADMSG);
        free(copy);
    }
}

static void has_a_longest(void **state)
{
    (void)state;
    static uint8_t bytes[SCTP_PACKET_MAX + 4] = {HEADER, 0, 3, 0x7, 0xf4};
    struct sctp_packet p;
    assert_int_equal(sctp_packet_check(bytes, SCTP_PACKET_MAX, &p), 0);
    assert_int_equal(p.n_data, 1);
    bytes[15] = 0xf8;
    assert_int_equal(sctp_packet_check(bytes, sizeof(bytes), &p), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(lets_in_what_is_needed),
                                       cmocka_unit_test(has_a_longest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
