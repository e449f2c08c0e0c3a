#include "server/edge/json_in.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/check.h"

static void counts_depth(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned depth;
    } cases[] = {
        {"", 0},
        {"1", 0},
        {"[]", 1},
        {"[{}]", 2},
        {"[[],[],[[]]]", 3},
        {"[\"[[[[\"]", 1},
        {"[\"\\\"[[[[\"]", 1},
        {"[\"\\\\\",[[]]]", 3},
        {"]]]][", 1},
        {"[\"", 1},
        {"[\"\\", 1},
        {"[[[[[[[[[[[[", 6}, /* it stops there */
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(json_in_depth(cases[i].text, strlen(cases[i].text), 5), cases[i].depth);
}

static void takes_or_refuses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *why; /* NULL: taken */
    } cases[] = {
        {"[\"request\",{\"method\":\"join\",\"data\":{}}]", NULL},
        {"{\"a\":1,\"b\":1}", NULL},
        {"[\"\xf0\x9f\x98\x80\"]", NULL},
        {"{\"a\":1,\"a\":2}", "a name twice in an object"},
        {"[{\"x\":{\"a\":1,\"a\":2}}]", "a name twice in an object"},
        {"[[[[[]]]]]", "nested too deep"},
        {"[\"a\\u0000b\"]", "not JSON"},
        {"[\"\\ud800\"]", "not JSON"},
        {"[\"\xff\"]", "not JSON"},
        {"[NaN]", "not JSON"},
        {"[1e999]", "not JSON"},
        {"[1]x", "not JSON"},
        {"[1", "not JSON"},
        {"", "not JSON"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *why = "unset";
        json_t *value = json_in(cases[i].text, strlen(cases[i].text), 4, &why);
        assert_int_equal(value == NULL, cases[i].why != NULL);
        if (cases[i].why)
            assert_string_equal(why, cases[i].why);
        else
            assert_null(why);
        json_decref(value);
    }
    assert_null(json_in("[\"a\0b\"]", 7, 4, NULL));
}

static void survives_depth_10000(void **state)
{
    (void)state;
    char *text = malloc(20000);
    const char *why;
    memset(text, '[', 10000);
    memset(text + 10000, ']', 10000);
    assert_null(json_in(text, 20000, 32, &why));
    assert_string_equal(why, "nested too deep");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_depth),
        cmocka_unit_test(takes_or_refuses),
        cmocka_unit_test(survives_depth_10000),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
