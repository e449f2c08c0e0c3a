#include "lib/clock.h"
#include "server/on.h"

#include <string.h>

#define HOLD_US S_US(10) /* see on_consume_wanted() */

/* ---- making consumers ---- */

static void announce(struct consumer *c)
{
    const struct producer *p = c->producer;
    const char *from = p->transport->peer->id;
    hub_notify(c->transport->peer, "newConsumer",
               json_pack("{ss, ss, ss, ss, sO, sb, sb, s{si, si}, s{ss, ss}}", "peerId", from,
                         "producerId", p->obj.id, "id", c->obj.id, "kind",
                         p->video ? "video" : "audio", "rtpParameters", (json_t *)c->rtp,
                         "producerPaused", p->paused, "paused", c->paused, "score", "score",
                         (int)c->obj.score, "producerScore", (int)p->obj.score, "appData", "source",
                         p->source, "peerId", from));
}

static void on_consumed(uint64_t handle, const char *err, void *arg)
{
    struct hub *h = arg;
    struct consumer *c = rooms_consumer(&h->rooms, handle);
    if (!c)
        return;
    if (err) {
        hub_refused(h, c->transport->peer, "consumer", err);
        consumer_free(c);
        return;
    }
    object_confirm(&c->obj);
    announce(c);
}

static bool create_on_worker(struct hub *h, struct consumer *c, struct ortc_error *error)
{
    const json_t *rtp = c->producer->rtp;
    struct ortc_create_consumer *create = ortc_create_consumer(
        c->rtp, c->piped ? piped_mapping(c->piped) : json_object_get(rtp, "mapping"), error);
    if (!create)
        return false;
    create->msg.transport = c->transport->obj.handle;
    create->msg.consumer = c->obj.handle;
    create->msg.producer = c->piped ? piped_handle(c->piped) : c->producer->obj.handle;
    create->msg.paused = c->paused;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_CREATE_CONSUMER;
    rq.create_consumer = &create->msg;
    media_request(c->transport->peer->media, &rq, c->obj.handle, on_consumed, h);
    ortc_create_consumer_free(create);
    return true;
}

static void free_piped(void *piped)
{
    piped_put(piped);
}

/* The sender may be on another worker than the receiver. */
static bool find_way(struct consumer *c)
{
    const struct producer *p = c->producer;
    struct media_router *from = p->transport->peer->media, *to = c->transport->peer->media;
    if (from == to)
        return true;
    struct pipes_source source = {.router = from,
                                  .producer = p->obj.handle,
                                  .kind = p->video ? "video" : "audio",
                                  .consumable = json_object_get(p->rtp, "consumable"),
                                  .mapping = json_object_get(p->rtp, "mapping"),
                                  .paused = p->paused};
    c->piped = from ? pipes_use(spread_pipes(p->transport->peer->room->spread), &source, to) : NULL;
    c->piped_free = free_piped;
    return c->piped != NULL;
}

static bool describe(struct consumer *c, struct ortc_error *error)
{
    const json_t *consumable = json_object_get(c->producer->rtp, "consumable");
    struct ortc_consumer_options options = {c->ssrc, c->rtx_ssrc, c->producer->video, false};
    json_t *rtp =
        ortc_consumer_parameters(consumable, c->transport->peer->capabilities, &options, error);
    c->rtp = rtp;
    c->rtp_free = on_json_free;
    if (rtp)
        json_object_set_new(rtp, "mid", json_string(c->mid));
    return rtp != NULL;
}

bool on_consume_describe(struct consumer *c)
{
    struct ortc_error error;
    return describe(c, &error);
}

static void consume(struct hub *h, struct transport *t, struct producer *p)
{
    const json_t *consumable = json_object_get(p->rtp, "consumable");
    if (!ortc_can_consume(consumable, t->peer->capabilities))
        return;
    if (media_router_busy(t->peer->media)) {
        t->behind = true;
        return;
    }
    struct consumer *c = consumer_new(t, p, media_handle(h->media), p->video);
    if (!c) {
        h->rooms.consumers_refused += t->n_consumers >= PEER_CONSUMERS_MAX;
        return;
    }
    struct ortc_error error = {""};
    c->paused = p->video;
    if (!describe(c, &error) || !find_way(c) || !create_on_worker(h, c, &error)) {
        hub_refused(h, t->peer, "consumer", error.text);
        consumer_free(c);
    }
}

