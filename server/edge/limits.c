#include "server/edge/limits.h"

#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "lib/addr.h"
#include "lib/mem.h"
#include "server/edge/bucket.h"

struct limits_entry {
    uint8_t key[16];
    unsigned connections, sessions;
    struct bucket bucket;
    UT_hash_handle hh;
};

struct limits {
    struct limits_conf conf;
    struct limits_entry *entries;
    struct limits_entry shared; /* of all addresses beyond LIMITS_ENTRIES_MAX */
};

static void entry_init(struct limits *l, struct limits_entry *entry, int64_t now_us)
{
    unsigned rate = l->conf.sessions_per_second;
    bucket_init(&entry->bucket, rate, 5.0 * rate, now_us);
}

void limits_new(struct limits **lp, const struct limits_conf *conf, int64_t now_us)
{
    struct limits *l = mem_zalloc(sizeof(*l));
    l->conf = *conf;
    entry_init(l, &l->shared, now_us);
    *lp = l;
}

static void entry_remove(struct limits *l, struct limits_entry *entry)
{
    HASH_DEL(l->entries, entry);
    free(entry);
}

void limits_free(struct limits *l)
{
    if (!l)
        return;
    struct limits_entry *entry, *next;
    HASH_ITER (hh, l->entries, entry, next)
        entry_remove(l, entry);
    free(l);
}

static struct limits_entry *entry_of(struct limits *l, const char *ip, int64_t now_us)
{
    struct addr a;
    struct limits_entry *entry;
    if (addr_parse(&a, ip, 0))
        return &l->shared;
    if (!addr_is_ipv4(&a))
        memset(a.ip + 8, 0, 8);
    HASH_FIND(hh, l->entries, a.ip, sizeof(a.ip), entry);
    if (entry)
        return entry;
    if (HASH_COUNT(l->entries) >= LIMITS_ENTRIES_MAX)
        return &l->shared;
    entry = mem_zalloc(sizeof(*entry));
    memcpy(entry->key, a.ip, sizeof(entry->key));
    entry_init(l, entry, now_us);
    HASH_ADD(hh, l->entries, key, sizeof(entry->key), entry);
    return entry;
}

struct limits_entry *limits_take_connection(struct limits *l, const char *ip, int64_t now_us)
{
    struct limits_entry *entry = entry_of(l, ip, now_us);
    if (l->conf.connections_per_address && entry->connections >= l->conf.connections_per_address)
        return NULL;
    entry->connections++;
    return entry;
}

void limits_drop_connection(struct limits_entry *entry)
{
    if (entry)
        entry->connections--;
}

struct limits_entry *limits_take_session(struct limits *l, const char *ip, int64_t now_us)
{
    struct limits_entry *entry = entry_of(l, ip, now_us);
    if (entry->sessions >= l->conf.sessions_per_address || !bucket_take(&entry->bucket, 1, now_us))
        return NULL;
    entry->sessions++;
    return entry;
}

void limits_drop_session(struct limits_entry *entry)
{
    if (entry)
        entry->sessions--;
}

void limits_sweep(struct limits *l, int64_t now_us)
{
    struct limits_entry *entry, *next;
    HASH_ITER (hh, l->entries, entry, next) {
        bucket_fill(&entry->bucket, now_us);
        if (!entry->connections && !entry->sessions && entry->bucket.tokens >= entry->bucket.burst)
            entry_remove(l, entry);
    }
}

size_t limits_count(const struct limits *l)
{
    return HASH_COUNT(l->entries);
}
