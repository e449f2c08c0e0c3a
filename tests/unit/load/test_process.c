#include "tests/unit/check.h"

#include "load/process.h"

#include <errno.h>
#include <unistd.h>

static void reads_a_line_of_stat(void **state)
{
    (void)state;
    struct process_stat s;
    assert_int_equal(
        process_parse_stat("12 (a) b) S 7 12 12 0 -1 4194560 1 2 3 4 150 25 6 7 20 0 1 0 "
                           "99 1000 321 18446744073709551615 1 1\n",
                           &s),
        0);
    assert_int_equal(s.parent, 7);
    assert_int_equal(s.user_ticks, 150);
    assert_int_equal(s.system_ticks, 25);
    assert_int_equal(s.resident_pages, 321);
    assert_int_equal(process_parse_stat("", &s), -EBADMSG);
    assert_int_equal(process_parse_stat("12 (a", &s), -EBADMSG);
    assert_int_equal(process_parse_stat("12 (a) S 7 12", &s), -EBADMSG);
}

static void finds_this_process(void **state)
{
    (void)state;
    struct process_tree t;
    process_find(&t, getpid());
    assert_true(t.n >= 1);
    assert_int_equal(t.pids[0], getpid());
    assert_true(process_usage(&t).resident_bytes > 100000);
    process_find(&t, 1 << 22);
    assert_int_equal(t.n, 0);
    assert_int_equal(process_usage(&t).resident_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_line_of_stat),
        cmocka_unit_test(finds_this_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
