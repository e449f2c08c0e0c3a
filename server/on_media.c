/* What workers say, and what follows for the rooms when one comes or goes.
 *
 * A lost router: all media of the room's peers on it is gone at once. Each of their browsers is told lostMediaServer (it drops its
 * transports and waits), and then, as soon as there is a router again, mediaConfiguration, upon which it makes everything anew.
 */
#include "lib/clock.h"
#include "lib/log.h"
#include "server/on.h"

#include <string.h>

void on_json_free(void *json)
{
    json_decref(json);
}

json_t *on_media_configuration(const struct hub *h)
{
    json_t *servers =
        h->settings.ice_servers ? json_deep_copy(h->settings.ice_servers) : json_array();
    return json_pack("{sO, so}", "routerRtpCapabilities", h->router_caps, "iceServers", servers);
}

static void ask_those_without(struct hub *h, struct room *r)
{
    ROOM_FOREACH_PEER(r, p)
    {
        if (p->state != PEER_LOBBY && !p->media)
            on_connect_media(h, p);
    }
}

void on_worker_up(void *hub)
{
    struct hub *h = hub;
    for (struct room *r = rooms_after(&h->rooms, 0); r; r = r->hh.next) {
        ask_those_without(h, r);
    }
}

/* On other workers the browsers stay, and see what they had of this one go. */
static void tell_others(struct producer *p, const struct media_router *lost)
{
    struct consumer *next;
    for (struct consumer *c = p->consumers; c; c = next) {
        next = c->next_sibling;
        if (c->transport->peer->media != lost)
            on_consumer_gone(c);
    }
}

void on_router_lost(struct media_router *router, void *room, void *hub)
{
    struct hub *h = hub;
    struct room *r = room;
    log_warn("media", "room lost a worker room=%s peers=%zu", r->id, r->n_peers);
    room_changed(r);
    ROOM_FOREACH_PEER(r, p)
    {
        if (p->media != router)
            continue;
        PEER_FOREACH_PRODUCER(p, pr)
        tell_others(pr, router);
    }
    ROOM_FOREACH_PEER(r, p)
    {
        if (p->media != router)
            continue;
        p->media = NULL;
        if (p->send)
            hub_answer_waiting(&p->send->obj, NULL, "noMediaServer");
        PEER_FOREACH_PRODUCER(p, pr)
        hub_answer_waiting(&pr->obj, NULL, "noMediaServer");
        if (p->send)
            on_data_lost(p->send);
        if (p->recv)
            hub_answer_waiting(&p->recv->obj, NULL, "noMediaServer");
        transport_free(p->send);
        transport_free(p->recv);
        peer_set_capabilities(p, NULL, NULL);
        if (p->state != PEER_LOBBY)
            hub_notify(p, "lostMediaServer", NULL);
    }
    ask_those_without(h, r);
}

unsigned on_load_asked(const struct media_router *router, void *room, void *hub)
{
    (void)hub;
    const struct room *r = room;
    size_t n = 0;
    ROOM_FOREACH_PEER(r, p)
    if (p->media == router)
        n += 1 + p->n_producers + (p->recv ? p->recv->n_consumers : 0);
    return (unsigned)n;
}

/* ---- events ---- */

static bool is_connected(const struct transport *t)
{
    return t && t->dtls_state == ALTHING__DTLS_STATE__DTLS_STATE_CONNECTED;
}

/* From the later of joining and the first request to connect. */
void on_media_joined(struct hub *h, struct peer *p)
{
    if (p->connected || !p->joined_us || (!is_connected(p->send) && !is_connected(p->recv)))
        return;
    int64_t asked_us = TIME_NEVER_US;
    if (p->send && p->send->asked_us)
        asked_us = time_min_us(asked_us, p->send->asked_us);
    if (p->recv && p->recv->asked_us)
        asked_us = time_min_us(asked_us, p->recv->asked_us);
    if (asked_us == TIME_NEVER_US || asked_us < p->joined_us)
        asked_us = p->joined_us;
    p->connected = true;
    histogram_add(h->stats.join, &histogram_connect, clock_now_us() - asked_us);
}

