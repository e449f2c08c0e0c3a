#include "server/stats.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "server/show.h"

#include <stdlib.h>
#include <string.h>

#define OLD_US    S_US(1)
#define RECENT_US MS_US(250)

/* ---- the index ------------------------------------------------------------------------------------------------------------------ */

void stats_init(struct stats *s, const struct hub *h)
{
    memset(s, 0, sizeof(*s));
    s->hub = h;
}

void stats_free(struct stats *s)
{
    for (unsigned l = 0; l < COUNTERS_LEVELS; l++)
        free(s->entries[l]);
    stats_init(s, s->hub);
}

static void add(struct stats *s, enum counters_level l, const struct stats_entry *e)
{
    if (s->n[l] == s->cap[l]) {
        s->cap[l] = s->cap[l] ? 2 * s->cap[l] : 256;
        s->entries[l] = mem_realloc(s->entries[l], s->cap[l], sizeof(*e));
    }
    s->entries[l][s->n[l]++] = *e;
}

static int by_owner(const void *a, const void *b)
{
    const struct stats_entry *x = a, *y = b;
    return x->owner < y->owner   ? -1
           : x->owner > y->owner ? 1
                                 : (x->slot > y->slot) - (x->slot < y->slot);
}

static void make_level(struct stats *s, enum counters_level l)
{
    s->n[l] = 0;
    for (uint32_t i = 0; i < media_places(s->hub->media); i++) {
        const struct media_worker *w = media_worker_at(s->hub->media, i);
        const struct counters_reader *r = w ? media_worker_counters(w) : NULL;
        struct stats_entry e = {.place = i, .generation = w ? media_worker_generation(w) : 0};
        size_t cursor = 0;
        while (r && counters_reader_next_owner(r, l, &cursor, &e.owner)) {
            e.slot = (uint32_t)cursor - 1;
            add(s, l, &e);
        }
    }
    if (s->n[l])
        qsort(s->entries[l], s->n[l], sizeof(struct stats_entry), by_owner);
}

static void make(struct stats *s, int64_t now_us)
{
    s->made_us = now_us;
    for (unsigned l = COUNTERS_TRANSPORT; l < COUNTERS_LEVELS; l++)
        make_level(s, l);
}

