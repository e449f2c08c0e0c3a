#include "exporter/text.h"
#include "lib/mem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum phase { PHASE_ROOMS, PHASE_PRODUCERS, PHASE_CONSUMERS, PHASE_WORKERS, PHASE_DONE };

struct exporter_text {
    const struct exporter_config *config;
    const struct exporter_source *source;
    exporter_name_f *name;
    void *name_arg;
    enum phase phase;
    struct exporter_cursor cursor;
    struct buf out;
    struct buf bytes,
        score; /* the samples of the level that is walked: of two families, which must not mix */
    struct buf labels;
};

/* ---- labels --------------------------------------------------------------------------------------------------------------------- */

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

void exporter_text_label(struct buf *out, const char *value)
{
    const unsigned char *p = (const unsigned char *)value, *start = p;
    buf_add(out, "\"", 1);
    while (*p) {
        size_t n = utf8_length(p);
        if ((size_t)(p - start) + (n ? n : 1) > EXPORTER_LABEL_MAX)
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

static void label(struct buf *out, const char *name, const char *value)
{
    buf_puts(out, out->len ? "," : "{");
    buf_puts(out, name);
    buf_add(out, "=", 1);
    exporter_text_label(out, value);
}

/* The network part alone: /16 of IPv4, /32 of IPv6. */
static void coarse_addr(const struct addr *a, char text[static ADDR_STR_MAX])
{
    struct addr net = *a;
    size_t keep = addr_is_ipv4(a) ? 14 : 4;
    memset(net.ip + keep, 0, sizeof(net.ip) - keep);
    net.scope = 0;
    addr_format_ip(&net, text);
}

static void label_addr(struct exporter_text *t, const char *name, const struct addr *a)
{
    char text[ADDR_STR_MAX];
    const char *host = t->name && !t->config->deidentify ? t->name(a, t->name_arg) : NULL;
    if (host) {
        char with_port[EXPORTER_LABEL_MAX + 8];
        snprintf(with_port, sizeof(with_port), "%.*s:%u", EXPORTER_LABEL_MAX, host, a->port);
        label(&t->labels, name, with_port);
        return;
    }
    if (t->config->deidentify)
        coarse_addr(a, text);
    else
        addr_format(a, text);
    label(&t->labels, name, text);
}

static void stream_labels(struct exporter_text *t, const struct exporter_stream *s,
                          const char *type)
{
    char number[16];
    struct buf *l = &t->labels;
    bool hide = t->config->deidentify, quiet = t->config->quiet;
    buf_clear(l);
    snprintf(number, sizeof(number), "%" PRId32, s->pid);
    label(l, "pid", number);
    label(l, "room_id", s->room_id);
    label(l, "peer_id", s->peer_id);
    label(l, "display_name", hide ? "" : s->display_name);
    label(l, "user_agent", hide ? "" : s->user_agent);
    label(l, "transport_id", quiet ? "" : s->transport_id);
    label(l, "proto", s->tcp ? "tcp" : "udp");
    label_addr(t, "local_addr", &s->local);
    label_addr(t, "remote_addr", &s->remote);
    label(l, "id", quiet ? "" : s->id);
    label(l, "kind", s->kind);
    label(l, "codec", s->codec);
    label(l, "type", type);
    snprintf(number, sizeof(number), "%" PRIu32, s->ssrc);
    label(l, "ssrc", number);
    label(l, "rid", s->rid);
    buf_puts(l, "}");
}

/* ---- families ------------------------------------------------------------------------------------------------------------------- */

static void family(struct buf *out, const char *name, const char *type, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void sample(struct buf *out, const char *name, const struct buf *labels, uint64_t value)
{
    char text[24];
    int n = snprintf(text, sizeof(text), " %" PRIu64 "\n", value);
    buf_puts(out, name);
    buf_add(out, labels->data, labels->len);
    buf_add(out, text, (size_t)n);
}

static void write_rooms(struct exporter_text *t)
{
    struct exporter_cursor cursor = {0};
    struct exporter_room room;
    family(&t->out, "edumeet_rooms", "gauge", "Rooms open.");
    buf_printf(&t->out, "edumeet_rooms %zu\n", t->source->rooms(t->source->arg));
    family(&t->out, "edumeet_peers", "gauge", "Peers admitted to the room.");
    while (t->source->room_next(t->source->arg, &cursor, &room)) {
        buf_clear(&t->labels);
        label(&t->labels, "room_id", room.room_id);
        buf_puts(&t->labels, "}");
        sample(&t->out, "edumeet_peers", &t->labels, room.peers);
    }
}

/* What each level's two families are called. */
static const struct stream_family {
    enum counters_level level;
    const char *type;
    const char *bytes, *bytes_help, *score, *score_help;
    size_t bytes_index, score_index;
} producer_family =
    {
        COUNTERS_PRODUCER,
        "inbound-rtp",
        "mediasoup_producer_byte_count_bytes",
        "Bytes of RTP packets received from the peer.",
        "mediasoup_producer_score",
        "Quality of the stream as received, 0 to 10.",
        COUNTERS_INDEX(producer, bytes),
        COUNTERS_INDEX(producer, score),
},
  consumer_family = {
      COUNTERS_CONSUMER,
      "outbound-rtp",
      "mediasoup_consumer_byte_count_bytes",
      "Bytes of RTP packets sent to the peer.",
      "mediasoup_consumer_score",
      "Quality of the stream as sent, 0 to 10.",
      COUNTERS_INDEX(consumer, bytes),
      COUNTERS_INDEX(consumer, score),
};

/* A stream without an SSRC has not begun, and nothing would tell it from its siblings. False: that was the last. */
static bool write_streams(struct exporter_text *t, const struct stream_family *f)
{
    struct exporter_stream s;
    for (int i = 0; i < EXPORTER_SLICE; i++) {
        memset(&s, 0, sizeof(s));
        if (!t->source->stream_next(t->source->arg, f->level, &t->cursor, &s))
            return false;
        if (!s.selected || !s.ssrc)
            continue;
        stream_labels(t, &s, f->type);
        sample(&t->bytes, f->bytes, &t->labels, s.values[f->bytes_index]);
        sample(&t->score, f->score, &t->labels, s.values[f->score_index]);
    }
    return true;
}

static void end_streams(struct exporter_text *t, const struct stream_family *f)
{
    family(&t->out, f->bytes, "counter", f->bytes_help);
    buf_add(&t->out, t->bytes.data, t->bytes.len);
    family(&t->out, f->score, "gauge", f->score_help);
    buf_add(&t->out, t->score.data, t->score.len);
    t->out.full |= t->bytes.full || t->score.full;
    buf_free(&t->bytes);
    buf_free(&t->score);
    memset(&t->cursor, 0, sizeof(t->cursor));
    t->phase++;
}

static void write_worker_up(struct exporter_text *t)
{
    struct exporter_cursor cursor = {0};
    struct exporter_worker w;
    family(&t->out, "althing_worker_up", "gauge", "The worker process runs.");
    while (t->source->worker_next(t->source->arg, &cursor, &w))
        buf_printf(&t->out, "althing_worker_up{worker=\"%" PRIu32 "\",pid=\"%" PRId32 "\"} %d\n",
                   w.index, w.pid, w.up);
}

static void write_worker_row(struct exporter_text *t, const struct counters_field *row)
{
    char name[sizeof("althing_worker__total") + COUNTERS_NAME_MAX];
    bool counter = row->kind == COUNTERS_KIND_COUNTER;
    struct exporter_cursor cursor = {0};
    struct exporter_worker w;
    snprintf(name, sizeof(name), "althing_worker_%s%s", row->name, counter ? "_total" : "");
    family(&t->out, name, counter ? "counter" : "gauge", row->help);
    while (t->source->worker_next(t->source->arg, &cursor, &w))
        buf_printf(&t->out, "%s{worker=\"%" PRIu32 "\"} %" PRIu64 "\n", name, w.index,
                   w.values[row->offset / sizeof(uint64_t)]);
}

static void write_workers(struct exporter_text *t)
{
    size_t n;
    const struct counters_field *rows = counters_fields(COUNTERS_WORKER, &n);
    write_worker_up(t);
    for (size_t i = 0; i < n; i++)
        write_worker_row(t, &rows[i]);
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------------ */

struct exporter_text *exporter_text_new(const struct exporter_config *config,
                                        const struct exporter_source *source, exporter_name_f *name,
                                        void *name_arg)
{
    struct exporter_text *t = mem_zalloc(sizeof(*t));
    t->config = config;
    t->source = source;
    t->name = name;
    t->name_arg = name_arg;
    buf_init(&t->out, EXPORTER_TEXT_MAX);
    buf_init(&t->bytes, EXPORTER_TEXT_MAX);
    buf_init(&t->score, EXPORTER_TEXT_MAX);
    buf_init(&t->labels, 32 * EXPORTER_LABEL_MAX);
    return t;
}

void exporter_text_free(struct exporter_text *t)
{
    if (!t)
        return;
    buf_free(&t->out);
    buf_free(&t->bytes);
    buf_free(&t->score);
    buf_free(&t->labels);
    free(t);
}

bool exporter_text_step(struct exporter_text *t)
{
    switch (t->phase) {
    case PHASE_ROOMS:
        write_rooms(t);
        t->phase++;
        return true;
    case PHASE_PRODUCERS:
        if (!write_streams(t, &producer_family))
            end_streams(t, &producer_family);
        return true;
    case PHASE_CONSUMERS:
        if (!write_streams(t, &consumer_family))
            end_streams(t, &consumer_family);
        return true;
    case PHASE_WORKERS:
        write_workers(t);
        t->phase++;
        return false;
    case PHASE_DONE:
        break;
    }
    return false;
}

struct buf *exporter_text_buf(struct exporter_text *t)
{
    return &t->out;
}
