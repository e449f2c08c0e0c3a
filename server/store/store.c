#include "server/store/store.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "server/store/backend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>
#include <uv.h>

#define RETRY_NS UINT64_C(1000000000)

struct store {
    const struct store_backend *backend;
    void *db;
    uv_thread_t thread;
    uv_async_t *done_async; /* its own allocation: it outlives us until libuv let go of it */

    /* Guarded by the mutex: */
    uv_mutex_t mutex;
    uv_cond_t cond;
    struct store_item *waiting; /* hash by key, in order of arrival */
    struct store_item *once;    /* list */
    struct store_item *done;    /* list of those whose callback is due */
    size_t waiting_bytes;
    struct store_stats stats;
    bool stop;
};

static int64_t now_ms(void)
{
    return clock_wall_us() / 1000;
}

static void item_free(struct store_item *it)
{
    free(it->key);
    free(it->value);
    free(it);
}

static size_t item_bytes(const struct store_item *it)
{
    return sizeof(*it) + strlen(it->key) + it->len;
}

/* ---- the thread ---- */

/* Everything that waits, as one list. */
static struct store_item *take(struct store *s)
{
    struct store_item *list = NULL, **end = &list, *it, *tmp;
    HASH_ITER (hh, s->waiting, it, tmp) {
        HASH_DELETE(hh, s->waiting, it);
        *end = it;
        end = &it->next;
    }
    *end = s->once;
    s->once = NULL;
    s->waiting_bytes = 0;
    return list;
}

static void finish_once(struct store *s, struct store_item *it, bool failed)
{
    it->failed = failed;
    LL_APPEND(s->done, it);
    uv_async_send(s->done_async);
}

/* What could not be written waits again, unless something newer does. Who asked `once` is told. */
static void put_back(struct store *s, struct store_item *list)
{
    struct store_item *it, *tmp, *newer;
    LL_FOREACH_SAFE (list, it, tmp) {
        it->next = NULL;
        if (it->once) {
            finish_once(s, it, true);
            continue;
        }
        HASH_FIND_STR(s->waiting, it->key, newer);
        if (newer) {
            item_free(it);
            continue;
        }
        HASH_ADD_KEYPTR(hh, s->waiting, it->key, strlen(it->key), it);
        s->waiting_bytes += item_bytes(it);
    }
}

static void written(struct store *s, struct store_item *list)
{
    struct store_item *it, *tmp;
    LL_FOREACH_SAFE (list, it, tmp) {
        it->next = NULL;
        s->stats.written++;
        if (it->once)
            finish_once(s, it, false);
        else
            item_free(it);
    }
}

static void note(struct store *s, const char *err)
{
    if (err && !s->stats.failing)
        log_error("store", "cannot write, and goes on trying error=\"%s\"", err);
    if (!err && s->stats.failing)
        log_info("store", "writes again");
    s->stats.failing = err != NULL;
    s->stats.failures += err != NULL;
}

/* What is noted meanwhile must not make it sooner. */
static void wait_a_while(struct store *s)
{
    uint64_t until = uv_hrtime() + RETRY_NS, now;
    while (!s->stop && (now = uv_hrtime()) < until)
        uv_cond_timedwait(&s->cond, &s->mutex, until - now);
}

static void run(void *arg)
{
    struct store *s = arg;
    uv_mutex_lock(&s->mutex);
    while (!s->stop || s->waiting || s->once) {
        if (!s->waiting && !s->once) {
            uv_cond_wait(&s->cond, &s->mutex);
            continue;
        }
        struct store_item *list = take(s);
        uv_mutex_unlock(&s->mutex);
        const char *err = s->backend->write(s->db, list, now_ms());
        uv_mutex_lock(&s->mutex);
        note(s, err);
        if (!err) {
            written(s, list);
            continue;
        }
        put_back(s, list);
        if (s->stop)
            break;
        wait_a_while(s);
    }
    uv_mutex_unlock(&s->mutex);
}

/* ---- for the owner ---- */

static void free_handle(uv_handle_t *h)
{
    free(h);
}

static void on_done(uv_async_t *async)
{
    struct store *s = async->data;
    uv_mutex_lock(&s->mutex);
    struct store_item *list = s->done, *it, *tmp;
    s->done = NULL;
    uv_mutex_unlock(&s->mutex);
    LL_FOREACH_SAFE (list, it, tmp) {
        it->once(it->first, it->failed, it->once_arg);
        item_free(it);
    }
}

