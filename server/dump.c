#include "server/dump.h"

#include "server/show.h"

#include <stdlib.h>
#include <string.h>

static json_t *both(json_t *dump, json_t *stats)
{
    return json_pack("{so, so}", "dump", dump, "stats", stats);
}

static void add_id(json_t *list, const struct object *o)
{
    json_array_append_new(list, json_string(o->id));
}

/* ---- transports, producers, consumers ------------------------------------------------------------------------------------------- */

static json_t *tuple(const struct transport *t)
{
    char local[ADDR_STR_MAX], remote[ADDR_STR_MAX];
    addr_format_ip(&t->local, local);
    addr_format_ip(&t->remote, remote);
    return json_pack("{ss, si, ss, si, ss}", "localAddress", local, "localPort", t->local.port,
                     "remoteIp", remote, "remotePort", t->remote.port, "protocol",
                     t->tcp ? "tcp" : "udp");
}

static json_t *dump_transport(const struct transport *t)
{
    json_t *o = json_pack("{ss, sb, ss, ss, ss, ss}", "id", t->obj.id, "direct", 0, "direction",
                          t->direction == DIRECTION_SEND ? "send" : "recv", "iceRole", "controlled",
                          "iceState", show_ice_state(t), "dtlsState", show_dtls_state(t));
    json_t *producers = json_array(), *consumers = json_array(), *ssrcs = json_object(),
           *rtx_ssrcs = json_object();
    char ssrc[16];
    for (const struct producer *p = t->producers; p; p = p->next)
        add_id(producers, &p->obj);
    for (const struct consumer *c = t->consumers; c; c = c->next) {
        add_id(consumers, &c->obj);
        snprintf(ssrc, sizeof(ssrc), "%u", c->ssrc);
        show_text(ssrcs, ssrc, c->obj.id);
        snprintf(ssrc, sizeof(ssrc), "%u", c->rtx_ssrc);
        if (c->rtx_ssrc)
            show_text(rtx_ssrcs, ssrc, c->obj.id);
    }
    json_object_set_new(o, "producerIds", producers);
    json_object_set_new(o, "consumerIds", consumers);
    json_object_set_new(o, "mapSsrcConsumerId", ssrcs);
    json_object_set_new(o, "mapRtxSsrcConsumerId", rtx_ssrcs);
    if (t->selected)
        json_object_set_new(o, "iceSelectedTuple", tuple(t));
    json_t *dtls = t->dtls ? json_loads(t->dtls, 0, NULL) : NULL;
    if (dtls)
        json_object_set_new(o, "dtlsRemoteParameters", dtls);
    return o;
}

static const char *producer_type(const struct producer *p)
{
    const json_t *encodings = json_object_get(json_object_get(p->rtp, "params"), "encodings");
    return json_array_size(encodings) > 1 ? "simulcast" : p->layers > 1 ? "svc" : "simple";
}

/* What each stream of it is, as far as it is known here. */
static json_t *rtp_streams(struct stats *s, enum counters_level level, const struct object *o)
{
    json_t *list = json_array();
    const struct counters_view *v;
    size_t cursor = 0;
    while ((v = stats_next(s, level, o, &cursor))) {
        json_t *one = json_pack("{sI, ss, sI}", "ssrc", (json_int_t)v->ssrc, "rid", v->rid,
                                "encodingIdx", (json_int_t)v->encoding);
        json_object_set_new(one, "score", json_integer((json_int_t)o->score));
        json_array_append_new(list, one);
    }
    return list;
}

static void set_copy(json_t *o, const char *key, const json_t *value)
{
    if (value)
        json_object_set_new(o, key, json_deep_copy(value));
}

static json_t *dump_producer(struct stats *s, const struct producer *p)
{
    json_t *o =
        json_pack("{ss, ss, ss, sb, si, ss, si}", "id", p->obj.id, "kind",
                  p->video ? "video" : "audio", "type", producer_type(p), "paused", p->paused,
                  "score", p->obj.score, "source", p->source, "wantedLayer", p->wanted_layer);
    set_copy(o, "rtpParameters", json_object_get(p->rtp, "params"));
    set_copy(o, "rtpMapping", json_object_get(p->rtp, "mapping"));
    json_object_set_new(o, "rtpStreams", rtp_streams(s, COUNTERS_PRODUCER, &p->obj));
    return o;
}

