#include "server/edge/scripts.h"
#include "tests/unit/check.h"

#include <stdio.h>
#include <string.h>

/* SHA-256 of "abc" and of nothing (FIPS 180-4), in Base64. */
#define ABC   " 'sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0='"
#define EMPTY " 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"

static void names_the_inline_scripts(void **state)
{
    (void)state;
    static const struct {
        const char *html, *hashes;
    } rows[] = {
        {"", ""},
        {"<p>no script</p>", ""},
        {"<script>abc</script>", ABC},
        {"<SCRIPT type='text/javascript'>abc</SCRIPT>", ABC},
        {"<script></script>", EMPTY},
        {"<script src=\"/a.js\"></script><script>abc</script>", ABC},
        {"<script type=module crossorigin src='/a.js'></script>", ""},
        {"<script src = '/a.js'></script>", ""},
        {"<script data-src='x'>abc</script>", ABC},
        {"<script>abc</script><b><script>abc</script>", ABC ABC},
        {"<script>abc", ""},
        {"<script", ""},
        {"<script src", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char out[SCRIPTS_HASHES_MAX];
        size_t n = scripts_hashes(rows[i].html, strlen(rows[i].html), out);
        assert_string_equal(out, rows[i].hashes);
        assert_int_equal(n, strlen(rows[i].hashes));
    }
}

static void has_a_bound(void **state)
{
    (void)state;
    char html[40 * 21], out[SCRIPTS_HASHES_MAX];
    for (unsigned i = 0; i < 40; i++)
        snprintf(html + i * 20, 21, "<script>abc</script>");
    size_t n = scripts_hashes(html, 800, out);
    assert_int_equal(n, SCRIPTS_MAX * strlen(ABC));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_the_inline_scripts),
        cmocka_unit_test(has_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
