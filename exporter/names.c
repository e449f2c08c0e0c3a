#include "exporter/names.h"
#include "lib/mem.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define WAYS 4 /* places where an address may be */

enum entry_state { ENTRY_FREE, ENTRY_ASKING, ENTRY_KNOWN };

struct entry {
    uint8_t ip[16];
    enum entry_state state;
    int64_t asked_us;
    char *name; /* NULL: there is none */
};

struct lookup {
    uv_getnameinfo_t request;
    struct names *names;
    size_t entry;
};

struct names {
    uv_loop_t *loop;
    struct entry entries[NAMES_MAX];
    struct lookup lookups[NAMES_IN_FLIGHT];
    unsigned in_flight;
    bool closing;
};

struct names *names_new(struct uv_loop_s *loop)
{
    struct names *n = mem_zalloc(sizeof(*n));
    n->loop = loop;
    return n;
}

static void names_maybe_gone(struct names *n)
{
    if (!n->closing || n->in_flight)
        return;
    for (size_t i = 0; i < NAMES_MAX; i++)
        free(n->entries[i].name);
    free(n);
}

void names_free(struct names *n)
{
    if (!n)
        return;
    n->closing = true;
    for (size_t i = 0; i < NAMES_IN_FLIGHT; i++) {
        if (n->lookups[i].names)
            uv_cancel((uv_req_t *)&n->lookups[i].request);
    }
    names_maybe_gone(n);
}

/* Whoever owns the address writes its name: only letters, digits, '-', '_' and '.' are believed. */
static bool is_host_name(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
    return n > 0 && n < 254 && s[n] == 0;
}

static void on_name(uv_getnameinfo_t *request, int status, const char *host, const char *service)
{
    struct lookup *l = request->data;
    struct names *n = l->names;
    struct entry *e = &n->entries[l->entry];
    (void)service;
    l->names = NULL;
    n->in_flight--;
    e->state = ENTRY_KNOWN;
    free(e->name);
    e->name = status == 0 && is_host_name(host) ? mem_strdup(host) : NULL;
    names_maybe_gone(n);
}

static void ask(struct names *n, struct entry *e, const struct addr *a, int64_t now_us)
{
    struct sockaddr_storage ss;
    int family = addr_is_ipv4(a) ? AF_INET : AF_INET6;
    struct lookup *l = NULL;
    for (size_t i = 0; i < NAMES_IN_FLIGHT && !l; i++)
        l = n->lookups[i].names ? NULL : &n->lookups[i];
    if (!l || !addr_to_sockaddr(a, family, &ss))
        return;
    if (memcmp(e->ip, a->ip, sizeof(e->ip)) != 0) {
        free(e->name);
        e->name = NULL;
        memcpy(e->ip, a->ip, sizeof(e->ip));
    }
    l->entry = (size_t)(e - n->entries);
    l->request.data = l;
    if (uv_getnameinfo(n->loop, &l->request, on_name, (struct sockaddr *)&ss, NI_NAMEREQD) < 0)
        return;
    l->names = n;
    n->in_flight++;
    e->state = ENTRY_ASKING;
    e->asked_us = now_us;
}

/* FNV-1a */
static size_t place(const struct addr *a)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < sizeof(a->ip); i++)
        hash = (hash ^ a->ip[i]) * 16777619u;
    return hash % (NAMES_MAX / WAYS) * WAYS;
}

const char *names_of(struct names *n, const struct addr *a, int64_t now_us)
{
    struct entry *set = &n->entries[place(a)], *oldest = NULL;
    for (size_t i = 0; i < WAYS; i++) {
        struct entry *e = &set[i];
        bool stale = e->state == ENTRY_FREE ||
                     (e->state == ENTRY_KNOWN && now_us - e->asked_us > NAMES_FRESH_US);
        if (e->state != ENTRY_FREE && memcmp(e->ip, a->ip, sizeof(e->ip)) == 0) {
            if (stale)
                ask(n, e, a, now_us);
            return e->name;
        }
        if (stale && (!oldest || e->asked_us < oldest->asked_us))
            oldest = e;
    }
    if (oldest)
        ask(n, oldest, a, now_us);
    return NULL;
}