static json_t *dump_consumer(struct stats *s, const struct consumer *c)
{
    const struct producer *p = c->producer;
    json_t *o = json_pack("{ss, ss, ss, ss, sb, sb, si}", "id", c->obj.id, "producerId", p->obj.id,
                          "kind", p->video ? "video" : "audio", "type", producer_type(p), "paused",
                          c->paused, "producerPaused", p->paused, "score", c->obj.score);
    const struct {
        const char *name;
        int layer;
    } rows[] = {{"preferredSpatialLayer", c->preferred_spatial},
                {"preferredTemporalLayer", c->preferred_temporal},
                {"currentSpatialLayer", c->spatial},
                {"currentTemporalLayer", c->temporal}};
    for (size_t i = 0; p->video && i < sizeof(rows) / sizeof(rows[0]); i++)
        json_object_set_new(o, rows[i].name, json_integer(rows[i].layer));
    set_copy(o, "rtpParameters", c->rtp);
    set_copy(o, "consumableRtpEncodings",
             json_object_get(json_object_get(p->rtp, "consumable"), "encodings"));
    json_object_set_new(o, "rtpStreams", rtp_streams(s, COUNTERS_CONSUMER, &c->obj));
    return o;
}

static json_t *dump_media(struct stats *s, const struct object *o)
{
    json_t *dump = o->type == OBJECT_TRANSPORT  ? dump_transport((const struct transport *)o)
                   : o->type == OBJECT_PRODUCER ? dump_producer(s, (const struct producer *)o)
                                                : dump_consumer(s, (const struct consumer *)o);
    const struct peer *p = object_peer((struct object *)(uintptr_t)o);
    show_text(dump, "roomId", p->room->id);
    show_text(dump, "peerId", p->id);
    return both(dump, stats_list(s, o));
}

static json_t *dump_data(json_t *shown, const char *id, const struct data_stream *stream,
                         unsigned stream_id)
{
    json_t *sctp = json_pack("{si, sb}", "streamId", (int)stream_id, "ordered", stream->ordered);
    if (stream->life_time_ms >= 0)
        json_object_set_new(sctp, "maxPacketLifeTime", json_integer(stream->life_time_ms));
    if (stream->retransmits >= 0)
        json_object_set_new(sctp, "maxRetransmits", json_integer(stream->retransmits));
    show_text(shown, "id", id);
    show_text(shown, "type", "sctp");
    json_object_set_new(shown, "sctpStreamParameters", sctp);
    return both(shown, json_array());
}

static json_t *data_of_peer(const struct peer *p, enum observer_kind kind, const char *id)
{
    const struct data_producer *dp =
        kind == OBSERVER_DATA_PRODUCER && p->send ? transport_data_producer(p->send, id) : NULL;
    const struct data_consumer *dc =
        kind == OBSERVER_DATA_CONSUMER && p->recv ? p->recv->data_consumers : NULL;
    while (dc && strcmp(dc->id, id) != 0)
        dc = dc->next;
    if (dp && dp->confirmed)
        return dump_data(show_data_producer(dp), id, &dp->stream, dp->stream.id);
    if (dc && dc->confirmed)
        return dump_data(show_data_consumer(dc), id, &dc->producer->stream, dc->stream_id);
    return NULL;
}

/* ---- routers and workers -------------------------------------------------------------------------------------------------------- */

static void router_peer(json_t *o, const struct peer *p)
{
    json_t *transports = json_object_get(o, "transportIds");
    json_t *by_producer = json_object_get(o, "mapProducerIdConsumerIds");
    json_t *by_consumer = json_object_get(o, "mapConsumerIdProducerId");
    if (p->send)
        add_id(transports, &p->send->obj);
    if (p->recv)
        add_id(transports, &p->recv->obj);
    PEER_FOREACH_PRODUCER(p, pr)
    {
        json_t *consumers = json_array();
        PRODUCER_FOREACH_CONSUMER(pr, c)
        {
            add_id(consumers, &c->obj);
            show_text(by_consumer, c->obj.id, pr->obj.id);
        }
        json_object_set_new(by_producer, pr->obj.id, consumers);
    }
}

