#include "lib/log.h"
#include "tests/unit/check.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void limits_and_counts(void **state)
{
    (void)state;
    struct log_limit l = {0};
    unsigned lost = 99;
    assert_true(log_limit(&l, 5000000, 2, &lost));
    assert_int_equal(lost, 0);
    assert_true(log_limit(&l, 5000001, 2, &lost));
    assert_false(log_limit(&l, 5000002, 2, &lost));
    assert_false(log_limit(&l, 5900000, 2, &lost));
    assert_true(log_limit(&l, 6000001, 2, &lost));
    assert_int_equal(lost, 2);
}

static void knows_its_levels(void **state)
{
    (void)state;
    enum log_level level;
    assert_int_equal(log_level_from_name("debug", &level), 0);
    assert_int_equal(level, LOG_LEVEL_DEBUG);
    assert_int_equal(log_level_from_name("loud", &level), -EINVAL);
}

/* What a line of text from a stranger can do to a terminal or to the next line: nothing. */
static void lets_no_control_character_through(void **state)
{
    (void)state;
    int p[2], saved = dup(STDERR_FILENO);
    assert_int_equal(pipe(p), 0);
    dup2(p[1], STDERR_FILENO);
    log_warn("room", "refused name=%s", "a\nb\033[2Jc");
    dup2(saved, STDERR_FILENO);
    char buf[256];
    ssize_t n = read(p[0], buf, sizeof(buf) - 1);
    assert_true(n > 0);
    buf[n] = '\0';
    assert_non_null(strstr(buf, "warn room: refused name=a?b?[2Jc\n"));
    close(p[0]);
    close(p[1]);
    close(saved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_and_counts),
        cmocka_unit_test(knows_its_levels),
        cmocka_unit_test(lets_no_control_character_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
