/* remb_recv.h - what to tell a sender about how much it may send, by REMB (draft-alvestrand-rmcat-remb-03).
 *
 * Two uses. A limit that the server set is told every REMB_RECV_INTERVAL_US, and when it is taken away, four times that there
 * is none. And with `estimate`, for senders that know no transport-cc: the rate that is received is measured, and what is told
 * lets it grow by half as long as less than 2 % is lost, holds it up to 10 %, and goes down with the loss beyond: never below
 * REMB_RECV_FLOOR_BPS, never above the limit. Plain struct, one a transport.
 */
#ifndef ALTHING_WORKER_CC_REMB_RECV_H
#define ALTHING_WORKER_CC_REMB_RECV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REMB_RECV_INTERVAL_US   1500000
#define REMB_RECV_ESTIMATE_US   1000000 /* between two estimates */
#define REMB_RECV_FLOOR_BPS     100000
#define REMB_RECV_START_BPS     600000
#define REMB_RECV_UNLIMITED_BPS 100000000

struct remb_recv {
    bool estimate;    /* estimates are wanted */
    uint32_t max_bps; /* the server's limit; 0: none */
    uint32_t estimate_bps;
    uint8_t unlimited_left; /* times to tell that the limit is gone */
    int64_t next_us;
    uint64_t bytes; /* received since since_us, the first packet's arrival */
    int64_t since_us;
};

void remb_recv_init(struct remb_recv *r);
void remb_recv_set_max(struct remb_recv *r, uint32_t bps, int64_t now_us); /* 0: no limit */
void remb_recv_set_estimate(struct remb_recv *r, bool on, int64_t now_us);
void remb_recv_packet(struct remb_recv *r, size_t bytes, int64_t now_us);
int64_t remb_recv_next_us(const struct remb_recv *r); /* TIME_NEVER_US: nothing to tell */
/* True: *bps is to be told now. loss: worst share lost in 1/256 that the receive streams of the transport have now. */
bool remb_recv_due(struct remb_recv *r, uint8_t loss, int64_t now_us, uint32_t *bps);

#endif
