#include "server/edge/text.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "lib/cursor.h"

/* The length of the character at p, or 0 (RFC 3629 4). */
static size_t utf8_len(const uint8_t *p, size_t left)
{
    if (p[0] < 0x80)
        return 1;
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return n;
}

bool text_is_clean(const char *text, size_t len)
{
    const uint8_t *p = (const uint8_t *)text;
    for (size_t i = 0; i < len;) {
        size_t n = utf8_len(p + i, len - i);
        if (n == 0 || p[i] < 0x20 || p[i] == 0x7f)
            return false;
        i += n;
    }
    return true;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int text_percent_decode(char *out, size_t *out_len, const char *text, size_t len)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] != '%') {
            out[n++] = text[i] == '+' ? ' ' : text[i];
            continue;
        }
        if (len - i < 3 || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0)
            return -EBADMSG;
        out[n++] = (char)(hex(text[i + 1]) << 4 | hex(text[i + 2]));
        i += 2;
    }
    *out_len = n;
    return 0;
}

static bool is_plain(char c, const char *keep)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr(keep, c));
}

size_t text_percent_encode(char *out, size_t cap, const char *text, size_t len, const char *keep)
{
    static const char digits[] = "0123456789ABCDEF";
    struct writer w = writer_of(out, cap);
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)text[i];
        if (is_plain(text[i], keep)) {
            writer_u8(&w, c);
        } else {
            writer_u8(&w, '%');
            writer_u8(&w, (uint8_t)digits[c >> 4]);
            writer_u8(&w, (uint8_t)digits[c & 15]);
        }
    }
    return w.bad ? 0 : writer_len(&w);
}
