/* Data channels: what a browser sends on one goes to everybody of its session, each on a stream of their own.
 *
 * A data producer reaches those of the session whose transports are on the same worker; pipes between workers carry no data channels. */
#include "server/on.h"
#include "server/room/data.h"
#include "server/room/text.h"

#include <stdlib.h>
#include <string.h>

/* ---- what a browser says of a stream, and is told ---- */

static const char *number(const json_t *o, const char *key, int max, int *out)
{
    const json_t *v = json_object_get(o, key);
    *out = -1;
    if (!v || json_is_null(v))
        return NULL;
    if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > max)
        return "sctpStreamParameters: a number is out of range";
    *out = (int)json_integer_value(v);
    return NULL;
}

/* As mediasoup has it: ordered unless it is not said and the channel is not reliable. NULL, or what is wrong. */
static const char *read_stream(struct data_stream *s, const json_t *o)
{
    int id;
    const char *wrong = number(o, "streamId", DATA_STREAMS - 1, &id);
    if (!wrong)
        wrong = number(o, "maxPacketLifeTime", UINT16_MAX, &s->life_time_ms);
    if (!wrong)
        wrong = number(o, "maxRetransmits", UINT16_MAX, &s->retransmits);
    if (wrong)
        return wrong;
    if (id < 0)
        return "sctpStreamParameters: no streamId";
    const json_t *ordered = json_object_get(o, "ordered");
    bool partial = s->life_time_ms >= 0 || s->retransmits >= 0;
    s->id = (uint16_t)id;
    s->ordered = json_is_boolean(ordered) ? json_is_true(ordered) : !partial;
    if ((s->life_time_ms >= 0 && s->retransmits >= 0) || (partial && s->ordered))
        return "sctpStreamParameters contradict each other";
    return NULL;
}

static json_t *show_stream(const struct data_stream *s, uint16_t id)
{
    json_t *o = json_pack("{si, sb}", "streamId", (int)id, "ordered", s->ordered);
    if (s->life_time_ms >= 0)
        json_object_set_new(o, "maxPacketLifeTime", json_integer(s->life_time_ms));
    if (s->retransmits >= 0)
        json_object_set_new(o, "maxRetransmits", json_integer(s->retransmits));
    return o;
}

static void to_worker(Althing__SctpStream *out, const struct data_stream *s, uint16_t id)
{
    *out = (Althing__SctpStream)ALTHING__SCTP_STREAM__INIT;
    out->stream_id = id;
    out->unordered = !s->ordered;
    if (s->life_time_ms >= 0) {
        out->reliability_case = ALTHING__SCTP_STREAM__RELIABILITY_MAX_PACKET_LIFE_TIME;
        out->max_packet_life_time = (uint32_t)s->life_time_ms;
    } else if (s->retransmits >= 0) {
        out->reliability_case = ALTHING__SCTP_STREAM__RELIABILITY_MAX_RETRANSMITS;
        out->max_retransmits = (uint32_t)s->retransmits;
    }
}

/* ---- data consumers ---- */

static void announce(const struct data_consumer *c)
{
    const struct data_producer *p = c->producer;
    hub_notify(c->transport->peer, "newDataConsumer",
               json_pack("{ss, ss, ss, so, ss, ss, sO}", "peerId", p->transport->peer->id,
                         "dataProducerId", p->id, "id", c->id, "sctpStreamParameters",
                         show_stream(&p->stream, c->stream_id), "label", p->label, "protocol",
                         p->protocol, "appData", (json_t *)p->app_data));
}

static void on_consumed(uint64_t handle, const char *err, void *arg)
{
    struct hub *h = arg;
    struct data_consumer *c = rooms_data_consumer(&h->rooms, handle);
    if (!c)
        return;
    if (err) {
        hub_refused(h, c->transport->peer, "data consumer", err);
        data_consumer_free(c);
        return;
    }
    data_consumer_confirm(c);
    announce(c);
}

static void consume(struct hub *h, struct transport *t, struct data_producer *p)
{
    struct data_consumer *c = data_consumer_new(t, p, media_handle(h->media));
    if (!c)
        return;
    Althing__SctpStream stream;
    to_worker(&stream, &p->stream, c->stream_id);
    Althing__CreateDataConsumer msg = ALTHING__CREATE_DATA_CONSUMER__INIT;
    msg.transport = t->obj.handle;
    msg.data_consumer = c->handle;
    msg.data_producer = p->handle;
    msg.stream = &stream;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_CREATE_DATA_CONSUMER;
    rq.create_data_consumer = &msg;
    media_request(t->peer->media, &rq, c->handle, on_consumed, h);
}

