#include "server/room/text.h"

#include <stdint.h>
#include <string.h>

/* The code point at *p, which it passes; UINT32_MAX if the bytes are none. The NUL ends every
 * sequence, so nothing is overread. */
static uint32_t next_point(const uint8_t **p)
{
    const uint8_t *s = *p;
    unsigned n = s[0] < 0x80 ? 0 : s[0] >= 0xf0 ? 3 : s[0] >= 0xe0 ? 2 : 1;
    if ((s[0] >= 0x80 && s[0] < 0xc2) || s[0] > 0xf4)
        return UINT32_MAX;
    uint32_t v = n ? s[0] & (0x3fU >> n) : s[0];
    for (unsigned i = 1; i <= n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return UINT32_MAX;
        v = v << 6 | (s[i] & 0x3f);
    }
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    if (v < least[n] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
        return UINT32_MAX;
    *p = s + n + 1;
    return v;
}

static bool text_ok(const char *s, size_t max, bool lines)
{
    if (!s || strnlen(s, max + 1) > max)
        return false;
    for (const uint8_t *p = (const uint8_t *)s; *p;) {
        uint32_t v = next_point(&p);
        if (v == UINT32_MAX)
            return false;
        bool end = v == '\n' || v == '\r' || v == '\t';
        if ((v < 0x20 && !(lines && end)) || (v >= 0x7f && v < 0xa0))
            return false;
    }
    return true;
}

bool text_line(const char *s, size_t max)
{
    return text_ok(s, max, false);
}

bool text_lines(const char *s, size_t max)
{
    return text_ok(s, max, true);
}

bool text_id(const char *s, size_t max)
{
    if (!s || !*s || strnlen(s, max + 1) > max)
        return false;
    for (; *s; s++) {
        if (*s <= ' ' || *s >= 0x7f)
            return false;
    }
    return true;
}
