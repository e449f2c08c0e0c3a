/* inbound.h - one stream of a producer: one SSRC and the one that repairs it, received, asked for again, kept, and scored.
 *
 * A producer owns its streams. inbound_packet() takes an opened, parsed packet of either SSRC; what a packet causes (NACK, key
 * frame request) is marked on the transport and composed in engine_send(). The ring is the history out of which all consumers
 * answer NACKs.
 */
#ifndef ALTHING_WORKER_ROUTE_INBOUND_H
#define ALTHING_WORKER_ROUTE_INBOUND_H

#include "lib/timers.h"
#include "proto/counters.h"
#include "worker/route/params.h"
#include "worker/stream/keyreq.h"
#include "worker/stream/layer_rates.h"
#include "worker/stream/rate.h"
#include "worker/stream/score.h"
#include "worker/wire/rtcp.h"

#include <stdbool.h>
#include <stdint.h>

struct capture;
struct engine;
struct nack;
struct packet;
struct producer;
struct recv;
struct ring;

struct inbound {
    struct producer *producer;
    struct inbound *prev, *next; /* in the engine */
    uint8_t index;               /* among the encodings: the spatial layer */
    char rid[LIMIT_RID + 1];     /* "": none */
    uint32_t ssrc, rtx_ssrc;     /* 0: not learnt yet; changed by the listener alone */
    bool ssrc_signalled, rtx_signalled;
    uint8_t spatial_layers, temporal_layers;
    bool active;                              /* packets come */
    bool nack_wanted, pli_wanted, fir_wanted; /* negotiated */
    uint8_t fir_seq;
    int64_t silence_us;
    struct recv *recv; /* NULL until the SSRC is known */
    struct nack *nack;
    struct ring *ring;
    struct score score;
    struct keyreq keyreq;
    struct rate rate;
    struct layer_rates layer_rates;
    struct frame_ctx frame;
    struct timer timer; /* the next NACK or key frame request */
    struct counters_producer *counters;
};

void inbound_new(struct inbound **sp, struct producer *p, const struct params_encoding *enc,
                 uint8_t index, int64_t now_us);
void inbound_free(struct inbound *s, int64_t now_us); /* NULL is fine */

/* The stream starts anew with another SSRC; its history and numbers are forgotten. */
void inbound_set_ssrc(struct inbound *s, uint32_t ssrc, int64_t now_us);

/* Takes over pk's reference: forwards it into the batch, or drops it and counts. rtx: it came on the repairing SSRC. */
void inbound_packet(struct inbound *s, struct packet *pk, bool rtx, int64_t now_us);

void inbound_sender_report(struct inbound *s, const struct rtcp_sr *sr, int64_t now_us);
void inbound_ask_key(struct inbound *s, int64_t now_us);
void inbound_arm(struct inbound *s, int64_t now_us);  /* sets the timer anew */
void inbound_tick(struct inbound *s, int64_t now_us); /* every half second: silence, age, gauges */

/* The ring that holds the oldest packet of all drops some. False: all are empty. */
bool inbound_make_room(struct engine *e);

#endif
