#include "server/room/session.h"

#include "server/room/room.h"
#include "tests/unit/check.h"

static void has_one_main_session_and_some_breakouts(void **state)
{
    (void)state;
    struct rooms rs;
    rooms_init(&rs);
    struct room *r = room_new(&rs, "r", 5);
    struct peer *p = peer_new(r, "p", "k");
    assert_ptr_equal(p->in, &r->main);
    assert_ptr_equal(room_session_find(r, r->main.id), &r->main);
    struct room_session *a = room_breakout_new(r, "A", "p", 10);
    assert_ptr_equal(room_session_find(r, a->id), a);
    assert_false(room_session_is_main(r, a));
    assert_ptr_equal(room_breakout_made(r, "A", "p", 10), a);
    assert_null(room_breakout_made(r, "A", "p", 11)); /* too long ago */
    assert_null(room_breakout_made(r, "A", "q", 10));
    assert_null(room_breakout_made(r, "B", "p", 10));
    while (r->n_breakouts < BREAKOUTS_MAX)
        assert_non_null(room_breakout_new(r, "more", "p", 10));
    assert_null(room_breakout_new(r, "one too many", "p", 10));
    room_breakout_free(r, a);
    assert_int_equal(r->n_breakouts, BREAKOUTS_MAX - 1);
    assert_null(room_session_find(r, "nonsense"));
    rooms_free(&rs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_one_main_session_and_some_breakouts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
