/* link.h - the browser's end of one WebRTC transport: ICE controlling towards a lite server, DTLS client, SRTP, on a socket of its
 * own.
 *
 *     CHECKING -> SHAKING (a check was answered) -> UP (keys) -> DOWN (failed, or consent to send was lost)
 *
 * A check is sent each LINK_CHECK_US until one is answered, then each 5 s or so for consent (RFC 7675); LINK_CONSENT_US without an
 * answer end it. Its timer is in the owner's `timers`. Handlers are called from sockets_drain() and timers_run(), and may not free
 * the link.
 */
#ifndef ALTHING_LOAD_LINK_H
#define ALTHING_LOAD_LINK_H

#include "lib/timers.h"
#include "load/sockets.h"
#include "worker/secure/dtls.h"
#include "worker/wire/rtp.h"

#include <stdbool.h>

#define LINK_CHECK_US   50000
#define LINK_CONSENT_US 30000000
#define LINK_UFRAG_MAX  256
#define LINK_PACKET_MAX 1900 /* bytes of a plain RTP or RTCP packet */

struct link;

enum link_state { LINK_CHECKING, LINK_SHAKING, LINK_UP, LINK_DOWN };

struct link_handlers {
    void (*up)(void *arg);
    void (*down)(const char *reason, void *arg);
    /* Opened packets, theirs to change until they return. */
    void (*rtp)(uint8_t *data, size_t len, const struct rtp *h, int64_t rx_us, void *arg);
    void (*rtcp)(const uint8_t *data, size_t len, int64_t rx_us, void *arg);
};

struct link_remote { /* what the server said of its end */
    struct addr addr;
    char ufrag[LINK_UFRAG_MAX + 1], password[LINK_UFRAG_MAX + 1];
    struct dtls_fingerprint fingerprints[DTLS_FINGERPRINTS_MAX];
    size_t n_fingerprints;
};

struct link_config {
    struct sockets *sockets;             /* borrowed, like all that follows */
    struct timers *timers;
    const struct dtls_cert *cert;
    const struct link_remote *remote;    /* copied */
    const struct link_handlers *handlers;
    void *arg;
};

int link_new(struct link **lp, const struct link_config *conf, int64_t now_us); /* 0 or -errno */
void link_free(struct link *l);                                                  /* NULL is fine */
enum link_state link_state(const struct link *l);

/* Seals and queues a packet: `header_len` bytes of header, then payload. UP only, else it is dropped. */
void link_send_rtp(struct link *l, const uint8_t *data, size_t len, size_t header_len, uint32_t roc);
void link_send_rtcp(struct link *l, const uint8_t *data, size_t len);
uint64_t link_bad(const struct link *l); /* datagrams that did not open, or are none */

#endif
