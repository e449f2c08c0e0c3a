/* dcep.h - the data channel establishment protocol (RFC 8832). Pure. */
#ifndef ALTHING_WORKER_WIRE_DCEP_H
#define ALTHING_WORKER_WIRE_DCEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Payload protocol identifiers of a data channel's stream (RFC 8831 8). */
enum dcep_ppid {
    DCEP_PPID_CONTROL = 50,
    DCEP_PPID_STRING = 51,
    DCEP_PPID_BINARY_PARTIAL = 52, /* deprecated */
    DCEP_PPID_BINARY = 53,
    DCEP_PPID_STRING_PARTIAL = 54, /* deprecated */
    DCEP_PPID_STRING_EMPTY = 56,   /* one byte stands for none */
    DCEP_PPID_BINARY_EMPTY = 57,
};

enum dcep_type { DCEP_ACK = 2, DCEP_OPEN = 3 };

enum dcep_reliability { DCEP_RELIABLE, DCEP_RETRANSMITS, DCEP_LIFETIME };

/* RFC 8832 5.1, 5.2. All but the type are of an OPEN. */
struct dcep {
    enum dcep_type type;
    bool unordered;
    enum dcep_reliability reliability;
    uint32_t parameter; /* retransmissions or milliseconds; of a reliable channel to be ignored */
    uint16_t priority;
    const uint8_t *label, *protocol; /* into the message, not NUL-terminated */
    uint16_t label_len, protocol_len;
};

#define DCEP_ACK_LEN     1
#define DCEP_OPEN_HEADER 12
#define DCEP_OPEN_MAX(d) (DCEP_OPEN_HEADER + (size_t)(d)->label_len + (d)->protocol_len)

int dcep_parse(const uint8_t *data, size_t len, struct dcep *out);    /* 0 or -EBADMSG */
size_t dcep_compose(uint8_t *out, size_t cap, const struct dcep *in); /* its length; 0: no room */

#endif