static size_t first_of(const struct stats *s, enum counters_level l, uint64_t owner)
{
    size_t from = 0, to = s->n[l];
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        if (s->entries[l][mid].owner < owner)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

/* Only by the worker that carries its room. */
static bool read_slot(struct stats *s, enum counters_level l, const struct stats_entry *e,
                      const struct object *o)
{
    const struct media_worker *w = media_worker_at(s->hub->media, e->place);
    const struct counters_reader *r = w ? media_worker_counters(w) : NULL;
    const struct media_router *router = object_peer((struct object *)(uintptr_t)o)->media;
    return r && router && media_router_on(router, w) &&
           media_worker_generation(w) == e->generation &&
           counters_reader_slot(r, l, e->slot, &s->view) && s->view.owner == o->handle;
}

const struct counters_view *stats_next(struct stats *s, enum counters_level l,
                                       const struct object *o, size_t *cursor)
{
    int64_t now = clock_now_us();
    if (!*cursor && (!s->made_us || now - s->made_us > OLD_US))
        make(s, now);
    size_t i = *cursor ? *cursor : first_of(s, l, o->handle);
    if (!*cursor && now - s->made_us > RECENT_US &&
        (i == s->n[l] || s->entries[l][i].owner != o->handle)) {
        make(s, now);
        i = first_of(s, l, o->handle);
    }
    for (; i < s->n[l] && s->entries[l][i].owner == o->handle; i++) {
        *cursor = i + 1;
        if (read_slot(s, l, &s->entries[l][i], o))
            return &s->view;
    }
    *cursor = s->n[l] + 1; /* and the next call finds the end */
    return NULL;
}

/* ---- by the counters' names ----------------------------------------------------------------------------------------------------- */

json_t *stats_json(enum counters_level level, const uint64_t *values)
{
    size_t n;
    const struct counters_field *f = counters_fields(level, &n);
    json_t *o = json_object();
    for (size_t i = 0; i < n; i++)
        show_number(o, f[i].name, values[i]);
    return o;
}

json_t *stats_worker(const struct hub *h, uint32_t index)
{
    uint64_t values[COUNTERS_FIELDS_MAX] = {0};
    const uint64_t *former = media_place_totals(h->media, index, COUNTERS_WORKER);
    const struct media_worker *w = media_worker_at(h->media, index);
    const struct counters_reader *r = w ? media_worker_counters(w) : NULL;
    if (r)
        counters_reader_total(r, COUNTERS_WORKER, values);
    for (size_t i = 0; former && i < COUNTERS_FIELDS_MAX; i++)
        values[i] += former[i];
    return stats_json(COUNTERS_WORKER, values);
}

static enum counters_level level_of(const struct object *o)
{
    return o->type == OBJECT_TRANSPORT  ? COUNTERS_TRANSPORT
           : o->type == OBJECT_PRODUCER ? COUNTERS_PRODUCER
                                        : COUNTERS_CONSUMER;
}

void stats_add(struct stats *s, const struct object *o, json_t *to)
{
    enum counters_level level = level_of(o);
    const struct counters_view *v;
    size_t cursor = 0;
    json_t *streams = NULL;
    while ((v = stats_next(s, level, o, &cursor))) {
        json_t *values = stats_json(level, v->values);
        if (o->type != OBJECT_PRODUCER) {
            json_object_set_new(to, "stats", values);
            return;
        }
        streams = streams ? streams : json_array();
        json_array_append_new(streams, json_pack("{sI, ss, so}", "ssrc", (json_int_t)v->ssrc, "rid",
                                                 v->rid, "stats", values));
    }
    if (streams)
        json_object_set_new(to, "streams", streams);
}

/* ---- by mediasoup's names ------------------------------------------------------------------------------------------------------- */

enum unit { PLAIN, MS /* of us */ };

struct row {
    const char *theirs, *ours;
    enum unit unit;
};

static const struct row transport_rows[] = {
    {"bytesReceived", "bytes_received", PLAIN},
    {"recvBitrate", "recv_bitrate", PLAIN},
    {"bytesSent", "bytes_sent", PLAIN},
    {"sendBitrate", "send_bitrate", PLAIN},
    {"rtpBytesReceived", "rtp_bytes_received", PLAIN},
    {"rtpBytesSent", "rtp_bytes_sent", PLAIN},
    {"rtxBytesReceived", "rtx_bytes_received", PLAIN},
    {"rtxBytesSent", "rtx_bytes_sent", PLAIN},
    {"probationBytesSent", "probation_bytes_sent", PLAIN},
    {"availableOutgoingBitrate", "available_outgoing_bitrate", PLAIN},
    {"availableIncomingBitrate", "available_incoming_bitrate", PLAIN},
    {"maxIncomingBitrate", "max_incoming_bitrate", PLAIN},
    {"rtpPacketLossReceived", "loss_received", PLAIN},
    {"rtpPacketLossSent", "loss_sent", PLAIN},
    {NULL, NULL, PLAIN},
};

static const struct row stream_rows[] = {
    {"packetsLost", "packets_lost", PLAIN},
    {"fractionLost", "fraction_lost", PLAIN},
    {"jitter", "jitter", PLAIN},
    {"packetsDiscarded", "packets_discarded", PLAIN},
    {"packetsRetransmitted", "packets_retransmitted", PLAIN},
    {"packetsRepaired", "packets_repaired", PLAIN},
    {"nackCount", "nack_count", PLAIN},
    {"nackPacketCount", "nack_packet_count", PLAIN},
    {"pliCount", "pli_count", PLAIN},
    {"firCount", "fir_count", PLAIN},
    {"roundTripTime", "rtt_us", MS},
    {"rtxPacketsDiscarded", "rtx_packets_discarded", PLAIN},
    {"score", "score", PLAIN},
    {"packetCount", "packets", PLAIN},
    {"byteCount", "bytes", PLAIN},
    {"bitrate", "bitrate", PLAIN},
    {NULL, NULL, PLAIN},
};

/* Counters that this level does not have are left out. */
static void add_rows(json_t *to, const struct row *rows, enum counters_level level,
                     const uint64_t *values)
{
    size_t n;
    const struct counters_field *f = counters_fields(level, &n);
    show_number(to, "timestamp", (uint64_t)(clock_now_us() / 1000));
    for (; rows->theirs; rows++) {
        for (size_t i = 0; i < n; i++) {
            if (strcmp(f[i].name, rows->ours) != 0)
                continue;
            if (rows->unit == MS)
                json_object_set_new(to, rows->theirs, json_real((double)values[i] / 1000));
            else
                show_number(to, rows->theirs, values[i]);
        }
    }
}

static json_t *of_transport(struct stats *s, const struct transport *t)
{
    size_t cursor = 0;
    const struct counters_view *v = stats_next(s, COUNTERS_TRANSPORT, &t->obj, &cursor);
    json_t *o = json_pack("{ss, ss, ss, ss, ss}", "type", "webrtc-transport", "transportId",
                          t->obj.id, "iceRole", "controlled", "iceState", show_ice_state(t),
                          "dtlsState", show_dtls_state(t));
    static const uint64_t nothing[COUNTERS_FIELDS_MAX];
    add_rows(o, transport_rows, COUNTERS_TRANSPORT, v ? v->values : nothing);
    return o;
}

static void add_streams(struct stats *s, json_t *list, const struct object *o,
                        const struct producer *p, const char *type)
{
    enum counters_level level = level_of(o);
    const struct counters_view *v;
    size_t cursor = 0;
    while ((v = stats_next(s, level, o, &cursor))) {
        const char *kind = p->video ? "video" : "audio";
        json_t *one =
            json_pack("{ss, sI, ss}", "type", type, "ssrc", (json_int_t)v->ssrc, "kind", kind);
        json_object_set_new(one, "mimeType", json_sprintf("%s/%s", kind, p->codec));
        if (*v->rid)
            show_text(one, "rid", v->rid);
        add_rows(one, stream_rows, level, v->values);
        json_array_append_new(list, one);
    }
}

json_t *stats_list(struct stats *s, const struct object *o)
{
    json_t *list = json_array();
    if (o->type == OBJECT_TRANSPORT) {
        json_array_append_new(list, of_transport(s, (const struct transport *)o));
    } else if (o->type == OBJECT_PRODUCER) {
        add_streams(s, list, o, (const struct producer *)o, "inbound-rtp");
    } else {
        const struct consumer *c = (const struct consumer *)o;
        add_streams(s, list, o, c->producer, "outbound-rtp");
        add_streams(s, list, &c->producer->obj, c->producer, "inbound-rtp");
    }
    return list;
}
