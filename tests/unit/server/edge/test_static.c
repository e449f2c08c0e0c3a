#include "server/edge/static.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "tests/unit/check.h"

static void judges_paths(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        bool safe, extension;
    } cases[] = {
        {"/", true, false},
        {"/room", true, false},
        {"/room/", true, false},
        {"/assets/index-3f2a.js", true, true},
        {"/a.b/c", true, false},
        {"/...", true, false},
        {"/.well-known/x", true, false},
        {"/r\xc3\xa4ume", true, false},
        {"", false, false},
        {"room", false, false},
        {"/..", false, false},
        {"/../x", false, false},
        {"/a/../b", false, false},
        {"/a/.", false, false},
        {"//a", false, false},
        {"/a//b", false, false},
        {"/a\\b", false, false},
        {"/a\nb", false, false},
        {"/\xff", false, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t len = strlen(cases[i].path);
        assert_int_equal(static_path_is_safe(cases[i].path, len), cases[i].safe);
        assert_int_equal(static_path_has_extension(cases[i].path, len), cases[i].extension);
    }
    assert_false(static_path_is_safe("/a\0b", 4));
}

static void knows_types(void **state)
{
    (void)state;
    static const struct {
        const char *path, *type;
    } cases[] = {
        {"/index.html", "text/html; charset=utf-8"},
        {"/a.JS", "text/javascript; charset=utf-8"},
        {"/a.mjs", "text/javascript; charset=utf-8"},
        {"/a.wasm", "application/wasm"},
        {"/a.tflite", "application/octet-stream"},
        {"/a.webmanifest", "application/manifest+json"},
        {"/a.woff2", "font/woff2"},
        {"/a.svg", "image/svg+xml"},
        {"/a.js.map", "application/json"},
        {"/a", "application/octet-stream"},
        {"/a.what", "application/octet-stream"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(static_type(cases[i].path), cases[i].type);
    assert_non_null(strstr(static_cache("/assets/x.js"), "immutable"));
    assert_string_equal(static_cache("/index.html"), "no-cache");
}

static void put(const char *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void run(const char *format, const char *folder)
{
    char command[300];
    snprintf(command, sizeof(command), "%s%s", format, folder);
    assert_int_equal(system(command), 0);
}

static void serves_a_folder(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_static.XXXXXX", path[256];
    struct static_files *s = NULL;
    const struct static_file *f;
    assert_non_null(mkdtemp(folder));
    put(folder, "index.html", "<html>");
    put(folder, ".secret", "no");
    snprintf(path, sizeof(path), "%s/assets", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    put(path, "a-1.js", "1;");
    snprintf(path, sizeof(path), "%s/link.txt", folder);
    assert_int_equal(symlink("/etc/passwd", path), 0);

    assert_int_equal(static_new(&s, folder, 7), -EFBIG);
    assert_int_equal(static_new(&s, "/nonexistent", 1000), -ENOENT);
    assert_int_equal(static_new(&s, folder, 1000), 0);
    assert_int_equal(static_find(s, "/assets/a-1.js", 14, &f), STATIC_FOUND);
    assert_int_equal(f->len, 2);
    assert_memory_equal(f->data, "1;", 2);
    char etag[24];
    snprintf(etag, sizeof(etag), "%s", f->etag);
    assert_int_equal(static_find(s, "/some/room", 10, &f), STATIC_FOUND);
    assert_memory_equal(f->data, "<html>", 6);
    assert_string_not_equal(etag, f->etag);
    assert_int_equal(static_find(s, "/", 1, &f), STATIC_FOUND);
    assert_int_equal(static_find(s, "/none.js", 8, &f), STATIC_MISSING);
    assert_int_equal(static_find(s, "/.secret", 8, &f), STATIC_MISSING);
    assert_int_equal(static_find(s, "/link.txt", 9, &f), STATIC_MISSING);
    assert_int_equal(static_find(s, "/../etc/passwd", 14, &f), STATIC_REFUSED);
    static_add(s, "/config/config.js", "x", 1);
    static_add(s, "/config/config.js", "yy", 2);
    assert_int_equal(static_find(s, "/config/config.js", 17, &f), STATIC_FOUND);
    assert_int_equal(f->len, 2);
    static_free(s);
    run("rm -r ", folder);

    assert_int_equal(static_new(&s, NULL, 1000), 0);
    assert_int_equal(static_find(s, "/", 1, &f), STATIC_MISSING);
    static_free(s);
    static_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_paths),
        cmocka_unit_test(knows_types),
        cmocka_unit_test(serves_a_folder),
    };
    log_set_level(LOG_LEVEL_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
