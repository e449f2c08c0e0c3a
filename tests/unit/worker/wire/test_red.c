/* Redundant audio, as the figures of RFC 2198 3 and 4 have it. */
#include "tests/unit/check.h"
#include "tests/unit/worker/wire/bits.h"
#include "worker/wire/red.h"

#include <errno.h>
#include <string.h>

static void reads_blocks(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int err;
        size_t len;
        uint8_t b[24];
        uint8_t n, first_pt, last_pt, head_len;
        uint16_t newest_off;
    } rows[] = {
        {"one block", 0, 2, {0x6f, 1}, 1, 111, 111, 1, 1},
        {"two", 0, 8, {0xef, 0x0f, 0x00, 0x02, 0x6f, 1, 2, 3}, 2, 111, 111, 5, 7},
        {"two codecs", 0, 7, {0x80, 0, 4, 1, 0x05, 1, 3}, 2, 0, 5, 5, 6},
        {"an empty older block", 0, 6, {0xef, 0xff, 0xfc, 0, 0x6f, 3}, 2, 111, 111, 5, 5},
        {"three", 0, 12, {0xef, 0x1e, 0, 1, 0xef, 0x0f, 0, 1, 0x6f, 1, 2, 3}, 3, 111, 111, 9, 11},
        {"empty", -EBADMSG, 0, {0}, 0, 0, 0, 0, 0},
        {"a header alone", -EBADMSG, 1, {0x6f}, 0, 0, 0, 0, 0},
        {"no last header", -EBADMSG, 4, {0xef, 0, 0, 1}, 0, 0, 0, 0, 0},
        {"header cut", -EBADMSG, 3, {0xef, 0, 0}, 0, 0, 0, 0, 0},
        {"older block too long", -EBADMSG, 7, {0xef, 0, 0, 3, 0x6f, 1, 2}, 0, 0, 0, 0, 0},
        {"nothing of the newest", -EBADMSG, 7, {0xef, 0, 0, 2, 0x6f, 1, 2}, 0, 0, 0, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct red d;
        int err = red_parse(rows[i].b, rows[i].len, &d);
        if (err != rows[i].err)
            fail_msg("%s", rows[i].what);
        if (!err &&
            (d.n != rows[i].n || d.pt[0] != rows[i].first_pt || d.pt[d.n - 1] != rows[i].last_pt ||
             d.head_len != rows[i].head_len || d.newest_off != rows[i].newest_off))
            fail_msg("%s", rows[i].what);
    }
}

static void takes_so_many_blocks(void **state)
{
    (void)state;
    uint8_t b[4 * RED_BLOCKS_MAX + 2] = {0};
    struct red d;
    for (size_t n = 1; n <= RED_BLOCKS_MAX + 1; n++) {
        memset(b, 0, sizeof(b));
        for (size_t i = 0; i + 1 < n; i++)
            b[4 * i] = 0x80;
        assert_int_equal(red_parse(b, 4 * (n - 1) + 2, &d), n <= RED_BLOCKS_MAX ? 0 : -EBADMSG);
    }
}

static void only_payload_types_are_replaced(void **state)
{
    (void)state;
    const uint8_t b[] = {0xef, 0x1e, 0x04, 1, 0xe0, 0x0f, 0x03, 0xff, 0x6f};
    uint8_t packet[sizeof(b) + 1 + 1023 + 1] = {0}, head[RED_HEAD_MAX];
    const uint8_t pt[] = {100, 101, 127};
    struct red d;
    memcpy(packet, b, sizeof(b));
    assert_int_equal(red_parse(packet, sizeof(packet), &d), 0);
    assert_int_equal(d.newest_off, sizeof(b) + 1 + 1023);
    assert_int_equal(red_compose(head, packet, &d, pt), sizeof(b));
    const uint8_t want[] = {0xe4, 0x1e, 0x04, 1, 0xe5, 0x0f, 0x03, 0xff, 0x7f};
    assert_memory_equal(head, want, sizeof(want));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_blocks),
        cmocka_unit_test(takes_so_many_blocks),
        cmocka_unit_test(only_payload_types_are_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
