/* ring.h - the newest events, each line kept once however many clients are still to read it.
 *
 * Invariant: the ring holds the events of the numbers [first, next), at most OBSERVER_EVENTS_MAX of them and, but for a single one,
 * at most OBSERVER_EVENTS_BYTES. An event lives until the ring has dropped it and all who hold it have let go. Pure.
 */
#ifndef ALTHING_OBSERVER_RING_H
#define ALTHING_OBSERVER_RING_H

#include "observer/observer.h"

struct observer_event {
    uint32_t refs;
    enum observer_kind kind;
    enum log_level level;    /* of OBSERVER_LOG */
    const char *room, *peer; /* whom it is about; NULL: no room, no peer */
    uint64_t seq;
    size_t len;
    char line[]; /* with its newline; then room and peer */
};

struct observer_ring {
    struct observer_event *slots[OBSERVER_EVENTS_MAX];
    uint64_t first, next; /* numbers; first 1 */
    size_t bytes;
};

void observer_ring_init(struct observer_ring *r);
void observer_ring_free(struct observer_ring *r);
/* Takes the next number and writes {"seq":N,<rest>. `rest` is what follows, to the closing brace; room and peer are copied. */
void observer_ring_add(struct observer_ring *r, enum observer_kind kind, enum log_level level, const char *room,
                       const char *peer, const char *rest);
struct observer_event *observer_ring_at(const struct observer_ring *r, uint64_t seq); /* NULL: not there (any more) */
struct observer_event *observer_event_hold(struct observer_event *e);
void observer_event_release(struct observer_event *e);

#endif
