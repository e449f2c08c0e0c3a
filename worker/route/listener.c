#include "worker/route/listener.h"

#include "lib/mem.h"
#include "worker/route/producer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t home(const struct listener *l, uint32_t ssrc)
{
    return (ssrc * 2654435761u) & (l->cap - 1);
}

static struct listener_entry *place(const struct listener *l, uint32_t ssrc)
{
    size_t i = home(l, ssrc);
    while (l->table[i].ssrc && l->table[i].ssrc != ssrc)
        i = (i + 1) & (l->cap - 1);
    return &l->table[i];
}

const struct listener_entry *listener_find(const struct listener *l, uint32_t ssrc)
{
    if (!l->cap || !ssrc)
        return NULL;
    const struct listener_entry *e = place(l, ssrc);
    return e->ssrc ? e : NULL;
}

static const struct listener_entry *insert(struct listener *l, uint32_t ssrc, bool rtx,
                                           struct inbound *stream)
{
    struct listener_entry *e = place(l, ssrc);
    if (!e->ssrc)
        l->count++;
    *e = (struct listener_entry){ssrc, rtx, stream};
    return e;
}

/* Takes one out and moves back those behind it that would no longer be found. */
static void erase(struct listener *l, uint32_t ssrc)
{
    if (!ssrc || !l->cap || !place(l, ssrc)->ssrc)
        return;
    size_t hole = (size_t)(place(l, ssrc) - l->table);
    size_t mask = l->cap - 1;
    for (size_t i = (hole + 1) & mask; l->table[i].ssrc; i = (i + 1) & mask) {
        size_t distance = (i - home(l, l->table[i].ssrc)) & mask;
        if (distance >= ((i - hole) & mask)) {
            l->table[hole] = l->table[i];
            hole = i;
        }
    }
    l->table[hole] = (struct listener_entry){0};
    l->count--;
}

static void reserve(struct listener *l, size_t room)
{
    size_t cap = l->cap ? l->cap : 16;
    while (cap < room * 2)
        cap *= 2;
    if (cap == l->cap)
        return;
    struct listener bigger = {.cap = cap};
    bigger.table = mem_calloc(cap, sizeof(*bigger.table));
    for (size_t i = 0; i < l->cap; i++) {
        const struct listener_entry *e = &l->table[i];
        if (e->ssrc)
            insert(&bigger, e->ssrc, e->rtx, e->stream);
    }
    free(l->table);
    l->table = bigger.table;
    l->cap = cap;
}

static bool rid_taken(const struct producer *a, const struct producer *b)
{
    for (size_t i = 0; i < a->n_streams; i++) {
        for (size_t j = 0; j < b->n_streams; j++) {
            if (a->streams[i]->rid[0] && strcmp(a->streams[i]->rid, b->streams[j]->rid) == 0)
                return true;
        }
    }
    return false;
}

static bool collides(const struct listener *l, const struct producer *p)
{
    for (size_t i = 0; i < p->n_streams; i++) {
        if (listener_find(l, p->streams[i]->ssrc) || listener_find(l, p->streams[i]->rtx_ssrc))
            return true;
    }
    for (size_t i = 0; i < l->n_producers; i++) {
        const struct producer *other = l->producers[i];
        if (p->media.mid[0] && strcmp(p->media.mid, other->media.mid) == 0)
            return true;
        if (!p->media.mid[0] && !other->media.mid[0] && rid_taken(p, other))
            return true;
    }
    return false;
}

int listener_add(struct listener *l, struct producer *p)
{
    if (collides(l, p))
        return -EEXIST;
    if (l->n_producers >= LIMIT_TRANSPORT_PRODUCERS)
        return -ENOSPC;
    l->producers[l->n_producers++] = p;
    l->learnt = 0;
    l->room += 2 * p->n_streams;
    reserve(l, l->room);
    for (size_t i = 0; i < p->n_streams; i++) {
        struct inbound *s = p->streams[i];
        if (s->ssrc)
            insert(l, s->ssrc, false, s);
        if (s->rtx_ssrc)
            insert(l, s->rtx_ssrc, true, s);
    }
    return 0;
}

void listener_remove(struct listener *l, struct producer *p)
{
    size_t i = 0;
    while (i < l->n_producers && l->producers[i] != p)
        i++;
    if (i == l->n_producers)
        return;
    l->producers[i] = l->producers[--l->n_producers];
    l->room -= 2 * p->n_streams;
    for (size_t j = 0; j < p->n_streams; j++) {
        erase(l, p->streams[j]->ssrc);
        erase(l, p->streams[j]->rtx_ssrc);
    }
}

void listener_clear(struct listener *l)
{
    free(l->table);
    *l = (struct listener){0};
}

static bool same(const char *s, const uint8_t *bytes, size_t len)
{
    return bytes && s[0] && strlen(s) == len && memcmp(s, bytes, len) == 0;
}

static struct inbound *by_rid(const struct producer *p, const uint8_t *rid, size_t len)
{
    for (size_t i = 0; i < p->n_streams; i++) {
        if (same(p->streams[i]->rid, rid, len))
            return p->streams[i];
    }
    return NULL;
}

/* The stream of producer p, and whether the packet repairs it. A payload type that p does not have belongs to nothing. */
static struct inbound *match(const struct producer *p, const struct listener_packet *k, bool *rtx)
{
    const struct params_codec *c = producer_codec(p, k->payload_type, rtx);
    if (!c)
        return NULL;
    const uint8_t *rid = *rtx && k->repaired_rid ? k->repaired_rid : k->rid;
    size_t len = *rtx && k->repaired_rid ? k->repaired_rid_len : k->rid_len;
    struct inbound *s = by_rid(p, rid, len);
    if (s)
        return s;
    /* the only encoding needs no RID; one whose SSRC was signalled is found by that alone */
    if (p->n_streams == 1 && !p->streams[0]->rid[0] &&
        (*rtx ? !p->streams[0]->rtx_signalled : !p->streams[0]->ssrc_signalled))
        return p->streams[0];
    return NULL;
}

static struct inbound *search(const struct listener *l, const struct listener_packet *k, bool *rtx)
{
    for (size_t i = 0; i < l->n_producers; i++) {
        const struct producer *p = l->producers[i];
        if (k->mid && !same(p->media.mid, k->mid, k->mid_len))
            continue;
        if (!k->mid && (p->media.mid[0] || (!k->rid && !k->repaired_rid)))
            continue;
        struct inbound *s = match(p, k, rtx);
        if (s)
            return s;
    }
    return NULL;
}

const struct listener_entry *listener_learn(struct listener *l, const struct listener_packet *k)
{
    bool rtx = false;
    if (!k->ssrc || l->learnt >= LIMIT_LEARNT_SSRCS)
        return NULL;
    struct inbound *s = search(l, k, &rtx);
    if (!s)
        return NULL;
    l->learnt++;
    erase(l, rtx ? s->rtx_ssrc : s->ssrc);
    if (rtx)
        s->rtx_ssrc = k->ssrc;
    else
        inbound_set_ssrc(s, k->ssrc, k->now_us);
    return insert(l, k->ssrc, rtx, s);
}
