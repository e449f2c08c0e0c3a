#include "lib/rand.h"
#include "tests/unit/check.h"

#include <ctype.h>
#include <string.h>

static void tokens_have_their_length_and_alphabet(void **state)
{
    (void)state;
    char a[33], b[33];
    rand_token(a, 32);
    rand_token(b, 32);
    assert_int_equal(strlen(a), 32);
    for (size_t i = 0; i < 32; i++)
        assert_true(isalnum((unsigned char)a[i]));
    assert_string_not_equal(a, b);
}

static void uuids_are_version_4(void **state)
{
    (void)state;
    char u[37];
    rand_uuid(u);
    assert_int_equal(strlen(u), 36);
    assert_int_equal(u[14], '4');
    assert_non_null(strchr("89ab", u[19]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_have_their_length_and_alphabet),
        cmocka_unit_test(uuids_are_version_4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
