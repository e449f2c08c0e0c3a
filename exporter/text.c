#include "exporter/text.h"

#include "exporter/exporter.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Length of the UTF-8 character at p (RFC 3629 4), 0 when it is none. */
static size_t utf8_length(const unsigned char *p)
{
    unsigned char lo = 0x80, hi = 0xbf;
    size_t n = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0;
    if (*p == 0xe0)
        lo = 0xa0;
    else if (*p == 0xed)
        hi = 0x9f;
    else if (*p == 0xf0)
        lo = 0x90;
    else if (*p == 0xf4)
        hi = 0x8f;
    for (size_t i = 1; i < n; i++) {
        if (p[i] < lo || p[i] > hi)
            return 0;
        lo = 0x80;
        hi = 0xbf;
    }
    return n;
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void text_quoted(struct buf *out, const char *value)
{
    const unsigned char *p = (const unsigned char *)value, *start = p;
    buf_add(out, "\"", 1);
    while (*p) {
        size_t run = 0, left = EXPORTER_LABEL_MAX - (size_t)(p - start);
        while (run < left && is_plain(p[run]))
            run++;
        buf_add(out, p, run);
        p += run;
        size_t n = *p ? utf8_length(p) : 0;
        if (!*p || (size_t)(p - start) + (n ? n : 1) > EXPORTER_LABEL_MAX)
            break;
        if (n == 0)
            buf_add(out, "?", 1);
        else if (*p == '\n')
            buf_add(out, "\\n", 2);
        else {
            if (*p == '"' || *p == '\\')
                buf_add(out, "\\", 1);
            buf_add(out, p, n);
        }
        p += n ? n : 1;
    }
    buf_add(out, "\"", 1);
}

void text_label(struct buf *labels, const char *name, const char *value)
{
    buf_puts(labels, labels->len ? "," : "{");
    buf_puts(labels, name);
    buf_add(labels, "=", 1);
    text_quoted(labels, value);
}

/* An info is a gauge in the older format, and its family's name is then that of its sample. */
static const char *type_name(enum exporter_format format, enum metric_type type)
{
    static const char *const names[][2] = {
        [METRIC_GAUGE] = {"gauge", "gauge"},
        [METRIC_COUNTER] = {"counter", "counter"},
        [METRIC_OLD_COUNTER] = {"counter", "unknown"},
        [METRIC_HISTOGRAM] = {"histogram", "histogram"},
        [METRIC_INFO] = {"gauge", "info"},
    };
    return names[type][format == EXPORTER_OPENMETRICS];
}

void text_family(struct buf *out, enum exporter_format format, const struct metric *m)
{
    bool open = format == EXPORTER_OPENMETRICS;
    const char *suffix = open ? "" : metrics_suffix(m->type);
    buf_printf(out, "# HELP %s%s %s\n# TYPE %s%s %s\n", m->name, suffix, m->help, m->name, suffix,
               type_name(format, m->type));
    if (open && *m->unit)
        buf_printf(out, "# UNIT %s %s\n", m->name, m->unit);
}

static void add_value(struct buf *out, bool micro, uint64_t value)
{
    char text[32];
    int n = micro ? snprintf(text, sizeof(text), " %" PRIu64 ".%06u\n", value / 1000000,
                             (unsigned)(value % 1000000))
                  : snprintf(text, sizeof(text), " %" PRIu64 "\n", value);
    buf_add(out, text, (size_t)n);
}

void text_sample(struct buf *out, const struct metric *m, const char *labels, size_t labels_len,
                 uint64_t value)
{
    buf_puts(out, m->name);
    buf_puts(out, metrics_suffix(m->type));
    buf_add(out, labels, labels_len);
    add_value(out, m->micro, value);
}

void text_histogram(struct buf *out, const struct metric *m, const char *labels,
                    const uint64_t *rows)
{
    uint64_t sum = 0;
    const char *comma = *labels ? "," : "";
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        sum += rows[i];
        buf_printf(out, "%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n", m->name, labels, comma,
                   i < HISTOGRAM_BOUNDS ? m->histogram->bounds[i] : "+Inf", sum);
    }
    buf_printf(out, "%s_count%s%s%s %" PRIu64 "\n", m->name, *labels ? "{" : "", labels,
               *labels ? "}" : "", sum);
    buf_printf(out, "%s_sum%s%s%s", m->name, *labels ? "{" : "", labels, *labels ? "}" : "");
    add_value(out, true, rows[HISTOGRAM_BUCKETS]);
}
