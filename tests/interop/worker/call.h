/* call.h - two peers and a worker between them: one sends Opus, the other receives it. */
#ifndef ALTHING_TESTS_INTEROP_WORKER_CALL_H
#define ALTHING_TESTS_INTEROP_WORKER_CALL_H

#include "tests/interop/worker/harness.h"
#include "tests/interop/worker/peer.h"

#define CALL_ROUTER      1
#define CALL_SENDER      10 /* transports */
#define CALL_RECEIVER    20
#define CALL_PRODUCER    100
#define CALL_CONSUMER    200
#define CALL_SSRC_IN     0x11111111
#define CALL_SSRC_OUT    0x22222222
#define CALL_PT_IN       111
#define CALL_PT_OUT      100
#define CALL_PAYLOAD     120 /* bytes */
#define CALL_RTP_HEADER  12
#define CALL_PACKETS_MAX 65536
#define CALL_GCM         "SRTP_AEAD_AES_128_GCM"
#define CALL_GCM_256     "SRTP_AEAD_AES_256_GCM"
#define CALL_CM          "SRTP_AES128_CM_SHA1_80"

struct call {
    struct harness h;
    struct browser *sender, *receiver;
    uint16_t next_seq; /* of the sender */
    uint64_t sent;
    uint64_t received, strange; /* by the receiver; strange: not what was sent */
    uint16_t last_seq;
    uint8_t seen[CALL_PACKETS_MAX / 8]; /* which packets came */
    bool feedback;                      /* the sender got RTCP */
};

/* How one peer comes. */
struct call_side {
    const char *ip;
    bool tcp, dtls_server;
    unsigned hello_pieces;
    const char *profiles;
};

void call_start(struct call *c); /* the worker and its router */
struct browser *call_peer(struct call *c, uint64_t transport, const struct call_side *side);
void call_connect(struct call *c, const struct call_side *sender, const struct call_side *receiver);
void call_produce(struct call *c); /* producer and consumer */
void call_stop(struct call *c);

/* An Opus packet: its number is in the payload, the rest follows from it. Returns its length. */
size_t call_packet(struct call *c, uint8_t pkt[static CALL_RTP_HEADER + CALL_PAYLOAD]);
void call_send(struct call *c, unsigned n); /* so many, and waits for them at the receiver */
void call_wait(struct call *c, uint64_t received);

#endif
