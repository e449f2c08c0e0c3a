#include "worker/on_request.h"

#include "lib/addr.h"
#include "lib/mem.h"
#include "proto/counters.h"
#include "proto/worker.pb-c.h"
#include "worker/on_log.h"
#include "worker/on_methods.h"
#include "worker/route/audio.h"
#include "worker/route/tell.h"
#include "worker/secure/dtls.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROTOCOL_VERSION 1
/* Bytes of a reply or an event: fixed fields, our fingerprints, one sentence. */
#define FRAME_OUT_MAX 4096
#define LIST_PAGE                                                                                  \
    128 /* handles; each may come with a few events, for which the channel needs room */

struct channel {
    struct channel_config conf;
    struct engine *engine;
    uint64_t epoch;   /* of the server that said Hello last; 0: none did */
    uint64_t lost;    /* events dropped and not yet told */
    uint64_t ignored; /* frames that were not taken */
};

static on_method_f *const methods[] = {
    [ALTHING__REQUEST__METHOD_CREATE_ROUTER] = on_create_router,
    [ALTHING__REQUEST__METHOD_CLOSE_ROUTER] = on_close_router,
    [ALTHING__REQUEST__METHOD_OBSERVE_AUDIO] = on_observe_audio,
    [ALTHING__REQUEST__METHOD_CREATE_TRANSPORT] = on_create_transport,
    [ALTHING__REQUEST__METHOD_CONNECT_TRANSPORT] = on_connect_transport,
    [ALTHING__REQUEST__METHOD_RESTART_ICE] = on_restart_ice,
    [ALTHING__REQUEST__METHOD_CLOSE_TRANSPORT] = on_close_transport,
    [ALTHING__REQUEST__METHOD_CREATE_PRODUCER] = on_create_producer,
    [ALTHING__REQUEST__METHOD_PAUSE_PRODUCER] = on_pause_producer,
    [ALTHING__REQUEST__METHOD_CLOSE_PRODUCER] = on_close_producer,
    [ALTHING__REQUEST__METHOD_CREATE_CONSUMER] = on_create_consumer,
    [ALTHING__REQUEST__METHOD_PAUSE_CONSUMER] = on_pause_consumer,
    [ALTHING__REQUEST__METHOD_SET_PREFERRED_LAYERS] = on_set_preferred_layers,
    [ALTHING__REQUEST__METHOD_REQUEST_KEY_FRAME] = on_request_key_frame,
    [ALTHING__REQUEST__METHOD_CLOSE_CONSUMER] = on_close_consumer,
    [ALTHING__REQUEST__METHOD_SET_MAX_INCOMING_BITRATE] = on_set_max_incoming_bitrate,
    [ALTHING__REQUEST__METHOD_CREATE_PLAIN_TRANSPORT] = on_create_plain_transport,
    [ALTHING__REQUEST__METHOD_CONNECT_PLAIN_TRANSPORT] = on_connect_plain_transport,
    [ALTHING__REQUEST__METHOD_CREATE_PIPE_TRANSPORT] = on_create_pipe_transport,
    [ALTHING__REQUEST__METHOD_CONNECT_PIPE_TRANSPORT] = on_connect_pipe_transport,
    [ALTHING__REQUEST__METHOD_SET_OUTGOING_BITRATES] = on_set_outgoing_bitrates,
    [ALTHING__REQUEST__METHOD_SET_PRIORITY] = on_set_priority,
    [ALTHING__REQUEST__METHOD_START_TRACE] = on_start_trace,
    [ALTHING__REQUEST__METHOD_STOP_TRACE] = on_stop_trace,
    [ALTHING__REQUEST__METHOD_SET_LOG] = on_set_log,
    [ALTHING__REQUEST__METHOD_CREATE_DATA_PRODUCER] = on_create_data_producer,
    [ALTHING__REQUEST__METHOD_PAUSE_DATA_PRODUCER] = on_pause_data_producer,
    [ALTHING__REQUEST__METHOD_CLOSE_DATA_PRODUCER] = on_close_data_producer,
    [ALTHING__REQUEST__METHOD_CREATE_DATA_CONSUMER] = on_create_data_consumer,
    [ALTHING__REQUEST__METHOD_PAUSE_DATA_CONSUMER] = on_pause_data_consumer,
    [ALTHING__REQUEST__METHOD_CLOSE_DATA_CONSUMER] = on_close_data_consumer,
};

