#include "server/media/media.h"

#include "lib/clock.h"
#include "tests/unit/check.h"
#include "tests/unit/server/media/fake_worker.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static struct media *media;
static uv_loop_t loop;
static unsigned n_up, n_lost, n_bad, n_events, n_failed, n_missed, n_taken;
static struct media_router *back;
static struct media_router *last_lost;
static const struct media_worker *last_from;
static bool replace; /* place a lost router at once */
static struct media_router *placed;

static void worker_up(void *arg)
{
    (void)arg;
    n_up++;
}

static void router_lost(struct media_router *r, void *user, void *arg)
{
    (void)arg;
    n_lost++;
    last_lost = r;
    if (replace)
        placed = media_router_new(media, "again", user);
}

static void worker_bad(uint32_t index, uint64_t generation, const char *why, void *arg)
{
    (void)arg;
    assert_int_equal(generation, index + 100);
    assert_true(*why);
    n_bad++;
}

static void event(const struct media_worker *from, const Althing__Event *e, void *arg)
{
    (void)e;
    (void)arg;
    last_from = from;
    n_events++;
}

static unsigned load(const struct media_router *r, void *user, void *arg)
{
    (void)r;
    (void)arg;
    return *(unsigned *)user;
}

static void router_back(struct media_router *r, void *user, void *arg)
{
    (void)user;
    (void)arg;
    back = r;
}

static void router_missed(uint64_t handle, void *user, void *arg)
{
    (void)handle;
    (void)user;
    (void)arg;
    n_missed++;
}

static void taken_over(const struct media_worker *w, const struct takeover_objects *o, void *arg)
{
    (void)arg;
    assert_int_equal(n_up, 0);
    assert_non_null(back);
    n_taken++;
    /* What is known is 10 and 21; the rest is closed. */
    for (size_t i = 0; i < o->n[ALTHING__OBJECT_KIND__OBJECT_TRANSPORT]; i++) {
        uint64_t handle = o->handles[ALTHING__OBJECT_KIND__OBJECT_TRANSPORT][i];
        if (handle != 21)
            media_worker_close(media, w, ALTHING__OBJECT_KIND__OBJECT_TRANSPORT, handle);
    }
    assert_true(takeover_has(o, ALTHING__OBJECT_KIND__OBJECT_ROUTER, 10));
    assert_false(takeover_has(o, ALTHING__OBJECT_KIND__OBJECT_ROUTER, 21));
    assert_false(takeover_has(o, ALTHING__OBJECT_KIND__OBJECT_CONSUMER, 10));
}

static void replied(uint64_t handle, const char *err, void *arg)
{
    (void)handle;
    (void)arg;
    n_failed += err != NULL;
}

static void up(struct fake_worker *w, uint32_t index)
{
    int fd;
    fake_init(w, &fd);
    struct handoff h = {
        HANDOFF_VERSION, HANDOFF_WORKER_UP, index, 4000 + (int)index, index + 100, 2, 1};
    strcpy(h.candidates[0].address, "192.0.2.1");
    assert_int_equal(media_worker_up(media, &h, fd, counters_create()), 0);
}

static void turn(struct fake_worker *a, struct fake_worker *b)
{
    for (unsigned i = 0; i < 5; i++) {
        if (a && a->fd >= 0)
            fake_turn(a);
        if (b && b->fd >= 0)
            fake_turn(b);
        uv_run(&loop, UV_RUN_NOWAIT);
    }
}

static int setup(void **state)
{
    (void)state;
    static const struct media_handlers handlers = {
        worker_up, router_lost, worker_bad, event, load, router_back, router_missed, taken_over};
    n_up = n_lost = n_bad = n_events = n_failed = n_missed = n_taken = 0;
    back = NULL;
    replace = false;
    uv_loop_init(&loop);
    return media_new(&media, &loop, 3, &handlers, NULL);
}

static int teardown(void **state)
{
    (void)state;
    media_free(media);
    uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop);
}

