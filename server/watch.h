/* watch.h - the server as the observer shows it: walks over rooms and workers, single objects, and what has changed. Read-only.
 *
 * It owns the observer, and what it remembers for it.
 */
#ifndef ALTHING_SERVER_WATCH_H
#define ALTHING_SERVER_WATCH_H

#include "server/changes.h"
#include "server/stats.h"

struct watch {
    struct hub *hub;
    struct observer *observer;
    struct changes changes;
    struct stats stats;
    const char *release;
    int64_t started_ms;  /* since 1970 */
    bool server_changed; /* its own object, and not told yet */
    json_t *told;        /* what was told of it last; NULL: nothing that still holds */
};

/* The hub has its media. admin NULL: nothing can be ordered. 0 or -errno. */
int watch_start(struct watch *w, uv_loop_t *loop, struct hub *h, const struct observer_settings *settings,
                const struct observer_admin *admin);
void watch_stop(struct watch *w); /* before the hub goes; twice is fine */
json_t *watch_server(const struct watch *w); /* the `server` object; a new reference */
void watch_server_changed(struct watch *w);

#endif