static const struct error_word {
    int err;
    Althing__ErrorCode code;
    const char *text;
} error_words[] = {
    {-EINVAL, ALTHING__ERROR_CODE__ERROR_MALFORMED,
     "a field is missing, out of range or contradicts another"},
    {-ENOENT, ALTHING__ERROR_CODE__ERROR_NOT_FOUND, "no object has that handle"},
    {-EEXIST, ALTHING__ERROR_CODE__ERROR_EXISTS, "a handle, SSRC, MID or RID is taken"},
    {-ENOSPC, ALTHING__ERROR_CODE__ERROR_LIMIT, "a table of the worker is full"},
    {-ENOTSUP, ALTHING__ERROR_CODE__ERROR_UNSUPPORTED, "this worker does not know that"},
    {-EPROTO, ALTHING__ERROR_CODE__ERROR_MALFORMED, "hello comes first"},
};

void channel_new(struct channel **cp, const struct channel_config *conf)
{
    struct channel *c = mem_zalloc(sizeof(*c));
    c->conf = *conf;
    *cp = c;
}

void channel_start(struct channel *c, struct engine *e)
{
    c->engine = e;
}

void channel_free(struct channel *c)
{
    free(c);
}

bool channel_ready(const struct channel *c)
{
    return !chan_pending(c->conf.chan);
}

uint64_t channel_ignored(const struct channel *c)
{
    return c->ignored;
}

static int send_frame(struct channel *c, Althing__Frame *f)
{
    uint8_t buf[FRAME_OUT_MAX];
    f->epoch = c->epoch;
    if (althing__frame__get_packed_size(f) > sizeof(buf))
        return -EMSGSIZE;
    return chan_send(c->conf.chan, buf, althing__frame__pack(f, buf));
}

static int send_event(struct channel *c, Althing__Event *ev)
{
    Althing__Frame f = ALTHING__FRAME__INIT;
    f.body_case = ALTHING__FRAME__BODY_EVENT;
    f.event = ev;
    return send_frame(c, &f);
}

/* Says what was lost, before anything newer is said. */
static int send_resync(struct channel *c)
{
    if (!c->lost || chan_pending(c->conf.chan))
        return 0;
    Althing__Resync m = ALTHING__RESYNC__INIT;
    m.lost = c->lost;
    Althing__Event ev = ALTHING__EVENT__INIT;
    ev.kind_case = ALTHING__EVENT__KIND_RESYNC;
    ev.resync = &m;
    int err = send_event(c, &ev);
    if (!err)
        c->lost = 0;
    return err == -EPIPE ? err : 0;
}

/* While something is lost nothing is sent: the server would take it for the whole. */
static void post(struct channel *c, Althing__Event *ev)
{
    send_resync(c);
    if (c->lost || send_event(c, ev) != 0) {
        c->lost++;
        counter_add(&counters_worker(c->conf.counters)->events_lost, 1);
    }
}

static void post_ice(struct channel *c, const struct engine_event *in, Althing__Event *ev)
{
    Althing__IceStateChanged m = ALTHING__ICE_STATE_CHANGED__INIT;
    m.transport = in->object;
    m.state = (Althing__IceState)in->ice;
    ev->kind_case = ALTHING__EVENT__KIND_ICE_STATE;
    ev->ice_state = &m;
    post(c, ev);
}

static void post_tuple(struct channel *c, const struct engine_event *in, Althing__Event *ev)
{
    char local[ADDR_STR_MAX], remote[ADDR_STR_MAX], protocol[4];
    addr_format_ip(&in->local, local);
    addr_format_ip(&in->remote, remote);
    strcpy(protocol, in->tcp ? "tcp" : "udp");
    Althing__SelectedTuple m = ALTHING__SELECTED_TUPLE__INIT;
    m.transport = in->object;
    m.protocol = protocol;
    m.local_ip = local;
    m.local_port = in->local.port;
    m.remote_ip = remote;
    m.remote_port = in->remote.port;
    ev->kind_case = ALTHING__EVENT__KIND_TUPLE;
    ev->tuple = &m;
    post(c, ev);
}

