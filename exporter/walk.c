#include "exporter/scrape_int.h"
#include "exporter/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The walk has come to its end: its samples, which were gathered apart, go behind their family's head, some at a time. False: more
 * is left. */
static bool end_family(struct scrape *s, enum metric_from from, enum counters_level level,
                       struct buf *samples)
{
    if (!s->in_family)
        text_family(&s->out, s->format, families_find(from, level));
    s->in_family = true;
    size_t left = samples->len - s->copied;
    size_t take = left < SCRAPE_COPY_BYTES ? left : SCRAPE_COPY_BYTES;
    if (take)
        buf_add(&s->out, samples->data + s->copied, take);
    s->copied += take;
    if (take < left)
        return false;
    s->out.full |= samples->full;
    s->in_family = false;
    s->copied = 0;
    buf_free(samples);
    return true;
}

static void next_phase(struct scrape *s)
{
    memset(&s->cursor, 0, sizeof(s->cursor));
    s->walked = false;
    s->bytes_done = false;
    s->phase++;
}

/* ---- rooms ---------------------------------------------------------------------------------------------------------------------- */

void walk_rooms(struct scrape *s)
{
    const struct exporter_source *source = s->in.source;
    const struct metric *m = families_find(METRIC_ROOM_PEERS, COUNTERS_WORKER);
    for (int i = 0; i < EXPORTER_SLICE && !s->walked; i++) {
        struct exporter_room room;
        if (!source->room_next(source->arg, &s->cursor, &room)) {
            s->walked = true;
            return;
        }
        if (s->rooms_shown >= s->in.config->max_rooms) {
            s->rooms_omitted++;
            continue;
        }
        s->rooms_shown++;
        buf_clear(&s->labels);
        text_label(&s->labels, "room_id", room.room_id);
        buf_puts(&s->labels, "}");
        text_sample(&s->bytes, m, s->labels.data, s->labels.len, room.peers);
    }
    if (s->walked && end_family(s, METRIC_ROOM_PEERS, COUNTERS_WORKER, &s->bytes))
        next_phase(s);
}

/* ---- streams -------------------------------------------------------------------------------------------------------------------- */

/* The network part alone: /16 of IPv4, /32 of IPv6. */
static void coarse_addr(const struct addr *a, char text[static ADDR_STR_MAX])
{
    struct addr net = *a;
    size_t keep = addr_is_ipv4(a) ? 14 : 4;
    memset(net.ip + keep, 0, sizeof(net.ip) - keep);
    net.scope = 0;
    addr_format_ip(&net, text);
}

static void label_addr(struct scrape *s, const char *name, const struct addr *a)
{
    char text[ADDR_STR_MAX];
    const struct scrape_input *in = &s->in;
    const char *host = in->name && !in->config->deidentify ? in->name(a, in->name_arg) : NULL;
    if (host) {
        char with_port[EXPORTER_LABEL_MAX + 8];
        snprintf(with_port, sizeof(with_port), "%.*s:%u", EXPORTER_LABEL_MAX, host, a->port);
        text_label(&s->labels, name, with_port);
        return;
    }
    if (in->config->deidentify)
        coarse_addr(a, text);
    else
        addr_format(a, text);
    text_label(&s->labels, name, text);
}

static void label_number(struct buf *labels, const char *name, int64_t number)
{
    char text[24];
    snprintf(text, sizeof(text), "%" PRId64, number);
    text_label(labels, name, text);
}

static void label_stream(struct scrape *s, const struct exporter_stream *st, const char *type)
{
    struct buf *l = &s->labels;
    bool hide = s->in.config->deidentify, quiet = s->in.config->quiet;
    buf_clear(l);
    label_number(l, "pid", st->pid);
    text_label(l, "room_id", st->room_id);
    text_label(l, "peer_id", hide ? "" : st->peer_id);
    text_label(l, "display_name", hide ? "" : st->display_name);
    text_label(l, "user_agent", hide ? "" : st->user_agent);
    text_label(l, "transport_id", quiet ? "" : st->transport_id);
    text_label(l, "proto", st->tcp ? "tcp" : "udp");
    label_addr(s, "local_addr", &st->local);
    label_addr(s, "remote_addr", &st->remote);
    text_label(l, "id", quiet ? "" : st->id);
    text_label(l, "kind", st->kind);
    text_label(l, "codec", st->codec);
    text_label(l, "type", type);
    label_number(l, "ssrc", st->ssrc);
    text_label(l, "rid", st->rid);
    buf_puts(l, "}");
}

