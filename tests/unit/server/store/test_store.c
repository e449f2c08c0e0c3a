/* The same against a file and against a Redis of our own. */
#include "server/store/store.h"

#include "tests/unit/check.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <uv.h>

static char folder[] = "/tmp/althing-store-XXXXXX";
static char file[64], redis_socket[64], redis_url[80];
static pid_t redis;

static void start_redis(void)
{
    redis = fork();
    if (redis == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (freopen("/dev/null", "w", stdout))
            execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", redis_socket,
                   "--save", "", "--appendonly", "no", "--dir", folder, (char *)NULL);
        _exit(127);
    }
}

/* Until it answers, or has ended; the bound is only for a machine on which it cannot. */
static void wait_for_redis(uv_loop_t *loop)
{
    const char *why = "";
    for (unsigned i = 0; i < 600; i++) {
        struct store *s;
        if (store_open(&s, loop, redis_url, &why) == 0) {
            store_close(s);
            uv_run(loop, UV_RUN_DEFAULT);
            return;
        }
        assert_int_equal(waitpid(redis, NULL, WNOHANG), 0);
        usleep(50000);
    }
    fail_msg("redis-server does not answer: %s", why);
}

static void stop_redis(void)
{
    if (redis > 0) {
        kill(redis, SIGKILL);
        waitpid(redis, NULL, 0);
    }
    redis = 0;
}

static struct store *opened(uv_loop_t *loop, const char *where)
{
    struct store *s = NULL;
    const char *why = NULL;
    if (store_open(&s, loop, where, &why))
        fail_msg("%s: %s", where, why);
    return s;
}

static void closed(uv_loop_t *loop, struct store *s)
{
    store_close(s);
    uv_run(loop, UV_RUN_NOWAIT);
}

struct seen {
    char text[1024];
    size_t n;
};

static void see(const char *key, const void *value, size_t len, void *arg)
{
    struct seen *s = arg;
    size_t at = strlen(s->text);
    snprintf(s->text + at, sizeof(s->text) - at, "%s=%.*s;", key, (int)len, (const char *)value);
    s->n++;
}

static void expect(struct store *s, const char *prefix, const char *text)
{
    struct seen seen = {""};
    assert_int_equal(store_load(s, prefix, see, &seen), 0);
    assert_string_equal(seen.text, text);
}

static void count_seen(const char *key, const void *value, size_t len, void *arg)
{
    (void)value;
    assert_true(!strncmp(key, "many/", 5) && len == 1);
    ++*(size_t *)arg;
}

