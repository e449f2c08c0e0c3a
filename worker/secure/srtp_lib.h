/* srtp_lib.h - a libsrtp2 session of one direction, for RTP and RTCP. */
#ifndef ALTHING_WORKER_SECURE_SRTP_LIB_H
#define ALTHING_WORKER_SECURE_SRTP_LIB_H

#include "worker/secure/srtp.h"

#include <stdbool.h>

struct srtp_lib;

int srtp_lib_new(struct srtp_lib **lp, const struct srtp_key *key, bool seal); /* 0 or -EINVAL */
void srtp_lib_free(struct srtp_lib *l);                                        /* NULL is fine */

/* All in place; *len changes. 0, -EBADMSG, -EALREADY (a replay), -EMSGSIZE. libsrtp2 guesses the roll-over counter as a receiver
 * does: a stream begins with 0, and its numbers must not jump by half their range. */
int srtp_lib_open_rtp(struct srtp_lib *l, uint8_t *pkt, size_t *len);
int srtp_lib_open_rtcp(struct srtp_lib *l, uint8_t *pkt, size_t *len);
void srtp_lib_seal(struct srtp_lib *l, struct srtp_job *job);
int srtp_lib_seal_rtcp(struct srtp_lib *l, uint8_t *pkt, size_t *len, size_t cap);
void srtp_lib_forget(struct srtp_lib *l, uint32_t ssrc); /* not there: fine */

#endif
