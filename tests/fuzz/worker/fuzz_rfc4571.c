/* A stream that comes in pieces: what is cut out of it is what is cut out of the whole. The first byte says how long the pieces are. */
#include "worker/net/rfc4571.h"

#include <stdlib.h>
#include <string.h>

#define MAX 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Takes the frames off the front; returns what is left, or -1. */
static long drain(uint8_t *buf, size_t len, uint64_t *sum)
{
    uint8_t *p = buf, *frame;
    size_t frame_len, used;
    int got;
    while ((got = rfc4571_next(p, len, MAX, &frame, &frame_len, &used)) == 1) {
        if (frame_len > MAX || used > len || frame + frame_len != p + used)
            abort();
        *sum = *sum * 31 + frame_len;
        for (size_t i = 0; i < frame_len; i++)
            *sum = *sum * 31 + frame[i];
        p += used;
        len -= used;
    }
    memmove(buf, p, len);
    return got < 0 ? -1 : (long)len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t whole[1 << 16], part[1 << 16];
    uint64_t a = 0, b = 0;
    long left = 0;
    if (size < 1 || size > sizeof(whole))
        return 0;
    size_t piece = (size_t)data[0] + 1;
    memcpy(whole, data + 1, size - 1);
    long left_whole = drain(whole, size - 1, &a);
    for (size_t at = 1; at < size && left >= 0; at += piece) {
        size_t n = size - at < piece ? size - at : piece;
        memcpy(part + left, data + at, n);
        left = drain(part, (size_t)left + n, &b);
    }
    if (a != b || left != left_whole)
        abort();
    return 0;
}
