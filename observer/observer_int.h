/* observer_int.h - the observer's parts among themselves: its listeners (observer.c), a client's bytes (client.c), and what
 * a client's requests do (commands.c). */
#ifndef ALTHING_OBSERVER_OBSERVER_INT_H
#define ALTHING_OBSERVER_OBSERVER_INT_H

#include "lib/buf.h"
#include "observer/access.h"
#include "observer/filter.h"
#include "observer/request.h"
#include "observer/ring.h"
#include "observer/snapshot.h"

#include <uv.h>

#define OBSERVER_BATCH 64 /* events in one write */

struct observer_client {
    uv_pipe_t pipe;
    uv_timer_t stall; /* bytes wait for the client, or the client waits for an answer */
    uv_write_t write;
    struct observer *observer;
    struct observer_client *prev, *next;
    enum observer_access access;
    struct observer_who who;

    char in[OBSERVER_LINE_MAX + 1];
    size_t in_len;
    unsigned bad; /* malformed requests in a row */

    struct buf out;
    struct observer_event *sending[OBSERVER_BATCH]; /* held until written */
    size_t n_sending;
    struct observer_snapshot snapshot;
    bool snapshotting; /* more of a snapshot is to be written */
    bool enveloped;    /* and behind it the end of a JSON answer */

    struct observer_filter filter; /* of the subscription */
    bool subscribed;
    uint64_t next_seq;  /* of the event to be looked at next */

    uint64_t ticket;    /* the answer that is waited for; 0: none */
    char ticket_id[6 * OBSERVER_ID_MAX + 3];

    struct observer_trace *trace; /* NULL: none */
    uint64_t trace_id, traced;    /* its number; events so far */

    bool writing;
    bool eof;    /* the client says no more: answer what is there, then close */
    bool ending; /* close when all is written */
    bool closing;
    int open_handles;
};

struct observer_listener {
    uv_pipe_t pipe;
    int fd;
};

struct observer {
    uv_loop_t *loop;
    struct observer_source source;
    struct observer_admin admin;
    bool has_admin;
    const char *release;
    unsigned stall_ms, flush_ms;
    gid_t admin_group;
    struct observer_listener listeners[OBSERVER_LISTEN_MAX];
    size_t n_listeners;
    uv_timer_t flush; /* runs while there is something to tell */
    uv_timer_t sweep; /* looks for subscribers that are gone */
    struct observer_client *clients;
    size_t n_clients, n_subscribed;
    uint32_t wanted;            /* kinds, of all subscriptions */
    enum log_level log_wanted;  /* the least important level that a subscription wants */
    struct observer_ring ring;
    uint64_t last_ticket, last_trace;
    uv_timer_t poll; /* runs while there are traces */
    size_t n_traces;
    struct log_limit refused, stalled, garbage, denied;
    bool closing;
    int open_handles;
};

/* ---- observer.c ---- */
void observer_flush(struct observer *o);     /* tells all that has changed */
void observer_recount(struct observer *o);   /* a subscription came, went or changed */
void observer_client_gone(struct observer_client *c); /* all its handles are closed: frees it */

void observer_trace_began(struct observer *o);
void observer_trace_ended(struct observer *o);

/* ---- client.c ---- */
/* Accepts one more; it is refused, or served. */
void observer_client_new(struct observer *o, struct observer_listener *l);
void observer_client_close(struct observer_client *c);
void observer_client_untrace(struct observer_client *c); /* none: fine */
void observer_client_go_on(struct observer_client *c); /* there may be something to write */

/* ---- commands.c ---- */
/* Does what one line says; the answer is in c->out, or begins there, or comes later (c->ticket). */
void observer_command(struct observer_client *c, const char *line, size_t len);
/* Writes {"id":..,"ok":true,"result":<text>}, or of an error. */
void observer_reply(struct observer_client *c, const char *id, const json_t *result);
void observer_reply_error(struct observer_client *c, const char *id, const char *code, const char *text);

#endif
