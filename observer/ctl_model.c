#include "observer/ctl_model.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- members ---- */

const char *ctl_str(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

int64_t ctl_int(const json_t *o, const char *key, int64_t none)
{
    const json_t *v = json_object_get(o, key);
    return json_is_integer(v) ? (int64_t)json_integer_value(v) : none;
}

bool ctl_bool(const json_t *o, const char *key)
{
    return json_is_true(json_object_get(o, key));
}

/* ---- finding ---- */

static const struct {
    const char *kind, *list, *id;
} kinds[] = {
    {"room", "rooms", "roomId"},
    {"peer", "peers", "peerId"},
    {"lobby", "lobby", "peerId"},
    {"router", "routers", "routerId"},
    {"transport", "transports", "transportId"},
    {"producer", "producers", "producerId"},
    {"consumer", "consumers", "consumerId"},
    {"dataProducer", "dataProducers", "dataProducerId"},
    {"dataConsumer", "dataConsumers", "dataConsumerId"},
};

bool ctl_model_kind(const char *kind, const char **list, const char **id)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].kind, kind) == 0) {
            *list = kinds[i].list;
            *id = kinds[i].id;
            return true;
        }
    }
    return false;
}

const json_t *ctl_model_find(const struct ctl_model *m, const char *kind, const char *room,
                             const char *word, bool *several)
{
    enum { NAME = 1, BEGINNING = 2, WHOLE = 3 };
    const char *list, *id;
    const json_t *found = NULL, *o;
    size_t i, n = 0;
    int best = 0;
    *several = false;
    if (!ctl_model_kind(kind, &list, &id))
        return NULL;
    json_array_foreach(json_object_get(m->snapshot, list), i, o)
    {
        const char *own = ctl_str(o, id);
        int how = strcmp(own, word) == 0                                  ? WHOLE
                  : *word && strncmp(own, word, strlen(word)) == 0        ? BEGINNING
                  : *word && strcmp(ctl_str(o, "displayName"), word) == 0 ? NAME
                                                                          : 0;
        if (how < best || how == 0 || (room && strcmp(ctl_str(o, "roomId"), room) != 0))
            continue;
        n = how > best ? 1 : n + 1;
        best = how;
        found = o;
    }
    *several = n > 1;
    return n == 1 ? found : NULL;
}

static int by_peer(const void *a, const void *b)
{
    const struct ctl_peer *x = a, *y = b;
    int rooms = strcmp(x->room, y->room);
    return rooms ? rooms : strcmp(x->id, y->id);
}

static int by_transport(const void *a, const void *b)
{
    return strcmp(((const struct ctl_transport *)a)->id, ((const struct ctl_transport *)b)->id);
}

static int by_stream(const void *a, const void *b)
{
    const struct ctl_stream *x = a, *y = b;
    int d = strcmp(x->room, y->room);
    if (d == 0)
        d = strcmp(x->peer, y->peer);
    if (d == 0)
        d = (int)y->sends - (int)x->sends;
    if (d == 0)
        d = strcmp(x->id, y->id);
    return d ? d : strcmp(x->rid, y->rid);
}

const struct ctl_peer *ctl_model_peer(const struct ctl_model *m, const char *room, const char *id)
{
    struct ctl_peer key = {.room = room, .id = id};
    return m->n_peers ? bsearch(&key, m->peers, m->n_peers, sizeof(key), by_peer) : NULL;
}

static const struct ctl_transport *transport_of(const struct ctl_model *m, const char *id)
{
    struct ctl_transport key = {.id = id};
    return m->n_transports
               ? bsearch(&key, m->transports, m->n_transports, sizeof(key), by_transport)
               : NULL;
}

/* ---- an index of JSON objects by id ---- */

struct entry {
    const char *id;
    const json_t *o;
};

struct index {
    struct entry *entries;
    size_t n;
};

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->id, ((const struct entry *)b)->id);
}

static struct index index_of(const json_t *list, const char *id)
{
    size_t i;
    const json_t *o;
    struct index x = {mem_calloc(json_array_size(list) + 1, sizeof(struct entry)), 0};
    json_array_foreach(list, i, o) x.entries[x.n++] = (struct entry){ctl_str(o, id), o};
    qsort(x.entries, x.n, sizeof(struct entry), by_id);
    return x;
}

