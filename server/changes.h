/* changes.h - what has changed since it was last told: listens to rooms and workers (room/change.h), and tells an observer.
 *
 * A queue through the things themselves: it cannot grow, and a thing that changes many times is told once, as it is then. Things
 * that end are told at once. What would be told as it was told before is not told. Invariant: who has followed since a snapshot
 * knows, after changes_tell() said that nothing is left, exactly what a snapshot shows now.
 */
#ifndef ALTHING_SERVER_CHANGES_H
#define ALTHING_SERVER_CHANGES_H

#include "server/show.h"

struct changes {
    struct hub *hub;
    struct observer *observer; /* NULL: nobody to tell */
    struct change *first;      /* oldest first */
};

/* Listens from now on; the hub's media exists. What is there already counts as changed. */
void changes_start(struct changes *c, struct hub *h, struct observer *o);
void changes_stop(struct changes *c); /* before hub, media or observer go; twice is fine */
/* At most max things. True: some are left. */
bool changes_tell(struct changes *c, size_t max);

#endif
