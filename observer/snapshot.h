/* snapshot.h - everything the source shows, as one line of JSON (proto/observer.md), made object by object so that nobody has to
 * hold it all. */
#ifndef ALTHING_OBSERVER_SNAPSHOT_H
#define ALTHING_OBSERVER_SNAPSHOT_H

#include "lib/buf.h"
#include "observer/observer.h"

struct observer_snapshot {
    const struct observer_source *source;
    size_t list; /* which of the lists is being written */
    size_t n;    /* objects of it so far */
    struct observer_cursor cursor;
};

/* Writes the line's beginning. wall_us: microseconds since 1970. */
void observer_snapshot_start(struct observer_snapshot *s, const struct observer_source *source,
                             int64_t wall_us, struct buf *out);
/* Writes one object or the end of a list. False: the line, with its newline, is complete. */
bool observer_snapshot_step(struct observer_snapshot *s, struct buf *out);

#endif
