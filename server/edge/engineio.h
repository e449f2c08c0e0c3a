/* engineio.h - packets of Engine.IO 4, as text (engine.io-protocol 4). Pure: no I/O, no allocation.
 *
 * A packet is one digit and its data; in a WebSocket one text frame, in long polling several, separated by 0x1E. Binary packets
 * ("b" and base64) are not spoken here and are malformed. 3.x payloads ("6:40...") are malformed, too.
 */
#ifndef ALTHING_SERVER_EDGE_ENGINEIO_H
#define ALTHING_SERVER_EDGE_ENGINEIO_H

#include <stdbool.h>
#include <stddef.h>

#define ENGINEIO_SEPARATOR 0x1e

enum engineio_type {
    ENGINEIO_OPEN = 0,
    ENGINEIO_CLOSE = 1,
    ENGINEIO_PING = 2,
    ENGINEIO_PONG = 3,
    ENGINEIO_MESSAGE = 4,
    ENGINEIO_UPGRADE = 5,
    ENGINEIO_NOOP = 6,
};

struct engineio_packet {
    enum engineio_type type;
    const char *data; /* within what was parsed; not NUL-terminated */
    size_t len;
};

int engineio_parse(struct engineio_packet *p, const char *text, size_t len); /* 0, or -EBADMSG */

/* The packets of a long polling body: 1 and *p, 0 at the end, -EBADMSG. `*text` and `*len` move on. An empty body is malformed. */
int engineio_next(struct engineio_packet *p, const char **text, size_t *len);

bool engineio_is_probe(const struct engineio_packet *p); /* `2probe` */

#endif
