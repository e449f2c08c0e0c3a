/* opus.h - what little of an Opus packet a router looks at (RFC 6716 3.1, RFC 7587). Pure. */
#ifndef ALTHING_WORKER_WIRE_OPUS_H
#define ALTHING_WORKER_WIRE_OPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A frame of discontinuous transmission: a TOC byte and no, or next to no, data (at most 2 bytes in all). */
bool opus_is_dtx(const uint8_t *payload, size_t len);

#endif
