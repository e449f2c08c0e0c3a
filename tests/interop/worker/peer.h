/* peer.h - a browser's half of a transport by independent hands: libnice's full agent (controlling), OpenSSL's DTLS over memory
 * BIOs, and libsrtp2. It shares no code with worker/.
 *
 * Everything runs on one GLib context, which browser_run() turns.
 */
#ifndef ALTHING_TESTS_INTEROP_WORKER_PEER_H
#define ALTHING_TESTS_INTEROP_WORKER_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct browser;

/* Plain packets. */
typedef void browser_packet_f(struct browser *p, const uint8_t *pkt, size_t len, void *arg);

struct browser_config {
    const char *local_ip; /* which of our addresses it may use */
    const char *profiles; /* OpenSSL's names, in order of preference */
    bool tcp;
    bool dtls_server; /* waits for the worker's ClientHello */
    unsigned
        hello_pieces; /* over 1: the ClientHello leaves in so many fragments, backwards and twice */
    browser_packet_f *rtp, *rtcp; /* may be NULL */
    void *arg;
};

struct browser *browser_new(const struct browser_config *conf);
void browser_free(struct browser *p);                     /* NULL is fine */
const char *browser_fingerprint(const struct browser *p); /* sha-256 of its certificate */
/* What the worker has told of itself. The strings are borrowed. */
void browser_connect(struct browser *p, const char *ufrag, const char *password, const char *ip,
                     uint16_t port, const char *fingerprint);
/* Runs until the handshake is done and the fingerprint matched, or the time is over. */
bool browser_wait(struct browser *p, unsigned ms);
bool browser_failed(const struct browser *p);
const char *browser_profile(const struct browser *p); /* the chosen one, "" before */

void browser_send_rtp(struct browser *p, const uint8_t *pkt, size_t len);
void browser_send_rtcp(struct browser *p, const uint8_t *pkt, size_t len);
void browser_send_raw(struct browser *p, const uint8_t *data, size_t len); /* as it is */
/* Protects it, and keeps the bytes for browser_send_raw(). The length, 0 on failure. */
size_t browser_protect_rtp(struct browser *p, const uint8_t *pkt, size_t len, uint8_t *out,
                           size_t cap);
uint64_t browser_bad_packets(const struct browser *p); /* that did not open */

/* Turns the context of all peers for some time, or until *done reaches `until`. done may be NULL. */
void browser_run(unsigned ms, const uint64_t *done, uint64_t until);

#endif
