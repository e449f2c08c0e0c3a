/* share.h - a transport's bandwidth: how much its way takes (cc/bwe), how fast its packets leave (stream/pacer), and which layers
 * its consumers get of it (cc/alloc).
 *
 * Begun with the first video consumer whose receiver tells what arrives, by transport-cc or REMB; without one, and on a transport
 * that is no browser's, everything that is preferred is sent at once. Audio is taken off first, then resends. Until something was
 * told, the lowest layers are sent whatever they cost; and in the first SHARE_BEGIN_US, while the estimate is finding the way,
 * layers are climbed at once.
 *
 * While more is wanted than is given, something that the receiver tells of is sent every SHARE_BEAT_US, padding if need be: else a
 * viewer whose videos are all stopped would never be found to have bandwidth again. One that cannot be sent padding keeps the
 * lowest layers.
 *
 * share_changed() marks; the spreading is done in engine_send(), at most once a pass. After a telling of the receiver it is done at
 * once when the estimate fell, else at most every SHARE_UP_US; and with every tick of the transport.
 */
#ifndef ALTHING_WORKER_ROUTE_SHARE_H
#define ALTHING_WORKER_ROUTE_SHARE_H

#include "lib/timers.h"
#include "worker/cc/alloc.h"
#include "worker/cc/bwe.h"
#include "worker/stream/rate.h"

#define SHARE_UP_US    200000
#define SHARE_BEGIN_US 4000000
#define SHARE_BEAT_US  100000

struct consumer;
struct outbound_item;
struct pacer;
struct rtcp_twcc_status;
struct transport;

struct share {
    struct bwe *bwe;     /* NULL: not begun */
    struct pacer *pacer; /* with bwe */
    struct bwe_conf conf;
    struct alloc alloc;
    struct timer timer;
    struct rate resent;
    int64_t begun_us; /* the first video flowed */
    bool begun;
    bool wants_more; /* than is given */
    int64_t beat_us; /* when a packet that is told of has to leave, else padding does */
    bool stale;      /* to be spread anew */
    bool held;       /* consumers have resends that wait for the pacer */
    int64_t spread_us, again_us;
    uint32_t spread_bps; /* the estimate then */
};

void share_init(struct transport *t);
void share_clear(struct transport *t);
/* Bits a second; 0: the default. */
int share_set_limits(struct transport *t, uint32_t initial, uint32_t min, uint32_t max);

void share_joined(struct consumer *c, int64_t now_us); /* it is in the transport */
void share_gone(struct consumer *c);                   /* it is about to go */
void share_changed(struct transport *t); /* who flows, what is preferred or comes, priorities */
void share_tick(struct transport *t, int64_t now_us);
void share_writable(struct transport *t);

/* From the receiver. */
void share_feedback(struct transport *t, const struct rtcp_twcc_status *st, size_t n,
                    int64_t now_us);
void share_remb(struct transport *t, uint64_t bps, int64_t now_us);
void share_loss(struct transport *t, uint8_t fraction, uint64_t packets, int64_t now_us);

/* It was sealed and leaves. */
void share_sent(struct transport *t, const struct outbound_item *it, size_t bytes, int64_t now_us);
/* In transport_send(), before and after the consumers'. */
void share_before_send(struct transport *t, int64_t now_us);
void share_after_send(struct transport *t, int64_t now_us);

#endif
