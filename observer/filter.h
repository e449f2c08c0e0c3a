/* filter.h - which objects and events a client wants (proto/observer.md). Pure. */
#ifndef ALTHING_OBSERVER_FILTER_H
#define ALTHING_OBSERVER_FILTER_H

#include "observer/ring.h"

struct observer_filter {
    uint32_t kinds;
    char *room, *peer; /* NULL: any; owned */
    enum log_level level;
};

void observer_filter_set(struct observer_filter *f, uint32_t kinds, const char *room, const char *peer, enum log_level level);
void observer_filter_clear(struct observer_filter *f); /* passes nothing; may be used on */
/* room and peer NULL: it is of none, and passes. */
bool observer_filter_passes(const struct observer_filter *f, enum observer_kind kind, const char *room, const char *peer);
bool observer_filter_event(const struct observer_filter *f, const struct observer_event *e);

#endif
