#include "tests/unit/server/world.h"

#include "lib/clock.h"
#include "server/ortc/ortc.h"
#include "tests/unit/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct edge_query {
    const char *room, *peer, *key, *resume;
};

/* ---- the pretended edge ---- */

static void sent(struct edge_session *s, const char *what, json_t *data, uint64_t ack)
{
    if (!data)
        data = json_object();
    if (s->gone) {
        json_decref(data);
        return;
    }
    json_array_append_new(s->sent, json_pack("[s, o, I]", what, data, (json_int_t)ack));
}

const char *edge_query_get(const struct edge_query *q, const char *name)
{
    return !strcmp(name, "roomId")         ? q->room
           : !strcmp(name, "peerId")       ? q->peer
           : !strcmp(name, "reconnectKey") ? q->key
                                           : q->resume;
}

void edge_notify(struct edge_session *s, const char *method, json_t *data)
{
    sent(s, method, data, 0);
}

void edge_notify_many(struct edge_session *const *sessions, size_t n, const char *method,
                      json_t *data)
{
    if (!data)
        data = json_object();
    for (size_t i = 0; i < n; i++)
        sent(sessions[i], method, json_incref(data), 0);
    json_decref(data);
}

void edge_reply(struct edge_session *s, uint64_t ack, json_t *result)
{
    sent(s, "ack", result, ack);
}

void edge_reply_error(struct edge_session *s, uint64_t ack, const char *text)
{
    assert_true(*text);
    sent(s, "error", json_string(text), ack);
}

void edge_request(struct edge_session *s, const char *method, json_t *data, edge_answer_f *fn,
                  void *arg)
{
    s->answer = fn;
    s->answer_arg = arg;
    s->n_requests++;
    sent(s, method, data, 0);
}

void edge_disconnect(struct edge_session *s, const char *why)
{
    s->gone = true;
    snprintf(s->why, sizeof(s->why), "%s", why);
}

const char *edge_session_address(const struct edge_session *s)
{
    (void)s;
    return "192.0.2.7";
}

const char *edge_session_user_agent(const struct edge_session *s)
{
    (void)s;
    return "Test/1.0";
}

void edge_session_set_user(struct edge_session *s, void *user)
{
    s->user = user;
}

void *edge_session_user(const struct edge_session *s)
{
    return s->user;
}

const struct edge_counters *edge_counters(const struct edge *e)
{
    static const struct edge_counters none;
    (void)e;
    return &none;
}

size_t edge_queued(const struct edge *e, size_t *most)
{
    (void)e;
    return *most = 0;
}

const char *edge_reason_name(enum edge_reason r)
{
    (void)r;
    return "a reason";
}

/* ---- the world ---- */

static void worker_bad(uint32_t index, uint64_t generation, const char *why, void *arg)
{
    (void)index;
    (void)generation;
    (void)why;
    struct hub *h = arg;
    ((struct world *)((char *)h - offsetof(struct world, hub)))->n_bad++;
}

void world_init(struct world *w, unsigned n_workers)
{
    world_init_as(w, n_workers, 5);
}

void world_init_as(struct world *w, unsigned n_workers, uint64_t epoch)
{
    memset(w, 0, sizeof(*w));
    w->next_ack = 1;
    w->workers[0].fd = w->workers[1].fd = -1;
    w->counters_fd[0] = w->counters_fd[1] = -1;
    uv_loop_init(&w->loop);
    struct hub_settings settings = {
        .max_active_videos = 12,
        .default_perms = PERM_DEFAULT,
        .chat = true,
        .breakouts = true,
        .p2p = true,
        .files = true,
        .raise_hand = true,
        .reactions = true,
        .recording = true,
    };
    json_t *codecs = ortc_default_codecs();
    struct ortc_error error;
    json_t *caps = ortc_router_capabilities(codecs, &error);
    assert_non_null(caps);
    json_decref(codecs);
    hub_init(&w->hub, &settings, caps);
    struct media_handlers handlers;
    hub_media_handlers(&handlers);
    handlers.worker_bad = worker_bad;
    assert_int_equal(media_new(&w->media, &w->loop, epoch, &handlers, &w->hub), 0);
    w->hub.media = w->media;
    hub_edge_handlers(&w->edge);
    for (unsigned i = 0; i < n_workers; i++)
        world_worker_up(w, i);
    world_turn(w);
}