/* Both in the same session, the receiver ready, the producer running: else a later event asks again. */
static void maybe_consume(struct hub *h, struct peer *to, struct producer *p)
{
    struct peer *from = p->transport->peer;
    if (to != from && to->in == from->in && to->session && to->state == PEER_JOINED &&
        from->state == PEER_JOINED && to->capabilities && to->recv && to->recv->obj.confirmed &&
        p->obj.confirmed && !p->paused)
        consume(h, to->recv, p);
}

void on_consume_peer(struct hub *h, struct peer *p)
{
    ROOM_FOREACH_PEER(p->room, from)
    {
        PEER_FOREACH_PRODUCER(from, pr)
        maybe_consume(h, p, pr);
    }
}

void on_consume_resumed(struct hub *h, struct peer *p)
{
    PEER_FOREACH_CONSUMER(p, c)
    {
        if (c->obj.confirmed)
            announce(c);
    }
    on_consume_peer(h, p);
}

void on_consume_producer(struct hub *h, struct producer *p)
{
    ROOM_FOREACH_PEER(p->transport->peer->room, to)
    maybe_consume(h, to, p);
}

void on_consumer_gone(struct consumer *c)
{
    if (c->obj.confirmed)
        hub_notify(c->transport->peer, "consumerClosed",
                   json_pack("{ss}", "consumerId", c->obj.id));
    consumer_free(c);
}

void on_consumer_drop(struct hub *h, struct consumer *c)
{
    struct producer *p = c->producer;
    Althing__CloseConsumer msg = ALTHING__CLOSE_CONSUMER__INIT;
    msg.consumer = c->obj.handle;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_CLOSE_CONSUMER;
    rq.close_consumer = &msg;
    media_request(c->transport->peer->media, &rq, c->obj.handle, NULL, NULL);
    on_consumer_gone(c);
    on_consume_wanted(h, p, false);
}

/* ---- what receivers ask for ---- */

static struct consumer *find(struct call *c)
{
    const char *id = call_string(c, "consumerId");
    struct consumer *consumer = id ? peer_consumer(c->peer, id) : NULL;
    if (!consumer || !consumer->obj.confirmed)
        return NULL;
    object_changed(&consumer->obj);
    return consumer;
}

static void key_frame(struct consumer *c)
{
    Althing__RequestKeyFrame msg = ALTHING__REQUEST_KEY_FRAME__INIT;
    msg.consumer = c->obj.handle;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_REQUEST_KEY_FRAME;
    rq.request_key_frame = &msg;
    media_request(c->transport->peer->media, &rq, c->obj.handle, NULL, NULL);
}

/* The worker is told in any case: a server that died may have told it something else last. */
static void set_paused(struct call *call, bool paused)
{
    struct consumer *c = find(call);
    if (!c)
        return;
    bool is_new = c->paused != paused;
    c->paused = paused;
    Althing__PauseConsumer msg = ALTHING__PAUSE_CONSUMER__INIT;
    msg.consumer = c->obj.handle;
    msg.paused = paused;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_PAUSE_CONSUMER;
    rq.pause_consumer = &msg;
    media_request(call->peer->media, &rq, c->obj.handle, NULL, NULL);
    if (!is_new)
        return;
    if (!paused && c->producer->video)
        key_frame(c);
    on_consume_wanted(call->hub, c->producer, !paused);
}

void on_pause_consumer(struct call *c)
{
    set_paused(c, true);
}

void on_resume_consumer(struct call *c)
{
    set_paused(c, false);
}

static int clamp(json_int_t v, unsigned layers)
{
    json_int_t top = (json_int_t)layers - 1;
    return (int)(v < 0 ? 0 : v > top ? top : v);
}

