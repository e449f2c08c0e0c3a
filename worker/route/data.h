/* data.h - the data channels of a transport: its SCTP association, and the data producers and data consumers on it.
 *
 * A transport has this from its beginning, or never. The association is made with the first data producer or data consumer and
 * connects as soon as the transport is writable; until then the remote side's packets are dropped (it repeats them). It is made
 * once: when it has failed or is closed, the transport has no data channels any more.
 *
 * A message goes from its stream's data producer to all data consumers at once, from the same bytes, without being kept here; what
 * waits to be sent waits in the associations, and their bounds are said in sctp/association.h. A message for which there is no
 * room, or whose receiver has no association (yet), is dropped for that receiver alone, be its stream reliable or not: the data
 * consumer counts it and the server is told, who decides whether to close it.
 *
 * Messages on a stream without a data producer are dropped and counted. A channel that the remote side opens in-band (RFC 8832) is
 * acknowledged if its stream has a data producer; how it delivers is decided by the server alone.
 */
#ifndef ALTHING_WORKER_ROUTE_DATA_H
#define ALTHING_WORKER_ROUTE_DATA_H

#include "worker/route/params.h"

#include <stddef.h>
#include <stdint.h>

struct association;
struct data_consumer;
struct data_producer;
struct engine;
struct transport;

struct data {
    struct transport *transport;
    struct params_sctp params;
    struct association *association;     /* NULL: not needed so far */
    struct data_producer *producers;     /* list */
    struct data_consumer *consumers;     /* list */
    struct data_producer *by_stream;     /* hash */
    struct data_consumer *by_out_stream; /* hash */
};

/* Of a transport that is not started yet. -EINVAL: out of range. */
int data_new(struct transport *t, const struct params_sctp *p);
void data_close(struct transport *t, int64_t now_us); /* with all that is on it; none: fine */

/* A data producer or data consumer is to be on that stream: the association is needed. 0 or -ENOSPC (LIMIT_ASSOCIATIONS). */
int data_need(struct transport *t, uint16_t stream, int64_t now_us);
/* A data producer or data consumer on it has gone: the channel closes at the remote side too (RFC 8831 6.7). */
void data_close_stream(struct data *d, uint16_t stream, int64_t now_us);
void data_writable(struct transport *t, int64_t now_us); /* the transport is; none: fine */
void data_tell(const struct transport *t); /* its state to the server, again; none: fine */
/* An SCTP packet of the remote side; none: it is dropped. */
void data_input(struct transport *t, const uint8_t *packet, size_t len, int64_t now_us);

void data_open(struct engine *e); /* with the engine, before a sandbox */
void data_shut(struct engine *e);
void data_arm(struct engine *e); /* after anything of an association */

#endif
