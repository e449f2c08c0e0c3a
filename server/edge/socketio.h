/* socketio.h - packets of Socket.IO 5, as text (socket.io-protocol 5). Pure: no I/O, no allocation.
 *
 *   <type>[/<namespace>,][<ack id>][<JSON>]        0 connect, 1 disconnect, 2 event, 3 ack, 4 connect error
 *
 * Binary events (5, 6) are not spoken here and are malformed. Only the shape is checked; what the JSON says is for json_in.h.
 */
#ifndef ALTHING_SERVER_EDGE_SOCKETIO_H
#define ALTHING_SERVER_EDGE_SOCKETIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum socketio_type {
    SOCKETIO_CONNECT = 0,
    SOCKETIO_DISCONNECT = 1,
    SOCKETIO_EVENT = 2,
    SOCKETIO_ACK = 3,
    SOCKETIO_CONNECT_ERROR = 4,
};

#define SOCKETIO_ACK_MAX 9007199254740991 /* what JavaScript can count to */

struct socketio_packet {
    enum socketio_type type;
    const char *nsp; /* the namespace without its comma, "/chat"; NULL: the main one, "/" */
    size_t nsp_len;
    bool has_ack;
    uint64_t ack;     /* 0..SOCKETIO_ACK_MAX */
    const char *json; /* may be empty; within what was parsed, not NUL-terminated */
    size_t json_len;
};

/* 0, or -EBADMSG: unknown type; an ack id too large; an event or ack without an array; an ack without id. */
int socketio_parse(struct socketio_packet *p, const char *text, size_t len);

/* Room for any head: "42" and 16 digits, with a NUL. */
#define SOCKETIO_HEAD_MAX 24
/* "43<ack>", "42", "42<ack>": the Engine.IO digit included. Returns the length. */
size_t socketio_head(char out[static SOCKETIO_HEAD_MAX], enum socketio_type type, const uint64_t *ack);

#endif