static void post_dtls(struct channel *c, const struct engine_event *in, Althing__Event *ev)
{
    char reason[64] = "";
    if (in->reason)
        strncpy(reason, in->reason, sizeof(reason) - 1);
    Althing__DtlsStateChanged m = ALTHING__DTLS_STATE_CHANGED__INIT;
    m.transport = in->object;
    m.state = (Althing__DtlsState)in->dtls;
    m.reason = reason;
    ev->kind_case = ALTHING__EVENT__KIND_DTLS_STATE;
    ev->dtls_state = &m;
    post(c, ev);
}

static void post_layers(struct channel *c, const struct engine_event *in, Althing__Event *ev)
{
    Althing__Layers current = ALTHING__LAYERS__INIT;
    current.spatial = in->spatial;
    current.temporal = in->temporal;
    Althing__LayersChanged m = ALTHING__LAYERS_CHANGED__INIT;
    m.consumer = in->object;
    m.none = in->none;
    m.current = in->none ? NULL : &current;
    ev->kind_case = ALTHING__EVENT__KIND_LAYERS;
    ev->layers = &m;
    post(c, ev);
}

static void post_score(struct channel *c, const struct engine_event *in, Althing__Event *ev)
{
    Althing__StreamScore scores[LIMIT_ENCODINGS], *list[LIMIT_ENCODINGS];
    char rids[LIMIT_ENCODINGS][LIMIT_RID + 1];
    Althing__ScoreChanged m = ALTHING__SCORE_CHANGED__INIT;
    m.object = in->object;
    m.score = in->score;
    m.producer_score = in->producer_score;
    m.streams = list;
    for (; m.n_streams < in->n_streams && m.n_streams < LIMIT_ENCODINGS; m.n_streams++) {
        size_t i = m.n_streams;
        althing__stream_score__init(&scores[i]);
        snprintf(rids[i], sizeof(rids[i]), "%s", in->streams[i].rid);
        scores[i].encoding = (uint32_t)i;
        scores[i].ssrc = in->streams[i].ssrc;
        scores[i].rid = rids[i];
        scores[i].score = in->streams[i].score;
        list[i] = &scores[i];
    }
    ev->kind_case = ALTHING__EVENT__KIND_SCORE;
    ev->score = &m;
    post(c, ev);
}

static void post_sctp(struct channel *c, const struct engine_event *in, Althing__Event *ev)
{
    Althing__SctpStateChanged m = ALTHING__SCTP_STATE_CHANGED__INIT;
    m.transport = in->object;
    m.state = (Althing__SctpState)in->sctp;
    ev->kind_case = ALTHING__EVENT__KIND_SCTP_STATE;
    ev->sctp_state = &m;
    post(c, ev);
}

static void post_full(struct channel *c, const struct engine_event *in, Althing__Event *ev)
{
    Althing__SctpSendBufferFull m = ALTHING__SCTP_SEND_BUFFER_FULL__INIT;
    m.data_consumer = in->object;
    m.dropped = in->dropped;
    ev->kind_case = ALTHING__EVENT__KIND_SCTP_SEND_BUFFER_FULL;
    ev->sctp_send_buffer_full = &m;
    post(c, ev);
}

static void post_volumes(struct channel *c, const struct engine_event *in, Althing__Event *ev)
{
    Althing__Volume volumes[AUDIO_VOLUMES_MAX], *list[AUDIO_VOLUMES_MAX];
    Althing__AudioVolumes m = ALTHING__AUDIO_VOLUMES__INIT;
    m.router = in->object;
    m.volumes = list;
    for (; m.n_volumes < in->n_volumes && m.n_volumes < AUDIO_VOLUMES_MAX; m.n_volumes++) {
        Althing__Volume *v = &volumes[m.n_volumes];
        althing__volume__init(v);
        v->producer = in->volumes[m.n_volumes].producer;
        v->volume = in->volumes[m.n_volumes].dbov;
        list[m.n_volumes] = v;
    }
    ev->kind_case = ALTHING__EVENT__KIND_AUDIO_VOLUMES;
    ev->audio_volumes = &m;
    post(c, ev);
}

