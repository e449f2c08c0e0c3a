/* stamp.h - what a synthetic payload ends with: who made it and when it left, so that whoever receives it can tell its latency.
 *
 * A stamp is the last STAMP_LEN bytes of a payload, whatever codec it claims to be of: `tag` (one run's, so that nothing else is
 * taken for a stamp) and the time of sending on the monotonic clock. Pure.
 */
#ifndef ALTHING_LOAD_STAMP_H
#define ALTHING_LOAD_STAMP_H

#include "lib/cursor.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STAMP_LEN 16

static inline void stamp_write(struct writer *w, uint64_t tag, int64_t sent_us)
{
    writer_u64(w, tag);
    writer_u64(w, (uint64_t)sent_us);
}

static inline bool stamp_read(const uint8_t *payload, size_t len, uint64_t tag, int64_t *sent_us)
{
    if (len < STAMP_LEN)
        return false;
    struct reader r = reader_of(payload + len - STAMP_LEN, STAMP_LEN);
    bool ours = reader_u64(&r) == tag;
    *sent_us = (int64_t)reader_u64(&r);
    return ours;
}

#endif
