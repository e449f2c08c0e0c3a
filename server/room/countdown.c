#include "server/room/countdown.h"

#include <stdio.h>
#include <string.h>

#define DAY_S 86400

void countdown_init(struct countdown *c)
{
    *c = (struct countdown){.enabled = true};
}

void countdown_set(struct countdown *c, uint32_t seconds)
{
    c->initial_s = c->remaining_s = seconds < DAY_S ? seconds : DAY_S - 1;
    c->started = false;
}

bool countdown_start(struct countdown *c, int64_t now_ms)
{
    if (c->started || !c->remaining_s)
        return false;
    c->started = true;
    c->ends_ms = now_ms + (int64_t)c->remaining_s * 1000;
    return true;
}

bool countdown_stop(struct countdown *c, int64_t now_ms)
{
    if (!c->started)
        return false;
    c->remaining_s = countdown_remaining(c, now_ms);
    c->started = false;
    return true;
}

bool countdown_ended(struct countdown *c, int64_t now_ms)
{
    if (!c->started || now_ms < c->ends_ms)
        return false;
    c->started = false;
    c->remaining_s = 0;
    return true;
}

uint32_t countdown_remaining(const struct countdown *c, int64_t now_ms)
{
    if (!c->started)
        return c->remaining_s;
    return now_ms < c->ends_ms ? (uint32_t)((c->ends_ms - now_ms + 999) / 1000) : 0;
}

static bool two_digits(const char *s, unsigned max, unsigned *out)
{
    if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
        return false;
    *out = (unsigned)(s[0] - '0') * 10 + (unsigned)(s[1] - '0');
    return *out <= max;
}

bool countdown_parse(const char *text, uint32_t *seconds)
{
    unsigned h, m, s;
    if (strlen(text) != COUNTDOWN_TEXT - 1 || text[2] != ':' || text[5] != ':' ||
        !two_digits(text, 23, &h) || !two_digits(text + 3, 59, &m) || !two_digits(text + 6, 59, &s))
        return false;
    *seconds = (h * 60 + m) * 60 + s;
    return true;
}

void countdown_print(char text[COUNTDOWN_TEXT], uint32_t seconds)
{
    seconds %= DAY_S;
    snprintf(text, COUNTDOWN_TEXT, "%02u:%02u:%02u", seconds / 3600 % 24, seconds / 60 % 60,
             seconds % 60);
}
