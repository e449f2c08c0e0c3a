/* state.h - what the files of route/ share, and nobody else sees: the engine, a transport, a consumer, the batch. */
#ifndef ALTHING_WORKER_ROUTE_STATE_H
#define ALTHING_WORKER_ROUTE_STATE_H

#include "lib/timers.h"
#include "proto/counters.h"
#include "worker/cc/remb_recv.h"
#include "worker/ice/ice.h"
#include "worker/route/consumer.h"
#include "worker/route/engine.h"
#include "worker/route/limits.h"
#include "worker/route/listener.h"
#include "worker/route/params.h"
#include "worker/route/path.h"
#include "worker/route/producer.h"
#include "worker/route/share.h"
#include "worker/route/ssrcs.h"
#include "worker/secure/dtls.h"
#include "worker/secure/srtp.h"
#include "worker/stream/pool.h"
#include "worker/stream/rate.h"
#include "worker/stream/tracer.h"
#include "worker/wire/dgram.h"
#include "worker/wire/rtcp.h"

#include <uthash.h>

#define TICK_US          500000  /* a transport's housekeeping */
#define EVENT_SPACING_US 1000000 /* between two scores of an object */

struct direct;
struct expected;
struct outbound_item;
struct pipe;
struct plain;
struct router;
struct transport;
struct data;
struct data_consumer;
struct data_producer;
struct transport_way;
struct twcc_recv;
struct webrtc;

/* ---- transport ---- */

/* A user name fragment of ours, and whose it is. */
struct fragment {
    char ufrag[ICE_UFRAG_MAX + 1];
    UT_hash_handle hh; /* in the engine, while `transport` is set */
    struct transport *transport;
};

enum transport_due {
    TRANSPORT_DUE_REPORTS = 1,
    TRANSPORT_DUE_FEEDBACK = 2,
    TRANSPORT_DUE_SHARE = 4,
};

struct transport {
    uint64_t id;
    UT_hash_handle hh;
    struct engine *engine;
    struct router *router;
    struct transport *prev, *next;             /* in the router */
    struct transport *prev_dirty, *next_dirty; /* in the engine, while dirty */
    bool dirty;                                /* has something to send */
    unsigned due;                              /* enum transport_due, of what */
    char peer[LIMIT_NAME + 1];

    const struct transport_way *way;
    /* one of these; the others are NULL */
    struct webrtc *webrtc;
    struct plain *plain;
    struct pipe *pipe;
    struct direct *direct;
    struct srtp_rx *rx; /* NULL until there are keys, and from then on */
    struct srtp_tx *tx;
    bool writable; /* there is somewhere to send to, and tx */

    struct rtp_ext_map recv_ext; /* of all producers */
    struct listener listener;
    struct producer *producers; /* list */
    struct consumer *consumers; /* list */
    size_t n_consumers;
    struct consumer *by_ssrc; /* hash */
    struct ssrcs used;        /* SSRCs that were ever sent with */
    struct consumer *ready;   /* list of those with something to send */

    struct data *data; /* NULL: it has no data channels */

    struct timer report_timer, cc_timer, tick_timer;
    struct twcc_recv *twcc;
    bool twcc_wanted; /* a producer negotiated it */
    struct remb_recv remb;
    struct share share;
    uint8_t loss_in;    /* worst share lost of what is received, 1/256 */
    uint16_t twcc_out;  /* next transport-wide number */
    uint32_t rtcp_ssrc; /* of reports and feedback */
    char cname[17];
    struct rate rate_in, rate_out;
    struct counters_transport *counters; /* never NULL */
};

/* ---- engine ---- */

/* A packet of the batch: received, not yet sent. */
struct batch_entry {
    struct packet *pk; /* one reference; NULL: the producer has gone */
    struct inbound *stream;
    struct batch_entry *next; /* of the same producer */
};

#define TWCC_STATUSES 4096 /* packets that one feedback may report; longer ones are dropped */

struct engine {
    struct engine_config conf;
    struct counters_worker *counts; /* never NULL */
    struct timers timers;
    struct pool *pool;
    struct packet
        *spare; /* where the next packet is opened: one that is not authentic takes no slot */
    struct router *routers;               /* hash by id */
    struct transport *transports;         /* hash by id */
    struct producer *producers;           /* hash by id */
    struct consumer *consumers;           /* hash by id */
    struct path *paths;                   /* hash by tuple */
    struct fragment *fragments;           /* hash by ICE user name fragment */
    struct expected *expected;            /* hash by SSRC: see expect.h */
    struct data_producer *data_producers; /* hash by id */
    struct data_consumer *data_consumers; /* hash by id */
    size_t n_associations;
    int64_t data_now_us; /* for what an association says */
    struct timer data_timer;
    struct inbound *streams; /* list of all */
    struct transport *dirty; /* list of those with something to send */
    size_t n_dirty;
    uint64_t turn; /* which of them is first */
    struct batch_entry batch[LIMIT_BATCH];
    size_t n_batch;
    struct tracer tracer;
    struct timer trace_timer;
    uint64_t random;                   /* of timers only: nothing secret */
    struct alloc_item *share_items;    /* LIMIT_TRANSPORT_CONSUMERS, scratch */
    struct consumer **share_consumers; /* of those */
    struct outbound_item *items;
    size_t n_items;
    struct rtcp_twcc_status statuses[TWCC_STATUSES];
};

uint32_t engine_random(struct engine *e);                /* spreads timers */
void engine_mark(struct engine *e, struct transport *t); /* it has something to send */
void engine_unmark(struct engine *e, struct transport *t);
/* A packet for the consumers of its producer; takes over the reference. */
void engine_batch(struct engine *e, struct inbound *s, struct packet *pk, int64_t now_us);
void engine_trace_expired(struct timer *timer, int64_t now_us, void *arg); /* taps.c */
void engine_unbatch(struct producer *p);                                   /* the producer goes */
int64_t engine_wall_us(const struct engine *e, int64_t now_us); /* microseconds since 1900 */
uint64_t engine_ntp(const struct engine *e, int64_t now_us);    /* 32.32 */

static inline void engine_event(const struct engine *e, const struct engine_event *ev)
{
    if (e->conf.event)
        e->conf.event(ev, e->conf.event_arg);
}

#endif