static void places_on_the_least_loaded(void **state)
{
    (void)state;
    unsigned heavy = 50, light = 1;
    struct fake_worker a, b;
    assert_null(media_router_new(media, "none", &light));
    up(&a, 0);
    up(&b, 1);
    assert_false(media_ready(media));
    turn(&a, &b);
    assert_int_equal(n_up, 2);
    assert_true(media_ready(media));
    struct media_router *one = media_router_new(media, "one", &heavy);
    struct media_router *two = media_router_new(media, "two", &light);
    struct media_router *three = media_router_new(media, "three", &light);
    assert_ptr_equal(media_router_worker(one), media_worker_at(media, 0));
    assert_ptr_equal(media_router_worker(two), media_worker_at(media, 1));
    assert_ptr_equal(media_router_worker(three), media_worker_at(media, 1));
    assert_true(media_router_handle(one) >> 40 == 3);
    assert_int_equal(media_places(media), 2);
    turn(&a, &b);
    assert_string_equal(
        fake_find(&a, ALTHING__REQUEST__METHOD_CREATE_ROUTER, 0)->create_router->room, "one");
    assert_int_equal(fake_count(&b, ALTHING__REQUEST__METHOD_CREATE_ROUTER), 2);
    media_router_free(two);
    turn(&a, &b);
    assert_int_equal(fake_count(&b, ALTHING__REQUEST__METHOD_CLOSE_ROUTER), 1);
    fake_free(&a);
    fake_free(&b);
}

static void tells_of_a_dead_worker(void **state)
{
    (void)state;
    unsigned light = 1;
    struct fake_worker a, b;
    up(&a, 0);
    turn(&a, NULL);
    struct media_router *r = media_router_new(media, "one", &light);
    up(&b, 1);
    turn(&a, &b);
    a.mute = true;
    Althing__CloseTransport msg = ALTHING__CLOSE_TRANSPORT__INIT;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_CLOSE_TRANSPORT;
    rq.close_transport = &msg;
    media_request(r, &rq, 5, replied, NULL);
    replace = true;
    fake_free(&a);
    turn(NULL, &b);
    assert_int_equal(n_lost, 1);
    assert_ptr_equal(last_lost, r);
    assert_int_equal(n_failed, 1);
    assert_int_equal(n_bad, 0);
    assert_null(media_worker_at(media, 0));
    assert_ptr_equal(media_router_worker(placed), media_worker_at(media, 1));
    assert_int_equal(media_workers_lost(media), 1);
    media_worker_down(media, 100); /* known already */
    media_worker_down(media, 101);
    assert_int_equal(n_lost, 2);
    assert_null(placed);
    fake_free(&b);
}

static void drops_who_breaks_the_contract(void **state)
{
    (void)state;
    struct fake_worker a;
    up(&a, 1);
    turn(&a, NULL);
    fake_bytes(&a, "\xff\xff", 2);
    turn(NULL, NULL);
    assert_int_equal(n_bad, 1);
    assert_false(media_ready(media));
    fake_free(&a);
}

static void drops_who_does_not_answer(void **state)
{
    (void)state;
    struct fake_worker a;
    unsigned light = 1;
    up(&a, 1);
    turn(&a, NULL);
    a.mute = true;
    media_router_new(media, "one", &light);
    int64_t now_us = clock_now_us();
    for (int64_t t = 0; t < CHANNEL_TIMEOUT_US; t += MS_US(250))
        media_tick(media, now_us + t);
    assert_int_equal(n_bad, 0);
    media_tick(media, now_us + CHANNEL_TIMEOUT_US + MS_US(250));
    assert_int_equal(n_bad, 1);
    assert_int_equal(n_lost, 1);
    fake_free(&a);
}