static const json_t *index_find(const struct index *x, const char *id)
{
    struct entry key = {.id = id};
    const struct entry *e = x->n ? bsearch(&key, x->entries, x->n, sizeof(key), by_id) : NULL;
    return e ? e->o : NULL;
}

/* ---- building ---- */

static const json_t *list_of(const struct ctl_model *m, const char *name)
{
    return json_object_get(m->snapshot, name);
}

static void add_peers(struct ctl_model *m, const char *list, bool lobby)
{
    size_t i;
    const json_t *o;
    json_array_foreach(list_of(m, list), i, o)
    {
        m->peers[m->n_peers++] = (struct ctl_peer){
            .room = ctl_str(o, "roomId"),
            .id = ctl_str(o, "peerId"),
            .name = ctl_str(o, "displayName"),
            .address = ctl_str(o, "address"),
            .agent = ctl_str(o, "userAgent"),
            .lobby = lobby,
            .joined = ctl_bool(o, "joined"),
            .connected = ctl_bool(o, "connected"),
            .o = o,
        };
    }
}

static void add_transports(struct ctl_model *m)
{
    size_t i;
    const json_t *o;
    m->transports =
        mem_calloc(json_array_size(list_of(m, "transports")) + 1, sizeof(*m->transports));
    json_array_foreach(list_of(m, "transports"), i, o)
    {
        m->transports[m->n_transports++] = (struct ctl_transport){
            .room = ctl_str(o, "roomId"),
            .peer = ctl_str(o, "peerId"),
            .id = ctl_str(o, "transportId"),
            .direction = ctl_str(o, "direction"),
            .ice = ctl_str(o, "iceState"),
            .dtls = ctl_str(o, "dtlsState"),
            .protocol = ctl_str(o, "protocol"),
            .remote = ctl_str(o, "remote"),
            .o = o,
            .stats = json_object_get(o, "stats"),
        };
    }
    qsort(m->transports, m->n_transports, sizeof(*m->transports), by_transport);
}

static void fill(struct ctl_stream *s, const struct ctl_model *m, const json_t *o,
                 const json_t *stats)
{
    s->room = ctl_str(o, "roomId");
    s->peer = ctl_str(o, "peerId");
    const struct ctl_peer *p = ctl_model_peer(m, s->room, s->peer);
    s->name = p ? p->name : "";
    s->kind = ctl_str(o, "kind");
    s->codec = ctl_str(o, "codec");
    s->source = ctl_str(o, "source");
    s->paused = ctl_bool(o, "paused");
    s->transport = transport_of(m, ctl_str(o, "transportId"));
    s->measured = json_is_object(stats);
    s->bitrate = ctl_int(stats, "bitrate", 0);
    s->rtt_us = ctl_int(stats, "rtt_us", 0);
    s->jitter = ctl_int(stats, "jitter", 0);
    s->loss = ctl_int(stats, "fraction_lost", 0);
    s->loss_total = ctl_int(stats, "packets_lost", 0);
    s->score = ctl_int(stats, "score", -1);
    s->nacks = ctl_int(stats, "nack_packet_count", 0);
    s->plis = ctl_int(stats, "pli_count", 0) + ctl_int(stats, "fir_count", 0);
    s->spatial = s->temporal = s->spatial_most = s->temporal_most = -1;
    s->rid = s->producer_id = s->from = s->from_name = "";
}

static void add_producer(struct ctl_model *m, const json_t *o)
{
    size_t i;
    const json_t *one, *streams = json_object_get(o, "streams");
    size_t first = m->n_streams, active = 0;
    for (i = 0; i < json_array_size(streams) || i == 0; i++) {
        one = json_array_get(streams, i);
        struct ctl_stream *s = &m->streams[m->n_streams++];
        fill(s, m, o, json_object_get(one, "stats"));
        s->sends = true;
        s->id = ctl_str(o, "producerId");
        s->rid = ctl_str(one, "rid");
        active += s->bitrate > 0;
    }
    for (size_t k = first; k < m->n_streams; k++) {
        m->streams[k].streams = m->n_streams - first;
        m->streams[k].active = active;
    }
}