/* A name is what it says, whatever its characters mean to the database. */
static void loads_what_begins_so(void **state)
{
    (void)state;
    uv_loop_t loop;
    uv_loop_init(&loop);
    const char *const where[] = {file, redis_url};
    for (size_t i = 0; i < ARRAY_LEN(where); i++) {
        struct store *s = opened(&loop, where[i]);
        static const char *const keys[] = {"g/a*/k", "g/ab/k", "g/[x]/k", "g/x/k", "g/a\\b/k"};
        char key[32];
        size_t n = 0;
        for (size_t k = 0; k < ARRAY_LEN(keys); k++)
            store_put(s, keys[k], "1", 1, 0);
        for (unsigned k = 0; k < 350; k++) {
            snprintf(key, sizeof(key), "many/%u", k);
            store_put(s, key, "1", 1, 0);
        }
        closed(&loop, s);
        s = opened(&loop, where[i]);
        expect(s, "g/a*/", "g/a*/k=1;");
        expect(s, "g/[x]/", "g/[x]/k=1;");
        expect(s, "g/a\\b/", "g/a\\b/k=1;");
        assert_int_equal(store_load(s, "many/", count_seen, &n), 0);
        assert_int_equal(n, 350);
        closed(&loop, s);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static const char *const places[] = {file, redis_url};

static void keeps_documents(void **state)
{
    (void)state;
    uv_loop_t loop;
    uv_loop_init(&loop);
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct store *s = opened(&loop, places[i]);
        store_put(s, "a/2", "two", 3, 0);
        store_put(s, "a/1", "one", 3, 0);
        store_put(s, "a/1", "ONE", 3, 0);
        store_put(s, "b/1", "\0x", 2, now_ms() + 3600000);
        store_put(s, "a/3", "three", 5, 0);
        store_put(s, "a/4", "gone", 4, now_ms() - 1000);
        store_delete(s, "a/3");
        store_delete(s, "never/there");
        closed(&loop, s);
        s = opened(&loop, places[i]);
        expect(s, "a/", "a/1=ONE;a/2=two;");
        struct seen seen = {""};
        assert_int_equal(store_load(s, "b", see, &seen), 0);
        assert_int_equal(seen.n, 1);
        expect(s, "c", "");
        store_put(s, "a/1", "", 0, 0);
        store_delete(s, "a/2");
        closed(&loop, s);
        s = opened(&loop, places[i]);
        expect(s, "a/", "a/1=;");
        store_delete(s, "a/1");
        closed(&loop, s);
    }
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void on_once(bool first, bool failed, void *arg)
{
    assert_false(failed);
    unsigned *n = arg;
    *n += first ? 1 : 100;
}

static void tells_the_first_time(void **state)
{
    (void)state;
    uv_loop_t loop;
    uv_loop_init(&loop);
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct store *s = opened(&loop, places[i]), *t = opened(&loop, places[i]);
        unsigned n = 0;
        int64_t until = now_ms() + 3600000;
        store_once(s, "nonce/1", until, on_once, &n);
        store_once(s, "nonce/1", until, on_once, &n);
        while (n < 101)
            uv_run(&loop, UV_RUN_NOWAIT);
        store_once(t, "nonce/1", until, on_once, &n); /* another process */
        store_once(t, "nonce/2", until, on_once, &n);
        while (n < 202)
            uv_run(&loop, UV_RUN_NOWAIT);
        assert_int_equal(n, 202);
        closed(&loop, s);
        closed(&loop, t);
    }
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void the_file_is_nobody_elses(void **state)
{
    (void)state;
    struct stat st;
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

/* Redis goes away in between: nothing that was noted is lost. */
static void goes_on_when_the_server_is_back(void **state)
{
    (void)state;
    uv_loop_t loop;
    uv_loop_init(&loop);
    struct store *s = opened(&loop, redis_url);
    store_put(s, "k/1", "before", 6, 0);
    struct store_stats stats;
    do {
        usleep(1000);
        store_get_stats(s, &stats);
    } while (!stats.written);
    stop_redis();
    store_put(s, "k/1", "while", 5, 0);
    do {
        usleep(1000);
        store_get_stats(s, &stats);
    } while (!stats.failing);
    store_put(s, "k/2", "later", 5, 0);
    start_redis();
    do {
        usleep(1000);
        store_get_stats(s, &stats);
    } while (stats.failing || stats.waiting);
    closed(&loop, s);
    s = opened(&loop, redis_url);
    expect(s, "k/", "k/1=while;k/2=later;");
    closed(&loop, s);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void is_bounded(void **state)
{
    (void)state;
    uv_loop_t loop;
    uv_loop_init(&loop);
    struct store *s = opened(&loop, file);
    char *big = calloc(1, STORE_VALUE_MAX + 1), key[STORE_KEY_MAX + 2];
    memset(key, 'k', sizeof(key) - 1);
    key[sizeof(key) - 1] = 0;
    store_put(s, "big", big, STORE_VALUE_MAX + 1, 0);
    store_put(s, key, "x", 1, 0);
    struct store_stats stats;
    store_get_stats(s, &stats);
    assert_int_equal(stats.dropped, 2);
    free(big);
    closed(&loop, s);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void says_why_it_cannot(void **state)
{
    (void)state;
    uv_loop_t loop;
    uv_loop_init(&loop);
    char text[80];
    snprintf(text, sizeof(text), "%s/text", folder);
    FILE *f = fopen(text, "w");
    fputs("this is no database, but long enough to be looked at as one, or so it seems to be.\n",
          f);
    fclose(f);
    const char *const wrong[] = {"/nowhere/at/all.db",         "redis://",
                                 "redis://host:port",          "redis://user@host",
                                 "redis+unix:///nowhere.sock", text};
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct store *s = NULL;
        const char *why = NULL;
        assert_int_not_equal(store_open(&s, &loop, wrong[i], &why), 0);
        assert_non_null(why);
        assert_true(strlen(why) > 5);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static int setup(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    assert_non_null(mkdtemp(folder));
    snprintf(file, sizeof(file), "%s/state.db", folder);
    snprintf(redis_socket, sizeof(redis_socket), "%s/redis.sock", folder);
    snprintf(redis_url, sizeof(redis_url), "redis+unix://%s", redis_socket);
    start_redis();
    uv_loop_t loop;
    uv_loop_init(&loop);
    wait_for_redis(&loop);
    uv_loop_close(&loop);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    stop_redis();
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_documents),
        cmocka_unit_test(loads_what_begins_so),
        cmocka_unit_test(tells_the_first_time),
        cmocka_unit_test(the_file_is_nobody_elses),
        cmocka_unit_test(goes_on_when_the_server_is_back),
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(says_why_it_cannot),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
