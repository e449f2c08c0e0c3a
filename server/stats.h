/* stats.h - finds an object's counters in the workers' segments, for who looks at some of many (view.c walks them all).
 *
 * An index of who owns which slot, made anew when it is older than a second, or than a quarter of one and somebody is not in it: so
 * what began just now may be missing. It holds no counter: each is read from the segment, and belongs to its object for sure.
 */
#ifndef ALTHING_SERVER_STATS_H
#define ALTHING_SERVER_STATS_H

#include "observer/observer.h"
#include "server/hub.h"

struct stats_entry {
    uint64_t owner, generation; /* the object's handle; of the worker's process */
    uint32_t place, slot;
};

struct stats {
    const struct hub *hub;
    struct stats_entry *entries[COUNTERS_LEVELS];
    size_t n[COUNTERS_LEVELS], cap[COUNTERS_LEVELS]; /* at most the slots of all workers */
    int64_t made_us;                                 /* 0: never */
    struct counters_view view;                       /* what was found last */
};

void stats_init(struct stats *s, const struct hub *h);
void stats_free(struct stats *s);
/* The next of an object's slots; *cursor starts at 0. Valid until the next call; NULL: no more. */
const struct counters_view *stats_next(struct stats *s, enum counters_level level, const struct object *o, size_t *cursor);

/* Every counter of the level by its name. */
json_t *stats_json(enum counters_level level, const uint64_t *values);
/* What the workers of a place have counted, the former ones too. */
json_t *stats_worker(const struct hub *h, uint32_t index);
/* Adds `stats` (of transports and consumers) or `streams` (of producers), unless the worker counts nothing for it. */
void stats_add(struct stats *s, const struct object *o, json_t *to);
/* The list that mediasoup's getStats() gives. */
json_t *stats_list(struct stats *s, const struct object *o);

#endif
