#include "observer/filter.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

void observer_filter_clear(struct observer_filter *f)
{
    free(f->room);
    free(f->peer);
    *f = (struct observer_filter){0};
}

void observer_filter_set(struct observer_filter *f, uint32_t kinds, const char *room,
                         const char *peer, enum log_level level)
{
    char *room_copy = room ? mem_strdup(room) : NULL, *peer_copy = peer ? mem_strdup(peer) : NULL;
    observer_filter_clear(f);
    *f = (struct observer_filter){kinds, room_copy, peer_copy, level};
}

bool observer_filter_passes(const struct observer_filter *f, enum observer_kind kind,
                            const char *room, const char *peer)
{
    return (f->kinds & OBSERVER_BIT(kind)) && !(f->room && room && strcmp(f->room, room) != 0) &&
           !(f->peer && peer && strcmp(f->peer, peer) != 0);
}

bool observer_filter_event(const struct observer_filter *f, const struct observer_event *e)
{
    return observer_filter_passes(f, e->kind, e->room, e->peer) &&
           (e->kind != OBSERVER_LOG || e->level <= f->level);
}
