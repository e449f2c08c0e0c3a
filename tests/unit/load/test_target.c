#include "tests/unit/check.h"

#include "load/target.h"

static void reads_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *url, *host, *authority, *room;
        bool tls;
        uint16_t port;
    } rows[] = {
        {"wss://example.org/room", "example.org", "example.org", "room", true, 443},
        {"ws://127.0.0.1:8080/a.b-c_d", "127.0.0.1", "127.0.0.1:8080", "a.b-c_d", false, 8080},
        {"https://[::1]:4443/x", "::1", "[::1]:4443", "x", true, 4443},
        {"http://[::1]/x", "::1", "[::1]", "x", false, 80},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct target t;
        const char *wrong = target_parse(&t, rows[i].url);
        if (wrong)
            fail_msg("%s: %s", rows[i].url, wrong);
        assert_string_equal(t.host, rows[i].host);
        assert_string_equal(t.authority, rows[i].authority);
        assert_string_equal(t.room, rows[i].room);
        assert_int_equal(t.tls, rows[i].tls);
        assert_int_equal(t.port, rows[i].port);
    }
}

static void refuses_others(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "example.org/room",
        "ftp://example.org/room",
        "wss://example.org",
        "wss://example.org/",
        "wss:///room",
        "wss://example.org/a/b",
        "wss://example.org/a?b=c",
        "wss://example.org/a%20b",
        "wss://example.org:0/room",
        "wss://example.org:65536/room",
        "wss://example.org:99999999999999999999/room",
        "wss://example.org:/room",
        "wss://exa mple.org/room",
        "wss://a\r\nb/room",
        "wss://[::1/room",
        "wss://[]/room",
        "wss://user@example.org/room",
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct target t;
        if (!target_parse(&t, rows[i]))
            fail_msg("taken: %s", rows[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_addresses),
        cmocka_unit_test(refuses_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
