/* srtp.h - SRTP and SRTCP sessions (RFC 3711, RFC 7714), with more than one backend behind one set of calls.
 *
 * A session has one direction and one key. RTP goes through OpenSSL's EVP (fast) or libsrtp2 (everywhere), chosen when the
 * session is made and never changed: roll-over counters and replay windows live in it. SRTCP always goes through libsrtp2.
 *
 * Receiving: an SSRC takes a place in the session's table (SRTP_SSRCS_MAX) only once a packet of it was authentic. In a full
 * table the one silent for longest makes room; libsrtp2's (and so RTCP's) takes no new SSRC then (-EBADMSG). A packet is taken
 * once (replay window SRTP_WINDOW packets; RFC 3711 3.3.2).
 *
 * Sending: the caller keeps extended sequence numbers and gives the roll-over counter, so a packet sent again comes out identical
 * to the bit. It must never give two different packets the same (SSRC, roc, sequence number): that would break the cipher.
 *
 * A clear session has no key: what comes is taken for plain RTP and RTCP, any number of times, and what goes is plain. It has its
 * own constructors, so that no negotiation and no profile ever leads to one.
 *
 * Packets that do not open are the caller's to count; nothing is logged and nothing is torn down.
 */
#ifndef ALTHING_WORKER_SECURE_SRTP_H
#define ALTHING_WORKER_SECURE_SRTP_H

#include <stddef.h>
#include <stdint.h>

#define SRTP_SSRCS_MAX   512
#define SRTP_WINDOW      1024 /* packets */
#define SRTP_TRAILER_MAX 20   /* bytes that sealing adds at most (SRTCP: its index and the tag) */

/* The numbers of the DTLS-SRTP registry (RFC 5764 4.1.2, RFC 7714 14.2). */
enum srtp_profile {
    SRTP_PROFILE_AES_CM_128_HMAC_SHA1_80 = 1,
    SRTP_PROFILE_AES_CM_128_HMAC_SHA1_32 = 2, /* SRTCP has 80 bits all the same */
    SRTP_PROFILE_AEAD_AES_128_GCM = 7,
    SRTP_PROFILE_AEAD_AES_256_GCM = 8,
};

enum srtp_backend { SRTP_BACKEND_EVP, SRTP_BACKEND_LIBSRTP };

/* A master key and salt. */
struct srtp_key {
    enum srtp_profile profile;
    uint8_t key[32];  /* srtp_key_len() bytes */
    uint8_t salt[14]; /* srtp_salt_len() bytes */
};

size_t srtp_key_len(enum srtp_profile profile);  /* 16 or 32; 0: unknown profile */
size_t srtp_salt_len(enum srtp_profile profile); /* 14 or 12 */
size_t srtp_tag_len(enum srtp_profile profile);  /* of RTP: 4, 10 or 16 */

struct srtp_rx;
struct srtp_tx;

int srtp_rx_new(struct srtp_rx **rp, const struct srtp_key *key,
                enum srtp_backend backend); /* 0, -EINVAL */
void srtp_rx_new_clear(struct srtp_rx **rp);
void srtp_rx_free(struct srtp_rx *rx); /* wipes the keys; NULL is fine */
/* Opens an RTP packet. `header_len` is where its payload begins (CSRCs and extensions included). The plain packet goes to out,
 * which does not overlap pkt. 0 and its length in *out_len; -EBADMSG (not authentic), -EALREADY (a replay, or older than the
 * window), -EMSGSIZE (out is too small). */
int srtp_rx_rtp(struct srtp_rx *rx, const uint8_t *pkt, size_t len, size_t header_len, uint8_t *out,
                size_t cap, size_t *out_len);
/* Opens an RTCP packet in place; *len shrinks. 0, -EBADMSG, -EALREADY. */
int srtp_rx_rtcp(struct srtp_rx *rx, uint8_t *pkt, size_t *len);

int srtp_tx_new(struct srtp_tx **tp, const struct srtp_key *key, enum srtp_backend backend);
void srtp_tx_new_clear(struct srtp_tx **tp);
void srtp_tx_free(struct srtp_tx *tx);

/* One packet to be sealed. `out` holds the RTP header with its extensions (aad_len bytes), then head_len bytes of plain payload;
 * behind them go payload_len bytes from `payload` and pad_len bytes of RTP padding (RFC 3550 5.1; 0: none, the P bit is the
 * caller's), all encrypted, then the tag. `out` has room for all of it; payload does not overlap it. */
struct srtp_job {
    struct srtp_tx *tx;
    uint8_t *out;
    const uint8_t *payload;
    uint32_t aad_len, head_len, payload_len, pad_len;
    uint32_t roc;     /* roll-over counter of the packet's sequence number */
    uint32_t out_len; /* set: the whole packet's; 0: it could not be sealed, do not send it */
};
void srtp_tx_rtp(struct srtp_job *jobs, size_t n); /* of any sessions, in any order */
/* Nothing is sent as this SSRC ever again: frees what is kept for it. Without this a session would grow with every SSRC that it
 * has had. */
void srtp_tx_forget(struct srtp_tx *tx, uint32_t ssrc);
/* Seals a plain RTCP packet in place; the index is kept here. 0, -EMSGSIZE (cap), -EIO. */
int srtp_tx_rtcp(struct srtp_tx *tx, uint8_t *pkt, size_t *len, size_t cap);

#endif
