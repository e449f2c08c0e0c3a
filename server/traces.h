/* traces.h - packet traces of the workers, for the observer: asks a worker to write (StartTrace), reads its ring, and tells
 * what is in it as proto/observer.md says.
 *
 * A trace is of one object on one worker; at most TRACE_RINGS a worker at the same time. It lives until its reader has let go of it
 * and the worker has answered; the worker ends it by itself when its time is over. What a ring says is taken for hostile
 * (proto/trace.h). Invariant: a ring of a worker belongs to at most one trace that is not over.
 */
#ifndef ALTHING_SERVER_TRACES_H
#define ALTHING_SERVER_TRACES_H

#include "observer/observer.h"
#include "server/hub.h"

struct observer_trace;

struct traces {
    struct hub *hub;
    struct observer_trace *first;
};

/* NULL and *e. kind: transport, producer or consumer. */
struct observer_trace *traces_start(struct traces *t, enum observer_kind kind, const char *key, uint32_t kinds,
                                    uint32_t seconds, struct observer_error *e);
/* The next event, a new reference; NULL: none now, and *end says why none will come any more (NULL: some may), *lost how many
 * were not read in time. */
json_t *traces_next(struct observer_trace *t, const char **end, uint64_t *lost);
void traces_stop(struct observer_trace *t); /* NULL is fine */

/* {"type", "direction", "info"} of a record. */
json_t *traces_event(const struct trace_record *r);

#endif