static void count_kind(struct scrape *s, const struct exporter_stream *st, bool consumer)
{
    size_t i = 0;
    while (i < s->n_kinds && (strcmp(s->kinds[i].kind, st->kind) != 0 ||
                              strncmp(s->kinds[i].codec, st->codec, sizeof(s->kinds[i].codec) - 1)))
        i++;
    if (i == s->n_kinds && i < SCRAPE_KINDS_MAX) {
        struct scrape_kind *k = &s->kinds[s->n_kinds++];
        bool last = s->n_kinds == SCRAPE_KINDS_MAX;
        snprintf(k->kind, sizeof(k->kind), "%s", last ? "other" : st->kind);
        snprintf(k->codec, sizeof(k->codec), "%s", last ? "other" : st->codec);
    }
    if (i == SCRAPE_KINDS_MAX)
        i--;
    s->kinds[i].consumers += consumer;
    s->kinds[i].producers += !consumer;
}

static void take_stream(struct scrape *s, const struct exporter_stream *st, bool consumer)
{
    enum counters_level level = consumer ? COUNTERS_CONSUMER : COUNTERS_PRODUCER;
    if (st->first)
        count_kind(s, st, consumer);
    if (!st->selected || !st->ssrc)
        return;
    if (s->streams_shown >= s->in.config->max_streams) {
        s->producers_omitted += !consumer;
        s->consumers_omitted += consumer;
        return;
    }
    s->streams_shown++;
    label_stream(s, st, consumer ? "outbound-rtp" : "inbound-rtp");
    text_sample(
        &s->bytes, families_find(METRIC_STREAM_BYTES, level), s->labels.data, s->labels.len,
        st->values[consumer ? COUNTERS_INDEX(consumer, bytes) : COUNTERS_INDEX(producer, bytes)]);
    text_sample(
        &s->score, families_find(METRIC_STREAM_SCORE, level), s->labels.data, s->labels.len,
        st->values[consumer ? COUNTERS_INDEX(consumer, score) : COUNTERS_INDEX(producer, score)]);
}

void walk_streams(struct scrape *s, enum counters_level level)
{
    const struct exporter_source *source = s->in.source;
    for (int i = 0; i < EXPORTER_SLICE && !s->walked; i++) {
        struct exporter_stream st = {0};
        if (!source->stream_next(source->arg, level, &s->cursor, &st)) {
            s->walked = true;
            return;
        }
        take_stream(s, &st, level == COUNTERS_CONSUMER);
    }
    if (!s->walked)
        return;
    if (!s->bytes_done)
        s->bytes_done = end_family(s, METRIC_STREAM_BYTES, level, &s->bytes);
    else if (end_family(s, METRIC_STREAM_SCORE, level, &s->score))
        next_phase(s);
}

/* ---- transports ----------------------------------------------------------------------------------------------------------------- */

void walk_transports(struct scrape *s)
{
    const struct exporter_source *source = s->in.source;
    for (int i = 0; i < EXPORTER_SLICE; i++) {
        struct exporter_transport t;
        if (!source->transport_next(source->arg, &s->cursor, &t)) {
            next_phase(s);
            return;
        }
        uint64_t ice = t.values[COUNTERS_INDEX(transport, ice_state)];
        uint64_t dtls = t.values[COUNTERS_INDEX(transport, dtls_state)];
        if (t.worker >= EXPORTER_WORKERS_MAX)
            continue;
        if (ice < ICE_STATES)
            s->ice[t.worker][ice]++;
        if (dtls < DTLS_STATES)
            s->dtls[t.worker][dtls]++;
    }
}
