#include "server/media/spread.h"

#include "lib/mem.h"
#include "server/media/media_int.h"
#include "server/media/pipes.h"

#include <stdlib.h>
#include <string.h>

#include <utlist.h>

struct spread {
    struct media *media;
    char *room;
    void *user;
    struct media_router *routers[MEDIA_WORKERS_MAX]; /* in the order they were made */
    size_t n_routers;
    struct pipes *pipes;
    struct spread *prev, *next; /* in the media */
};

struct spread *spread_new(struct media *m, const char *room, void *user)
{
    struct spread *s = mem_zalloc(sizeof(*s));
    s->media = m;
    s->room = mem_strdup(room);
    s->user = user;
    pipes_new(&s->pipes, m);
    DL_APPEND(m->spreads, s);
    return s;
}

static void destroy(struct spread *s)
{
    DL_DELETE(s->media->spreads, s);
    pipes_free(s->pipes);
    free(s->room);
    free(s);
}

void spread_free(struct spread *s)
{
    if (!s)
        return;
    pipes_close(s->pipes);
    for (size_t i = 0; i < s->n_routers; i++)
        media_router_free(s->routers[i]);
    destroy(s);
}

void spread_free_all(struct media *m)
{
    while (m->spreads)
        destroy(m->spreads);
}

static void forget(struct spread *s, const struct media_router *r)
{
    size_t i = 0;
    while (i < s->n_routers && s->routers[i] != r)
        i++;
    if (i == s->n_routers)
        return;
    s->n_routers--;
    memmove(&s->routers[i], &s->routers[i + 1], (s->n_routers - i) * sizeof(s->routers[0]));
}

static struct media_router *add(struct spread *s, struct media_worker *w)
{
    struct media_router *r = media_router_new_on(w, s->room, s->user);
    r->spread = s;
    s->routers[s->n_routers++] = r;
    return r;
}

static struct media_router *fewest_peers(const struct spread *s)
{
    struct media_router *best = NULL;
    for (size_t i = 0; i < s->n_routers; i++) {
        if (!best || s->routers[i]->n_peers < best->n_peers)
            best = s->routers[i];
    }
    return best;
}

static bool can_have_pipes(const struct spread *s)
{
    for (size_t i = 0; i < s->n_routers; i++) {
        if (!s->routers[i]->worker->udp.port)
            return false;
    }
    return true;
}

static struct media_router *choose(struct spread *s)
{
    for (size_t i = 0; i < s->n_routers; i++) {
        if (!media_worker_full(s->routers[i]->worker))
            return s->routers[i];
    }
    struct media_worker *w = NULL;
    if (!s->n_routers)
        w = media_least_loaded(s->media, NULL);
    else if (can_have_pipes(s) && s->n_routers < MEDIA_WORKERS_MAX)
        w = media_least_loaded(s->media, s);
    return w ? add(s, w) : fewest_peers(s);
}

struct media_router *spread_place(struct spread *s)
{
    struct media_router *r = choose(s);
    if (r)
        r->n_peers++;
    return r;
}

void spread_adopt(struct spread *s, struct media_router *r, unsigned n_peers)
{
    r->spread = s;
    r->n_peers = n_peers;
    s->routers[s->n_routers++] = r;
}

void spread_leave(struct spread *s, struct media_router *r)
{
    if (--r->n_peers)
        return;
    pipes_router_gone(s->pipes, r);
    forget(s, r);
    media_router_free(r);
}

void spread_router_lost(struct media_router *r)
{
    if (!r->spread)
        return;
    pipes_router_gone(r->spread->pipes, r);
    forget(r->spread, r);
}

struct pipes *spread_pipes(struct spread *s)
{
    return s->pipes;
}

const struct media_router *spread_router(const struct spread *s, size_t i)
{
    return i < s->n_routers ? s->routers[i] : NULL;
}