static void post_speaker(struct channel *c, const struct engine_event *in, Althing__Event *ev)
{
    Althing__DominantSpeaker m = ALTHING__DOMINANT_SPEAKER__INIT;
    m.router = in->object;
    m.producer = in->speaker;
    ev->kind_case = ALTHING__EVENT__KIND_DOMINANT_SPEAKER;
    ev->dominant_speaker = &m;
    post(c, ev);
}

static void post_short(struct channel *c, const struct engine_event *in, Althing__Event *ev)
{
    Althing__BandwidthShort m = ALTHING__BANDWIDTH_SHORT__INIT;
    m.consumer = in->object;
    m.is_short = in->is_short;
    ev->kind_case = ALTHING__EVENT__KIND_BANDWIDTH_SHORT;
    ev->bandwidth_short = &m;
    post(c, ev);
}

void channel_event(const struct engine_event *in, void *arg)
{
    struct channel *c = arg;
    Althing__Event ev = ALTHING__EVENT__INIT;
    on_log_event(in);
    switch (in->kind) {
    case ENGINE_ICE_STATE:
        post_ice(c, in, &ev);
        return;
    case ENGINE_TUPLE:
        post_tuple(c, in, &ev);
        return;
    case ENGINE_DTLS_STATE:
        post_dtls(c, in, &ev);
        return;
    case ENGINE_LAYERS:
        post_layers(c, in, &ev);
        return;
    case ENGINE_SCORE:
        post_score(c, in, &ev);
        return;
    case ENGINE_SCTP_STATE:
        post_sctp(c, in, &ev);
        return;
    case ENGINE_SCTP_SEND_BUFFER_FULL:
        post_full(c, in, &ev);
        return;
    case ENGINE_VOLUMES:
        post_volumes(c, in, &ev);
        return;
    case ENGINE_SPEAKER:
        post_speaker(c, in, &ev);
        return;
    case ENGINE_BANDWIDTH_SHORT:
        post_short(c, in, &ev);
        return;
    }
}

static int send_reply(struct channel *c, Althing__Reply *reply)
{
    Althing__Frame f = ALTHING__FRAME__INIT;
    f.body_case = ALTHING__FRAME__BODY_REPLY;
    f.reply = reply;
    int err = send_frame(c, &f);
    return err == -EPIPE ? err : 0;
}

static int reply_done(struct channel *c, uint64_t id, int err)
{
    Althing__Reply reply = ALTHING__REPLY__INIT;
    Althing__Error error = ALTHING__ERROR__INIT;
    char text[96] = "an error of the worker";
    reply.id = id;
    if (err) {
        for (size_t i = 0; i < sizeof(error_words) / sizeof(error_words[0]); i++) {
            if (error_words[i].err == err) {
                error.code = error_words[i].code;
                strncpy(text, error_words[i].text, sizeof(text) - 1);
            }
        }
        error.text = text;
        reply.error = &error;
    }
    return send_reply(c, &reply);
}

/* Where the worker's sockets are. Each is as long as the other, which protobuf-c wants as pointers. */
struct sockets {
    char ip[ENGINE_SOCKETS_MAX][ADDR_STR_MAX];
    Althing__SocketAddress address[ENGINE_SOCKETS_MAX], *list[ENGINE_SOCKETS_MAX];
};

static size_t local_sockets(const struct engine *e, struct sockets *s)
{
    struct addr local;
    size_t n = 0;
    while (n < ENGINE_SOCKETS_MAX && engine_local(e, (uint32_t)n, &local)) {
        addr_format_ip(&local, s->ip[n]);
        althing__socket_address__init(&s->address[n]);
        s->address[n].ip = s->ip[n];
        s->address[n].port = local.port;
        s->list[n] = &s->address[n];
        n++;
    }
    return n;
}