void world_free(struct world *w)
{
    hub_free(&w->hub);
    media_free(w->media);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    for (size_t i = 0; i < w->n_sessions; i++) {
        json_decref(w->sessions[i]->sent);
        free(w->sessions[i]);
    }
    for (unsigned i = 0; i < 2; i++) {
        fake_free(&w->workers[i]);
        if (w->counters_fd[i] >= 0)
            close(w->counters_fd[i]);
    }
}

void world_worker_up(struct world *w, unsigned index)
{
    static uint64_t generation = 100;
    world_worker_up_as(w, index, ++generation);
}

void world_worker_up_as(struct world *w, unsigned index, uint64_t generation)
{
    int fd;
    fake_init(&w->workers[index], &fd);
    struct handoff h = {HANDOFF_VERSION, HANDOFF_WORKER_UP, index, 4000, generation, 2, 2};
    strcpy(h.candidates[0].address, "192.0.2.1");
    strcpy(h.candidates[1].address, "192.0.2.1");
    h.candidates[0].port = h.candidates[1].port = 40000;
    h.candidates[1].tcp = 1;
    int segment = counters_create();
    if (w->counters_fd[index] >= 0)
        close(w->counters_fd[index]);
    w->counters_fd[index] = dup(segment);
    assert_int_equal(media_worker_up(w->media, &h, fd, segment), 0);
}

void world_turn(struct world *w)
{
    for (unsigned quiet = 0; quiet < 3; quiet++) {
        for (unsigned i = 0; i < 2; i++) {
            if (w->workers[i].fd >= 0 && fake_turn(&w->workers[i]))
                quiet = 0;
        }
        uv_run(&w->loop, UV_RUN_NOWAIT);
    }
}

static struct edge_session *come(struct world *w, const struct edge_query *q)
{
    assert_true(w->n_sessions < WORLD_SESSIONS);
    struct edge_session *s = calloc(1, sizeof(*s));
    s->sent = json_array();
    w->sessions[w->n_sessions++] = s;
    w->edge.connect(s, q, &w->hub);
    world_turn(w);
    return s;
}

struct edge_session *world_connect(struct world *w, const char *room, const char *peer,
                                   const char *key)
{
    const struct edge_query q = {room, peer, key, NULL};
    return come(w, &q);
}

struct edge_session *world_resume(struct world *w, const char *room, const char *peer,
                                  const char *key)
{
    const struct edge_query q = {room, peer, key, "1"};
    return come(w, &q);
}

void world_resume_in(struct world *w, struct edge_session *s, const char *room, const char *peer,
                     const char *key)
{
    const struct edge_query q = {room, peer, key, "1"};
    w->edge.closed(s, EDGE_TRANSPORT_CLOSED, &w->hub);
    s->user = NULL;
    w->edge.connect(s, &q, &w->hub);
}

void world_close(struct world *w, struct edge_session *s, enum edge_reason reason)
{
    s->gone = true;
    w->edge.closed(s, reason, &w->hub);
    s->user = NULL;
    world_turn(w);
}

uint64_t world_request(struct world *w, struct edge_session *s, const char *method, json_t *data)
{
    json_t *d = data ? data : json_object();
    uint64_t ack = w->next_ack++;
    w->edge.request(s, method, d, ack, &w->hub);
    json_decref(d);
    return ack;
}

void world_notification(struct world *w, struct edge_session *s, const char *method, json_t *data)
{
    json_t *d = data ? data : json_object();
    w->edge.notification(s, method, d, &w->hub);
    json_decref(d);
    world_turn(w);
}

size_t world_answers(const struct edge_session *s, uint64_t ack)
{
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(s->sent); i++)
        n += json_integer_value(json_array_get(json_array_get(s->sent, i), 2)) == (json_int_t)ack;
    return n;
}

