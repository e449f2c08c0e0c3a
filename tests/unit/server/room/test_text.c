#include "server/room/text.h"

#include "server/room/perm.h"
#include "tests/unit/check.h"

#include <string.h>

static void tells_text_from_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *s;
        bool line, lines, id;
    } rows[] = {
        {"", true, true, false},
        {"Anna", true, true, true},
        {"Anna B", true, true, false},
        {"a\nb\tc", false, true, false},
        {"a\x01", false, false, false},
        {"\x7f", false, false, false},
        {"\xc2\x85", false, false, false}, /* U+0085, a control character */
        {"J\xc3\xb6rg \xf0\x9f\x98\x80", true, true, false},
        {"\xc3", false, false, false},     /* cut */
        {"\xc0\xaf", false, false, false}, /* overlong */
        {"\xe0\x80\xaf", false, false, false},
        {"\xed\xa0\x80", false, false, false},     /* a surrogate */
        {"\xf4\x90\x80\x80", false, false, false}, /* over U+10FFFF */
        {"\xf5\x80\x80\x80", false, false, false},
        {"\x80", false, false, false},
        {"0123456789abcdefg", false, false, false}, /* 17 bytes */
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_int_equal(text_line(rows[i].s, 16), rows[i].line);
        assert_int_equal(text_lines(rows[i].s, 16), rows[i].lines);
        assert_int_equal(text_id(rows[i].s, 16), rows[i].id);
    }
    assert_false(text_line(NULL, 5));
    assert_false(text_id(NULL, 5));
}

static void names_sixteen_permissions(void **state)
{
    (void)state;
    assert_int_equal(PERM_COUNT, 16);
    for (unsigned p = 0; p < PERM_COUNT; p++)
        assert_int_equal(perm_from_name(perm_name((enum perm)p)), p);
    assert_int_equal(perm_from_name("SEND"), PERM_NONE);
    assert_int_equal(perm_from_name(NULL), PERM_NONE);
    assert_true(perm_has(0, PERM_NONE));
    assert_false(perm_has(PERM_DEFAULT, PERM_MODIFY_ROLE));
    assert_false(perm_has(PERM_DEFAULT, PERM_BYPASS_ROOM_LOCK));
    assert_true(perm_has(PERM_FIRST, PERM_MODIFY_ROLE));
    assert_false(perm_has(PERM_FIRST, PERM_BYPASS_ROOM_LOCK));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_text_from_bytes),
        cmocka_unit_test(names_sixteen_permissions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