static int reply_hello(struct channel *c, uint64_t id)
{
    struct dtls_fingerprint prints[DTLS_FINGERPRINTS_MAX];
    Althing__Fingerprint out[DTLS_FINGERPRINTS_MAX];
    Althing__Fingerprint *list[DTLS_FINGERPRINTS_MAX];
    char release[64] = "";
    strncpy(release, c->conf.release, sizeof(release) - 1);
    Althing__HelloReply hello = ALTHING__HELLO_REPLY__INIT;
    hello.version = PROTOCOL_VERSION;
    hello.release = release;
    hello.fingerprints = list;
    hello.n_fingerprints = dtls_cert_fingerprints(c->conf.cert, prints, DTLS_FINGERPRINTS_MAX);
    for (size_t i = 0; i < hello.n_fingerprints; i++) {
        althing__fingerprint__init(&out[i]);
        out[i].algorithm = prints[i].algorithm;
        out[i].value = prints[i].value;
        list[i] = &out[i];
    }
    struct sockets sockets;
    hello.n_udp = local_sockets(c->engine, &sockets);
    hello.udp = sockets.list;
    Althing__Reply reply = ALTHING__REPLY__INIT;
    reply.id = id;
    reply.result_case = ALTHING__REPLY__RESULT_HELLO;
    reply.hello = &hello;
    return send_reply(c, &reply);
}

static int take_hello(struct channel *c, const Althing__Frame *f, int64_t now_us)
{
    const Althing__Hello *m = f->request->hello;
    if (m->version != PROTOCOL_VERSION)
        return reply_done(c, f->request->id, -ENOTSUP);
    if (m->epoch == 0 || m->epoch != f->epoch)
        return reply_done(c, f->request->id, -EINVAL);
    if (m->epoch > c->epoch) {
        c->epoch = m->epoch; /* first, so that the events of closing carry no old one */
        c->lost = 0;
        engine_trace_stop_all(c->engine); /* nobody follows them any more */
        if (!m->keep)
            engine_close_all(c->engine, now_us);
    }
    return reply_hello(c, f->request->id);
}

static int take_list(struct channel *c, const Althing__Request *r)
{
    uint64_t handles[LIST_PAGE];
    Althing__ObjectList list = ALTHING__OBJECT_LIST__INIT;
    bool more;
    int n = tell(c->engine, (enum tell_kind)r->list_objects->kind, r->list_objects->after, handles,
                 LIST_PAGE, &more);
    if (n < 0)
        return reply_done(c, r->id, n);
    list.handles = handles;
    list.n_handles = (size_t)n;
    list.more = more;
    Althing__Reply reply = ALTHING__REPLY__INIT;
    reply.id = r->id;
    reply.result_case = ALTHING__REPLY__RESULT_OBJECT_LIST;
    reply.object_list = &list;
    return send_reply(c, &reply);
}

static int take_request(struct channel *c, const Althing__Frame *f, int64_t now_us)
{
    const Althing__Request *r = f->request;
    if (r->method_case == ALTHING__REQUEST__METHOD_HELLO)
        return take_hello(c, f, now_us);
    if (f->epoch != c->epoch || c->epoch == 0)
        return reply_done(c, r->id, -EPROTO);
    if (r->method_case == ALTHING__REQUEST__METHOD_LIST_OBJECTS)
        return take_list(c, r);
    size_t method = (size_t)r->method_case;
    if (method >= sizeof(methods) / sizeof(methods[0]) || !methods[method])
        return reply_done(c, r->id, -ENOTSUP);
    int err = methods[method](c->engine, r, now_us);
    if (err)
        on_log_refused((unsigned)method, strerror(-err));
    return reply_done(c, r->id, err);
}

int channel_frame(struct channel *c, const uint8_t *frame, size_t len, int64_t now_us)
{
    Althing__Frame *f = althing__frame__unpack(NULL, len, frame);
    int err = 0;
    if (f && f->body_case == ALTHING__FRAME__BODY_REQUEST && f->request && f->epoch >= c->epoch)
        err = take_request(c, f, now_us);
    else
        c->ignored++;
    if (f)
        althing__frame__free_unpacked(f, NULL);
    return err;
}

int channel_flush(struct channel *c)
{
    int err = chan_flush(c->conf.chan);
    return err ? err : send_resync(c);
}
