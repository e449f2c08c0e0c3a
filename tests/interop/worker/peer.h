/* peer.h - a browser's half of a transport by independent hands: libnice's full agent (controlling), OpenSSL's DTLS over memory
 * BIOs, and libsrtp2. It shares no code with worker/.
 *
 * Everything runs on one GLib context, which peer_run() turns.
 */
#ifndef ALTHING_TESTS_INTEROP_WORKER_PEER_H
#define ALTHING_TESTS_INTEROP_WORKER_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peer;

/* Plain packets. */
typedef void peer_packet_f(struct peer *p, const uint8_t *pkt, size_t len, void *arg);

struct peer_config {
    const char *local_ip; /* which of our addresses it may use */
    const char *profiles; /* OpenSSL's names, in order of preference */
    bool tcp;
    bool dtls_server; /* waits for the worker's ClientHello */
    unsigned
        hello_pieces; /* over 1: the ClientHello leaves in so many fragments, backwards and twice */
    peer_packet_f *rtp, *rtcp; /* may be NULL */
    void *arg;
};

struct peer *peer_new(const struct peer_config *conf);
void peer_free(struct peer *p);                     /* NULL is fine */
const char *peer_fingerprint(const struct peer *p); /* sha-256 of its certificate */
/* What the worker has told of itself. The strings are borrowed. */
void peer_connect(struct peer *p, const char *ufrag, const char *password, const char *ip,
                  uint16_t port, const char *fingerprint);
/* Runs until the handshake is done and the fingerprint matched, or the time is over. */
bool peer_wait(struct peer *p, unsigned ms);
bool peer_failed(const struct peer *p);
const char *peer_profile(const struct peer *p); /* the chosen one, "" before */

void peer_send_rtp(struct peer *p, const uint8_t *pkt, size_t len);
void peer_send_rtcp(struct peer *p, const uint8_t *pkt, size_t len);
void peer_send_raw(struct peer *p, const uint8_t *data, size_t len); /* as it is */
/* Protects it, and keeps the bytes for peer_send_raw(). The length, 0 on failure. */
size_t peer_protect_rtp(struct peer *p, const uint8_t *pkt, size_t len, uint8_t *out, size_t cap);
uint64_t peer_bad_packets(const struct peer *p); /* that did not open */

/* Turns the context of all peers for some time, or until *done reaches `until`. done may be NULL. */
void peer_run(unsigned ms, const uint64_t *done, uint64_t until);

#endif
