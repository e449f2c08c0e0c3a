#include "server/edge/host.h"

#include <string.h>

#include "server/edge/headers.h"
#include "tests/unit/check.h"

static void knows_hosts(void **state)
{
    (void)state;
    static const struct {
        const char *host, *name; /* NULL: not valid */
        bool local_or_ip;
    } cases[] = {
        {"example.org", "example.org", false},
        {"Meet.Example.org:8443", "Meet.Example.org", false},
        {"localhost:443", "localhost", true},
        {"a.localhost", "a.localhost", true},
        {"notlocalhost", "notlocalhost", false},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1:80", "192.0.2.1", true},
        {"[2001:db8::1]", "[2001:db8::1]", true},
        {"[::1]:8443", "[::1]", true},
        {"", NULL, true},
        {":80", NULL, true},
        {"a:", NULL, true},
        {"a:0", NULL, true},
        {"a:65536", NULL, true},
        {"a:80:80", NULL, true},
        {"a b", NULL, true},
        {"a/b", NULL, true},
        {"a@b", NULL, true},
        {"a\r\nb", NULL, true},
        {"a?b", NULL, true},
        {"a%2fb", NULL, true},
        {"[::1", NULL, true},
        {"[]", NULL, true},
        {"[x]", NULL, true},
        {"[::1]x", NULL, true},
        {".a", NULL, true},
        {"a..b", NULL, true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char name[HOST_MAX];
        assert_int_equal(host_is_valid(cases[i].host), cases[i].name != NULL);
        assert_int_equal(host_is_local_or_ip(cases[i].host), cases[i].local_or_ip);
        if (host_name(cases[i].host, name))
            assert_string_equal(name, cases[i].name);
    }
    char longest[400];
    memset(longest, 'a', 399);
    longest[399] = '\0';
    assert_false(host_is_valid(longest));
}

static void compares_origins(void **state)
{
    (void)state;
    static const struct {
        const char *host, *origin;
        bool same;
    } cases[] = {
        {"example.org", "https://example.org", true},
        {"example.org:443", "https://example.org", true},
        {"example.org", "https://example.org:443", true},
        {"example.org", "http://example.org", true}, /* plain HTTP behind a proxy or in a test */
        {"Example.ORG:8443", "HTTPS://example.org:8443", true},
        {"[::1]:8443", "https://[::1]:8443", true},
        {"example.org", "https://example.org:8443", false},
        {"example.org:8443", "https://example.org", false},
        {"example.org", "https://evil.org", false},
        {"example.org", "https://example.org.evil.org", false},
        {"example.org", "https://evil.example.org", false},
        {"example.org", "https://example.org/", false},
        {"example.org", "https://example.org@evil.org", false},
        {"example.org", "null", false},
        {"example.org", "", false},
        {"example.org", "file://example.org", false},
        {"", "https://example.org", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(host_is_origin(cases[i].host, cases[i].origin), cases[i].same);
    const char *list[] = {"https://a.org", "https://b.org:8443"};
    assert_true(host_origin_listed(list, 2, "https://A.org"));
    assert_true(host_origin_listed(list, 2, "https://b.org:8443"));
    assert_false(host_origin_listed(list, 2, "https://b.org"));
    assert_true(host_origin_listed((const char *[]){"*"}, 1, "null"));
}

static void takes_the_last_forwarded(void **state)
{
    (void)state;
    static const struct {
        const char *header, *ip;
    } cases[] = {
        {"192.0.2.1", "192.0.2.1"},
        {"1.1.1.1, 192.0.2.1", "192.0.2.1"},
        {"evil, 2001:db8::1", "2001:db8::1"},
        {"1.1.1.1,[2001:db8::1]:443", "2001:db8::1"},
        {"192.0.2.1:4711", "192.0.2.1"},
        {"", NULL},
        {"evil", NULL},
        {"192.0.2.1,", NULL},
        {"192.0.2.1, evil", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char ip[80];
        bool ok = host_forwarded_for(cases[i].header, ip);
        assert_int_equal(ok, cases[i].ip != NULL);
        if (ok)
            assert_string_equal(ip, cases[i].ip);
    }
}

static void builds_urls(void **state)
{
    (void)state;
    char out[300];
    assert_true(host_https_url(out, sizeof(out), "a.org:80", 443, "/x?y=1"));
    assert_string_equal(out, "https://a.org/x?y=1");
    assert_true(host_https_url(out, sizeof(out), "[::1]:8080", 8443, "/"));
    assert_string_equal(out, "https://[::1]:8443/");
    assert_false(host_https_url(out, sizeof(out), "a.org/b", 443, "/"));
    assert_false(host_https_url(out, sizeof(out), "a.org", 443, "@evil.org/"));
    assert_false(host_https_url(out, 10, "a.org", 443, "/"));
}

static void writes_security_headers(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        bool tls, hsts;
    } cases[] = {
        {"a.org", true, true},      {"a.org:8443", true, true},
        {"a.org", false, false},    {"localhost:8443", true, false},
        {"192.0.2.1", true, false}, {"[::1]", true, false},
        {"", true, false},
    };
    char out[HEADERS_MAX];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t n = headers_security(out, cases[i].host, cases[i].tls, NULL, "");
        assert_int_equal(n, strlen(out));
        assert_int_equal(strstr(out, "Strict-Transport-Security") != NULL, cases[i].hsts);
        assert_non_null(strstr(out, "X-Content-Type-Options: nosniff\r\n"));
        assert_non_null(strstr(out, "Content-Security-Policy: default-src 'self'"));
        assert_string_equal(out + n - 2, "\r\n");
    }
    headers_security(out, "a.org", true, NULL, " 'sha256-x'");
    assert_non_null(strstr(out, " wss://a.org;"));
    assert_non_null(strstr(out, " blob: 'sha256-x';"));
    headers_security(out, "a.org", true, "default-src 'none'", "");
    assert_non_null(strstr(out, "Content-Security-Policy: default-src 'none'\r\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_hosts),
        cmocka_unit_test(compares_origins),
        cmocka_unit_test(takes_the_last_forwarded),
        cmocka_unit_test(builds_urls),
        cmocka_unit_test(writes_security_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