static void maybe_consume(struct hub *h, struct peer *to, struct data_producer *p)
{
    struct peer *from = p->transport->peer;
    if (to != from && to->in == from->in && to->session && to->state == PEER_JOINED &&
        from->state == PEER_JOINED && to->recv && to->recv->obj.confirmed && p->confirmed &&
        to->media && to->media == from->media)
        consume(h, to->recv, p);
}

void on_data_consume_peer(struct hub *h, struct peer *p)
{
    ROOM_FOREACH_PEER(p->room, from)
    {
        for (struct data_producer *dp = from->send ? from->send->data_producers : NULL; dp;
             dp = dp->next)
            maybe_consume(h, p, dp);
    }
}

void on_data_resumed(struct hub *h, struct peer *p)
{
    for (struct data_consumer *c = p->recv ? p->recv->data_consumers : NULL; c; c = c->next) {
        if (c->confirmed)
            announce(c);
    }
    on_data_consume_peer(h, p);
}

json_t *on_data_producers(const struct peer *p)
{
    json_t *list = json_array();
    for (struct data_producer *dp = p->send ? p->send->data_producers : NULL; dp; dp = dp->next)
        json_array_append_new(list, json_string(dp->id));
    return list;
}

json_t *on_data_consumers(const struct peer *p)
{
    json_t *list = json_array();
    for (struct data_consumer *c = p->recv ? p->recv->data_consumers : NULL; c; c = c->next)
        json_array_append_new(list, json_string(c->id));
    return list;
}

static void offer(struct hub *h, struct data_producer *p)
{
    ROOM_FOREACH_PEER(p->transport->peer->room, to)
    maybe_consume(h, to, p);
}

void on_data_offer_peer(struct hub *h, struct peer *p)
{
    for (struct data_producer *dp = p->send ? p->send->data_producers : NULL; dp; dp = dp->next)
        offer(h, dp);
}

static void consumer_gone(struct data_consumer *c)
{
    if (c->confirmed)
        hub_notify(c->transport->peer, "dataConsumerClosed",
                   json_pack("{ss}", "dataConsumerId", c->id));
    data_consumer_free(c);
}

static void drop_consumer(struct data_consumer *c)
{
    Althing__CloseDataConsumer msg = ALTHING__CLOSE_DATA_CONSUMER__INIT;
    msg.data_consumer = c->handle;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_CLOSE_DATA_CONSUMER;
    rq.close_data_consumer = &msg;
    if (c->transport->peer->media)
        media_request(c->transport->peer->media, &rq, c->handle, NULL, NULL);
    consumer_gone(c);
}

void on_data_left_session(struct peer *p)
{
    struct data_consumer *next;
    for (struct data_consumer *c = p->recv ? p->recv->data_consumers : NULL; c; c = next) {
        next = c->next;
        if (c->producer->transport->peer->in != p->in)
            drop_consumer(c);
    }
    for (struct data_producer *dp = p->send ? p->send->data_producers : NULL; dp; dp = dp->next) {
        for (struct data_consumer *c = dp->consumers; c; c = next) {
            next = c->next_sibling;
            if (c->transport->peer->in != p->in)
                drop_consumer(c);
        }
    }
}

/* ---- data producers ---- */

static void answer_waiting(struct data_producer *p, const char *err)
{
    for (size_t i = 0; i < p->n_acks && p->transport->peer->session; i++) {
        if (err)
            edge_reply_error(hub_session(p->transport->peer), p->acks[i], err);
        else
            edge_reply(hub_session(p->transport->peer), p->acks[i], json_pack("{ss}", "id", p->id));
    }
    p->n_acks = 0;
}

static void drop_producer(struct data_producer *p, const char *why)
{
    while (p->consumers)
        consumer_gone(p->consumers);
    Althing__CloseDataProducer msg = ALTHING__CLOSE_DATA_PRODUCER__INIT;
    msg.data_producer = p->handle;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_CLOSE_DATA_PRODUCER;
    rq.close_data_producer = &msg;
    if (p->transport->peer->media)
        media_request(p->transport->peer->media, &rq, p->handle, NULL, NULL);
    answer_waiting(p, why);
    data_producer_free(p);
}

static void on_produced(uint64_t handle, const char *err, void *arg)
{
    struct hub *h = arg;
    struct data_producer *p = rooms_data_producer(&h->rooms, handle);
    if (!p)
        return;
    if (err) {
        hub_refused(h, p->transport->peer, "data producer", err);
        drop_producer(p, err);
        return;
    }
    data_producer_confirm(p);
    answer_waiting(p, NULL);
    offer(h, p);
}