static void on_connected(struct hub *h, const struct transport *t)
{
    if (t->asked_us)
        histogram_add(h->stats.connect, &histogram_connect, clock_now_us() - t->asked_us);
    on_media_joined(h, t->peer);
}

static void on_dtls(struct hub *h, struct transport *t, const Althing__DtlsStateChanged *e)
{
    t->dtls_state = (uint8_t)e->state;
    if (e->state == ALTHING__DTLS_STATE__DTLS_STATE_CONNECTED)
        on_connected(h, t);
    if (e->state != ALTHING__DTLS_STATE__DTLS_STATE_FAILED &&
        e->state != ALTHING__DTLS_STATE__DTLS_STATE_CLOSED)
        return;
    log_info("media", "transport ends room=%s peer=%s dtls=%s reason=\"%s\"", t->peer->room->id,
             t->peer->id, e->state == ALTHING__DTLS_STATE__DTLS_STATE_FAILED ? "failed" : "closed",
             e->reason);
    hub_notify(t->peer, "transportClosed", json_pack("{ss}", "transportId", t->obj.id));
    on_transport_drop(h, t, "the transport is closed");
}

/* The channel has checked that these are addresses. */
static void on_tuple(struct transport *t, const Althing__SelectedTuple *e)
{
    t->selected = !addr_parse(&t->local, e->local_ip, (uint16_t)e->local_port) &&
                  !addr_parse(&t->remote, e->remote_ip, (uint16_t)e->remote_port);
    t->tcp = !strcmp(e->protocol, "tcp");
}

static void on_layers(struct consumer *c, const Althing__LayersChanged *e)
{
    c->spatial = e->none ? -1 : (int)e->current->spatial;
    c->temporal = e->none ? -1 : (int)e->current->temporal;
    if (!c->obj.confirmed)
        return;
    json_t *data = json_pack("{ss}", "consumerId", c->obj.id);
    json_object_set_new(data, "spatialLayer", e->none ? json_null() : json_integer(c->spatial));
    json_object_set_new(data, "temporalLayer", e->none ? json_null() : json_integer(c->temporal));
    hub_notify(c->transport->peer, "consumerLayersChanged", data);
}

static json_t *stream_scores(const Althing__ScoreChanged *e, bool whole)
{
    json_t *list = json_array();
    for (size_t i = 0; i < e->n_streams; i++) {
        const Althing__StreamScore *s = e->streams[i];
        json_t *score = json_integer(s->score);
        json_array_append_new(list,
                              !whole ? score
                                     : json_pack("{si, sI, ss*, so}", "encodingIdx",
                                                 (int)s->encoding, "ssrc", (json_int_t)s->ssrc,
                                                 "rid", *s->rid ? s->rid : NULL, "score", score));
    }
    return list;
}

static void on_short(struct consumer *c, const Althing__BandwidthShort *e)
{
    if (c->obj.confirmed)
        hub_notify(c->transport->peer, "consumerBandwidth",
                   json_pack("{ss, sb}", "consumerId", c->obj.id, "insufficient", e->is_short));
}

static void on_score(struct object *o, const Althing__ScoreChanged *e)
{
    o->score = (uint8_t)e->score;
    if (!o->confirmed)
        return;
    if (o->type == OBJECT_CONSUMER)
        hub_notify(object_peer(o), "consumerScore",
                   json_pack("{ss, s{si, si, so}}", "consumerId", o->id, "score", "score",
                             (int)e->score, "producerScore", (int)e->producer_score,
                             "producerScores", stream_scores(e, false)));
    else
        hub_notify(object_peer(o), "producerScore",
                   json_pack("{ss, so}", "producerId", o->id, "score", stream_scores(e, true)));
}

/* ---- voices ---- */

#define SPEAKER_INTERVAL_MS 300

