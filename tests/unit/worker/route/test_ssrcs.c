#include "worker/route/ssrcs.h"

#include "tests/unit/check.h"

#include <errno.h>

static void keeps_all(void **state)
{
    (void)state;
    struct ssrcs s = {0};
    assert_false(ssrcs_has(&s, 1));
    for (uint32_t i = 1; i <= SSRCS_MAX; i++) {
        assert_int_equal(ssrcs_add(&s, i * 65537u), 0);
        assert_int_equal(ssrcs_add(&s, i * 65537u), -EEXIST);
    }
    assert_int_equal(ssrcs_add(&s, 5), -ENOSPC);
    for (uint32_t i = 1; i <= SSRCS_MAX; i++)
        assert_true(ssrcs_has(&s, i * 65537u));
    assert_false(ssrcs_has(&s, 5));
    ssrcs_clear(&s);
    assert_int_equal(ssrcs_add(&s, 5), 0);
    ssrcs_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(keeps_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
