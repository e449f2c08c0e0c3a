/* dtls.h - one DTLS 1.2 session over datagrams (RFC 6347), for its SRTP keys (RFC 5764) and SCTP (RFC 8261), sans-I/O.
 *
 * Both roles; we list AEAD_AES_128_GCM first, which browsers take when we are the server. The caller feeds datagrams only from
 * tuples that ICE has validated. A ClientHello that comes before the remote fingerprints are known is answered, since most
 * browsers send it at once; but the session is CONNECTED, and gives keys, only when the remote certificate matches one of them
 * (RFC 8122 5). Retransmission is OpenSSL's; a handshake that takes longer than DTLS_TIMEOUT_US fails. No renegotiation, tickets
 * or session cache.
 *
 *     NEW -> CONNECTING -> CONNECTED -> CLOSED (close_notify)         any but CLOSED -> FAILED
 *
 * Every record goes out as its own datagram through `send`, of the handshake at most DTLS_MTU bytes, from within dtls_start(),
 * dtls_input(), dtls_timer() and dtls_write(). A fatal alert or a broken record of a connected session changes nothing (it is not
 * authentic unless OpenSSL says so).
 */
#ifndef ALTHING_WORKER_SECURE_DTLS_H
#define ALTHING_WORKER_SECURE_DTLS_H

#include "worker/secure/srtp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DTLS_MTU              1200 /* of the handshake */
#define DTLS_DATA_MAX         1400
#define DTLS_TIMEOUT_US       30000000
#define DTLS_FINGERPRINTS_MAX 8
#define DTLS_ALGORITHM_MAX    16  /* "sha-256" with its NUL */
#define DTLS_FINGERPRINT_MAX  192 /* "AB:CD:..." of SHA-512 with its NUL */

struct dtls_fingerprint {
    char algorithm[DTLS_ALGORITHM_MAX]; /* "sha-256", "sha-384", "sha-512" */
    char value[DTLS_FINGERPRINT_MAX];   /* upper-case hex with colons */
};

/* A certificate of our own: EC P-256, self-signed, made at start; with the OpenSSL context of all sessions. */
struct dtls_cert;

int dtls_cert_new(struct dtls_cert **cp); /* 0 or -EIO */
void dtls_cert_free(struct dtls_cert *c); /* after all sessions; NULL is fine */
size_t dtls_cert_fingerprints(const struct dtls_cert *c, struct dtls_fingerprint *out, size_t max);

struct dtls;

enum dtls_state { DTLS_NEW, DTLS_CONNECTING, DTLS_CONNECTED, DTLS_FAILED, DTLS_CLOSED };

struct dtls_handlers {
    void (*send)(const uint8_t *data, size_t len, void *arg);
    /* `reason` of FAILED: "fingerprint", "timeout", "no-srtp-profile", "alert", "handshake"; else "". */
    void (*state)(enum dtls_state from, enum dtls_state to, const char *reason, void *arg);
    /* Application data of a CONNECTED session, one record; it may call dtls_write(). NULL: dropped. */
    void (*data)(const uint8_t *data, size_t len, void *arg);
};

int dtls_new(struct dtls **dp, const struct dtls_cert *cert, const struct dtls_handlers *handlers,
             void *arg);        /* 0 or -EIO */
void dtls_free(struct dtls *d); /* sends nothing; NULL is fine */

/* Fixes our role and tells what the remote side's certificate must match. 0; -EINVAL: no fingerprint
 * of an algorithm we know; -EALREADY: the role or the fingerprints differ from what was said before. The same again is 0. */
int dtls_connect(struct dtls *d, bool we_are_client, const struct dtls_fingerprint *remote,
                 size_t n, int64_t now_us);
/* Says that datagrams can be sent (ICE has a selected tuple): a client starts now. Again: nothing. */
void dtls_start(struct dtls *d, int64_t now_us);
void dtls_input(struct dtls *d, const uint8_t *data, size_t len, int64_t now_us);
enum dtls_state dtls_state(const struct dtls *d);
/* Application data, as one record, which is not repeated. 0; -ENOTCONN: not CONNECTED; -EMSGSIZE: more than DTLS_DATA_MAX. */
int dtls_write(struct dtls *d, const uint8_t *data, size_t len);
/* Of a CONNECTED session: what opens what the remote side sends, and what seals ours. 0 or -EAGAIN. */
int dtls_srtp_keys(const struct dtls *d, struct srtp_key *remote, struct srtp_key *local);
int64_t dtls_next_us(const struct dtls *d); /* TIME_NEVER_US: nothing is due */
void dtls_timer(struct dtls *d, int64_t now_us);

#endif
