#include "observer/request.h"
#include "tests/unit/check.h"

#include <stdlib.h>
#include <string.h>

static void understands_lines(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum observer_command is;
        const char *id, *code;
    } rows[] = {
        {"", OBSERVER_NOTHING, "null", NULL},
        {"  \r", OBSERVER_NOTHING, "null", NULL},
        {"stats", OBSERVER_WORD_STATS, "null", NULL},
        {"quit\r", OBSERVER_WORD_QUIT, "null", NULL},
        {"Quit", OBSERVER_WORD_UNKNOWN, "null", NULL},
        {"[]", OBSERVER_WORD_UNKNOWN, "null", NULL},
        {"{", OBSERVER_BAD, "null", "malformed"},
        {"{}", OBSERVER_BAD, "null", "malformed"},
        {"{\"cmd\":\"hello\"} x", OBSERVER_BAD, "null", "malformed"},
        {"{\"cmd\":\"hello\",\"cmd\":\"hello\"}", OBSERVER_BAD, "null", "malformed"},
        {"{\"cmd\":\"hello\",\"id\":7}", OBSERVER_HELLO, "7", NULL},
        {"{\"cmd\":\"hello\",\"id\":\"\\u00e9\\n\"}", OBSERVER_HELLO, "\"\\u00E9\\n\"", NULL},
        {"{\"cmd\":\"hello\",\"id\":null}", OBSERVER_HELLO, "null", NULL},
        {"{\"cmd\":\"hello\",\"id\":1.5}", OBSERVER_BAD, "null", "malformed"},
        {"{\"cmd\":\"hello\",\"id\":[]}", OBSERVER_BAD, "null", "malformed"},
        {"{\"cmd\":\"hello\",\"room\":\"a\"}", OBSERVER_BAD, "null", "malformed"},
        {"{\"cmd\":7,\"id\":7}", OBSERVER_BAD, "7", "malformed"},
        {"{\"cmd\":\"terminal\",\"id\":7}", OBSERVER_BAD, "7", "unknown-command"},
        {"{\"cmd\":\"get\",\"kind\":\"room\",\"key\":\"a\"}", OBSERVER_GET, "null", NULL},
        {"{\"cmd\":\"get\",\"kind\":\"log\",\"key\":\"a\"}", OBSERVER_BAD, "null", "malformed"},
        {"{\"cmd\":\"get\",\"kind\":\"room\"}", OBSERVER_BAD, "null", "malformed"},
        {"{\"cmd\":\"snapshot\",\"stats\":1}", OBSERVER_BAD, "null", "malformed"},
        {"{\"cmd\":\"subscribe\",\"kinds\":[]}", OBSERVER_SUBSCRIBE, "null", NULL},
        {"{\"cmd\":\"subscribe\",\"kinds\":[\"cat\"]}", OBSERVER_BAD, "null", "malformed"},
        {"{\"cmd\":\"subscribe\",\"kinds\":\"room\"}", OBSERVER_BAD, "null", "malformed"},
        {"{\"cmd\":\"subscribe\",\"level\":\"loud\"}", OBSERVER_BAD, "null", "malformed"},
        {"{\"cmd\":\"drain\",\"on\":true,\"seconds\":-1}", OBSERVER_BAD, "null", "malformed"},
        {"{\"cmd\":\"drain\"}", OBSERVER_BAD, "null", "malformed"},
        {"{\"cmd\":\"logTags\",\"tags\":[1]}", OBSERVER_BAD, "null", "malformed"},
        {"{\"cmd\":\"trace\",\"kind\":\"producer\",\"key\":\"a\"}", OBSERVER_TRACE, "null", NULL},
        {"{\"cmd\":\"trace\",\"kind\":\"room\",\"key\":\"a\"}", OBSERVER_BAD, "null", "malformed"},
        {"{\"cmd\":\"trace\",\"kind\":\"producer\",\"key\":\"a\",\"seconds\":0}", OBSERVER_BAD,
         "null", "malformed"},
        {"{\"cmd\":\"trace\",\"kind\":\"producer\",\"key\":\"a\",\"seconds\":3601}", OBSERVER_BAD,
         "null", "malformed"},
        {"{\"cmd\":\"trace\",\"kind\":\"producer\",\"key\":\"a\",\"types\":[]}", OBSERVER_BAD,
         "null", "malformed"},
        {"{\"cmd\":\"trace\",\"kind\":\"producer\",\"key\":\"a\",\"types\":[\"x\"]}", OBSERVER_BAD,
         "null", "malformed"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct observer_request r;
        observer_request_parse(&r, rows[i].line, strlen(rows[i].line));
        if (r.command != rows[i].is || strcmp(r.id, rows[i].id) != 0)
            fail_msg("%s: %d %s %s", rows[i].line, (int)r.command, r.id, r.error);
        if (rows[i].code)
            assert_string_equal(r.error_code, rows[i].code);
        observer_request_clear(&r);
    }
}

static void fills_in_what_is_left_out(void **state)
{
    (void)state;
    struct observer_request r;
    static const char bare[] = "{\"cmd\":\"subscribe\"}";
    observer_request_parse(&r, bare, strlen(bare));
    assert_int_equal(r.kinds, OBSERVER_ALL & ~OBSERVER_BIT(OBSERVER_LOG));
    assert_null(r.room);
    assert_int_equal(r.level, LOG_LEVEL_INFO);
    observer_request_clear(&r);
    static const char full[] =
        "{\"cmd\":\"subscribe\",\"kinds\":[\"log\",\"room\"],\"room\":\"a b\","
        "\"peer\":\"p\",\"level\":\"debug\"}";
    observer_request_parse(&r, full, strlen(full));
    assert_int_equal(r.kinds, OBSERVER_BIT(OBSERVER_LOG) | OBSERVER_BIT(OBSERVER_ROOM));
    assert_string_equal(r.room, "a b");
    assert_string_equal(r.peer, "p");
    assert_int_equal(r.level, LOG_LEVEL_DEBUG);
    observer_request_clear(&r);
    static const char drain[] = "{\"cmd\":\"drain\",\"on\":true}";
    observer_request_parse(&r, drain, strlen(drain));
    assert_int_equal(r.seconds, 3600);
    assert_true(r.on);
    observer_request_clear(&r);
}

static void knows_who_may(void **state)
{
    (void)state;
    static const char *const orders[] = {"kick",     "closeRoom", "drain", "reload",
                                         "logLevel", "logTags",   "trace", "untrace"};
    size_t n = 0;
    for (unsigned c = OBSERVER_HELLO; c < OBSERVER_COMMANDS; c++) {
        assert_non_null(observer_command_help(c));
        if (observer_command_admin(c))
            assert_string_equal(observer_command_name(c), orders[n++]);
    }
    assert_int_equal(n, ARRAY_LEN(orders));
    assert_false(observer_command_admin(OBSERVER_COMMANDS));
}

static void survives_depth(void **state)
{
    (void)state;
    struct observer_request r;
    char line[OBSERVER_LINE_MAX];
    memset(line, '[', sizeof(line));
    memcpy(line, "{\"cmd\":", 7);
    observer_request_parse(&r, line, sizeof(line));
    assert_int_equal(r.command, OBSERVER_BAD);
    observer_request_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(understands_lines),
        cmocka_unit_test(fills_in_what_is_left_out),
        cmocka_unit_test(knows_who_may),
        cmocka_unit_test(survives_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