/* The machine stood still, or we did: the answer may be there, unread. */
static void blames_nobody_for_its_own_pause(void **state)
{
    (void)state;
    struct fake_worker a;
    unsigned light = 1;
    up(&a, 1);
    turn(&a, NULL);
    media_router_new(media, "one", &light);
    int64_t now_us = clock_now_us();
    media_tick(media, now_us);
    fake_turn(&a);
    media_tick(media, now_us + 2 * CHANNEL_TIMEOUT_US);
    assert_int_equal(n_bad, 0);
    turn(&a, NULL);
    for (int64_t t = 0; t <= 2 * CHANNEL_TIMEOUT_US; t += MS_US(250))
        media_tick(media, now_us + 2 * CHANNEL_TIMEOUT_US + t);
    assert_int_equal(n_bad, 0);
    fake_free(&a);
}

static void drops_who_does_not_read(void **state)
{
    (void)state;
    struct fake_worker a;
    unsigned light = 1;
    up(&a, 1);
    turn(&a, NULL);
    struct media_router *r = media_router_new(media, "one", &light);
    Althing__CloseTransport msg = ALTHING__CLOSE_TRANSPORT__INIT;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_CLOSE_TRANSPORT;
    rq.close_transport = &msg;
    for (unsigned i = 0; i < CHANNEL_PENDING_MAX + 10; i++)
        media_request(r, &rq, i, replied, NULL);
    assert_int_equal(n_lost, 0); /* never inside the call */
    for (unsigned i = 0; i < 10; i++)
        uv_run(&loop, UV_RUN_NOWAIT);
    assert_int_equal(n_lost, 1);
    assert_int_equal(n_bad, 1);
    assert_int_equal(n_failed, CHANNEL_PENDING_MAX + 10);
    fake_free(&a);
}

static void hands_events_on(void **state)
{
    (void)state;
    struct fake_worker a;
    up(&a, 0);
    turn(&a, NULL);
    Althing__ScoreChanged s = ALTHING__SCORE_CHANGED__INIT;
    s.object = 9;
    s.score = 7;
    Althing__Event e = ALTHING__EVENT__INIT;
    e.kind_case = ALTHING__EVENT__KIND_SCORE;
    e.score = &s;
    fake_event(&a, &e);
    turn(&a, NULL);
    assert_int_equal(n_events, 1);
    assert_ptr_equal(last_from, media_worker_at(media, 0));
    fake_free(&a);
}

/* Those that are there, and those that come. */
static void tells_workers_what_to_log(void **state)
{
    (void)state;
    struct fake_worker a, b;
    up(&a, 0);
    turn(&a, NULL);
    assert_int_equal(fake_count(&a, ALTHING__REQUEST__METHOD_SET_LOG), 0);
    media_set_log(media, LOG_LEVEL_DEBUG, 5);
    up(&b, 1);
    turn(&a, &b);
    const Althing__Request *r[2] = {fake_find(&a, ALTHING__REQUEST__METHOD_SET_LOG, 0),
                                    fake_find(&b, ALTHING__REQUEST__METHOD_SET_LOG, 0)};
    for (size_t i = 0; i < 2; i++) {
        assert_non_null(r[i]);
        assert_int_equal(r[i]->set_log->level, 3);
        assert_int_equal(r[i]->set_log->tags, 5);
    }
    struct trace_reader *reader;
    assert_int_equal(media_worker_trace(media_worker_at(media, 0), &reader), -ENOENT);
    fake_free(&a);
    fake_free(&b);
}

static void takes_nothing_odd_from_the_supervisor(void **state)
{
    (void)state;
    struct handoff h = {HANDOFF_VERSION, HANDOFF_WORKER_UP, MEDIA_WORKERS_MAX, 1, 1, 2, 0};
    assert_true(media_worker_up(media, &h, dup(0), dup(0)) < 0);
    h.index = 0;
    h.n_candidates = 1;
    memset(h.candidates[0].address, 'x', sizeof(h.candidates[0].address));
    assert_true(media_worker_up(media, &h, dup(0), dup(0)) < 0);
}

