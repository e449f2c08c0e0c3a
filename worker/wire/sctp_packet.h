/* sctp_packet.h - which SCTP packets a data channel's peer may send (RFC 9260, RFC 3758, RFC 6525). Pure.
 *
 * The SCTP library speaks far more than data channels need, and is old. So every packet is looked through before the library sees
 * it: only the chunks that RFC 8831 needs, each of a length that its type allows, in places where they may stand; and in INIT and
 * INIT ACK nothing of addresses, which would lead out of the DTLS session. All else is dropped whole. What a peer might use of the
 * rest was not negotiated, so no honest one sends it. Taken are
 *
 *     DATA, INIT (ACK), SACK, HEARTBEAT (ACK), ABORT, SHUTDOWN (ACK, COMPLETE), ERROR, COOKIE ECHO (ACK), RE-CONFIG, FORWARD TSN
 */
#ifndef ALTHING_WORKER_WIRE_SCTP_PACKET_H
#define ALTHING_WORKER_WIRE_SCTP_PACKET_H

#include <stddef.h>
#include <stdint.h>

#define SCTP_PACKET_HEADER 12   /* bytes */
#define SCTP_PACKET_MAX    2048 /* longer ones are malformed */

struct sctp_packet {
    uint16_t source_port, destination_port;
    uint32_t tag; /* verification tag */
    unsigned n_chunks, n_data;
};

/* 0; -EBADMSG: malformed; -ENOTSUP: something that data channels do not need. The checksum is not looked at. */
int sctp_packet_check(const uint8_t *data, size_t len, struct sctp_packet *out);

#endif