static int start(struct store *s, struct uv_loop_s *loop)
{
    s->done_async = mem_zalloc(sizeof(*s->done_async));
    s->done_async->data = s;
    int err = uv_async_init(loop, s->done_async, on_done);
    if (err) {
        free(s->done_async);
        return err;
    }
    uv_mutex_init(&s->mutex);
    uv_cond_init(&s->cond);
    err = uv_thread_create(&s->thread, run, s);
    if (!err)
        return 0;
    uv_cond_destroy(&s->cond);
    uv_mutex_destroy(&s->mutex);
    uv_close((uv_handle_t *)s->done_async, free_handle);
    return err;
}

int store_open(struct store **sp, struct uv_loop_s *loop, const char *where, const char **why)
{
    struct store *s = mem_zalloc(sizeof(*s));
    bool redis = !strncmp(where, "redis:", 6) || !strncmp(where, "redis+unix:", 11);
    s->backend = redis ? &store_redis : &store_sqlite;
    *why = redis ? store_redis_open(&s->db, where) : store_sqlite_open(&s->db, where);
    if (*why) {
        free(s);
        return -EIO;
    }
    int err = start(s, loop);
    if (err) {
        *why = "no thread";
        s->backend->close(s->db);
        free(s);
        return err;
    }
    *sp = s;
    return 0;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    uv_mutex_lock(&s->mutex);
    s->stop = true;
    uv_cond_signal(&s->cond);
    uv_mutex_unlock(&s->mutex);
    uv_thread_join(&s->thread);
    s->backend->close(s->db);
    struct store_item *it, *tmp;
    HASH_ITER (hh, s->waiting, it, tmp) {
        HASH_DELETE(hh, s->waiting, it);
        item_free(it);
    }
    LL_CONCAT(s->done, s->once);
    LL_FOREACH_SAFE (s->done, it, tmp)
        item_free(it);
    uv_cond_destroy(&s->cond);
    uv_mutex_destroy(&s->mutex);
    uv_close((uv_handle_t *)s->done_async, free_handle);
    free(s);
}

/* The thread writes only what was noted: before the first store_put() the database is ours. */
int store_load(struct store *s, const char *prefix, store_each_f *fn, void *arg)
{
    const char *err = s->backend->load(s->db, prefix, now_ms(), fn, arg);
    if (err)
        log_error("store", "cannot read error=\"%s\"", err);
    return err ? -EIO : 0;
}

static struct store_item *item_new(const char *key, const void *value, size_t len,
                                   int64_t expires_ms)
{
    struct store_item *it = mem_zalloc(sizeof(*it));
    it->key = mem_strdup(key);
    if (value) {
        it->value = mem_zalloc(len + 1);
        memcpy(it->value, value, len);
    }
    it->len = len;
    it->expires_ms = expires_ms;
    return it;
}

/* Takes the place of what waits under its key, too. */
static void note_item(struct store *s, struct store_item *it)
{
    struct store_item *old;
    uv_mutex_lock(&s->mutex);
    HASH_FIND_STR(s->waiting, it->key, old);
    size_t freed = old ? item_bytes(old) : 0;
    if (it->value && s->waiting_bytes - freed + item_bytes(it) > STORE_WAITING_MAX) {
        s->stats.dropped++;
        uv_mutex_unlock(&s->mutex);
        item_free(it);
        return;
    }
    if (old) {
        HASH_DELETE(hh, s->waiting, old);
        item_free(old);
    }
    HASH_ADD_KEYPTR(hh, s->waiting, it->key, strlen(it->key), it);
    s->waiting_bytes += item_bytes(it) - freed;
    uv_cond_signal(&s->cond);
    uv_mutex_unlock(&s->mutex);
}

void store_put(struct store *s, const char *key, const void *value, size_t len, int64_t expires_ms)
{
    if (len > STORE_VALUE_MAX || strlen(key) > STORE_KEY_MAX) {
        uv_mutex_lock(&s->mutex);
        s->stats.dropped++;
        uv_mutex_unlock(&s->mutex);
        return;
    }
    note_item(s, item_new(key, value, len, expires_ms));
}

void store_delete(struct store *s, const char *key)
{
    note_item(s, item_new(key, NULL, 0, 0));
}

void store_once(struct store *s, const char *key, int64_t expires_ms, store_once_f *fn, void *arg)
{
    struct store_item *it = item_new(key, "", 0, expires_ms);
    it->once = fn;
    it->once_arg = arg;
    uv_mutex_lock(&s->mutex);
    LL_APPEND(s->once, it);
    uv_cond_signal(&s->cond);
    uv_mutex_unlock(&s->mutex);
}

void store_get_stats(struct store *s, struct store_stats *out)
{
    uv_mutex_lock(&s->mutex);
    *out = s->stats;
    out->waiting = HASH_COUNT(s->waiting);
    uv_mutex_unlock(&s->mutex);
}
