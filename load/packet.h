/* packet.h - a text of Engine.IO 4 and Socket.IO 5 as a server sends it: what it is, its ack id, where its JSON begins. Pure. */
#ifndef ALTHING_LOAD_PACKET_H
#define ALTHING_LOAD_PACKET_H

#include <stddef.h>
#include <stdint.h>

enum packet_kind {
    PACKET_OTHER,     /* nothing that matters to us */
    PACKET_OPEN,      /* 0{...} */
    PACKET_CLOSE,     /* 1 */
    PACKET_PING,      /* 2 */
    PACKET_CONNECTED, /* 40{...} */
    PACKET_GONE,      /* 41: we are sent away */
    PACKET_EVENT,     /* 42[...], with an id 42N[...] */
    PACKET_ACK,       /* 43N[...] */
    PACKET_REFUSED,   /* 44{...} */
};

struct packet {
    enum packet_kind kind;
    int64_t id;       /* -1: none; else up to 2^53 */
    const char *json; /* borrowed; what is behind the id */
    size_t len;
};

struct packet packet_parse(const char *text, size_t len);

#endif
