#include "observer/access.h"
#include "tests/unit/check.h"

#include <sys/socket.h>
#include <unistd.h>

static void decides_by_what_the_kernel_says(void **state)
{
    (void)state;
    enum { OWN = 900, OWNER = 901, GROUP = 50, ADMINS = 60 };
    static const struct {
        uid_t uid;
        gid_t groups[3];
        gid_t admins;
        enum observer_access is;
    } rows[] = {
        {0, {7, 8, 9}, (gid_t)-1, OBSERVER_MAY_ORDER},
        {OWN, {7, 8, 9}, (gid_t)-1, OBSERVER_MAY_ORDER},
        {OWNER, {7, 8, 9}, (gid_t)-1, OBSERVER_MAY_SEE},
        {1000, {GROUP, 8, 9}, (gid_t)-1, OBSERVER_MAY_SEE},
        {1000, {7, 8, GROUP}, (gid_t)-1, OBSERVER_MAY_SEE},
        {1000, {7, 8, GROUP}, ADMINS, OBSERVER_MAY_SEE},
        {1000, {7, ADMINS, GROUP}, ADMINS, OBSERVER_MAY_ORDER},
        {1000, {7, ADMINS, 9}, ADMINS, OBSERVER_MAY_ORDER},
        {1000, {7, ADMINS, 9}, (gid_t)-1, OBSERVER_NO_ACCESS},
        {1000, {7, 8, (gid_t)-1}, (gid_t)-1, OBSERVER_NO_ACCESS},
        {1000, {0, 8, 9}, ADMINS, OBSERVER_NO_ACCESS},
    };
    const struct observer_file file = {OWNER, GROUP}, none = {(uid_t)-1, (gid_t)-1};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(
            observer_access_for(rows[i].uid, rows[i].groups, 3, &file, rows[i].admins, OWN),
            rows[i].is);
    static const gid_t groups[] = {(gid_t)-1};
    assert_int_equal(observer_access_for(1000, groups, 1, &none, (gid_t)-1, OWN),
                     OBSERVER_NO_ACCESS);
}

static void asks_the_kernel(void **state)
{
    (void)state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    const struct observer_file file = observer_file_of(pair[0]);
    assert_int_equal(file.uid, (uid_t)-1);
    struct observer_who who = {0};
    assert_int_equal(observer_access(pair[0], &file, (gid_t)-1, &who), OBSERVER_MAY_ORDER);
    assert_int_equal(who.uid, geteuid());
    assert_int_equal(who.pid, getpid());
    close(pair[0]);
    close(pair[1]);
    assert_int_equal(observer_access(-1, &file, (gid_t)-1, &who), OBSERVER_NO_ACCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decides_by_what_the_kernel_says),
        cmocka_unit_test(asks_the_kernel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
