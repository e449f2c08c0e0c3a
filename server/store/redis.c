/* Redis: a key a document, under the prefix "althing:", a transaction (MULTI) a write. Several servers may share one. */
#include "lib/mem.h"
#include "server/store/backend.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#define PREFIX       "althing:"
#define TIMEOUT_MS   2000
#define SCAN_COUNT   500
#define LOAD_AT_ONCE 100

struct redis {
    redisContext *ctx; /* NULL: to be connected again */
    char host[256], password[256], path[256];
    int port, database;
    char why[256];
};

static const char *fail(struct redis *r, const char *why)
{
    snprintf(r->why, sizeof(r->why), "%s", why);
    if (r->ctx)
        redisFree(r->ctx);
    r->ctx = NULL;
    return r->why;
}

static const char *complain(struct redis *r, redisReply *reply)
{
    char text[200];
    snprintf(text, sizeof(text), "%s",
             reply && reply->str ? reply->str
             : r->ctx->err       ? r->ctx->errstr
                                 : "an unexpected answer");
    freeReplyObject(reply);
    return fail(r, text);
}

static bool bad(const redisReply *reply)
{
    return !reply || reply->type == REDIS_REPLY_ERROR;
}

static const char *authenticate(struct redis *r)
{
    redisReply *reply =
        *r->password ? redisCommand(r->ctx, "AUTH %s", r->password) : redisCommand(r->ctx, "PING");
    if (bad(reply))
        return complain(r, reply);
    freeReplyObject(reply);
    reply = redisCommand(r->ctx, "SELECT %d", r->database);
    if (bad(reply))
        return complain(r, reply);
    freeReplyObject(reply);
    return NULL;
}

static const char *redis_connect(struct redis *r)
{
    const struct timeval timeout = {TIMEOUT_MS / 1000, 0};
    if (r->ctx)
        return NULL;
    r->ctx = *r->path ? redisConnectUnixWithTimeout(r->path, timeout)
                      : redisConnectWithTimeout(r->host, r->port, timeout);
    if (!r->ctx)
        return fail(r, "no memory");
    if (r->ctx->err)
        return complain(r, NULL);
    redisSetTimeout(r->ctx, timeout);
    return authenticate(r);
}

/* ---- the address ---- */

static bool copy(char *out, size_t cap, const char *in, size_t n)
{
    if (n >= cap)
        return false;
    memcpy(out, in, n);
    out[n] = 0;
    return true;
}

static bool number(const char *s, int max, int *out)
{
    char *end;
    long v = strtol(s, &end, 10);
    *out = (int)v;
    return *s >= '0' && *s <= '9' && !*end && v <= max;
}

/* [:password@]host[:port][/database] */
static bool parse_tcp(struct redis *r, const char *s)
{
    const char *at = strrchr(s, '@');
    if (at) {
        if (*s != ':' || !copy(r->password, sizeof(r->password), s + 1, (size_t)(at - s - 1)))
            return false;
        s = at + 1;
    }
    char rest[256];
    if (!copy(rest, sizeof(rest), s, strlen(s)))
        return false;
    char *slash = strchr(rest, '/');
    if (slash)
        *slash = 0;
    char *colon = strrchr(rest, ':');
    if (colon)
        *colon = 0;
    return *rest && copy(r->host, sizeof(r->host), rest, strlen(rest)) &&
           (!colon || number(colon + 1, 65535, &r->port)) &&
           (!slash || number(slash + 1, 1023, &r->database));
}

static void redis_close(void *db)
{
    struct redis *r = db;
    if (r->ctx)
        redisFree(r->ctx);
    free(r);
}

const char *store_redis_open(void **db, const char *url)
{
    static char why[256];
    static const char tcp[] = "redis://", unix_socket[] = "redis+unix://";
    struct redis *r = mem_zalloc(sizeof(*r));
    r->port = 6379;
    bool ok = !strncmp(url, tcp, sizeof(tcp) - 1) ? parse_tcp(r, url + sizeof(tcp) - 1)
              : !strncmp(url, unix_socket, sizeof(unix_socket) - 1)
                  ? copy(r->path, sizeof(r->path), url + sizeof(unix_socket) - 1,
                         strlen(url) - sizeof(unix_socket) + 1)
                  : false;
    const char *err = ok ? redis_connect(r) : "not an address of Redis";
    if (err) {
        snprintf(why, sizeof(why), "%s", err);
        redis_close(r);
        return why;
    }
    *db = r;
    return NULL;
}

/* ---- reading ---- */

struct keys {
    char **list;
    size_t n, cap;
};

