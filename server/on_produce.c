#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/rand.h"
#include "server/on.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOLD_US                                                                                    \
    S_US(10) /* a sender is not told to leave layers out so soon after a start or resume */

static const struct {
    const char *source;
    const char *kind;
    enum perm perm;
} sources[] = {
    {"mic", "audio", PERM_SHARE_AUDIO},
    {"screenaudio", "audio", PERM_SHARE_AUDIO},
    {"webcam", "video", PERM_SHARE_VIDEO},
    {"screen", "video", PERM_SHARE_SCREEN},
    {"extravideo", "video", PERM_SHARE_EXTRA_VIDEO},
    {"extraaudio", "audio", PERM_SHARE_EXTRA_VIDEO},
};

enum perm on_produce_perm(const char *source)
{
    for (size_t i = 0; source && i < sizeof(sources) / sizeof(sources[0]); i++) {
        if (!strcmp(sources[i].source, source))
            return sources[i].perm;
    }
    return PERM_NONE;
}

static bool kind_fits(const char *source, const char *kind)
{
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        if (!strcmp(sources[i].source, source))
            return kind && !strcmp(sources[i].kind, kind);
    }
    return false;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* The same for a repeat of a request, different for anything else of the peer: source and msid, else its sorted SSRCs, else its mid. */
static void make_key(char *key, size_t cap, const char *source, const json_t *params)
{
    const char *msid = json_string_value(json_object_get(params, "msid"));
    const char *mid = json_string_value(json_object_get(params, "mid"));
    if (msid && *msid) {
        snprintf(key, cap, "%s msid %s", source, msid);
        return;
    }
    const json_t *encodings = json_object_get(params, "encodings");
    uint32_t ssrcs[ORTC_ENCODINGS_MAX];
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(encodings) && i < ORTC_ENCODINGS_MAX; i++) {
        json_int_t v = json_integer_value(json_object_get(json_array_get(encodings, i), "ssrc"));
        if (v)
            ssrcs[n++] = (uint32_t)v;
    }
    qsort(ssrcs, n, sizeof(ssrcs[0]), by_value);
    int at = snprintf(key, cap, "%s %s", source, n ? "ssrcs" : "mid ");
    for (size_t i = 0; i < n; i++)
        at += snprintf(key + at, cap - (size_t)at, " %u", ssrcs[i]);
    if (!n)
        snprintf(key + at, cap - (size_t)at, "%s", mid ? mid : "");
}

/* ---- negotiation ---- */

/* What a producer holds as `rtp`: {params, mapping, consumable}. NULL: refused, with the reason. */
static json_t *negotiate(struct call *c, const struct transport *t, const char *kind,
                         json_t *params, struct ortc_error *error)
{
    if (!params || ortc_check_parameters(params, error))
        return NULL;
    char cname[9];
    snprintf(cname, sizeof(cname), "%.8s",
             t->obj.id); /* one for all the peer sends: they are played in step */
    ortc_complete_parameters(params, cname);
    json_t *mapping =
        ortc_producer_mapping(params, c->hub->router_caps, rand_u32() >> 1 | 1, error);
    json_t *consumable =
        mapping ? ortc_consumable(kind, params, c->hub->router_caps, mapping, error) : NULL;
    if (!consumable) {
        json_decref(mapping);
        return NULL;
    }
    return json_pack("{sO, so, so}", "params", params, "mapping", mapping, "consumable",
                     consumable);
}

static void note_layers(struct producer *p, const json_t *params)
{
    const json_t *encodings = json_object_get(params, "encodings");
    size_t n = json_array_size(encodings);
    uint32_t spatial, temporal;
    ortc_scalability(
        json_string_value(json_object_get(json_array_get(encodings, 0), "scalabilityMode")),
        &spatial, &temporal);
    p->layers = n > 1 ? (unsigned)n : spatial;
    p->temporal_layers = temporal;
    p->wanted_layer = (int)p->layers - 1;
    p->hold_until_us = clock_now_us() + HOLD_US;
    const char *mime = json_string_value(
        json_object_get(json_array_get(json_object_get(params, "codecs"), 0), "mimeType"));
    const char *slash = mime ? strchr(mime, '/') : NULL;
    snprintf(p->codec, sizeof(p->codec), "%s", slash ? slash + 1 : "");
}

/* ---- producing ---- */

static void on_produced(uint64_t handle, const char *err, void *arg)
{
    struct hub *h = arg;
    struct producer *p = rooms_producer(&h->rooms, handle);
    if (!p)
        return;
    if (err) {
        hub_refused(h, p->transport->peer, "producer", err);
        on_producer_drop(h, p, err);
        return;
    }
    object_confirm(&p->obj);
    json_t *answer = json_pack("{ss}", "id", p->obj.id);
    hub_answer_waiting(&p->obj, answer, NULL);
    json_decref(answer);
    if (!p->video)
        on_media_observe(p);
    on_consume_producer(h, p);
}

static void repeat(struct call *c, struct producer *p)
{
    if (p->obj.confirmed)
        call_ok(c, json_pack("{ss}", "id", p->obj.id));
    else if (object_wait(&p->obj, c->ack))
        c->answered = true;
    else
        call_limit(c, "too many repeats");
}

