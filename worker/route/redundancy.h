/* redundancy.h - redundant audio (RFC 2198) as each receiver can take it.
 *
 * A receiver that has RED and the codecs of all blocks gets the packet with its own payload types in the block headers. One that
 * has not, but has the codec of the newest block, gets that block as a packet of its codec: what is lost is redundancy, not sound.
 * Others get nothing. A pure function of packet and consumer, so that a resend is the same to the bit.
 */
#ifndef ALTHING_WORKER_ROUTE_REDUNDANCY_H
#define ALTHING_WORKER_ROUTE_REDUNDANCY_H

#include "worker/wire/red.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct consumer;
struct packet;
struct params_codec;

bool redundancy_in(const struct consumer *c, const struct packet *pk); /* its producer sent it as RED */
/* Of such a packet: as which of the receiver's codecs it goes; NULL: it does not. */
const struct params_codec *redundancy_codec(const struct consumer *c, const struct packet *pk);
/* And what replaces the first *old bytes of its payload; returns how long that is. */
size_t redundancy_head(const struct consumer *c, const struct packet *pk,
                       uint8_t head[static RED_HEAD_MAX], size_t *old);

#endif
