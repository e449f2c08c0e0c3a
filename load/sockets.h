/* sockets.h - the UDP sockets of all peers, one for each transport, so that the server sees a tuple of its own for each.
 *
 * They are drained when the owner says so (once a millisecond or so) and not when something comes: a wake-up costs more than ten
 * packets, and the kernel's time stamps say when a datagram really arrived. With `gro` a run of equal datagrams comes as one;
 * without, the kernel cuts it up, on loopback at the sender's expense. At most SOCKETS_MAX.
 */
#ifndef ALTHING_LOAD_SOCKETS_H
#define ALTHING_LOAD_SOCKETS_H

#include "worker/wire/dgram.h"

#include <stdbool.h>

#define SOCKETS_MAX 16384

struct sockets;
typedef void sockets_dgram_f(const struct dgram *d, void *arg);

struct sockets_totals {
    uint64_t datagrams_in, datagrams_out, bytes_in, bytes_out;
    uint64_t lost_out; /* the kernel did not take them */
};

int sockets_new(struct sockets **sp, bool gro); /* 0 or -errno */
void sockets_free(struct sockets *s);           /* NULL is fine */

/* A socket connected to that address. Its number, -ENFILE when there are SOCKETS_MAX, or -errno. */
int sockets_add(struct sockets *s, const struct addr *remote, sockets_dgram_f *fn, void *arg);
void sockets_remove(struct sockets *s, int number);
/* Hands over all that is there; handlers may send, add, and remove other sockets than their own. Returns how many datagrams. */
size_t sockets_drain(struct sockets *s, int64_t now_us);

/* Room for one datagram of OUTBOX_DATA_MAX bytes, never NULL; set `len`. It leaves with sockets_flush(), or when the box is full.
 */
struct out_slot *sockets_take(struct sockets *s, int number);
void sockets_flush(struct sockets *s);
struct sockets_totals sockets_totals(const struct sockets *s);

#endif
