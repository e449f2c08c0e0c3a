#include "exporter/names.h"
#include "lib/clock.h"
#include "tests/unit/check.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

static bool named(const struct addr *a, char host[static NAMES_HOST_MAX])
{
    snprintf(host, NAMES_HOST_MAX, a->port == 666 ? "bad\"host" : "host-%u.example", a->ip[15]);
    return a->ip[15] != 9;
}

static const char *wait_for(struct names *n, uv_loop_t *loop, const struct addr *a, int64_t now_us)
{
    const char *name = names_of(n, a, now_us);
    for (int i = 0; i < 200 && !name; i++) {
        usleep(1000);
        uv_run(loop, UV_RUN_NOWAIT);
        name = names_of(n, a, now_us);
    }
    return name;
}

static void looks_names_up(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct names *n;
    struct addr a;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(names_new(&n, &loop, named), 0);
    addr_parse(&a, "192.0.2.7", 80);
    assert_null(names_of(n, &a, 0));
    assert_string_equal(wait_for(n, &loop, &a, 0), "host-7.example");
    /* asked again when it is old, and served meanwhile */
    assert_string_equal(names_of(n, &a, 2 * NAMES_FRESH_US), "host-7.example");
    addr_parse(&a, "2001:db8::9", 80);
    assert_null(wait_for(n, &loop, &a, 0));
    addr_parse(&a, "192.0.2.8", 666);
    assert_null(wait_for(n, &loop, &a, 0));
    names_free(n);
    names_free(NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned under_way, calls;

static bool hangs(const struct addr *a, char host[static NAMES_HOST_MAX])
{
    (void)a;
    (void)host;
    pthread_mutex_lock(&lock);
    under_way++;
    calls++;
    assert_in_range(under_way, 0, NAMES_THREADS);
    pthread_mutex_unlock(&lock);
    usleep(300000);
    pthread_mutex_lock(&lock);
    under_way--;
    pthread_mutex_unlock(&lock);
    return false;
}

/* Many are asked for, the resolver hangs: nobody waits for it, and what is remembered has a bound. */
static void waits_for_no_resolver(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct names *n;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(names_new(&n, &loop, hangs), 0);
    int64_t start_us = clock_now_us();
    for (unsigned i = 0; i < 4 * NAMES_MAX; i++) {
        struct addr a;
        char ip[24];
        snprintf(ip, sizeof(ip), "10.0.%u.%u", i / 256, i % 256);
        addr_parse(&a, ip, 80);
        assert_null(names_of(n, &a, i));
    }
    usleep(20000); /* for the threads to begin */
    names_free(n);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_in_range(clock_now_us() - start_us, 0, 250000);
    for (int i = 0; i < 100; i++) { /* until the threads are gone */
        usleep(10000);
        pthread_mutex_lock(&lock);
        unsigned left = under_way;
        pthread_mutex_unlock(&lock);
        if (!left)
            break;
    }
    assert_in_range(calls, 1, 2 * NAMES_THREADS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looks_names_up),
        cmocka_unit_test(waits_for_no_resolver),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
