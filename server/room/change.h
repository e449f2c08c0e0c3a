/* change.h - how two listeners, who shows it all (watch.c) and who keeps it (keep.c), hear that something has changed: a room, a
 * peer, a media object, a router, a worker.
 *
 * Whatever can be watched has a struct change as a member, and tells of it by change_tell(): room/ and media/ when something
 * begins or ends; who handles a browser's or a worker's message, of what the message is about (dispatch.c, on_media.c). To tell too
 * much is fine, and before or after the change itself: the listener only remembers it, and looks later. Ends are told before they
 * happen.
 */
#ifndef ALTHING_SERVER_ROOM_CHANGE_H
#define ALTHING_SERVER_ROOM_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

enum change_type {
    CHANGE_ROOM,
    CHANGE_PEER,
    CHANGE_OBJECT, /* a transport, producer or consumer */
    CHANGE_ROUTER,
    CHANGE_DATA_PRODUCER,
    CHANGE_DATA_CONSUMER,
    CHANGE_PLACE, /* of a worker */
    CHANGE_SESSION, /* a breakout room's; the keeper alone hears of its end */
};

#define CHANGE_TABLES 3 /* in how many of the listener's tables one thing can be */

/* All the listeners', and zero at the beginning. */
struct change {
    struct change *prev, *next; /* its queue */
    enum change_type type;
    bool queued;
    uint32_t shown;                /* in which tables it is */
    uint64_t hash[CHANGE_TABLES];  /* of what it was last shown as */

    struct change *keep_prev, *keep_next; /* the keeper's queue */
    bool keep_queued;
    uint64_t kept; /* hash of what it was last kept as; 0: it is not */
};

struct change_listener {
    void (*changed)(struct change *c, void *arg); /* NULL: nobody listens */
    void (*ends)(struct change *c, void *arg);
    void *arg;
};

static inline void change_tell(const struct change_listener *l, struct change *c)
{
    if (l->changed)
        l->changed(c, l->arg);
}

static inline void change_end(const struct change_listener *l, struct change *c)
{
    if (l->ends)
        l->ends(c, l->arg);
}

#endif
