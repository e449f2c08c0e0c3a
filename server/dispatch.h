/* dispatch.h - one table says for every message of a browser who answers it, in which state it may come, and what permission it
 * needs.
 *
 * A request is answered exactly once: by its handler, later by a worker's reply (call.later), or here. A notification that is
 * refused is dropped. Names that the table does not hold, or holds without handler, are refused with an error that says so.
 */
#ifndef ALTHING_SERVER_DISPATCH_H
#define ALTHING_SERVER_DISPATCH_H

#include "server/hub.h"

struct call {
    struct hub *hub;
    struct edge_session *session;
    struct peer *peer;   /* NULL: the session has none (it was sent away) */
    const char *method;
    const json_t *data;  /* never NULL; of any type */
    uint64_t ack;
    bool request;        /* false: a notification, nothing is answered */
    bool answered;       /* set by call_*(); a handler whose reply comes later sets it too */
};

typedef void call_f(struct call *c);

struct dispatch_row {
    const char *method;
    bool request;
    enum peer_state state; /* the least: PEER_LOBBY means always */
    enum perm perm;        /* PERM_NONE: none, or the handler looks itself */
    call_f *fn;            /* NULL: known, but not implemented */
    bool work;             /* it gives the worker something new to do: refused while that is too busy */
};

const struct dispatch_row *dispatch_table(size_t *n);
void dispatch(struct call *c);

/* ---- for handlers: after call_limit() the peer may be gone, so return ---- */

void call_ok(struct call *c, json_t *result);           /* stolen; NULL is {} */
void call_error(struct call *c, const char *text);      /* refused, no harm meant */
void call_limit(struct call *c, const char *text);      /* refused, and a strike */
const char *call_string(const struct call *c, const char *key); /* of data; NULL: absent, or not a string */
bool call_bool(const struct call *c, const char *key, bool *out); /* false: absent, or not a boolean */

#endif
