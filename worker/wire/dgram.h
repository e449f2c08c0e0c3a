/* dgram.h - datagrams in and out of a worker, and the path that one took.
 *
 * A tuple names a path: the remote address and our socket. For UDP `sock` is the number of the listening socket; for TCP that
 * of the connection, which is not used again for a long time. Two tuples are the same when their bytes are.
 *
 * The outbox holds what a batch wants to send. outbox_take() gives room for one datagram; the caller writes it and sets `len`
 * (0: nothing is sent). When all slots are taken it flushes by itself first, so a slot is written before the next is taken.
 * Runs to one destination stay neighbours, which is what lets `net` send them as one.
 */
#ifndef ALTHING_WORKER_WIRE_DGRAM_H
#define ALTHING_WORKER_WIRE_DGRAM_H

#include "lib/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum net_proto { NET_UDP, NET_TCP };

struct tuple {
    struct addr remote;
    uint32_t sock;
    uint32_t proto; /* enum net_proto */
};

static inline bool tuple_equal(const struct tuple *a, const struct tuple *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

/* One received datagram, or one RFC 4571 frame. The bytes are the receiver's to change until its call returns. */
struct dgram {
    uint8_t *data;
    uint32_t len;
    int64_t rx_us; /* arrival at the kernel, on the monotonic clock */
    struct tuple from;
};

#define OUTBOX_SLOTS    512
#define OUTBOX_DATA_MAX 2000 /* bytes of one datagram */

struct out_slot {
    struct tuple to;
    int64_t rx_us; /* arrival of the packet that it forwards; 0: it forwards none */
    uint32_t len;
    uint8_t data[OUTBOX_DATA_MAX];
};

struct outbox;
typedef void outbox_flush_f(struct outbox *ob, void *arg); /* sends slots 0 .. n-1 */

struct outbox {
    struct out_slot *slots; /* OUTBOX_SLOTS of them */
    size_t n;
    outbox_flush_f *flush;
    void *arg;
};

void outbox_init(struct outbox *ob, outbox_flush_f *flush, void *arg);
void outbox_free(struct outbox *ob);
struct out_slot *outbox_take(struct outbox *ob, const struct tuple *to); /* never NULL */
void outbox_flush(struct outbox *ob);                                    /* empty: fine */

#endif
