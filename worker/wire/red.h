/* red.h - redundant audio: several frames in one payload, the newest last (RFC 2198 3). Pure.
 *
 * Each block says with which payload type of its sender it is coded, so a receiver with other payload types needs the headers anew.
 */
#ifndef ALTHING_WORKER_WIRE_RED_H
#define ALTHING_WORKER_WIRE_RED_H

#include <stddef.h>
#include <stdint.h>

#define RED_BLOCKS_MAX 16 /* more are malformed: senders have two to ten */
#define RED_HEAD_MAX   (4 * (RED_BLOCKS_MAX - 1) + 1)

struct red {
    uint8_t n;                  /* blocks, at least 1 */
    uint8_t pt[RED_BLOCKS_MAX]; /* the newest last */
    uint8_t head_len;           /* bytes of all block headers: those that red_compose() replaces */
    uint16_t
        newest_off; /* first byte of the newest block, which goes to the end and has at least one */
};

int red_parse(const uint8_t *payload, size_t len, struct red *out); /* 0, or -EBADMSG */

/* The headers with other payload types, d->n of them. Returns d->head_len. */
size_t red_compose(uint8_t out[static RED_HEAD_MAX], const uint8_t *payload, const struct red *d,
                   const uint8_t *pt);

#endif
