/* rfc4571.h - frames in a byte stream: a 16-bit length, then so many bytes (RFC 4571 2). Pure, no copy of whole frames. */
#ifndef ALTHING_WORKER_NET_RFC4571_H
#define ALTHING_WORKER_NET_RFC4571_H

#include <stddef.h>
#include <stdint.h>

#define RFC4571_HEADER 2

/* The first frame of buf. 1: *frame and *frame_len are set (0: an empty frame), *used bytes are done with; 0: it is not whole yet;
 * -EMSGSIZE: it is longer than max, and the stream has lost its sense. */
int rfc4571_next(uint8_t *buf, size_t len, size_t max, uint8_t **frame, size_t *frame_len,
                 size_t *used);

#endif
