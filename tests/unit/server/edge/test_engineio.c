#include "server/edge/engineio.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/check.h"

static void reads_a_packet(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int type; /* -1: malformed */
        const char *data;
    } cases[] = {
        {"0{}", ENGINEIO_OPEN, "{}"},
        {"2", ENGINEIO_PING, ""},
        {"3", ENGINEIO_PONG, ""},
        {"40", ENGINEIO_MESSAGE, "0"},
        {"41", ENGINEIO_MESSAGE, "1"},
        {"5", ENGINEIO_UPGRADE, ""},
        {"6", ENGINEIO_NOOP, ""},
        {"2probe", ENGINEIO_PING, "probe"},
        {"", -1, NULL},
        {"7", -1, NULL},
        {"bAQID", -1, NULL},
        {" 2", -1, NULL},
        {"\x1e", -1, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct engineio_packet p;
        int err = engineio_parse(&p, cases[i].text, strlen(cases[i].text));
        assert_int_equal(err, cases[i].type < 0 ? -EBADMSG : 0);
        if (err)
            continue;
        assert_int_equal(p.type, cases[i].type);
        assert_int_equal(p.len, strlen(cases[i].data));
        assert_memory_equal(p.data, cases[i].data, p.len);
    }
}

static void splits_a_body(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int packets; /* before the end, or before it is malformed */
        int end;
    } cases[] = {
        {"40", 1, 0},
        {"40\x1e"
         "2",
         2, 0},
        {"40\x1e"
         "2\x1e"
         "3",
         3, 0},
        {"", 0, -EBADMSG},
        {"40\x1e", 1, -EBADMSG},
        {"\x1e"
         "40",
         0, -EBADMSG},
        {"40\x1e\x1e"
         "2",
         1, -EBADMSG},
        {"6:40", 1, 0}, /* a payload of version 3 reads as noop; the version is checked elsewhere */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *text = cases[i].text;
        size_t len = strlen(text);
        struct engineio_packet p;
        int n = 0, more;
        while ((more = engineio_next(&p, &text, &len)) == 1)
            n++;
        assert_int_equal(n, cases[i].packets);
        assert_int_equal(more, cases[i].end);
    }
}

static void knows_a_probe(void **state)
{
    (void)state;
    struct engineio_packet p;
    assert_int_equal(engineio_parse(&p, "2probe", 6), 0);
    assert_true(engineio_is_probe(&p));
    assert_int_equal(engineio_parse(&p, "3probe", 6), 0);
    assert_false(engineio_is_probe(&p));
    assert_int_equal(engineio_parse(&p, "2probes", 7), 0);
    assert_false(engineio_is_probe(&p));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_packet),
        cmocka_unit_test(splits_a_body),
        cmocka_unit_test(knows_a_probe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