static void keys_add(struct keys *k, const char *key)
{
    if (k->n == k->cap) {
        k->cap = k->cap ? k->cap * 2 : 64;
        k->list = mem_realloc(k->list, k->cap, sizeof(*k->list));
    }
    k->list[k->n++] = mem_strdup(key);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A prefix may have characters that mean something to MATCH: what they match beyond themselves is somebody else's. */
static void make_pattern(char pattern[static STORE_KEY_MAX + 2], const char *prefix)
{
    size_t n = 0;
    for (; prefix[n] && n < STORE_KEY_MAX; n++)
        pattern[n] = strchr("*?[]^\\", prefix[n]) ? '?' : prefix[n];
    memcpy(pattern + n, "*", 2);
}

static const char *scan(struct redis *r, const char *prefix, struct keys *k)
{
    char cursor[32] = "0", pattern[STORE_KEY_MAX + 2];
    make_pattern(pattern, prefix);
    do {
        redisReply *reply = redisCommand(r->ctx, "SCAN %s MATCH " PREFIX "%s COUNT %d", cursor,
                                         pattern, SCAN_COUNT);
        if (bad(reply) || reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
            return complain(r, reply);
        snprintf(cursor, sizeof(cursor), "%s", reply->element[0]->str);
        for (size_t i = 0; i < reply->element[1]->elements; i++) {
            const char *key = reply->element[1]->element[i]->str;
            if (key && strlen(key) > strlen(PREFIX) &&
                !strncmp(key + strlen(PREFIX), prefix, strlen(prefix)))
                keys_add(k, key);
        }
        freeReplyObject(reply);
    } while (strcmp(cursor, "0") != 0);
    if (k->n)
        qsort(k->list, k->n, sizeof(*k->list), by_text);
    return NULL;
}

/* Many on their way at once: a round trip each would take longer than peers wait. */
static const char *load_some(struct redis *r, char *const *keys, size_t n, store_each_f *fn,
                             void *arg)
{
    for (size_t i = 0; i < n; i++)
        redisAppendCommand(r->ctx, "GET %s", keys[i]);
    for (size_t i = 0; i < n; i++) {
        redisReply *reply = NULL;
        if (redisGetReply(r->ctx, (void **)&reply) != REDIS_OK || bad(reply))
            return complain(r, reply);
        if (reply->type == REDIS_REPLY_STRING) /* else: it has expired meanwhile */
            fn(keys[i] + strlen(PREFIX), reply->str, reply->len, arg);
        freeReplyObject(reply);
    }
    return NULL;
}

/* SCAN may name a key twice. */
static void drop_doubles(struct keys *k)
{
    size_t n = 0;
    for (size_t i = 0; i < k->n; i++) {
        if (n && !strcmp(k->list[i], k->list[n - 1]))
            free(k->list[i]);
        else
            k->list[n++] = k->list[i];
    }
    k->n = n;
}

static const char *redis_load(void *db, const char *prefix, int64_t now_ms, store_each_f *fn,
                              void *arg)
{
    (void)now_ms; /* Redis looks after the times itself */
    struct redis *r = db;
    const char *err = redis_connect(r);
    struct keys k = {0};
    if (!err)
        err = scan(r, prefix, &k);
    drop_doubles(&k);
    for (size_t i = 0; i < k.n && !err; i += LOAD_AT_ONCE)
        err = load_some(r, k.list + i, k.n - i < LOAD_AT_ONCE ? k.n - i : LOAD_AT_ONCE, fn, arg);
    for (size_t i = 0; i < k.n; i++)
        free(k.list[i]);
    free(k.list);
    return err;
}

/* ---- writing ---- */

static void append(struct redis *r, const struct store_item *it)
{
    const char *only = it->once ? " NX" : "";
    char format[64];
    if (!it->value)
        redisAppendCommand(r->ctx, "DEL " PREFIX "%s", it->key);
    else if (it->expires_ms) {
        snprintf(format, sizeof(format), "SET " PREFIX "%%s %%b PXAT %%lld%s", only);
        redisAppendCommand(r->ctx, format, it->key, it->value, it->len, (long long)it->expires_ms);
    } else {
        snprintf(format, sizeof(format), "SET " PREFIX "%%s %%b%s", only);
        redisAppendCommand(r->ctx, format, it->key, it->value, it->len);
    }
}

static const char *skip(struct redis *r, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        void *reply = NULL;
        if (redisGetReply(r->ctx, &reply) != REDIS_OK || bad(reply))
            return complain(r, reply);
        freeReplyObject(reply);
    }
    return NULL;
}

static const char *redis_write(void *db, struct store_item *items, int64_t now_ms)
{
    (void)now_ms;
    struct redis *r = db;
    const char *err = redis_connect(r);
    if (err)
        return err;
    size_t n = 0;
    redisAppendCommand(r->ctx, "MULTI");
    for (struct store_item *it = items; it; it = it->next, n++)
        append(r, it);
    redisAppendCommand(r->ctx, "EXEC");
    err = skip(r, n + 1);
    if (err)
        return err;
    redisReply *reply = NULL;
    if (redisGetReply(r->ctx, (void **)&reply) != REDIS_OK || bad(reply) ||
        reply->type != REDIS_REPLY_ARRAY || reply->elements != n)
        return complain(r, reply);
    size_t i = 0;
    for (struct store_item *it = items; it; it = it->next, i++)
        it->first = reply->element[i]->type == REDIS_REPLY_STATUS;
    freeReplyObject(reply);
    return NULL;
}

const struct store_backend store_redis = {redis_load, redis_write, redis_close};
