/* outbound.h - a consumer's packets, composed afresh for its receiver, sealed many at once, and put into the outbox.
 *
 * outbound_consumer() turns what a ready consumer has (resends first, then the batch of its producer) into items, or has the pacer
 * keep it until outbound_paced(); when
 * OUTBOUND_BURST are there, and at the end of engine_send() through outbound_flush(), they are sealed with one call. An item
 * borrows its packet and its consumer: neither may go while items wait.
 *
 * Invariant: an output number (ssrc, extended sequence number) is composed once. A resend on the media SSRC is composed from
 * the history entry and gives the same bytes; on the RTX SSRC every packet has a new number.
 */
#ifndef ALTHING_WORKER_ROUTE_OUTBOUND_H
#define ALTHING_WORKER_ROUTE_OUTBOUND_H

#include "worker/stream/send.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUTBOUND_BURST    64
#define OUTBOUND_HEAD_MAX 512 /* header, extensions, OSN, what is rewritten of the payload */

struct consumer;
struct engine;
struct packet;
struct transport;

enum outbound_kind {
    OUTBOUND_MEDIA,
    OUTBOUND_RTX,     /* RFC 4588 */
    OUTBOUND_AGAIN,   /* the same packet on the media SSRC */
    OUTBOUND_PADDING, /* nothing but padding, on the RTX SSRC */
};

struct outbound_item {
    struct consumer *consumer;
    const struct packet *pk; /* NULL: padding */
    enum outbound_kind kind;
    struct send_entry entry; /* of the media packet */
    uint32_t roc;
    uint16_t aad_len;  /* header and extensions */
    uint16_t head_len; /* what stands before the payload: OSN, descriptor, RED's headers */
    const uint8_t *payload;
    uint32_t payload_len;
    uint8_t pad_len;
    uint8_t probe; /* what it is sent for; 0: media */
    bool numbered; /* twcc is its own transport-wide number */
    uint16_t twcc;
    uint8_t head[OUTBOUND_HEAD_MAX];
};

void outbound_consumer(struct consumer *c, int64_t now_us);
/* Resends, as far as the pacer lets them; the others stay, and the transport's share is told. */
void outbound_resends(struct consumer *c, int64_t now_us);
void outbound_paced(struct transport *t, int64_t now_us); /* what waited and may go now */
/* A packet with at most so many bytes of padding, 1..255; how long it is in all. 0: it could not be made. */
size_t outbound_padding(struct consumer *c, size_t bytes, int64_t now_us);
void outbound_flush(struct engine *e, int64_t now_us);

/* Gives the packets of one frame of one consumer that are one byte shorter than its longest a byte of padding, so that they leave
 * in one GSO run. None becomes longer than the longest. */
void outbound_level(struct outbound_item *items, size_t n);

#endif