const json_t *world_ask(struct world *w, struct edge_session *s, const char *method, json_t *data,
                        const char **err)
{
    uint64_t ack = world_request(w, s, method, data);
    world_turn(w);
    assert_int_equal(world_answers(s, ack), 1);
    for (size_t i = 0; i < json_array_size(s->sent); i++) {
        const json_t *one = json_array_get(s->sent, i);
        if (json_integer_value(json_array_get(one, 2)) != (json_int_t)ack)
            continue;
        const json_t *result = json_array_get(one, 1);
        bool failed = !strcmp(json_string_value(json_array_get(one, 0)), "error");
        if (err)
            *err = failed ? json_string_value(result) : NULL;
        if (!failed)
            assert_true(json_is_object(result));
        return failed ? NULL : result;
    }
    return NULL;
}

void world_capable(struct world *w, struct edge_session *s)
{
    const json_t *config = world_told(s, "mediaConfiguration");
    assert_non_null(config);
    json_t *result =
        json_pack("{sO}", "rtpCapabilities", json_object_get(config, "routerRtpCapabilities"));
    s->answer(s, NULL, result, s->answer_arg);
    json_decref(result);
    world_turn(w);
}

const json_t *world_told(const struct edge_session *s, const char *method)
{
    for (size_t i = json_array_size(s->sent); i-- > 0;) {
        const json_t *one = json_array_get(s->sent, i);
        if (!strcmp(json_string_value(json_array_get(one, 0)), method))
            return json_array_get(one, 1);
    }
    return NULL;
}

size_t world_times(const struct edge_session *s, const char *method)
{
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(s->sent); i++)
        n += !strcmp(json_string_value(json_array_get(json_array_get(s->sent, i), 0)), method);
    return n;
}

void world_forget(struct edge_session *s)
{
    json_array_clear(s->sent);
}

struct peer *world_peer(const struct edge_session *s)
{
    return s->user;
}

struct edge_session *world_member(struct world *w, const char *room, const char *peer)
{
    struct edge_session *s = world_connect(w, room, peer, peer);
    world_capable(w, s);
    assert_non_null(world_ask(w, s, "join", json_pack("{ss}", "displayName", peer), NULL));
    for (int producing = 1; producing >= 0; producing--)
        assert_non_null(world_ask(w, s, "createWebRtcTransport",
                                  json_pack("{sb, sb, sb, sb}", "forceTcp", 0, "producing",
                                            producing, "consuming", !producing, "enableSctp", 1),
                                  NULL));
    return s;
}

json_t *world_produce_data(const struct edge_session *s, const char *source)
{
    static unsigned n;
    bool video = strstr(source, "audio") == NULL && strcmp(source, "mic") != 0;
    char msid[32];
    snprintf(msid, sizeof(msid), "stream track%u", ++n);
    json_t *codec =
        video ? json_pack("{ss, si, si, s{}, s[{ss}, {ssss}]}", "mimeType", "video/VP8",
                          "payloadType", 96, "clockRate", 90000, "parameters", "rtcpFeedback",
                          "type", "nack", "type", "nack", "parameter", "pli")
              : json_pack("{ss, si, si, si, s{}, s[]}", "mimeType", "audio/opus", "payloadType",
                          111, "clockRate", 48000, "channels", 2, "parameters", "rtcpFeedback");
    json_t *encodings = video ? json_pack("[{ss, ss}, {ss, ss}]", "rid", "r0", "scalabilityMode",
                                          "L1T3", "rid", "r1", "scalabilityMode", "L1T3")
                              : json_pack("[{si}]", "ssrc", 1000 + (int)n);
    char mid[12];
    snprintf(mid, sizeof(mid), "%u", n);
    json_t *params =
        json_pack("{ss, s[o], s[{sssi}, {sssi}], so, s{ss, sb}, ss}", "mid", mid, "codecs", codec,
                  "headerExtensions", "uri", "urn:ietf:params:rtp-hdrext:sdes:mid", "id", 4, "uri",
                  "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", "id", 10, "encodings", encodings,
                  "rtcp", "cname", "c", "reducedSize", 1, "msid", msid);
    const struct peer *p = world_peer(s);
    return json_pack("{ss, ss, so, s{ss}}", "transportId", p && p->send ? p->send->obj.id : "none",
                     "kind", video ? "video" : "audio", "rtpParameters", params, "appData",
                     "source", source);
}
