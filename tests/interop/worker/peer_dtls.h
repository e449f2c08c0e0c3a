/* peer_dtls.h - DTLS 1.2 over memory BIOs, for peer.c. */
#ifndef ALTHING_TESTS_INTEROP_WORKER_PEER_DTLS_H
#define ALTHING_TESTS_INTEROP_WORKER_PEER_DTLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peer_dtls;

typedef void peer_dtls_send_f(const uint8_t *data, size_t len, void *arg);

struct peer_dtls *peer_dtls_new(const char *profiles, bool server, unsigned hello_pieces,
                                peer_dtls_send_f *send, void *arg);
void peer_dtls_free(struct peer_dtls *d);
const char *peer_dtls_fingerprint(const struct peer_dtls *d);
void peer_dtls_start(struct peer_dtls *d); /* datagrams can be sent */
void peer_dtls_input(struct peer_dtls *d, const uint8_t *data, size_t len);
void peer_dtls_turn(struct peer_dtls *d); /* retransmits what is due */
bool peer_dtls_done(const struct peer_dtls *d);
bool peer_dtls_failed(const struct peer_dtls *d);
bool peer_dtls_remote_is(const struct peer_dtls *d, const char *fingerprint);

/* Keys and salts behind one another, as libsrtp wants them. */
struct peer_dtls_keys {
    unsigned long profile; /* the registry's number */
    const char *name;
    size_t key_len, salt_len;
    uint8_t local[64], remote[64];
};
bool peer_dtls_keys(const struct peer_dtls *d, struct peer_dtls_keys *keys);

#endif
