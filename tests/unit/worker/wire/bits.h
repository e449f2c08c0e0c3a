/* bits.h - test bytes from a string of 0, 1 and separators, so that a test reads like the figure in its RFC. */
#ifndef ALTHING_TESTS_WIRE_BITS_H
#define ALTHING_TESTS_WIRE_BITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Fills the last byte up with zeros. Returns the bytes. */
static inline size_t bits(uint8_t *out, size_t cap, const char *text)
{
    size_t n = 0;
    memset(out, 0, cap);
    for (; *text; text++) {
        if (*text != '0' && *text != '1')
            continue;
        if (*text == '1' && n / 8 < cap)
            out[n / 8] = (uint8_t)(out[n / 8] | 0x80u >> (n % 8));
        n++;
    }
    return (n + 7) / 8;
}

#endif
