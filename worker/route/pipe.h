/* pipe.h - a transport between two workers: what one router has is made a producer of the other's.
 *
 * Its tuple is fixed: a socket of ours, a socket of the other worker. All pipes between two workers share it, so what comes is
 * told apart by its SSRC; every stream has one that its server chose and announced, and so have reports. SRTP with given keys, or
 * clear when that is asked for. A consumer for each encoding carries it whole (params_consumer.only_encoding): the other side
 * chooses layers.
 */
#ifndef ALTHING_WORKER_ROUTE_PIPE_H
#define ALTHING_WORKER_ROUTE_PIPE_H

#include "worker/route/params.h"

#include <stdint.h>

struct engine;

/* 0, -EINVAL (also: neither a key nor clear, no rtcp_ssrc), -ENOENT (the router), -EEXIST, -ENOSPC. */
int pipe_create(struct engine *e, const struct params_plain *p, int64_t now_us);
/* Once; with an address, and the SSRC of the other side's reports. As plain_connect(). */
int pipe_connect(struct engine *e, uint64_t id, const struct params_remote *r, int64_t now_us);

#endif
