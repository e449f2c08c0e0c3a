/* consumer.h - what a browser receives: one producer's media, as one stream with its own SSRC, payload types, extension ids and
 * MID.
 *
 * A transport owns its consumers; each borrows its producer, which closes it before it goes. It flows when neither it nor its
 * producer is paused and its transport can send; whenever it starts to flow it waits for a key frame and asks for one. Which
 * packets it sends as what is decided by stream/layers, seqmap and picture_map; outbound.h composes and sends them.
 */
#ifndef ALTHING_WORKER_ROUTE_CONSUMER_H
#define ALTHING_WORKER_ROUTE_CONSUMER_H

#include "proto/counters.h"
#include "worker/cc/alloc.h"
#include "worker/route/params.h"
#include "worker/stream/picture_map.h"
#include "worker/stream/rate.h"
#include "worker/stream/score.h"
#include "worker/stream/seqmap.h"
#include "worker/wire/rtcp.h"

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

struct engine;
struct layers;
struct producer;
struct send;
struct transport;

struct consumer {
    uint64_t id;
    UT_hash_handle hh;
    UT_hash_handle hh_ssrc; /* in the transport */
    struct transport *transport;
    struct producer *producer;
    struct consumer *prev, *next;             /* in the transport */
    struct consumer *prev_same, *next_same;   /* of the producer */
    struct consumer *prev_ready, *next_ready; /* in the transport, while ready */
    bool ready;                               /* has something to send */
    bool paused;
    bool flowing;
    bool layered; /* the receiver can choose */
    /* Which of the producer's streams it carries: these; its layers count from there. */
    uint8_t base, n_streams;
    uint8_t last_fir;
    bool had_fir;
    struct params_media media;
    uint8_t by_pt[128]; /* the producer's payload type: index of the codec plus one */
    uint32_t ssrc, rtx_ssrc;
    uint64_t rtx_seq; /* of the last RTX packet, extended */
    struct layers *layers;
    struct seqmap seqmap;
    struct picture_map vp8;
    struct alloc_state share; /* of the transport's bandwidth */
    uint32_t steps_there;     /* of its ladder, a bit each */
    unsigned priority;        /* 1..255 */
    bool bandwidth_short;     /* told so */
    int64_t key_us;           /* a packet of a key frame was sent last */
    uint32_t last_ts;         /* sent last */
    struct send *send;
    struct score score;
    struct rate rate;
    uint16_t resends[LIMIT_RESENDS]; /* asked for in this batch */
    size_t n_resends;
    unsigned score_told, producer_score_told; /* to the server */
    int64_t score_told_us;
    struct counters_consumer *counters;
};

/* 0, -EINVAL, -ENOENT, -EEXIST (the handle, or an SSRC or the MID that the transport has used), -ENOSPC. */
int consumer_create(struct engine *e, const struct params_consumer *p, int64_t now_us);
int consumer_pause(struct engine *e, uint64_t id, bool paused, int64_t now_us);
int consumer_set_preferred(struct engine *e, uint64_t id, uint32_t spatial, uint32_t temporal,
                           int64_t now_us);
int consumer_set_priority(struct engine *e, uint64_t id, unsigned priority);
int consumer_request_key_frame(struct engine *e, uint64_t id, int64_t now_us);
void consumer_close(struct engine *e, uint64_t id, int64_t now_us); /* unknown: fine */

static inline bool consumer_carries(const struct consumer *c, size_t stream)
{
    return stream - c->base < c->n_streams;
}

/* Its receiver's codec for a payload type of the producer; NULL: it has none for it. */
const struct params_codec *consumer_codec(const struct consumer *c, uint8_t pt);

void consumer_ready(struct consumer *c); /* engine_send() visits it */
void consumer_flow_changed(struct consumer *c, int64_t now_us);
void consumer_source_active(struct consumer *c, size_t stream, bool active);
void consumer_source_restarted(struct consumer *c, size_t stream);
/* Asks for the key frame it waits for, and tells the server of other layers. After anything that may have changed them. */
void consumer_check(struct consumer *c, int64_t now_us);
void consumer_tell(const struct consumer *c); /* layers and score to the server, again */
void consumer_tick(struct consumer *c, int64_t now_us); /* every half second: gauges, score */

/* From the receiver. */
void consumer_report(struct consumer *c, const struct rtcp_report *r, int64_t now_us);
int64_t consumer_rtt_us(const struct consumer *c); /* 0: none was measured */
void consumer_nacked(struct consumer *c, const uint16_t *seqs, size_t n);
void consumer_pli(struct consumer *c, int64_t now_us);
void consumer_fir(struct consumer *c, uint8_t seq, int64_t now_us);

#endif