static void add_layers(struct ctl_stream *s, const json_t *layers, const json_t *producer)
{
    const json_t *current = json_object_get(layers, "current");
    const json_t *preferred = json_object_get(layers, "preferred");
    s->spatial = ctl_int(current, "spatial", -1);
    s->temporal = ctl_int(current, "temporal", -1);
    s->spatial_most = ctl_int(producer, "spatialLayers", 0) - 1;
    s->temporal_most = ctl_int(producer, "temporalLayers", 0) - 1;
    int64_t spatial = ctl_int(preferred, "spatial", s->spatial_most);
    int64_t temporal = ctl_int(preferred, "temporal", s->temporal_most);
    if (spatial < s->spatial_most)
        s->spatial_most = spatial;
    if (temporal < s->temporal_most)
        s->temporal_most = temporal;
}

static void add_consumer(struct ctl_model *m, const json_t *o, const struct index *producers,
                         const struct index *layers)
{
    struct ctl_stream *s = &m->streams[m->n_streams++];
    const json_t *stats = json_object_get(o, "stats");
    fill(s, m, o, stats);
    s->id = ctl_str(o, "consumerId");
    s->producer_id = ctl_str(o, "producerId");
    const json_t *producer = index_find(producers, s->producer_id);
    const json_t *said = index_find(layers, s->id);
    if (producer) {
        s->from = ctl_str(producer, "peerId");
        s->source = ctl_str(producer, "source");
        s->paused |= ctl_bool(producer, "paused");
        const struct ctl_peer *p = ctl_model_peer(m, s->room, s->from);
        s->from_name = p ? p->name : "";
    }
    if (said)
        add_layers(s, said, producer);
}

static size_t count_streams(const struct ctl_model *m)
{
    size_t i, n = json_array_size(list_of(m, "consumers"));
    const json_t *o;
    json_array_foreach(list_of(m, "producers"), i, o) n +=
        1 + json_array_size(json_object_get(o, "streams"));
    return n;
}

/* Producers' streams by id, so that a consumer finds its source. */
static int by_source(const void *a, const void *b)
{
    return strcmp((*(const struct ctl_stream *const *)a)->id,
                  (*(const struct ctl_stream *const *)b)->id);
}

static void link_sources(struct ctl_model *m)
{
    const struct ctl_stream **sent = mem_calloc(m->n_streams + 1, sizeof(*sent));
    size_t n = 0;
    for (size_t i = 0; i < m->n_streams; i++) {
        if (m->streams[i].sends)
            sent[n++] = &m->streams[i];
    }
    qsort(sent, n, sizeof(*sent), by_source);
    for (size_t i = 0; i < m->n_streams; i++) {
        struct ctl_stream *s = &m->streams[i];
        struct ctl_stream key = {.id = s->producer_id}, *at = &key;
        const struct ctl_stream **found =
            s->sends || !n ? NULL : bsearch(&at, sent, n, sizeof(*sent), by_source);
        if (!found)
            continue;
        while (found > sent && strcmp(found[-1]->id, s->producer_id) == 0)
            found--;
        for (s->source_stream = *found;
             found < sent + n && strcmp((*found)->id, s->producer_id) == 0; found++) {
            if ((*found)->bitrate > s->source_stream->bitrate)
                s->source_stream = *found;
        }
    }
    free(sent);
}

void ctl_model_new(struct ctl_model **mp, json_t *snapshot)
{
    struct ctl_model *m = mem_zalloc(sizeof(*m));
    size_t i;
    const json_t *o;
    m->snapshot = snapshot;
    m->peers =
        mem_calloc(json_array_size(list_of(m, "peers")) + json_array_size(list_of(m, "lobby")) + 1,
                   sizeof(*m->peers));
    add_peers(m, "peers", false);
    add_peers(m, "lobby", true);
    qsort(m->peers, m->n_peers, sizeof(*m->peers), by_peer);
    add_transports(m);
    m->streams = mem_calloc(count_streams(m) + 1, sizeof(*m->streams));
    struct index producers = index_of(list_of(m, "producers"), "producerId");
    struct index layers = index_of(list_of(m, "layers"), "consumerId");
    json_array_foreach(list_of(m, "producers"), i, o) add_producer(m, o);
    json_array_foreach(list_of(m, "consumers"), i, o) add_consumer(m, o, &producers, &layers);
    free(producers.entries);
    free(layers.entries);
    qsort(m->streams, m->n_streams, sizeof(*m->streams), by_stream);
    link_sources(m);
    *mp = m;
}

void ctl_model_free(struct ctl_model *m)
{
    if (!m)
        return;
    json_decref(m->snapshot);
    free(m->peers);
    free(m->transports);
    free(m->streams);
    free(m);
}
