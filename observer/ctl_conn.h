/* ctl_conn.h - the console's connection to the observer socket (proto/observer.md): a request a line, answers and events a line.
 *
 * Blocking, with a timeout; every wait ends on a signal. What the server says is bounded by CTL_LINE_MAX a line. The caller ignores
 * SIGPIPE.
 */
#ifndef ALTHING_OBSERVER_CTL_CONN_H
#define ALTHING_OBSERVER_CTL_CONN_H

#include <jansson.h>
#include <stdbool.h>

#define CTL_LINE_MAX       ((size_t)1 << 30)
#define CTL_ASK_TIMEOUT_MS 15000
#define CTL_ERROR_MAX      256

struct ctl_conn;

int ctl_conn_open(struct ctl_conn **cp, const char *path); /* 0 or -errno */
void ctl_conn_free(struct ctl_conn *c);                    /* NULL is fine */
int ctl_conn_fd(const struct ctl_conn *c);

/* Sends {"id", "cmd": cmd, ...members} and waits for its answer; events that come before it are dropped. `members` is stolen, may
 * be NULL. 0 and *result (the caller's); 1: the server refuses, 2: for it the members make no
 * sense; error says why in words; -EAGAIN (it takes too long), -EPIPE
 * (the connection has ended), -EPROTO (no sense), -EINTR (a signal). */
int ctl_conn_ask(struct ctl_conn *c, const char *cmd, json_t *members, json_t **result,
                 char error[static CTL_ERROR_MAX]);
/* The next line, an event. timeout_ms -1: for ever; 0: only what is there. 0 and *event; -EAGAIN, -EPIPE, -EPROTO, -EINTR. */
int ctl_conn_event(struct ctl_conn *c, int timeout_ms, json_t **event);

#endif
