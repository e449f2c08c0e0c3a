#include "server/edge/query.h"

#include <errno.h>
#include <string.h>

#include "server/edge/text.h"
#include "tests/unit/check.h"

static struct edge_query q;

static void reads_parameters(void **state)
{
    (void)state;
    const char *text =
        "peerId=p1&roomId=Room%20A%2F%C3%BC&empty=&flag&token=a=b==&roomId=second&plus=a+b";
    assert_int_equal(query_parse(&q, text, strlen(text)), 0);
    assert_string_equal(query_get(&q, "peerId"), "p1");
    assert_string_equal(query_get(&q, "roomId"), "Room A/\xc3\xbc");
    assert_string_equal(query_get(&q, "empty"), "");
    assert_string_equal(query_get(&q, "flag"), "");
    assert_string_equal(query_get(&q, "token"), "a=b==");
    assert_string_equal(query_get(&q, "plus"), "a b");
    assert_null(query_get(&q, "absent"));
}

static void decodes_once(void **state)
{
    (void)state;
    assert_int_equal(query_parse(&q, "a=%2541%26b%3D1", 15), 0);
    assert_string_equal(query_get(&q, "a"), "%41&b=1");
    assert_null(query_get(&q, "b"));
}

static void refuses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int err;
    } cases[] = {
        {"", 0},
        {"&&&", 0},
        {"a=%", -EBADMSG},
        {"a=%4", -EBADMSG},
        {"a=%zz", -EBADMSG},
        {"a=%00", -EBADMSG},
        {"a=%0a", -EBADMSG},
        {"a=%ff", -EBADMSG},
        {"a=%c0%80", -EBADMSG},
        {"a=%ed%a0%80", -EBADMSG},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(query_parse(&q, cases[i].text, strlen(cases[i].text)), cases[i].err);

    char text[QUERY_BYTES_MAX + 10];
    memset(text, 'a', sizeof(text));
    assert_int_equal(query_parse(&q, text, QUERY_BYTES_MAX - 2), 0);
    assert_int_equal(query_parse(&q, text, sizeof(text)), -ENOSPC);
    for (size_t i = 1; i < 100; i += 2)
        text[i] = '&';
    assert_int_equal(query_parse(&q, text, 2 * QUERY_MAX - 1), 0);
    assert_int_equal(query_parse(&q, text, 2 * QUERY_MAX + 1), -ENOSPC);
}

static void encodes(void **state)
{
    (void)state;
    char out[32];
    size_t n = text_percent_encode(out, sizeof(out), "/a b\xc3\xbc\r%", 8, "/");
    assert_int_equal(n, 18);
    assert_memory_equal(out, "/a%20b%C3%BC%0D%25", 18);
    assert_int_equal(text_percent_encode(out, 2, "\r", 1, ""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_parameters),
        cmocka_unit_test(decodes_once),
        cmocka_unit_test(refuses),
        cmocka_unit_test(encodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
