#include "worker/wire/red.h"

#include "lib/cursor.h"

#include <errno.h>
#include <string.h>

#define MORE 0x80 /* another block follows */

int red_parse(const uint8_t *payload, size_t len, struct red *out)
{
    struct reader r = reader_of(payload, len);
    size_t older = 0;
    *out = (struct red){0};
    for (;;) {
        uint8_t first = reader_u8(&r);
        if (r.bad || out->n == RED_BLOCKS_MAX)
            return -EBADMSG;
        out->pt[out->n++] = first & 0x7f;
        if (!(first & MORE))
            break;
        older += reader_u24(&r) & 0x3ff; /* behind 14 bits of timestamp offset */
    }
    if (reader_left(&r) <= older || len > UINT16_MAX)
        return -EBADMSG;
    out->head_len = (uint8_t)(len - reader_left(&r));
    out->newest_off = (uint16_t)(out->head_len + older);
    return 0;
}

size_t red_compose(uint8_t out[static RED_HEAD_MAX], const uint8_t *payload, const struct red *d,
                   const uint8_t *pt)
{
    memcpy(out, payload, d->head_len);
    for (unsigned i = 0; i < d->n; i++)
        out[4 * (size_t)i] = (uint8_t)((out[4 * (size_t)i] & MORE) | (pt[i] & 0x7f));
    return d->head_len;
}