static void takes_over_from_a_former_server(void **state)
{
    (void)state;
    static const uint64_t routers[] = {10}, transports[] = {27, 21, 22, 23, 24, 25, 26};
    struct fake_worker w;
    unsigned user = 1, stranger = 1, forgotten = 1;
    media_await(media, 0, 100, 10, &user);
    media_await(media, 0, 99, 11, &stranger); /* another process was there */
    media_await(media, 1, 101, 12, &forgotten);
    media_forget(media, &forgotten);
    up(&w, 0);
    w.has[ALTHING__OBJECT_KIND__OBJECT_ROUTER] = routers;
    w.n_has[ALTHING__OBJECT_KIND__OBJECT_ROUTER] = 1;
    w.has[ALTHING__OBJECT_KIND__OBJECT_TRANSPORT] = transports;
    w.n_has[ALTHING__OBJECT_KIND__OBJECT_TRANSPORT] = 7;
    assert_int_equal(n_missed, 1);
    for (unsigned i = 0; i < 5; i++)
        turn(&w, NULL);
    assert_true(fake_find(&w, ALTHING__REQUEST__METHOD_HELLO, 0)->hello->keep);
    assert_int_equal(n_taken, 1);
    assert_int_equal(n_up, 1);
    assert_int_equal(media_router_handle(back), 10);
    assert_int_equal(fake_count(&w, ALTHING__REQUEST__METHOD_CLOSE_TRANSPORT), 6);
    assert_int_equal(fake_count(&w, ALTHING__REQUEST__METHOD_CREATE_ROUTER), 0);
    /* Lost events are asked for again, and it stays as it is. */
    Althing__Resync resync = ALTHING__RESYNC__INIT;
    Althing__Event e = ALTHING__EVENT__INIT;
    e.kind_case = ALTHING__EVENT__KIND_RESYNC;
    e.resync = &resync;
    size_t lists = fake_count(&w, ALTHING__REQUEST__METHOD_LIST_OBJECTS);
    fake_event(&w, &e);
    for (unsigned i = 0; i < 5; i++)
        turn(&w, NULL);
    assert_int_equal(fake_count(&w, ALTHING__REQUEST__METHOD_LIST_OBJECTS), lists * 2);
    assert_int_equal(n_taken, 1);
    assert_int_equal(n_bad, 0);
    /* It dies like any other. */
    media_worker_down(media, 100);
    assert_int_equal(n_lost, 1);
    fake_free(&w);
}

static void waits_in_vain(void **state)
{
    (void)state;
    unsigned user = 1;
    media_await(media, 0, 100, 10, &user);
    media_tick(media, S_US(10));
    media_tick(media, S_US(10) + MEDIA_AWAIT_US);
    assert_int_equal(n_missed, 0);
    media_tick(media, S_US(11) + MEDIA_AWAIT_US);
    assert_int_equal(n_missed, 1);
    /* One that never comes to an end is a bad worker. */
    static const uint64_t none[] = {0};
    struct fake_worker w;
    media_await(media, 0, 100, 10, &user);
    up(&w, 0);
    w.has[ALTHING__OBJECT_KIND__OBJECT_ROUTER] = none;
    w.loses_its_way = true;
    for (unsigned i = 0; i < 5; i++)
        turn(&w, NULL);
    assert_int_equal(n_bad, 1);
    assert_int_equal(n_lost, 1);
    assert_int_equal(n_up, 0);
    fake_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(places_on_the_least_loaded, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_of_a_dead_worker, setup, teardown),
        cmocka_unit_test_setup_teardown(drops_who_breaks_the_contract, setup, teardown),
        cmocka_unit_test_setup_teardown(drops_who_does_not_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(blames_nobody_for_its_own_pause, setup, teardown),
        cmocka_unit_test_setup_teardown(drops_who_does_not_read, setup, teardown),
        cmocka_unit_test_setup_teardown(hands_events_on, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_workers_what_to_log, setup, teardown),
        cmocka_unit_test_setup_teardown(takes_nothing_odd_from_the_supervisor, setup, teardown),
        cmocka_unit_test_setup_teardown(takes_over_from_a_former_server, setup, teardown),
        cmocka_unit_test_setup_teardown(waits_in_vain, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
