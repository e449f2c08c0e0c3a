/* demux.h - what a datagram is, by its first byte (RFC 7983 7), RTP from RTCP by the second (RFC 5761 4). */
#ifndef ALTHING_WORKER_WIRE_DEMUX_H
#define ALTHING_WORKER_WIRE_DEMUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum demux_kind {
    DEMUX_UNKNOWN, /* ZRTP, TURN channels, too short, or nothing that there is */
    DEMUX_STUN,    /* 0..3 */
    DEMUX_DTLS,    /* 20..63 */
    DEMUX_RTP,     /* 128..191 */
    DEMUX_RTCP,    /* the same, with a second byte of 192..223 */
};

enum demux_kind demux_kind(const uint8_t *data, size_t len);

#endif
