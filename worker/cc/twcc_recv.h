/* twcc_recv.h - tells a sender when each of its packets arrived (draft-holmer-rmcat-transport-wide-cc-extensions-01 3).
 *
 * Invariant: every packet that arrives is reported in the first feedback after it, those that did not arrive between two that
 * did are reported lost, once; a late one makes the next feedback start there again. Feedback is due TWCC_RECV_INTERVAL_US
 * after the first packet that is not yet reported. Arrivals older than TWCC_RECV_WINDOW_US, or more than TWCC_RECV_SLOTS
 * numbers behind the newest, are forgotten. One a transport; no allocation but its own.
 */
#ifndef ALTHING_WORKER_CC_TWCC_RECV_H
#define ALTHING_WORKER_CC_TWCC_RECV_H

#include "lib/cursor.h"

#include <stdbool.h>
#include <stdint.h>

#define TWCC_RECV_INTERVAL_US  100000
#define TWCC_RECV_WINDOW_US    500000
#define TWCC_RECV_SLOTS        2048
#define TWCC_RECV_PACKET_BYTES 1200 /* of one feedback packet, at most */

struct twcc_recv;

int twcc_recv_new(struct twcc_recv **tp);
void twcc_recv_free(struct twcc_recv *t); /* NULL is fine */
/* media_ssrc: the packet's; the last one is named in the feedback. rx_us: its arrival. */
void twcc_recv_packet(struct twcc_recv *t, uint16_t seq, uint32_t media_ssrc, int64_t rx_us);
int64_t twcc_recv_next_us(const struct twcc_recv *t); /* TIME_NEVER_US: nothing to tell */
/* Writes one feedback packet; true: call again, with room for another. Call when due. False and nothing written: there was
 * nothing. */
bool twcc_recv_feedback(struct twcc_recv *t, uint32_t sender_ssrc, int64_t now_us,
                        struct writer *w);

#endif
