/* store.h - what must outlive a process: small documents under keys, in SQLite (a file) or in Redis.
 *
 * Reading is done once, before the loop runs: store_load(). Writing never blocks: store_put() and store_delete() note the newest
 * value of a key, and a thread of the store's own writes what has been noted, many keys in one transaction, in the order in which
 * keys were first noted. When writing fails (a full disk, a server that is away) it is logged once and tried again each second;
 * what waits is at most one value a key, so its size is that of the state itself, and of STORE_WAITING_MAX bytes beyond which the
 * newest values are dropped and counted.
 *
 * Keys are printable ASCII without space, at most STORE_KEY_MAX; values are bytes, at most STORE_VALUE_MAX. A value may
 * expire, at a wall-clock time in milliseconds since 1970; then it is as if it were not there. All calls come from one thread.
 * The program must ignore SIGPIPE.
 */
#ifndef ALTHING_SERVER_STORE_STORE_H
#define ALTHING_SERVER_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_KEY_MAX     255
#define STORE_VALUE_MAX   (4 * 1024 * 1024)
#define STORE_WAITING_MAX (256 * 1024 * 1024)

struct store;
struct uv_loop_s;

struct store_stats {
    uint64_t written;       /* values and deletions */
    uint64_t failures;      /* transactions that had to be tried again */
    uint64_t dropped;       /* values: STORE_WAITING_MAX */
    size_t waiting;         /* keys */
    bool failing;           /* the last transaction failed */
};

typedef void store_each_f(const char *key, const void *value, size_t len, void *arg);
/* `first`: the key was not there, and now it is. `failed`: it cannot be told. */
typedef void store_once_f(bool first, bool failed, void *arg);

/* A file, made if it is not there (mode 0600; its folder must be there), or "redis://[:password@]host[:port][/database]", or
 * "redis+unix:///path". 0, else -errno, and *why says it in words (borrowed, until the next call). */
int store_open(struct store **sp, struct uv_loop_s *loop, const char *where, const char **why);
/* Writes what waits (once: what fails is lost), ends the thread. NULL is fine. The loop must turn once more. */
void store_close(struct store *s);

/* Every document whose key begins so, in the order of the keys. May block: before the loop runs. 0 or -EIO. */
int store_load(struct store *s, const char *prefix, store_each_f *fn, void *arg);

/* expires_ms 0: never. A value that is too long counts as dropped. */
void store_put(struct store *s, const char *key, const void *value, size_t len, int64_t expires_ms);
void store_delete(struct store *s, const char *key); /* not there: fine */
/* Is this the first time, of all processes that share the store? For nonces. fn is called from the loop, once, unless the store is
 * closed before. */
void store_once(struct store *s, const char *key, int64_t expires_ms, store_once_f *fn, void *arg);

void store_get_stats(struct store *s, struct store_stats *out);

#endif
