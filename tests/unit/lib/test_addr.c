#include "lib/addr.h"
#include "tests/unit/check.h"

#include <errno.h>

static void formats_what_it_parsed(void **state)
{
    (void)state;
    static const struct {
        const char *ip, *text;
        bool ipv4;
    } rows[] = {
        {"127.0.0.1", "127.0.0.1:40000", true},
        {"::1", "[::1]:40000", false},
        {"2001:db8::5", "[2001:db8::5]:40000", false},
        {"::ffff:10.1.2.3", "10.1.2.3:40000", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct addr a;
        char buf[ADDR_STR_MAX];
        assert_int_equal(addr_parse(&a, rows[i].ip, 40000), 0);
        assert_string_equal(addr_format(&a, buf), rows[i].text);
        assert_int_equal(addr_is_ipv4(&a), rows[i].ipv4);
    }
}

static void refuses_what_is_no_literal(void **state)
{
    (void)state;
    static const char *const rows[] = {"", "localhost", "1.2.3", "1.2.3.4:5", "[::1]", "::g"};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct addr a;
        assert_int_equal(addr_parse(&a, rows[i], 1), -EINVAL);
    }
}

static void goes_through_sockaddr_and_back(void **state)
{
    (void)state;
    static const struct {
        const char *ip;
        int family;
        socklen_t len;
    } rows[] = {
        {"10.0.0.1", AF_INET, sizeof(struct sockaddr_in)},
        {"10.0.0.1", AF_INET6, sizeof(struct sockaddr_in6)},
        {"fe80::1", AF_INET6, sizeof(struct sockaddr_in6)},
        {"fe80::1", AF_INET, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct addr a, b;
        struct sockaddr_storage ss;
        assert_int_equal(addr_parse(&a, rows[i].ip, 5000), 0);
        assert_int_equal(addr_to_sockaddr(&a, rows[i].family, &ss), rows[i].len);
        if (rows[i].len == 0)
            continue;
        assert_int_equal(addr_from_sockaddr(&b, (struct sockaddr *)&ss), 0);
        assert_true(addr_equal(&a, &b));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_what_it_parsed),
        cmocka_unit_test(refuses_what_is_no_literal),
        cmocka_unit_test(goes_through_sockaddr_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
