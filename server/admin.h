/* admin.h - what administrators may order over the observer socket (observer.h, struct observer_admin). Who may is decided and
 * logged there. Nothing here runs a command or evaluates anything.
 */
#ifndef ALTHING_SERVER_ADMIN_H
#define ALTHING_SERVER_ADMIN_H

#include "server/traces.h"
#include "server/watch.h"

#define ADMIN_TEXT_MAX 1024 /* of drain, and of a reason: longer is refused */

struct admin {
    struct hub *hub;
    struct watch *watch;
    struct traces traces;
    /* Asks for the configuration to be read again; admin_reloaded() follows, sooner or later. False: that is impossible now. */
    bool (*reload)(void *arg);
    void *arg;
    struct observer *observer; /* who waits for it, */
    uint64_t ticket;           /* and with what; 0: nobody */
};

void admin_init(struct admin *a, struct hub *h, struct watch *w, bool (*reload)(void *arg), void *arg);
void admin_orders(struct admin *a, struct observer_admin *out);
/* Workers log as the server does from now on: by its level, and by those of its tags that are theirs (proto/tags.h). */
void admin_log_changed(const struct hub *h);
/* `report` is what the supervisor says: {"changed": [], "restart": []}, or {"error": "..."}. Stolen; NULL: it cannot be read. */
void admin_reloaded(struct admin *a, json_t *report);

#endif
