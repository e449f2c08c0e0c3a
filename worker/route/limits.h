/* limits.h - how many of everything a worker has at most. The server is trusted to ask for less; past a bound a request is
 * answered with ERROR_LIMIT (-ENOSPC here) and nothing changes. What browsers send can pass none of them: what happens there is
 * said below. */
#ifndef ALTHING_WORKER_ROUTE_LIMITS_H
#define ALTHING_WORKER_ROUTE_LIMITS_H

/* Objects in a worker. */
#define LIMIT_ROUTERS        4096
#define LIMIT_TRANSPORTS     8192
#define LIMIT_PRODUCERS      16384
#define LIMIT_CONSUMERS      131072
#define LIMIT_DATA_PRODUCERS 16384
#define LIMIT_DATA_CONSUMERS 131072
#define LIMIT_ASSOCIATIONS   4096 /* transports in use for data channels */

/* In one transport. */
#define LIMIT_TRANSPORT_PRODUCERS      64
#define LIMIT_TRANSPORT_CONSUMERS      2048
#define LIMIT_TRANSPORT_DATA_PRODUCERS 64 /* data consumers: its streams */

/* In one producer or consumer. */
#define LIMIT_CODECS       16
#define LIMIT_ENCODINGS    4
#define LIMIT_MID          32 /* characters */
#define LIMIT_RID          32
#define LIMIT_CNAME        255 /* RFC 3550 6.5.1 */
#define LIMIT_FINGERPRINTS 8   /* of the remote side; further ones are not looked at */
#define LIMIT_NAME         128 /* of room and peer: labels only, cut off */

/* SSRCs that a transport learns from MID and RID until it is given another producer; packets of further unknown ones are dropped
 * and counted. */
#define LIMIT_LEARNT_SSRCS 256

/* Received packets held: histories and the batch. When the pool is empty the oldest history goes, then the packet is dropped. */
#define LIMIT_POOL_SLOTS 16384
/* Packets of one batch; when it is full they are sent before the next is received. */
#define LIMIT_BATCH 1024
/* Resends that wait in a consumer for engine_send(); further ones are dropped (the receiver asks again). */
#define LIMIT_RESENDS 256

#endif
