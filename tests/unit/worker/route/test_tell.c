#include "worker/route/tell.h"

#include "lib/clock.h"
#include "tests/unit/worker/route/world.h"
#include "worker/route/router.h"

#include <errno.h>

static void tells_states_as_if_they_had_changed(void **state)
{
    (void)state;
    struct stage s;
    stage_open(&s);
    for (unsigned i = 0; i < 40; i++)
        camera_frame(&s.cam, i == 0, 2);
    struct engine_event ice = *world_last(&s.w, ENGINE_ICE_STATE, 20);
    struct engine_event tuple = *world_last(&s.w, ENGINE_TUPLE, 20);
    s.w.n_events = 0;
    uint64_t handles[8];
    bool more;
    assert_int_equal(tell(s.w.engine, TELL_TRANSPORTS, 0, handles, 8, &more), 2);
    assert_int_equal(handles[0], 10);
    assert_int_equal(handles[1], 20);
    assert_false(more);
    assert_int_equal(world_last(&s.w, ENGINE_ICE_STATE, 20)->ice, ice.ice);
    assert_int_equal(world_last(&s.w, ENGINE_TUPLE, 20)->remote.port, tuple.remote.port);
    assert_int_equal(world_last(&s.w, ENGINE_DTLS_STATE, 20)->dtls, ENGINE_DTLS_CONNECTED);
    assert_int_equal(tell(s.w.engine, TELL_PRODUCERS, 0, handles, 8, &more), 1);
    assert_int_equal(handles[0], 2);
    assert_int_equal(world_count(&s.w, ENGINE_SCORE, 2), 1);
    assert_int_equal(tell(s.w.engine, TELL_CONSUMERS, 0, handles, 8, &more), 1);
    assert_int_equal(handles[0], 3);
    assert_int_equal(world_count(&s.w, ENGINE_SCORE, 3), 1);
    /* The call has not noticed. */
    size_t before = s.b->n_rtp;
    camera_frame(&s.cam, false, 2);
    assert_int_equal(s.b->n_rtp, before + 2);
    world_close(&s.w);
}

static void pages(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    for (uint64_t id = 100; id < 110; id++)
        assert_int_equal(router_create(w.engine, id, "room"), 0);
    uint64_t handles[4], after = 0;
    bool more;
    static const int sizes[] = {4, 4, 3}; /* the world has one of its own */
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        int n = tell(w.engine, TELL_ROUTERS, after, handles, 4, &more);
        assert_int_equal(n, sizes[i]);
        assert_int_equal(more, i < 2);
        after = handles[n - 1];
    }
    assert_int_equal(after, 109);
    assert_int_equal(tell(w.engine, TELL_ROUTERS, 109, handles, 4, &more), 0);
    for (int kind = TELL_ROUTERS; kind <= TELL_CONSUMERS; kind++)
        assert_int_equal(tell(w.engine, (enum tell_kind)kind, 999, handles, 4, &more), -ENOENT);
    assert_int_equal(tell(w.engine, (enum tell_kind)0, 0, handles, 4, &more), -EINVAL);
    assert_int_equal(tell(w.engine, (enum tell_kind)99, 0, handles, 4, &more), -EINVAL);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_states_as_if_they_had_changed),
        cmocka_unit_test(pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
