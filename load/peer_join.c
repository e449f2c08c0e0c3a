/* The order of proto/signalling.md: capabilities are answered, transports made, and `join` said when the room is ready; consumers come
 * once both are there. */
#include "load/peer_int.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/rand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void refuse(struct peer *p, const char *what, const char *why)
{
    char text[160];
    snprintf(text, sizeof(text), "%s: %s", what, why);
    peer_fail(p, text);
}

/* ---- sending ---- */

static void on_produced(const json_t *result, const char *error, void *arg)
{
    struct producer *pr = arg;
    struct peer *p = pr->peer;
    if (p->state == PEER_FAILED)
        return;
    if (error || !describe_id(result, "id", pr->id)) {
        refuse(p, "produce", error ? error : "no id");
        return;
    }
    peer_media_start(p);
    peer_check_up(p);
}

/* Four times less for each layer below the highest. */
static uint32_t layer_bitrate(const struct peer *p, size_t layer)
{
    return p->conf.video_bitrate >> (2 * (p->conf.layers - 1 - layer));
}

static void make_sources(struct peer *p, struct producer *pr, const struct describe_sending *d)
{
    bool audio = pr->media == MEDIA_AUDIO;
    for (size_t i = 0; i < d->n; i++) {
        struct source_config c = {.media = pr->media,
                                  .ssrc = d->ssrcs[i],
                                  .payload_type = d->payload_type,
                                  .exts = d->exts,
                                  .bitrate = audio ? p->conf.audio_bitrate : layer_bitrate(p, i),
                                  .frame_us = audio ? 20000 : 1000000 / p->conf.fps,
                                  .packet_bytes = p->conf.packet_bytes,
                                  .transport_seq = &p->transport_seq,
                                  .measure = p->world->measure,
                                  .send = peer_send_packet,
                                  .arg = p};
        memcpy(c.mid, d->mid, sizeof(c.mid));
        source_new(&pr->sources[pr->n++], &c);
    }
}

static void produce(struct peer *p, enum media media)
{
    struct producer *pr = &p->producers[media];
    bool audio = media == MEDIA_AUDIO;
    struct describe_sending d = {.media = media, .n = audio ? 1 : p->conf.layers};
    snprintf(d.mid, sizeof(d.mid), "%d", (int)media);
    for (size_t i = 0; i < d.n; i++)
        d.ssrcs[i] = rand_u32() | 1;
    json_t *params = describe_sending(&d, p->router);
    if (!params) {
        peer_fail(p, audio ? "the server has no Opus" : "the server has no VP8");
        return;
    }
    pr->peer = p;
    pr->media = media;
    make_sources(p, pr, &d);
    signalling_ask(p->signalling, "produce",
                   json_pack("{s:s, s:s, s:o, s:{s:s}}", "transportId", p->send_id, "kind",
                             audio ? "audio" : "video", "rtpParameters", params, "appData",
                             "source", audio ? "mic" : "webcam"),
                   on_produced, pr);
}

/* ---- transports ---- */

static json_t *our_dtls(const struct peer *p)
{
    struct dtls_fingerprint f[DTLS_FINGERPRINTS_MAX];
    size_t n = dtls_cert_fingerprints(p->world->cert, f, DTLS_FINGERPRINTS_MAX);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(
            list, json_pack("{s:s, s:s}", "algorithm", f[i].algorithm, "value", f[i].value));
    return json_pack("{s:s, s:o}", "role", "client", "fingerprints", list);
}

static bool connect_link(struct peer *p, const json_t *answer, char *id, struct link **to,
                         const struct link_handlers *handlers)
{
    struct link_remote remote;
    struct link_config conf = {.sockets = p->world->sockets,
                               .timers = p->world->timers,
                               .cert = p->world->cert,
                               .remote = &remote,
                               .handlers = handlers,
                               .arg = p};
    const char *missing = describe_transport(answer, id, &remote);
    if (missing) {
        peer_fail(p, missing);
        return false;
    }
    int err = link_new(to, &conf, clock_now_us());
    if (err) {
        refuse(p, "a socket for a transport", strerror(-err));
        return false;
    }
    signalling_ask(p->signalling, "connectWebRtcTransport",
                   json_pack("{s:s, s:o}", "transportId", id, "dtlsParameters", our_dtls(p)), NULL,
                   NULL);
    return true;
}

static void on_send_transport(const json_t *answer, const char *error, void *arg)
{
    struct peer *p = arg;
    if (p->state == PEER_FAILED || p->send)
        return;
    if (error) {
        refuse(p, "createWebRtcTransport", error);
        return;
    }
    if (!connect_link(p, answer, p->send_id, &p->send, &peer_send_handlers))
        return;
    if (p->conf.audio)
        produce(p, MEDIA_AUDIO);
    if (p->conf.video)
        produce(p, MEDIA_VIDEO);
}

static void on_recv_transport(const json_t *answer, const char *error, void *arg)
{
    struct peer *p = arg;
    if (p->state == PEER_FAILED || p->recv)
        return;
    if (error)
        refuse(p, "createWebRtcTransport", error);
    else
        connect_link(p, answer, p->recv_id, &p->recv, &peer_recv_handlers);
}

static void create(struct peer *p, bool sending, signalling_answer_f *fn)
{
    signalling_ask(p->signalling, "createWebRtcTransport",
                   json_pack("{s:b, s:b, s:b, s:b}", "forceTcp", 0, "producing", (int)sending,
                             "consuming", (int)!sending, "enableSctp", 0),
                   fn, p);
}

