/* av1.h - the AV1 aggregation header and the headers of the OBUs in a packet (AV1 RTP specification 4.4). Pure. */
#ifndef ALTHING_WORKER_WIRE_AV1_H
#define ALTHING_WORKER_WIRE_AV1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct av1 {
    bool continues;     /* Z: the first element goes on from the packet before */
    bool continued;     /* Y: the last element goes on in the next */
    bool new_sequence;  /* N: first packet of a coded video sequence */
    bool has_sequence;  /* a sequence header OBU starts in this packet */
    bool keyframe;      /* new_sequence or has_sequence */
    bool has_layers;    /* an OBU extension header was there */
    uint8_t tid, sid;   /* of the first such OBU */
    uint8_t n_elements; /* that start in this packet */
};

int av1_parse(const uint8_t *payload, size_t len, struct av1 *out); /* 0, or -EBADMSG */

#endif
