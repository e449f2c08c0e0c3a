/* listener.h - which producer's stream a packet of a transport belongs to (RFC 8843 9.2, RFC 8852).
 *
 * By its SSRC when that is known; else by MID, and then RID or repaired RID, payload type, or being the producer's only encoding;
 * else, without a MID, by RID alone. What was found so is learnt: the SSRC stands in the table from then on, instead of the
 * stream's last one.
 *
 * Invariant: the table holds exactly the non-zero ssrc and rtx_ssrc of all streams of the added producers, each once. It has room
 * for all of them from listener_add() on, so that learning does not allocate; LIMIT_LEARNT_SSRCS bounds how often a sender may
 * change, anew with each producer that is added. It borrows the producers.
 */
#ifndef ALTHING_WORKER_ROUTE_LISTENER_H
#define ALTHING_WORKER_ROUTE_LISTENER_H

#include "worker/route/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct inbound;
struct producer;

struct listener_entry {
    uint32_t ssrc; /* 0: free */
    bool rtx;
    struct inbound *stream;
};

struct listener {
    struct listener_entry *table;
    size_t cap, count; /* cap: a power of two, at least twice what may ever be in it */
    size_t room;       /* SSRCs that the added producers may have */
    struct producer *producers[LIMIT_TRANSPORT_PRODUCERS];
    size_t n_producers;
    unsigned learnt;
};

/* What a packet says of where it belongs; strings are not terminated, NULL when absent. */
struct listener_packet {
    uint32_t ssrc;
    uint8_t payload_type;
    const uint8_t *mid, *rid, *repaired_rid;
    uint8_t mid_len, rid_len, repaired_rid_len;
    int64_t now_us;
};

/* 0, -EEXIST (an SSRC, the MID, or without MID a RID is taken), -ENOSPC. */
int listener_add(struct listener *l, struct producer *p);
void listener_remove(struct listener *l, struct producer *p); /* not added: fine */
void listener_clear(struct listener *l);                      /* frees the table */

const struct listener_entry *listener_find(const struct listener *l, uint32_t ssrc); /* or NULL */
/* Finds and learns. NULL: belongs to nothing, or too much was learnt. */
const struct listener_entry *listener_learn(struct listener *l, const struct listener_packet *p);

#endif