static json_t *dump_router(const struct media_router *r)
{
    char id[SHOW_ROUTER_ID_MAX];
    const struct room *room = media_router_user(r);
    show_router_id(r, id);
    json_t *o = json_pack("{ss, so, s[], so, so}", "id", id, "transportIds", json_array(),
                          "rtpObserverIds", "mapProducerIdConsumerIds", json_object(),
                          "mapConsumerIdProducerId", json_object());
    show_text(o, "roomId", room->id);
    ROOM_FOREACH_PEER(room, p)
    {
        if (p->media == r)
            router_peer(o, p);
    }
    return both(o, json_array());
}

static const struct media_router *router_of(const struct media *m, const char *key)
{
    char id[SHOW_ROUTER_ID_MAX];
    uint64_t place = 0, handle = 0;
    const struct media_router *r;
    while ((r = media_router_next(m, &place, &handle))) {
        show_router_id(r, id);
        if (!strcmp(id, key))
            return r;
    }
    return NULL;
}

static json_t *dump_worker(const struct hub *h, const char *key)
{
    char *end;
    unsigned long index = strtoul(key, &end, 10);
    if (end == key || *end || *key < '0' || *key > '9' || index >= media_places(h->media))
        return NULL;
    json_t *o = show_worker(h, (uint32_t)index), *ids = json_array();
    const struct media_worker *w = media_worker_at(h->media, (uint32_t)index);
    char id[SHOW_ROUTER_ID_MAX];
    uint64_t place = index, handle = 0;
    const struct media_router *r;
    while (w && (r = media_router_next(h->media, &place, &handle)) && place == index) {
        show_router_id(r, id);
        json_array_append_new(ids, json_string(id));
    }
    json_object_set_new(o, "routerIds", ids);
    return both(o, json_pack("[o]", stats_worker(h, (uint32_t)index)));
}

/* ---- finding -------------------------------------------------------------------------------------------------------------------- */

static struct object *of_peer(const struct peer *p, enum observer_kind kind, const char *id)
{
    struct transport *t;
    struct producer *pr;
    struct consumer *c;
    if (kind == OBSERVER_TRANSPORT)
        return (t = peer_transport(p, id)) ? &t->obj : NULL;
    if (kind == OBSERVER_PRODUCER)
        return (pr = peer_producer(p, id)) ? &pr->obj : NULL;
    if (kind == OBSERVER_CONSUMER)
        return (c = peer_consumer(p, id)) ? &c->obj : NULL;
    return NULL;
}

static json_t *of_room(struct stats *s, const struct room *r, enum observer_kind kind,
                       const char *key)
{
    ROOM_FOREACH_PEER(r, p)
    {
        if (kind == OBSERVER_PEER && !strcmp(p->id, key))
            return both(show_peer(p), json_array());
        struct object *o = of_peer(p, kind, key);
        if (o && o->confirmed)
            return dump_media(s, o);
        json_t *data = data_of_peer(p, kind, key);
        if (data)
            return data;
    }
    return NULL;
}

json_t *dump_object(struct stats *s, enum observer_kind kind, const char *room, const char *key)
{
    const struct hub *h = s->hub;
    if (kind == OBSERVER_WORKER)
        return dump_worker(h, key);
    if (kind == OBSERVER_ROUTER) {
        const struct media_router *r = router_of(h->media, key);
        return r ? dump_router(r) : NULL;
    }
    if (kind == OBSERVER_ROOM) {
        const struct room *r = rooms_find(&h->rooms, key);
        return r ? both(show_room(r), json_array()) : NULL;
    }
    if (room) {
        const struct room *r = rooms_find(&h->rooms, room);
        return r ? of_room(s, r, kind, key) : NULL;
    }
    json_t *found = NULL;
    for (struct room *r = rooms_after(&h->rooms, 0); r && !found; r = r->hh.next)
        found = of_room(s, r, kind, key);
    return found;
}
