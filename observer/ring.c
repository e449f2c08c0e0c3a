#include "observer/ring.h"
#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_MAX 32 /* {"seq":18446744073709551615, */

void observer_ring_init(struct observer_ring *r)
{
    memset(r, 0, sizeof(*r));
    r->first = r->next = 1;
}

static void drop_first(struct observer_ring *r)
{
    struct observer_event **slot = &r->slots[r->first++ % OBSERVER_EVENTS_MAX];
    r->bytes -= (*slot)->len;
    observer_event_release(*slot);
    *slot = NULL;
}

void observer_ring_free(struct observer_ring *r)
{
    while (r->first < r->next)
        drop_first(r);
}

struct observer_event *observer_event_hold(struct observer_event *e)
{
    e->refs++;
    return e;
}

void observer_event_release(struct observer_event *e)
{
    if (--e->refs == 0)
        free(e);
}

static const char *append(char **at, const char *text)
{
    if (!text)
        return NULL;
    size_t n = strlen(text) + 1;
    char *to = memcpy(*at, text, n);
    *at += n;
    return to;
}

void observer_ring_add(struct observer_ring *r, enum observer_kind kind, enum log_level level,
                       const char *room, const char *peer, const char *rest)
{
    size_t names = (room ? strlen(room) + 1 : 0) + (peer ? strlen(peer) + 1 : 0);
    size_t n = strlen(rest);
    struct observer_event *e = mem_zalloc(sizeof(*e) + HEAD_MAX + n + 2 + names);
    e->refs = 1;
    e->kind = kind;
    e->level = level;
    e->seq = r->next;
    e->len = (size_t)snprintf(e->line, HEAD_MAX, "{\"seq\":%llu,", (unsigned long long)e->seq);
    memcpy(e->line + e->len, rest, n);
    e->len += n;
    e->line[e->len++] = '\n';
    char *at = e->line + e->len;
    e->room = append(&at, room);
    e->peer = append(&at, peer);
    while (r->first < r->next &&
           (r->next - r->first == OBSERVER_EVENTS_MAX || r->bytes + e->len > OBSERVER_EVENTS_BYTES))
        drop_first(r);
    r->slots[r->next++ % OBSERVER_EVENTS_MAX] = e;
    r->bytes += e->len;
}

struct observer_event *observer_ring_at(const struct observer_ring *r, uint64_t seq)
{
    return seq >= r->first && seq < r->next ? r->slots[seq % OBSERVER_EVENTS_MAX] : NULL;
}
