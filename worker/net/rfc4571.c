#include "worker/net/rfc4571.h"

#include <errno.h>

int rfc4571_next(uint8_t *buf, size_t len, size_t max, uint8_t **frame, size_t *frame_len,
                 size_t *used)
{
    if (len < RFC4571_HEADER)
        return 0;
    size_t n = (size_t)buf[0] << 8 | buf[1];
    if (n > max)
        return -EMSGSIZE;
    if (len - RFC4571_HEADER < n)
        return 0;
    *frame = buf + RFC4571_HEADER;
    *frame_len = n;
    *used = RFC4571_HEADER + n;
    return 1;
}