/* Said again for every voice: the worker goes on with what it has. */
void on_media_observe(const struct producer *p)
{
    struct media_router *router = p->transport->peer->media;
    Althing__ObserveAudio msg = ALTHING__OBSERVE_AUDIO__INIT;
    msg.router = media_router_handle(router);
    msg.speaker_interval_ms = SPEAKER_INTERVAL_MS;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_OBSERVE_AUDIO;
    rq.observe_audio = &msg;
    media_request(router, &rq, msg.router, NULL, NULL);
}

/* Those who are in another session do not hear this one. */
static void on_speaker(const struct producer *p)
{
    const struct peer *speaker = p->transport->peer;
    ROOM_FOREACH_PEER(speaker->room, to)
    {
        if (to->state == PEER_JOINED && to->in == speaker->in)
            hub_notify(to, "activeSpeaker",
                       json_pack("{ss, ss}", "peerId", speaker->id, "sessionId", speaker->in->id));
    }
}

static uint64_t handle_of(const Althing__Event *e)
{
    switch (e->kind_case) {
    case ALTHING__EVENT__KIND_ICE_STATE:
        return e->ice_state->transport;
    case ALTHING__EVENT__KIND_DTLS_STATE:
        return e->dtls_state->transport;
    case ALTHING__EVENT__KIND_TUPLE:
        return e->tuple->transport;
    case ALTHING__EVENT__KIND_LAYERS:
        return e->layers->consumer;
    case ALTHING__EVENT__KIND_BANDWIDTH_SHORT:
        return e->bandwidth_short->consumer;
    case ALTHING__EVENT__KIND_SCORE:
        return e->score->object;
    case ALTHING__EVENT__KIND_DOMINANT_SPEAKER:
        return e->dominant_speaker->producer;
    case ALTHING__EVENT__KIND_SCTP_STATE:
        return e->sctp_state->transport;
    default:
        return 0;
    }
}

void on_worker_event(const struct media_worker *from, const Althing__Event *e, void *hub)
{
    struct hub *h = hub;
    if (e->kind_case == ALTHING__EVENT__KIND_RESYNC) {
        log_warn("media", "worker lost events index=%u lost=%llu", media_worker_index(from),
                 (unsigned long long)e->resync->lost);
        return;
    }
    if (e->kind_case == ALTHING__EVENT__KIND_SCTP_SEND_BUFFER_FULL) {
        on_data_full(h, from, e->sctp_send_buffer_full->data_consumer);
        return;
    }
    uint64_t handle = handle_of(e);
    struct object *o = rooms_object(&h->rooms, handle);
    /* Closed meanwhile, or an object of another worker: a worker speaks of its own only. */
    if (!o || !object_peer(o)->media || !media_router_on(object_peer(o)->media, from))
        return;
    if (e->kind_case == ALTHING__EVENT__KIND_DOMINANT_SPEAKER) {
        if (o->type == OBJECT_PRODUCER && o->confirmed)
            on_speaker((struct producer *)o);
        return;
    }
    object_changed(o);
    struct transport *t = rooms_transport(&h->rooms, handle);
    struct consumer *c = rooms_consumer(&h->rooms, handle);
    if (e->kind_case == ALTHING__EVENT__KIND_SCORE && o->type != OBJECT_TRANSPORT)
        on_score(o, e->score);
    else if (e->kind_case == ALTHING__EVENT__KIND_LAYERS && c)
        on_layers(c, e->layers);
    else if (e->kind_case == ALTHING__EVENT__KIND_BANDWIDTH_SHORT && c)
        on_short(c, e->bandwidth_short);
    else if (e->kind_case == ALTHING__EVENT__KIND_ICE_STATE && t)
        t->ice_state = (uint8_t)e->ice_state->state;
    else if (e->kind_case == ALTHING__EVENT__KIND_DTLS_STATE && t)
        on_dtls(h, t, e->dtls_state);
    else if (e->kind_case == ALTHING__EVENT__KIND_TUPLE && t)
        on_tuple(t, e->tuple);
    else if (e->kind_case == ALTHING__EVENT__KIND_SCTP_STATE && t)
        on_data_state(h, t, e->sctp_state);
}
