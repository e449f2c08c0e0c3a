#include "exporter/names.h"

#include "lib/mem.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

#define WAYS 4 /* places where an address may be */

enum entry_state { ENTRY_FREE, ENTRY_ASKING, ENTRY_KNOWN };

struct entry {
    uint8_t ip[16];
    enum entry_state state;
    int64_t asked_us;
    char *name; /* NULL: there is none */
};

/* A lookup: asked by the loop, answered by a thread. */
struct job {
    struct addr addr;
    size_t entry;
    bool found;
    char host[NAMES_HOST_MAX];
    struct job *next;
};

/* What loop and threads share; the last to leave frees it. */
struct shared {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct job *asked, **asked_end, *answered;
    names_resolve_f *resolve;
    uv_async_t *wake; /* NULL: nobody listens any more */
    unsigned refs;
};

struct names {
    uv_async_t wake;
    struct shared *shared;
    struct entry entries[NAMES_MAX];
    unsigned n_jobs;
};

/* ---- the threads ---------------------------------------------------------------------------------------------------------------- */

static bool ask_resolver(const struct addr *a, char host[static NAMES_HOST_MAX])
{
    struct sockaddr_storage ss;
    socklen_t len = addr_to_sockaddr(a, addr_is_ipv4(a) ? AF_INET : AF_INET6, &ss);
    return len && getnameinfo((struct sockaddr *)&ss, len, host, NAMES_HOST_MAX, NULL, 0,
                              NI_NAMEREQD) == 0;
}

static void free_jobs(struct job *j)
{
    while (j) {
        struct job *next = j->next;
        free(j);
        j = next;
    }
}

/* The lock is held; it is gone afterwards. */
static void leave(struct shared *s)
{
    bool last = --s->refs == 0;
    pthread_mutex_unlock(&s->lock);
    if (!last)
        return;
    free_jobs(s->asked);
    free_jobs(s->answered);
    pthread_cond_destroy(&s->more);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static struct job *take_job(struct shared *s)
{
    struct job *j = s->asked;
    s->asked = j->next;
    if (!s->asked)
        s->asked_end = &s->asked;
    return j;
}

static void *resolve(void *arg)
{
    struct shared *s = arg;
    pthread_mutex_lock(&s->lock);
    while (s->wake) {
        if (!s->asked) {
            pthread_cond_wait(&s->more, &s->lock);
            continue;
        }
        struct job *j = take_job(s);
        pthread_mutex_unlock(&s->lock);
        j->found = s->resolve(&j->addr, j->host);
        pthread_mutex_lock(&s->lock);
        j->next = s->answered;
        s->answered = j;
        if (s->wake)
            uv_async_send(s->wake);
    }
    leave(s);
    return NULL;
}

/* Signals are the loop's. */
static void start_threads(struct shared *s)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    for (int i = 0; i < NAMES_THREADS; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, resolve, s) != 0)
            continue;
        pthread_detach(thread);
        s->refs++;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

/* ---- the loop ------------------------------------------------------------------------------------------------------------------- */

/* Who may answer for an address may say anything: only letters, digits, '-', '_' and '.' are believed. */
static bool is_host_name(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");
    return n > 0 && s[n] == 0;
}

static void on_wake(uv_async_t *async)
{
    struct names *n = async->data;
    pthread_mutex_lock(&n->shared->lock);
    struct job *jobs = n->shared->answered;
    n->shared->answered = NULL;
    pthread_mutex_unlock(&n->shared->lock);
    for (struct job *j = jobs; j; j = j->next) {
        struct entry *e = &n->entries[j->entry];
        e->state = ENTRY_KNOWN;
        free(e->name);
        e->name = j->found && is_host_name(j->host) ? mem_strdup(j->host) : NULL;
        n->n_jobs--;
    }
    free_jobs(jobs);
}

int names_new(struct names **np, struct uv_loop_s *loop, names_resolve_f *resolver)
{
    struct names *n = mem_zalloc(sizeof(*n));
    int err = uv_async_init(loop, &n->wake, on_wake);
    if (err) {
        free(n);
        return err;
    }
    n->wake.data = n;
    struct shared *s = n->shared = mem_zalloc(sizeof(*s));
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->more, NULL);
    s->asked_end = &s->asked;
    s->resolve = resolver ? resolver : ask_resolver;
    s->wake = &n->wake;
    s->refs = 1;
    pthread_mutex_lock(&s->lock);
    start_threads(s);
    pthread_mutex_unlock(&s->lock);
    *np = n;
    return 0;
}

static void on_closed(uv_handle_t *h)
{
    struct names *n = h->data;
    for (size_t i = 0; i < NAMES_MAX; i++)
        free(n->entries[i].name);
    free(n);
}

void names_free(struct names *n)
{
    if (!n)
        return;
    struct shared *s = n->shared;
    pthread_mutex_lock(&s->lock);
    s->wake = NULL;
    pthread_cond_broadcast(&s->more);
    leave(s);
    uv_close((uv_handle_t *)&n->wake, on_closed);
}

static void ask(struct names *n, struct entry *e, const struct addr *a, int64_t now_us)
{
    if (n->n_jobs == NAMES_QUEUE)
        return;
    if (memcmp(e->ip, a->ip, sizeof(e->ip)) != 0) {
        free(e->name);
        e->name = NULL;
        memcpy(e->ip, a->ip, sizeof(e->ip));
    }
    struct job *j = mem_zalloc(sizeof(*j));
    j->addr = *a;
    j->entry = (size_t)(e - n->entries);
    n->n_jobs++;
    e->state = ENTRY_ASKING;
    e->asked_us = now_us;
    struct shared *s = n->shared;
    pthread_mutex_lock(&s->lock);
    *s->asked_end = j;
    s->asked_end = &j->next;
    pthread_cond_signal(&s->more);
    pthread_mutex_unlock(&s->lock);
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
