/* observer.h - tells operators what happens, over a Unix stream socket: lines in, lines out (proto/observer.md).
 *
 * The observer lives in the server's loop and takes listening descriptors. What it shows comes from a source, what it may order
 * goes to an admin: two tables of functions that the server provides.
 *
 * Nobody can make it block or grow: at most OBSERVER_CLIENTS_MAX clients (one more is told so and closed), a line of at most
 * OBSERVER_LINE_MAX bytes (longer: told and closed), OBSERVER_BAD_MAX malformed requests in a row (closed). A snapshot is written
 * piece by piece as the client reads it, about OBSERVER_PIECE bytes at a time. Events are kept once for all clients,
 * OBSERVER_EVENTS_MAX of them or OBSERVER_EVENTS_BYTES, and the oldest go first; a client holds no copy, and is told how many it
 * missed. One that takes nothing for stall_ms with bytes waiting is closed. Requests that come meanwhile wait in the socket. The
 * program must ignore SIGPIPE.
 */
#ifndef ALTHING_OBSERVER_OBSERVER_H
#define ALTHING_OBSERVER_OBSERVER_H

#include "lib/log.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define OBSERVER_PROTOCOL     2
#define OBSERVER_CLIENTS_MAX  1100
#define OBSERVER_LISTEN_MAX   16
#define OBSERVER_LINE_MAX     4096
#define OBSERVER_BAD_MAX      16
#define OBSERVER_PIECE        (64 * 1024)
#define OBSERVER_OBJECT_MAX   (1024 * 1024) /* JSON of one object; larger ones are left out */
#define OBSERVER_EVENTS_MAX   8192
#define OBSERVER_EVENTS_BYTES (8 * 1024 * 1024)
#define OBSERVER_STALL_MS     10000
#define OBSERVER_FLUSH_MS     50 /* changes of an object within it are one event */

enum observer_kind {
    OBSERVER_SERVER,
    OBSERVER_WORKER,
    OBSERVER_ROUTER,
    OBSERVER_ROOM,
    OBSERVER_CHAT,
    OBSERVER_PEER,
    OBSERVER_LOBBY,
    OBSERVER_TRANSPORT,
    OBSERVER_PRODUCER,
    OBSERVER_CONSUMER,
    OBSERVER_DATA_PRODUCER,
    OBSERVER_DATA_CONSUMER,
    OBSERVER_SCORE,
    OBSERVER_LAYERS,
    OBSERVER_LOG,
    OBSERVER_KINDS,
};

#define OBSERVER_BIT(kind) (UINT32_C(1) << (kind))
#define OBSERVER_ALL       (OBSERVER_BIT(OBSERVER_KINDS) - 1)

/* Where a walk stands. All zero at its start; its meaning is the source's alone. Objects may come and go between two steps: the
 * walk must then still end, must show no object twice, and must show every one that was there from start to end. */
struct observer_cursor {
    uint64_t a, b, c, d;
};

/* Which objects, and with what. Those of no room (no peer) are meant always. */
struct observer_scope {
    const char *room, *peer; /* NULL: any */
    bool stats;
};

struct observer;
struct observer_trace; /* of the admin */

/* What is to be seen. Objects are those of proto/observer.md, each a new reference. */
struct observer_source {
    void *arg; /* first argument of all */
    size_t (*rooms)(void *arg);
    size_t (*peers)(void *arg); /* admitted, of all rooms */
    /* The next object of that kind (never OBSERVER_LOG). NULL: the end. */
    json_t *(*next)(void *arg, enum observer_kind kind, const struct observer_scope *scope,
                    struct observer_cursor *cursor);
    /* {"dump", "stats"} of one object; NULL: there is none of that name. `room` NULL: of any. */
    json_t *(*get)(void *arg, enum observer_kind kind, const char *room, const char *key);
    /* Tell, with observer_put() and observer_gone(), what has changed since the last time; of kinds that are not observer_wanted()
     * nobody wants to hear. At most `max` objects; returns whether some are left. */
    bool (*tell)(void *arg, struct observer *o, size_t max);
};

/* Who orders something. */
struct observer_who {
    uid_t uid;
    pid_t pid;
};

struct observer_error {
    const char *code; /* of proto/observer.md; borrowed */
    char text[512];
};

/* What an administrator may order. Each returns the result, a new reference, or NULL and *e. Called only for administrators. */
struct observer_admin {
    void *arg;
    json_t *(*kick)(void *arg, const char *room, const char *peer, const char *reason, struct observer_error *e);
    json_t *(*close_room)(void *arg, const char *room, const char *reason, struct observer_error *e);
    /* text NULL: a text of the server's own */
    json_t *(*drain)(void *arg, bool on, uint32_t seconds, const char *text, struct observer_error *e);
    json_t *(*log_level)(void *arg, enum log_level level, struct observer_error *e);
    json_t *(*log_tags)(void *arg, const json_t *tags, struct observer_error *e); /* a list of strings */
    /* Answered later, once, with observer_answer(o, ticket); false and *e: not. */
    bool (*reload)(void *arg, struct observer *o, uint64_t ticket, struct observer_error *e);
    /* A trace of a transport, producer or consumer; kinds: bits 1 << enum trace_kind. NULL and *e: not. */
    struct observer_trace *(*trace)(void *arg, enum observer_kind kind, const char *key, uint32_t kinds,
                                    uint32_t seconds, struct observer_error *e);
    /* The next event's members, a new reference; NULL: none now. Then *end NULL: some may come; else why none will, and *lost is
     * how many were lost. */
    json_t *(*trace_next)(struct observer_trace *t, const char **end, uint64_t *lost);
    void (*trace_stop)(struct observer_trace *t); /* frees it */
};

#define OBSERVER_TRACE_MS 100 /* a trace's ring is looked at as often */

struct observer_settings {
    const char *release;
    unsigned stall_ms; /* 0: OBSERVER_STALL_MS */
    unsigned flush_ms; /* 0: OBSERVER_FLUSH_MS */
    gid_t admin_group; /* (gid_t)-1: none */
};

struct uv_loop_s;

/* `source` and `admin` (NULL: nothing can be ordered) are copied, what they point to outlives the observer; the release too. */
int observer_new(struct observer **op, struct uv_loop_s *loop, const struct observer_settings *settings,
                 const struct observer_source *source, const struct observer_admin *admin);
/* Takes the descriptor (also on error); makes a socket bound to a path 0660. 0 or -errno (-EMFILE: OBSERVER_LISTEN_MAX). */
int observer_listen(struct observer *o, int listen_fd);
/* Closes all at once; memory goes when the loop has turned once more. NULL is fine. */
void observer_free(struct observer *o);
void observer_set_admin_group(struct observer *o, gid_t group);

/* ---- for the source ---- */

void observer_changed(struct observer *o); /* there is something to tell(); any time */
uint32_t observer_wanted(const struct observer *o); /* kinds that somebody follows */
/* Within tell() or any time: the object as it is now, or the members that name it. Borrowed. */
void observer_put(struct observer *o, enum observer_kind kind, const json_t *object);
void observer_gone(struct observer *o, enum observer_kind kind, const json_t *name);
void observer_log(struct observer *o, enum log_level level, const char *module, const char *text);

/* ---- for the admin ---- */

/* `result` is stolen; NULL: *e. A ticket whose client is gone is fine. */
void observer_answer(struct observer *o, uint64_t ticket, json_t *result, const struct observer_error *e);

#endif
