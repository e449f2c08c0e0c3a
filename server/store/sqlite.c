/* SQLite: one table, in write-ahead mode, so that a killed process loses nothing that was committed and a killed machine at most the last
 * transactions. */
#include "lib/mem.h"
#include "server/store/backend.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SWEEP_MS 60000
#define BUSY_MS  2000

enum statement { PUT, ONCE, DELETE, SWEEP, STATEMENTS };

static const char *const sql[STATEMENTS] = {
    [PUT] = "INSERT OR REPLACE INTO document (key, value, expires) VALUES (?1, ?2, ?3)",
    [ONCE] = "INSERT OR IGNORE INTO document (key, value, expires) VALUES (?1, ?2, ?3)",
    [DELETE] = "DELETE FROM document WHERE key = ?1 AND (?3 = 0 OR expires BETWEEN 1 AND ?3)",
    [SWEEP] = "DELETE FROM document WHERE expires BETWEEN 1 AND ?3",
};

struct sqlite {
    sqlite3 *db;
    sqlite3_stmt *st[STATEMENTS];
    int64_t swept_ms;
};

static void sqlite_close(void *db)
{
    struct sqlite *q = db;
    for (size_t i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(q->st[i]);
    sqlite3_close(q->db);
    free(q);
}

static bool prepare(struct sqlite *q)
{
    static const char setup[] =
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
        "CREATE TABLE IF NOT EXISTS document ("
        "key TEXT PRIMARY KEY, value BLOB NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;"
        "CREATE INDEX IF NOT EXISTS document_expires ON document (expires) WHERE expires > 0;";
    sqlite3_busy_timeout(q->db, BUSY_MS);
    if (sqlite3_exec(q->db, setup, NULL, NULL, NULL))
        return false;
    for (size_t i = 0; i < STATEMENTS; i++) {
        if (sqlite3_prepare_v3(q->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &q->st[i], NULL))
            return false;
    }
    return true;
}

const char *store_sqlite_open(void **db, const char *path)
{
    static char why[256];
    /* It holds what lets a browser take its seat again: nobody else may read it, whatever the umask is. */
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return "the file cannot be opened";
    bool ours = fchmod(fd, 0600) == 0;
    close(fd);
    if (!ours)
        return "the file belongs to somebody else";
    struct sqlite *q = mem_zalloc(sizeof(*q));
    int err = sqlite3_open_v2(path, &q->db, SQLITE_OPEN_READWRITE, NULL);
    if (err || !prepare(q)) {
        strncpy(why, q->db ? sqlite3_errmsg(q->db) : sqlite3_errstr(err), sizeof(why) - 1);
        sqlite_close(q);
        return why;
    }
    *db = q;
    return NULL;
}

/* The first key that does not begin so. False: there is none. */
static bool prefix_end(char *end, const char *prefix)
{
    size_t n = strlen(prefix);
    if (!n || n > STORE_KEY_MAX)
        return false;
    memcpy(end, prefix, n + 1);
    end[n - 1]++; /* printable ASCII: it does not overflow */
    return true;
}

static const char *sqlite_load(void *db, const char *prefix, int64_t now_ms, store_each_f *fn,
                               void *arg)
{
    struct sqlite *q = db;
    sqlite3_stmt *st;
    char end[STORE_KEY_MAX + 1];
    bool bounded = prefix_end(end, prefix);
    if (sqlite3_prepare_v2(
            q->db,
            "SELECT key, value FROM document WHERE key >= ?1 AND (?2 IS NULL OR key < ?2)"
            " AND (expires = 0 OR expires > ?3) ORDER BY key",
            -1, &st, NULL))
        return sqlite3_errmsg(q->db);
    sqlite3_bind_text(st, 1, prefix, -1, SQLITE_STATIC);
    if (bounded)
        sqlite3_bind_text(st, 2, end, -1, SQLITE_STATIC);
    sqlite3_bind_int64(st, 3, now_ms);
    int step;
    while ((step = sqlite3_step(st)) == SQLITE_ROW) {
        const void *value = sqlite3_column_blob(st, 1);
        fn((const char *)sqlite3_column_text(st, 0), value ? value : "",
           (size_t)sqlite3_column_bytes(st, 1), arg);
    }
    sqlite3_finalize(st);
    return step == SQLITE_DONE ? NULL : sqlite3_errmsg(q->db);
}

static bool execute(struct sqlite *q, enum statement which, const struct store_item *it,
                    int64_t number)
{
    sqlite3_stmt *st = q->st[which];
    if (it)
        sqlite3_bind_text(st, 1, it->key, -1, SQLITE_STATIC);
    if (it && it->value)
        sqlite3_bind_blob64(st, 2, it->value, it->len, SQLITE_STATIC);
    sqlite3_bind_int64(st, 3, number);
    bool done = sqlite3_step(st) == SQLITE_DONE;
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    return done;
}

static bool write_one(struct sqlite *q, struct store_item *it, int64_t now_ms)
{
    if (it->once) {
        /* What has expired is as if it were not there. */
        if (!execute(q, DELETE, it, now_ms) || !execute(q, ONCE, it, it->expires_ms))
            return false;
        it->first = sqlite3_changes(q->db) > 0;
        return true;
    }
    return it->value ? execute(q, PUT, it, it->expires_ms) : execute(q, DELETE, it, 0);
}

static const char *sqlite_write(void *db, struct store_item *items, int64_t now_ms)
{
    struct sqlite *q = db;
    if (sqlite3_exec(q->db, "BEGIN IMMEDIATE", NULL, NULL, NULL))
        return sqlite3_errmsg(q->db);
    bool ok = true;
    for (struct store_item *it = items; it && ok; it = it->next)
        ok = write_one(q, it, now_ms);
    if (ok && now_ms - q->swept_ms > SWEEP_MS) {
        ok = execute(q, SWEEP, NULL, now_ms);
        q->swept_ms = now_ms;
    }
    if (ok && !sqlite3_exec(q->db, "COMMIT", NULL, NULL, NULL))
        return NULL;
    static char why[256];
    strncpy(why, sqlite3_errmsg(q->db), sizeof(why) - 1);
    sqlite3_exec(q->db, "ROLLBACK", NULL, NULL, NULL);
    return why;
}

const struct store_backend store_sqlite = {sqlite_load, sqlite_write, sqlite_close};
