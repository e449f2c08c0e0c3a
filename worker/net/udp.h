/* udp.h - net's UDP sockets: batches in with GRO, batches out with GSO. Used by net.c alone. */
#ifndef ALTHING_WORKER_NET_UDP_H
#define ALTHING_WORKER_NET_UDP_H

#include "worker/wire/dgram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct counters_worker;

#define UDP_BATCH_MAX 512 /* datagrams handed over at once */

struct udp_socket {
    int fd;
    int family;
    struct addr local;
    bool readable; /* the loop said so */
};

struct udp;
/* Datagrams of one socket; `arg` is what udp_receive() was given. */
typedef void udp_dgrams_f(const struct dgram *dgrams, size_t n, void *arg);

void udp_new(struct udp **up, struct counters_worker *counters);
void udp_free(struct udp *u); /* NULL is fine */

/* Non-blocking, timestamps, GRO, large buffers; the socket stays the caller's to close. 0 or -errno. */
int udp_open(struct udp_socket *s, int fd);
/* Up to `max` datagrams of a socket; they carry `sock`. Returns how many; *more: there may be more. */
size_t udp_receive(struct udp *u, struct udp_socket *s, uint32_t sock, size_t max, int64_t now_us,
                   udp_dgrams_f *fn, void *arg, bool *more);
/* Sends those slots whose tuple is UDP and `sock`. */
void udp_send(struct udp *u, const struct udp_socket *s, uint32_t sock,
              const struct out_slot *slots, size_t n);

#endif
