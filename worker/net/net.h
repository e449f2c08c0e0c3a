/* net.h - the worker's sockets: batches of datagrams in, an outbox of datagrams out.
 *
 * It owns the UDP sockets and TCP listeners that it was given (bind them to addresses, not to the wildcard: an answer leaves from
 * where routing says) and every TCP connection (RFC 4571 frames; the browser connects, RFC 6544 passive). libuv says what is
 * readable; the loop calls net_receive() once a pass, after its poll, which hands over what came, and net_send() with what is to
 * go. Nothing blocks.
 *
 * Under load (tick.h) the UDP sockets leave the poll set and are drained when a timerfd says so. A pass takes at most
 * NET_PASS_MAX datagrams of a socket; the rest comes in the next pass.
 *
 * UDP goes out in the outbox's order; neighbours for one tuple, of one size (the last may be shorter), leave as one GSO message.
 * What the kernel does not take is dropped and counted. A TCP connection queues up to NET_TCP_QUEUE_MAX bytes; a frame that does
 * not fit is dropped whole and counted.
 *
 * TCP connections are bounded: NET_TCP_MAX in all, NET_TCP_IP_MAX of one remote address. One to which nothing was sent in
 * NET_TCP_FIRST_US after it came (so ICE has answered no check on it), or for NET_TCP_IDLE_US later on, is closed. When the table
 * is full, the oldest that was never sent anything makes room; when there is none, the new one is refused.
 */
#ifndef ALTHING_WORKER_NET_NET_H
#define ALTHING_WORKER_NET_NET_H

#include "worker/wire/dgram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#define NET_SOCKETS_MAX   16     /* UDP sockets, and as many TCP listeners */
#define NET_PASS_MAX      2048   /* datagrams a socket a pass */
#define NET_TCP_MAX       1024   /* connections */
#define NET_TCP_IP_MAX    128    /* of them of one remote address (of one /64 for IPv6) */
#define NET_TCP_FRAME_MAX 2048   /* a longer frame ends its connection */
#define NET_TCP_QUEUE_MAX 262144 /* bytes that wait in a connection */
#define NET_TCP_FIRST_US  10000000
#define NET_TCP_IDLE_US   60000000

struct counters_worker;

struct net_handlers {
    /* Datagrams of one socket in the order of their arrival; the bytes are the handler's to change until it returns. */
    void (*dgrams)(const struct dgram *dgrams, size_t n, int64_t now_us, void *arg);
    /* A connection ended: its tuple names nothing now. */
    void (*tcp_gone)(const struct tuple *gone, int64_t now_us, void *arg);
};

struct net_config {
    uv_loop_t *loop;                     /* borrowed */
    const int *udp, *tcp;                /* bound sockets and listeners, which net takes over */
    size_t n_udp, n_tcp;                 /* up to NET_SOCKETS_MAX each */
    struct counters_worker *counters;    /* borrowed */
    const struct net_handlers *handlers; /* borrowed; called from within net_receive() only */
    void *arg;
};

struct net;

/* 0 or -errno; on an error the descriptors stay the caller's. */
int net_new(struct net **np, const struct net_config *conf);
/* Closes everything, calls no handler; the loop must run once more before it is closed. NULL is fine. */
void net_free(struct net *n);

/* Says whether anything was received. */
bool net_receive(struct net *n, int64_t now_us);
/* An outbox's flush; arg is the net. */
outbox_flush_f net_send;
/* The address of one of our sockets, by the number that tuples have (an engine_local_f; arg is the net). False: it is gone. */
bool net_local(uint32_t sock, bool tcp, struct addr *local, void *arg);

int64_t net_next_us(const struct net *n); /* TIME_NEVER_US: nothing is due */
void net_timer(struct net *n, int64_t now_us);

#endif
