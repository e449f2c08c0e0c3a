#include "observer/ctl_text.h"

#include "lib/mem.h"

#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define MARKS_MAX 2

static bool with_utf8;

void ctl_text_init(bool utf8)
{
    with_utf8 = utf8;
}

/* One character of UTF-8 (RFC 3629); its length, or 0: it is none. */
static size_t decode(const unsigned char *s, uint32_t *c)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0;
    if (n == 0)
        return 0;
    *c = n == 1 ? s[0] : s[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        *c = *c << 6 | (s[i] & 0x3fu);
    }
    return *c < least[n] || *c > 0x10ffff || (*c >= 0xd800 && *c < 0xe000) ? 0 : n;
}

/* Format characters: invisible, or they turn the direction of what follows. */
static bool is_format(uint32_t c)
{
    static const uint32_t ranges[][2] = {
        {0xad, 0xad},     {0x600, 0x605},   {0x61c, 0x61c},   {0x6dd, 0x6dd},     {0x70f, 0x70f},
        {0x115f, 0x1160}, {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x200b, 0x200f},   {0x2028, 0x202e},
        {0x2060, 0x206f}, {0x3164, 0x3164}, {0xe000, 0xf8ff}, {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},
        {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0xe0000, 0x10ffff}};
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
        if (c >= ranges[i][0] && c <= ranges[i][1])
            return true;
    }
    return false;
}

/* How many columns; -1: it is not to be shown. */
static int width_of(uint32_t c, unsigned *marks)
{
    if (c < 0x20 || (c >= 0x7f && c < 0xa0) || is_format(c) || (c >= 0x80 && !with_utf8))
        return -1;
    if (c < 0x80) {
        *marks = 0;
        return 1;
    }
    int w = wcwidth((wchar_t)c);
    if (w > 0)
        *marks = 0;
    else if (w == 0 && ++*marks > MARKS_MAX)
        return -1;
    return w;
}

size_t ctl_text_clean(char *to, size_t cap, const char *from, size_t columns)
{
    const unsigned char *s = (const unsigned char *)from;
    size_t used = 0, at = 0, cut_at = 0, cut_used = 0;
    unsigned marks = MARKS_MAX; /* none may stand first */
    while (*s) {
        uint32_t c = 0;
        size_t n = decode(s, &c);
        int w = n ? width_of(c, &marks) : -1;
        const char *bytes = w < 0 ? "?" : (const char *)s;
        size_t len = w < 0 ? 1 : n;
        size_t takes = w < 0 ? 1 : (size_t)w;
        if (used + takes > columns || at + len + 2 > cap) {
            to[cut_at] = '~';
            to[cut_at + 1] = 0;
            return cut_used + 1;
        }
        memcpy(to + at, bytes, len);
        at += len;
        used += takes;
        if (used < columns && at + 2 <= cap) {
            cut_at = at;
            cut_used = used;
        }
        s += n ? n : 1;
    }
    to[at] = 0;
    return used;
}

char *ctl_text_clean_dup(const char *from)
{
    size_t cap = strlen(from) + 8;
    char *text = mem_zalloc(cap);
    ctl_text_clean(text, cap, from, SIZE_MAX);
    return text;
}

static const char *scaled(char out[static CTL_NUMBER_MAX], int64_t v, int64_t step)
{
    static const char units[] = " kMGT";
    size_t unit = 0;
    double d = (double)v;
    for (; d >= (double)step * 0.9995 && unit + 2 < sizeof(units); unit++)
        d /= (double)step;
    if (unit == 0)
        snprintf(out, CTL_NUMBER_MAX, "%.0f", d);
    else
        snprintf(out, CTL_NUMBER_MAX, d < 9.95 ? "%.1f%c" : "%.0f%c", d, units[unit]);
    return out;
}

const char *ctl_text_rate(char out[static CTL_NUMBER_MAX], int64_t bits_per_s)
{
    return scaled(out, bits_per_s, 1000);
}

const char *ctl_text_bytes(char out[static CTL_NUMBER_MAX], int64_t bytes)
{
    return scaled(out, bytes, 1024);
}

const char *ctl_text_share(char out[static CTL_NUMBER_MAX], int64_t of_256)
{
    double percent = (double)of_256 * 100 / 256;
    snprintf(out, CTL_NUMBER_MAX, percent < 9.95 && of_256 ? "%.1f%%" : "%.0f%%", percent);
    return out;
}

const char *ctl_text_ms(char out[static CTL_NUMBER_MAX], int64_t us)
{
    snprintf(out, CTL_NUMBER_MAX, "%lldms", (long long)((us + 500) / 1000));
    return out;
}

const char *ctl_text_age(char out[static CTL_NUMBER_MAX], int64_t seconds)
{
    long long s = seconds < 0 ? 0 : seconds;
    if (s < 60)
        snprintf(out, CTL_NUMBER_MAX, "%llds", s);
    else if (s < 3600)
        snprintf(out, CTL_NUMBER_MAX, "%lldm%02llds", s / 60, s % 60);
    else if (s < 86400)
        snprintf(out, CTL_NUMBER_MAX, "%lldh%02lldm", s / 3600, s % 3600 / 60);
    else
        snprintf(out, CTL_NUMBER_MAX, "%lldd%02lldh", s / 86400, s % 86400 / 3600);
    return out;
}
