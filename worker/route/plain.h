/* plain.h - a transport to software that speaks RTP and no ICE: a fixed remote address, or one that is learnt (comedia).
 *
 * SRTP with given keys, or clear when that is asked for. It shares the worker's UDP sockets: what comes is told apart by its tuple;
 * before that is known, by the SSRCs that its producers were announced with.
 *
 * Learning: the address of the first packet that is authentic, or, in a clear transport, that is well-formed RTP with an announced
 * SSRC and a payload type of its producer. It is then kept, whoever else sends, until nothing came from it for PLAIN_SILENCE_US;
 * so nothing is ever sent to an address that has not sent us media lately. Without rtcp_mux the address of RTCP is learnt
 * likewise, from the same host. A fixed address is the server's word, and is sent to as long as the transport is there.
 *
 * RTCP that is not multiplexed comes to the same port of ours: its remote port alone is another one.
 */
#ifndef ALTHING_WORKER_ROUTE_PLAIN_H
#define ALTHING_WORKER_ROUTE_PLAIN_H

#include "worker/route/params.h"

#include <stdint.h>

#define PLAIN_SILENCE_US 30000000

struct engine;

/* 0, -EINVAL (also: neither a key nor clear), -ENOENT (the router), -EEXIST, -ENOSPC. */
int plain_create(struct engine *e, const struct params_plain *p, int64_t now_us);
/* Once. A fixed transport needs an address, a learning one takes none; a key exactly when there is one to send with. -EEXIST:
 * connected already, or another transport has that address or SSRC; -EINVAL: also a transport of another kind. */
int plain_connect(struct engine *e, uint64_t id, const struct params_remote *r, int64_t now_us);

#endif