static void start(struct call *c, struct transport *t, const char *kind, const char *source,
                  const char *key, json_t *params)
{
    struct ortc_error error = {"rtpParameters are missing"};
    json_t *rtp = negotiate(c, t, kind, params, &error);
    struct ortc_create_producer *create = rtp ? ortc_create_producer(kind, params, &error) : NULL;
    struct producer *p = NULL;
    if (create) {
        snprintf(error.text, sizeof(error.text), "too many producers");
        p = producer_new(t, media_handle(c->hub->media), !strcmp(kind, "video"), source, key);
    }
    if (!p) {
        json_decref(rtp);
        ortc_create_producer_free(create);
        call_limit(c, error.text);
        return;
    }
    p->rtp = rtp;
    p->rtp_free = on_json_free;
    note_layers(p, params);
    object_wait(&p->obj, c->ack);
    c->answered = true;
    create->msg.transport = t->obj.handle;
    create->msg.producer = p->obj.handle;
    create->msg.unheard = strcmp(source, "mic") != 0;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_CREATE_PRODUCER;
    rq.create_producer = &create->msg;
    media_request(t->peer->media, &rq, p->obj.handle, on_produced, c->hub);
    ortc_create_producer_free(create);
}

void on_produce(struct call *c)
{
    struct peer *p = c->peer;
    const char *id = call_string(c, "transportId"), *kind = call_string(c, "kind");
    const char *source =
        json_string_value(json_object_get(json_object_get(c->data, "appData"), "source"));
    enum perm perm = on_produce_perm(source);
    struct transport *t = id ? peer_transport(p, id) : NULL;
    if (perm == PERM_NONE || !kind_fits(source, kind)) {
        call_limit(c, "appData.source and kind do not go together");
    } else if (!perm_has(p->perms, perm)) {
        call_error(c, "permission to share this is missing");
    } else if (!t || t->direction != DIRECTION_SEND || !t->obj.confirmed) {
        call_error(c, "no such transport");
    } else {
        const json_t *params = json_object_get(c->data, "rtpParameters");
        char key[ORTC_STRING_MAX + 64];
        make_key(key, sizeof(key), source, params);
        struct producer *same = peer_producer_by_key(p, key);
        if (same) {
            repeat(c, same);
            return;
        }
        json_t *copy = json_deep_copy(params);
        start(c, t, kind, source, key, copy);
        json_decref(copy);
    }
}

/* ---- pause, resume, close: of producers from before a reconnect the peer has none any more, and nothing happens ---- */

static struct producer *find(struct call *c)
{
    const char *id = call_string(c, "producerId");
    struct producer *p = id ? peer_producer(c->peer, id) : NULL;
    if (p)
        object_changed(&p->obj);
    return p;
}

/* The worker is told in any case: a server that died may have told it something else last. */
static void set_paused(struct call *c, bool paused)
{
    struct producer *p = find(c);
    if (!p)
        return;
    bool is_new = p->paused != paused;
    p->paused = paused;
    Althing__PauseProducer msg = ALTHING__PAUSE_PRODUCER__INIT;
    msg.producer = p->obj.handle;
    msg.paused = paused;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_PAUSE_PRODUCER;
    rq.pause_producer = &msg;
    media_request(c->peer->media, &rq, p->obj.handle, NULL, NULL);
    pipes_pause(spread_pipes(c->peer->room->spread), p->obj.handle, paused);
    if (!is_new)
        return;
    PRODUCER_FOREACH_CONSUMER(p, consumer)
    {
        if (consumer->obj.confirmed)
            hub_notify(consumer->transport->peer, paused ? "consumerPaused" : "consumerResumed",
                       json_pack("{ss}", "consumerId", consumer->obj.id));
    }
    if (!paused) {
        on_consume_producer(c->hub, p); /* who came while it was paused */
        on_consume_wanted(c->hub, p, true);
    }
}

void on_pause_producer(struct call *c)
{
    set_paused(c, true);
}

void on_resume_producer(struct call *c)
{
    set_paused(c, false);
}

void on_close_producer(struct call *c)
{
    struct producer *p = find(c);
    if (p)
        on_producer_drop(c->hub, p, "closed");
}

void on_producer_drop(struct hub *h, struct producer *p, const char *why)
{
    (void)h;
    while (p->consumers)
        on_consumer_gone(p->consumers);
    struct media_router *router = p->transport->peer->media;
    if (router) {
        Althing__CloseProducer msg = ALTHING__CLOSE_PRODUCER__INIT;
        msg.producer = p->obj.handle;
        Althing__Request rq = ALTHING__REQUEST__INIT;
        rq.method_case = ALTHING__REQUEST__METHOD_CLOSE_PRODUCER;
        rq.close_producer = &msg;
        media_request(router, &rq, p->obj.handle, NULL, NULL);
    }
    hub_answer_waiting(&p->obj, NULL, why);
    producer_free(p);
}

static bool listed(const char *source, const char *const *list)
{
    for (; *list; list++) {
        if (!strcmp(*list, source))
            return true;
    }
    return false;
}

void on_produce_stop(struct hub *h, struct peer *p, const char *const *stop)
{
    struct producer *next;
    for (struct producer *pr = p->send ? p->send->producers : NULL; pr; pr = next) {
        next = pr->next;
        if (!listed(pr->source, stop))
            continue;
        if (pr->obj.confirmed)
            hub_notify(p, "producerClosed", json_pack("{ss}", "producerId", pr->obj.id));
        on_producer_drop(h, pr, "stopped");
    }
}
