#include "server/room/drawing.h"

#include "server/room/limits.h"
#include "tests/unit/check.h"

#include <errno.h>
#include <string.h>

static int change(struct drawing *d, const char *object, const char *status)
{
    json_t *o = json_loads(object, JSON_DECODE_ANY, NULL);
    int err = drawing_change(d, o, status);
    json_decref(o);
    return err;
}

static size_t count(const struct drawing *d)
{
    json_t *list = drawing_objects(d);
    size_t n = json_array_size(list);
    json_decref(list);
    return n;
}

static void keeps_what_is_on_the_canvas(void **state)
{
    (void)state;
    struct drawing d;
    drawing_init(&d);
    assert_int_equal(change(&d, "{\"id\": 1, \"path\": [1, 2]}", "added"), 0);
    assert_int_equal(change(&d, "{\"id\": \"b\"}", "added"), 0);
    assert_int_equal(change(&d, "{\"id\": 1, \"path\": []}", "modified"), 0);
    assert_int_equal(change(&d, "{\"id\": 1}", "added"), 0); /* a repeat */
    assert_int_equal(count(&d), 2);
    json_t *list = drawing_objects(&d);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "objectId")), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 1), "status")),
                        "added");
    json_decref(list);
    assert_int_equal(change(&d, "{\"id\": 1}", "removed"), 0);
    assert_int_equal(change(&d, "{\"id\": 1}", "removed"), 0);
    assert_int_equal(change(&d, "{\"id\": \"b\"}", "removed"), 0);
    assert_int_equal(d.bytes, 0);
    drawing_clear(&d);
}

static void refuses_what_is_malformed(void **state)
{
    (void)state;
    struct drawing d;
    drawing_init(&d);
    static const char *const objects[] = {"{}",  "{\"id\": null}", "{\"id\": []}", "[]", "1",
                                          "null"};
    for (size_t i = 0; i < ARRAY_LEN(objects); i++)
        assert_int_equal(change(&d, objects[i], "added"), -EINVAL);
    assert_int_equal(change(&d, "{\"id\": 1}", "painted"), -EINVAL);
    assert_int_equal(change(&d, "{\"id\": 1}", NULL), -EINVAL);
    static const char *const bad[] = {"", "url(x)", "red;", "a b",
                                      "#0123456789012345678901234567890123456789"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(drawing_set_color(&d, bad[i]));
    assert_string_equal(d.color, "white");
    assert_true(drawing_set_color(&d, "#a0B1c2"));
    assert_int_equal(count(&d), 0);
}

static void is_bounded(void **state)
{
    (void)state;
    struct drawing d;
    char text[64];
    drawing_init(&d);
    for (unsigned i = 0; i < DRAWING_OBJECTS_MAX; i++) {
        snprintf(text, sizeof(text), "{\"id\": %u}", i);
        assert_int_equal(change(&d, text, "added"), 0);
    }
    assert_int_equal(change(&d, "{\"id\": -1}", "added"), -ENOSPC);
    assert_int_equal(change(&d, "{\"id\": 7, \"x\": 1}", "modified"), 0);
    drawing_clear(&d);
    json_t *big = json_object();
    char *filler = calloc(1, DRAWING_BYTES_MAX / 2);
    memset(filler, 'x', DRAWING_BYTES_MAX / 2 - 1);
    json_object_set_new(big, "id", json_integer(1));
    json_object_set_new(big, "x", json_string(filler));
    assert_int_equal(drawing_change(&d, big, "added"), 0);
    assert_int_equal(drawing_change(&d, big, "modified"), 0);
    json_object_set_new(big, "id", json_integer(2));
    assert_int_equal(drawing_change(&d, big, "added"), -ENOSPC);
    assert_int_equal(count(&d), 1);
    free(filler);
    json_decref(big);
    drawing_clear(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_is_on_the_canvas),
        cmocka_unit_test(refuses_what_is_malformed),
        cmocka_unit_test(is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
