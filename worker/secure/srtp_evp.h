/* srtp_evp.h - the SRTP transforms on OpenSSL: one packet at a time, no state but the keys.
 *
 * AES in counter mode with HMAC-SHA1 (RFC 3711 4.1.1, 4.2.1) and AES-GCM (RFC 7714). Neither call allocates.
 */
#ifndef ALTHING_WORKER_SECURE_SRTP_EVP_H
#define ALTHING_WORKER_SECURE_SRTP_EVP_H

#include "worker/secure/srtp.h"

#include <stdbool.h>

struct srtp_evp;

int srtp_evp_new(struct srtp_evp **ep, const struct srtp_key *key, bool seal); /* 0 or -EINVAL */
void srtp_evp_free(struct srtp_evp *e); /* wipes the keys; NULL is fine */

void srtp_evp_seal(struct srtp_evp *e, struct srtp_job *job); /* sets job->out_len */
/* Opens a packet whose index is `index` (roc << 16 | sequence number). 0 and *out_len, -EBADMSG. out has room for len bytes. */
int srtp_evp_open(struct srtp_evp *e, const uint8_t *pkt, size_t len, size_t header_len,
                  uint64_t index, uint8_t *out, size_t *out_len);

#endif
