/* snapshot.h - what passes a filter, as one object of JSON (proto/observer.md), made object by object so that nobody has to hold it
 * all. */
#ifndef ALTHING_OBSERVER_SNAPSHOT_H
#define ALTHING_OBSERVER_SNAPSHOT_H

#include "lib/buf.h"
#include "observer/filter.h"

struct observer_snapshot {
    const struct observer_source *source;
    struct observer_filter filter; /* owned */
    bool stats;
    enum observer_kind kind; /* whose list is being written */
    size_t n;                /* objects of it so far */
    uint64_t left_out;       /* too large (OBSERVER_OBJECT_MAX) */
    struct observer_cursor cursor;
};

/* Writes the beginning. s->filter and s->stats are set; wall_us: microseconds since 1970; seq: of the last event. */
void observer_snapshot_start(struct observer_snapshot *s, const struct observer_source *source, int64_t wall_us, uint64_t seq,
                             struct buf *out);
/* Writes one object or the end of a list. False: it is complete. */
bool observer_snapshot_step(struct observer_snapshot *s, uint64_t seq, struct buf *out);

/* ASCII alone, so that no name can play with the terminal that shows it. To be freed; NULL: too large. */
char *observer_json_text(const json_t *v);

#endif