static void create_on_worker(struct hub *h, const struct data_producer *p)
{
    Althing__SctpStream stream;
    to_worker(&stream, &p->stream, p->stream.id);
    Althing__CreateDataProducer msg = ALTHING__CREATE_DATA_PRODUCER__INIT;
    msg.transport = p->transport->obj.handle;
    msg.data_producer = p->handle;
    msg.stream = &stream;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_CREATE_DATA_PRODUCER;
    rq.create_data_producer = &msg;
    media_request(p->transport->peer->media, &rq, p->handle, on_produced, h);
}

static void produce(struct call *c, struct transport *t, const struct data_stream *s,
                    const char *label, const char *protocol)
{
    json_t *app = json_object_get(c->data, "appData");
    struct data_producer *p = transport_data_producer_on(t, s->id);
    bool is_new = !p;
    if (p && strcmp(p->label, label) != 0) {
        call_error(c, "the stream is taken");
        return;
    }
    if (p && p->confirmed) {
        call_ok(c, json_pack("{ss}", "id", p->id));
        return;
    }
    if (is_new)
        p = data_producer_new(t, media_handle(c->hub->media), s, label, protocol);
    if (!p || p->n_acks == ACKS_MAX) {
        call_limit(c, p ? "too many repeats" : "too many data producers");
        return;
    }
    p->acks[p->n_acks++] = c->ack;
    c->answered = true;
    if (!is_new)
        return;
    p->app_data = json_is_object(app) ? json_deep_copy(app) : json_object();
    p->app_data_free = on_json_free;
    create_on_worker(c->hub, p);
}

static bool app_data_fits(const json_t *app)
{
    return !app || json_is_null(app) || json_dumpb(app, NULL, 0, JSON_COMPACT) <= DATA_APP_MAX;
}

void on_produce_data(struct call *c)
{
    const char *id = call_string(c, "transportId"), *label = call_string(c, "label");
    const char *protocol = call_string(c, "protocol");
    const struct transport *found = id ? peer_transport(c->peer, id) : NULL;
    struct data_stream s = {0};
    const char *wrong = read_stream(&s, json_object_get(c->data, "sctpStreamParameters"));
    label = label ? label : "";
    protocol = protocol ? protocol : "";
    if (!wrong && (!text_line(label, DATA_LABEL_MAX) || !text_line(protocol, DATA_LABEL_MAX)))
        wrong = "label or protocol is too long";
    if (!wrong && !app_data_fits(json_object_get(c->data, "appData")))
        wrong = "appData is too long";
    if (wrong)
        call_limit(c, wrong);
    else if (!found || found != c->peer->send || !found->obj.confirmed)
        call_error(c, "no such transport");
    else
        produce(c, c->peer->send, &s, label, protocol);
}

void on_close_data_producer(struct call *c)
{
    const char *id = call_string(c, "dataProducerId");
    struct data_producer *p =
        id && c->peer->send ? transport_data_producer(c->peer->send, id) : NULL;
    if (p)
        drop_producer(p, "closed");
}

/* ---- with the transport ---- */

void on_data_drop_all(struct transport *t, const char *why)
{
    while (t->data_producers)
        drop_producer(t->data_producers, why);
    while (t->data_consumers)
        drop_consumer(t->data_consumers);
}

void on_data_lost(struct transport *t)
{
    for (struct data_producer *p = t->data_producers; p; p = p->next)
        answer_waiting(p, "noMediaServer");
}

/* Over means for good: the browser makes a new transport if it wants channels again. */
void on_data_state(struct hub *h, struct transport *t, const Althing__SctpStateChanged *e)
{
    if (e->state != ALTHING__SCTP_STATE__SCTP_STATE_FAILED &&
        e->state != ALTHING__SCTP_STATE__SCTP_STATE_CLOSED)
        return;
    if (t->data_producers || t->data_consumers)
        hub_refused(h, t->peer, "data channels", "the association is over");
    on_data_drop_all(t, "the association is over");
}

/* As mediasoup has it, the messages are lost and the channel goes on; who runs it is told. */
void on_data_full(struct hub *h, const struct media_worker *from, uint64_t handle)
{
    const struct data_consumer *c = rooms_data_consumer(&h->rooms, handle);
    if (c && c->transport->peer->media && media_router_on(c->transport->peer->media, from))
        hub_refused(h, c->transport->peer, "data messages", "its send buffer is full");
}