void on_preferred_layers(struct call *call)
{
    struct consumer *c = find(call);
    const json_t *spatial = json_object_get(call->data, "spatialLayer");
    const json_t *temporal = json_object_get(call->data, "temporalLayer");
    if (!c || !c->producer->video || !json_is_integer(spatial))
        return;
    c->preferred_spatial = clamp(json_integer_value(spatial), c->producer->layers);
    c->preferred_temporal =
        clamp(json_is_integer(temporal) ? json_integer_value(temporal) : INT64_MAX,
              c->producer->temporal_layers);
    Althing__Layers layers = ALTHING__LAYERS__INIT;
    layers.spatial = (uint32_t)c->preferred_spatial;
    layers.temporal = (uint32_t)c->preferred_temporal;
    Althing__SetPreferredLayers msg = ALTHING__SET_PREFERRED_LAYERS__INIT;
    msg.consumer = c->obj.handle;
    msg.layers = &layers;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_SET_PREFERRED_LAYERS;
    rq.set_preferred_layers = &msg;
    media_request(call->peer->media, &rq, c->obj.handle, NULL, NULL);
    on_consume_wanted(call->hub, c->producer, false);
}

void on_request_key_frame(struct call *call)
{
    struct consumer *c = find(call);
    if (!c) {
        call_error(call, "no such consumer");
        return;
    }
    if (c->producer->video)
        key_frame(c);
    call_ok(call, NULL);
}

void on_consumer_priority(struct call *call)
{
    struct consumer *c = find(call);
    const json_t *priority = json_object_get(call->data, "priority");
    json_int_t v = json_integer_value(priority);
    if (!c || !json_is_integer(priority) || v < 1 || v > 255) {
        call_error(call, c ? "a priority is 1 to 255" : "no such consumer");
        return;
    }
    Althing__SetPriority msg = ALTHING__SET_PRIORITY__INIT;
    msg.consumer = c->obj.handle;
    msg.priority = (uint32_t)v;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_SET_PRIORITY;
    rq.set_priority = &msg;
    media_request(c->transport->peer->media, &rq, c->obj.handle, NULL, NULL);
    call_ok(call, NULL);
}

/* ---- what senders need not send ----
 *
 * A sender is told the highest spatial layer that anybody wants. More is told at once; less not before the hold is over, which starts anew
 * with every resume: a receiver that turns a page and back must not cost everybody a layer.
 */

static void tell_wanted(struct producer *p, int wanted)
{
    p->wanted_layer = wanted;
    if (p->obj.confirmed)
        hub_notify(p->transport->peer, "newProducerLayer",
                   json_pack("{ss, si}", "producerId", p->obj.id, "spatialLayer", wanted));
}

void on_consume_wanted(struct hub *h, struct producer *p, bool hold)
{
    (void)h;
    if (!p->video || p->layers < 2)
        return;
    int top = (int)p->layers - 1;
    if (hold) {
        p->hold_until_us = clock_now_us() + HOLD_US;
        if (p->wanted_layer != top)
            tell_wanted(p, top);
        return;
    }
    int wanted = producer_wanted(p);
    if (wanted > p->wanted_layer)
        tell_wanted(p, wanted);
}

static void sweep_peer(struct hub *h, struct peer *p, int64_t now_us)
{
    if (p->recv && p->recv->behind && !media_router_busy(p->media)) {
        p->recv->behind = false;
        on_consume_peer(h, p);
    }
    PEER_FOREACH_PRODUCER(p, pr)
    {
        if (!pr->video || pr->layers < 2 || pr->paused || now_us < pr->hold_until_us)
            continue;
        int wanted = producer_wanted(pr);
        if (wanted != pr->wanted_layer)
            tell_wanted(pr, wanted);
    }
}

void on_consume_tick(struct hub *h, int64_t now_us)
{
    for (struct room *r = rooms_after(&h->rooms, 0); r; r = r->hh.next) {
        ROOM_FOREACH_PEER(r, p)
        sweep_peer(h, p, now_us);
    }
}
