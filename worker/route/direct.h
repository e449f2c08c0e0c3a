/* direct.h - a transport without a network: RTP and RTCP are taken from and handed to code in this process, such as a recorder.
 *
 * Producers and consumers are made on it as on any other. Packets are plain and well-formed on the way out, and checked as if from
 * a network on the way in. It is writable from the start.
 */
#ifndef ALTHING_WORKER_ROUTE_DIRECT_H
#define ALTHING_WORKER_ROUTE_DIRECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;

#define DIRECT_PACKET_MAX 1500 /* longer ones are not taken */

/* Called from engine_send(); the bytes last as long as the call. The engine must not be called from it. */
typedef void direct_f(uint64_t transport, const uint8_t *data, size_t len, bool rtcp, void *arg);

/* `fn` and arg are borrowed and outlive the transport. 0, -ENOENT (the router), -EEXIST, -ENOSPC. Closed by transport_close(). */
int direct_create(struct engine *e, uint64_t router, uint64_t id, direct_f *fn, void *arg,
                  int64_t now_us);
/* An RTP or RTCP packet for its producers and consumers; followed by engine_send() like a batch from the network. 0, -ENOENT,
 * -EINVAL (of another kind), -EMSGSIZE, -EBADMSG (neither RTP nor RTCP). */
int direct_send(struct engine *e, uint64_t id, const uint8_t *data, size_t len, int64_t now_us);

#endif
