/* tcp.h - net's TCP: listeners, connections, RFC 4571 framing, bounded queues. Used by net.c alone.
 *
 * A connection's number holds its place in the table and how often the place was used, so it names nothing else for millions of
 * connections. Connections end only in tcp_reap() and in an accept that makes room, which tell `gone`: never from within a send.
 */
#ifndef ALTHING_WORKER_NET_TCP_H
#define ALTHING_WORKER_NET_TCP_H

#include "worker/net/net.h"

struct tcp;

struct tcp_config {
    uv_loop_t *loop;
    struct counters_worker *counters;
    void (*dgrams)(const struct dgram *dgrams, size_t n, void *arg);
    void (*gone)(const struct tuple *gone, void *arg);
    void (*freed)(void *arg); /* after tcp_free(), when libuv has let go */
    void *arg;
};

void tcp_new(struct tcp **tp, const struct tcp_config *conf);
int tcp_listen(struct tcp *t, int fd); /* takes fd when it answers 0, else -errno */
/* Tells nobody but `freed`. `close_listeners` false: they are the caller's again. */
void tcp_free(struct tcp *t, bool close_listeners);

bool tcp_waiting(const struct tcp *t); /* something is to be done by tcp_receive() */
size_t tcp_receive(struct tcp *t,
                   int64_t now_us); /* accepts, reads; returns the number of frames */
void tcp_reap(struct tcp *t);       /* ends what has failed */
/* Those slots that are for TCP. */
void tcp_send(struct tcp *t, const struct out_slot *slots, size_t n, int64_t now_us);
bool tcp_local(const struct tcp *t, uint32_t sock, struct addr *local);

int64_t tcp_next_us(const struct tcp *t);
void tcp_timer(struct tcp *t, int64_t now_us);

#endif
