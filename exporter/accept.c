#include "exporter/accept.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* A piece of a header, without the spaces around it. */
struct part {
    const char *s;
    size_t n;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* Up to `sep` or the end; moves *s behind it. A quoted string hides separators. False: there is nothing left. */
static bool next_part(const char **s, const char *end, char sep, struct part *out)
{
    const char *p = *s;
    bool quoted = false;
    if (p >= end)
        return false;
    for (; p < end && (quoted || *p != sep); p++) {
        if (quoted && *p == '\\' && p + 1 < end)
            p++;
        else if (*p == '"')
            quoted = !quoted;
    }
    *out = (struct part){*s, (size_t)(p - *s)};
    *s = p < end ? p + 1 : p;
    while (out->n && is_space(out->s[0])) {
        out->s++;
        out->n--;
    }
    while (out->n && is_space(out->s[out->n - 1]))
        out->n--;
    return true;
}

static bool is(struct part p, const char *word)
{
    return strlen(word) == p.n && strncasecmp(p.s, word, p.n) == 0;
}

/* Thousandths; -1: malformed. */
static int quality(struct part p)
{
    int value, digits = 100;
    if (p.n < 1 || p.n > 5 || (p.s[0] != '0' && p.s[0] != '1') || (p.n > 1 && p.s[1] != '.'))
        return -1;
    value = (p.s[0] - '0') * 1000;
    for (size_t i = 2; i < p.n; i++, digits /= 10) {
        if (p.s[i] < '0' || p.s[i] > '9')
            return -1;
        value += (p.s[i] - '0') * digits;
    }
    return value <= 1000 ? value : -1;
}

struct range {
    struct part type;
    struct part version; /* n 0: none was named */
    int q;               /* thousandths; -1: not to be used */
};

static void read_range(struct part item, struct range *r)
{
    const char *s = item.s, *end = item.s + item.n;
    struct part p;
    *r = (struct range){.q = 1000};
    if (!next_part(&s, end, ';', &r->type))
        r->q = -1;
    while (next_part(&s, end, ';', &p)) {
        const char *eq = memchr(p.s, '=', p.n);
        if (!eq)
            continue;
        struct part name = {p.s, (size_t)(eq - p.s)}, value = {eq + 1, p.n - name.n - 1};
        if (is(name, "q"))
            r->q = quality(value);
        else if (is(name, "version"))
            r->version = value;
    }
}

/* How specific a range's match is: 0: none. */
static int match_format(const struct range *r, enum exporter_format format)
{
    static const char *const types[][3] = {
        [EXPORTER_TEXT] = {"text/plain", "text/*", "0.0.4"},
        [EXPORTER_OPENMETRICS] = {"application/openmetrics-text", "application/*", "1.0.0"},
    };
    const char *const *t = types[format];
    if (is(r->type, t[0])) {
        bool older = format == EXPORTER_OPENMETRICS && is(r->version, "0.0.1");
        return r->version.n == 0 ? 3 : is(r->version, t[2]) || older ? 4 : 0;
    }
    return is(r->type, t[1]) ? 2 : is(r->type, "*/*") ? 1 : 0;
}

struct best {
    int specific, q;
};

static void offer(struct best *b, int specific, int q)
{
    if (specific > b->specific || (specific && specific == b->specific && q > b->q))
        *b = (struct best){specific, q};
}

enum exporter_format accept_format(const char *accept)
{
    struct best text = {0, 0}, open = {0, 0};
    const char *s = accept ? accept : "", *end = s + strlen(s);
    struct part item;
    while (next_part(&s, end, ',', &item)) {
        struct range r;
        read_range(item, &r);
        if (r.q < 0)
            continue;
        offer(&text, match_format(&r, EXPORTER_TEXT), r.q);
        /* Who takes anything takes what is the more common. */
        if (match_format(&r, EXPORTER_OPENMETRICS) > 2)
            offer(&open, match_format(&r, EXPORTER_OPENMETRICS), r.q);
    }
    return open.q > text.q ? EXPORTER_OPENMETRICS : EXPORTER_TEXT;
}

bool accept_gzip(const char *accept_encoding)
{
    struct best gzip = {0, 0};
    const char *s = accept_encoding ? accept_encoding : "", *end = s + strlen(s);
    struct part item;
    while (next_part(&s, end, ',', &item)) {
        struct range r;
        read_range(item, &r);
        if (r.q >= 0)
            offer(&gzip,
                  is(r.type, "gzip") || is(r.type, "x-gzip") ? 2
                  : is(r.type, "*")                          ? 1
                                                             : 0,
                  r.q);
    }
    return gzip.q > 0;
}
