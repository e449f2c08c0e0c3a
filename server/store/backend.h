/* backend.h - what the store needs of a database. Only store.c includes it besides the backends. Calls never overlap: open and
 * load come from the thread that opens, then all from the store's own thread. Errors are words, borrowed until the next call;
 * NULL: done.
 */
#ifndef ALTHING_SERVER_STORE_BACKEND_H
#define ALTHING_SERVER_STORE_BACKEND_H

#include "server/store/store.h"

#include <uthash.h>

/* What is to be written of a key. */
struct store_item {
    char *key;
    void *value; /* NULL: delete it */
    size_t len;
    int64_t expires_ms; /* 0: never */
    store_once_f *once; /* not NULL: only if it is not there */
    void *once_arg;
    bool first, failed; /* (set by the backend) of a `once` */
    UT_hash_handle hh;
    struct store_item *next;
};

struct store_backend {
    const char *(*load)(void *db, const char *prefix, int64_t now_ms, store_each_f *fn, void *arg);
    /* All or nothing. `items` is a list over next. */
    const char *(*write)(void *db, struct store_item *items, int64_t now_ms);
    void (*close)(void *db);
};

const char *store_sqlite_open(void **db, const char *path);
extern const struct store_backend store_sqlite;

const char *store_redis_open(void **db, const char *url);
extern const struct store_backend store_redis;

#endif