/* ---- receiving ---- */

static void add_stream(struct peer *p, uint32_t ssrc, struct sink *sink)
{
    struct by_ssrc *b;
    if (!ssrc)
        return;
    HASH_FIND(hh, p->streams, &ssrc, sizeof(ssrc), b);
    if (b) {
        b->sink = sink;
        return;
    }
    b = mem_zalloc(sizeof(*b));
    b->ssrc = ssrc;
    b->sink = sink;
    HASH_ADD(hh, p->streams, ssrc, sizeof(b->ssrc), b);
}

static void merge_extensions(struct rtp_ext_map *to, const struct rtp_ext_map *from)
{
    for (int type = 0; type < RTP_EXT_COUNT; type++)
        if (from->id_of[type])
            (void)rtp_ext_map_set(to, (enum rtp_ext_type)type, from->id_of[type]);
}

static void on_new_consumer(struct peer *p, const json_t *data)
{
    struct describe_consumer d;
    const char *missing = describe_consumer(data, &d);
    if (missing) {
        peer_fail(p, missing);
        return;
    }
    if (p->n_received == PEER_SINKS_MAX || (d.media == MEDIA_VIDEO && p->shown >= p->conf.videos))
        return;
    p->received = mem_realloc(p->received, p->n_received + 1, sizeof(*p->received));
    struct received *r = &p->received[p->n_received++];
    struct sink_config c = {d.media, d.ssrc, d.rtx_ssrc, d.payload_type, p->world->measure};
    sink_new(&r->sink, &c);
    memcpy(r->consumer_id, d.id, sizeof(d.id));
    memcpy(r->producer_id, d.producer_id, sizeof(d.producer_id));
    add_stream(p, d.ssrc, r->sink);
    add_stream(p, d.rtx_ssrc, r->sink);
    merge_extensions(&p->recv_exts, &d.exts);
    if (d.media == MEDIA_VIDEO) {
        p->shown++;
        signalling_tell(p->signalling, "setConsumerPreferredLayers",
                        json_pack("{s:s, s:i, s:i}", "consumerId", d.id, "spatialLayer",
                                  DESCRIBE_LAYERS - 1, "temporalLayer", 2));
    }
    if (d.media == MEDIA_VIDEO || json_is_true(json_object_get(data, "paused")))
        signalling_tell(p->signalling, "resumeConsumer", json_pack("{s:s}", "consumerId", d.id));
}

static void on_consumer_closed(struct peer *p, const json_t *data)
{
    char id[DESCRIBE_ID_MAX];
    struct by_ssrc *b, *tmp;
    if (!describe_id(data, "consumerId", id))
        return;
    for (size_t i = 0; i < p->n_received; i++) {
        struct sink *s = p->received[i].sink;
        if (strcmp(p->received[i].consumer_id, id) != 0)
            continue;
        HASH_ITER (hh, p->streams, b, tmp) {
            if (b->sink == s) {
                HASH_DEL(p->streams, b);
                free(b);
            }
        }
        p->shown -= sink_media(s) == MEDIA_VIDEO;
        sink_free(s);
        p->received[i] = p->received[--p->n_received];
        return;
    }
}

/* ---- what the server says ---- */

static json_t *on_asked(const char *method, const json_t *data, void *arg)
{
    struct peer *p = arg;
    const json_t *router = json_object_get(data, "routerRtpCapabilities");
    if (p->state == PEER_FAILED || strcmp(method, "mediaConfiguration") != 0 || !router)
        return NULL;
    if (p->router) {
        peer_fail(p, "the server lost its media");
        return NULL;
    }
    p->router = json_deep_copy(router);
    if (p->conf.audio || p->conf.video)
        create(p, true, on_send_transport);
    create(p, false, on_recv_transport);
    return json_pack("{s:o}", "rtpCapabilities",
                     describe_capabilities(p->router, p->conf.congestion));
}

static void on_joined(const json_t *result, const char *error, void *arg)
{
    struct peer *p = arg;
    (void)result;
    if (error) {
        refuse(p, "join", error);
        return;
    }
    p->joined = true;
    peer_check_up(p);
}

static void join(struct peer *p)
{
    char name[32];
    snprintf(name, sizeof(name), "Load %u", p->conf.number);
    signalling_ask(p->signalling, "join", json_pack("{s:s}", "displayName", name), on_joined, p);
}

static void on_told(const char *method, const json_t *data, void *arg)
{
    static const struct {
        const char *method, *reason;
    } ends[] = {
        {"enteredLobby", "the room is locked"},
        {"overRoomLimit", "the room is full"},
        {"moderator:kick", "somebody sent this peer away"},
        {"lostMediaServer", "the server lost its media"},
        {"noMediaServer", "the server has no media worker"},
        {"transportClosed", "the server closed a transport"},
    };
    struct peer *p = arg;
    if (p->state == PEER_FAILED)
        return;
    if (strcmp(method, "roomReady") == 0)
        join(p);
    else if (strcmp(method, "newConsumer") == 0)
        on_new_consumer(p, data);
    else if (strcmp(method, "consumerClosed") == 0)
        on_consumer_closed(p, data);
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (strcmp(method, ends[i].method) == 0)
            peer_fail(p, ends[i].reason);
}

static void on_closed(const char *reason, void *arg)
{
    peer_fail(arg, reason);
}

const struct signalling_handlers peer_signalling_handlers = {on_asked, on_told, on_closed};
