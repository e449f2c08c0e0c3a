#include "server/media/pipes.h"

#include "lib/mem.h"
#include "lib/rand.h"
#include "server/media/media_int.h"
#include "server/ortc/to_worker.h"

#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#define KEY_LEN    28 /* AEAD_AES_128_GCM: 16 and 12 of salt */
#define KEY_NUMBER 7
#define SOCKET     0
/* Producers in a pipe: at once, which its worker bounds, and in all, since each uses up SSRCs of its transport. */
#define PIPE_PRODUCERS_MAX 32
#define PIPE_MADE_MAX      1000

/* From one router to another; ends[0] is where the producers are. */
struct pipe {
    struct pipes *pipes;
    struct media_router *ends[2];
    uint64_t transports[2];
    struct piped *producers;
    unsigned n_producers, n_made;
    struct pipe *prev, *next;
};

struct piped {
    struct pipe *pipe; /* NULL: gone, only to be put */
    uint64_t source, producer;
    uint64_t consumers[ORTC_ENCODINGS_MAX]; /* on ends[0], one an encoding */
    size_t n_consumers;
    json_t *mapping;
    unsigned uses;
    struct piped *prev, *next; /* in the pipe */
};

struct pipes {
    struct media *media;
    struct pipe *pipes;
};

void pipes_new(struct pipes **pp, struct media *m)
{
    *pp = mem_zalloc(sizeof(**pp));
    (*pp)->media = m;
}

/* ---- a pipe ---- */

static void create_end(struct pipe *p, int end, Althing__SrtpKey *key, uint32_t ssrc)
{
    Althing__CreatePipeTransport m = ALTHING__CREATE_PIPE_TRANSPORT__INIT;
    m.router = media_router_handle(p->ends[end]);
    m.transport = p->transports[end];
    m.socket = SOCKET;
    m.send_key = key;
    m.ssrc = ssrc;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_CREATE_PIPE_TRANSPORT;
    rq.create_pipe_transport = &m;
    media_request(p->ends[end], &rq, m.transport, NULL, NULL);
}

static void connect_end(struct pipe *p, int end, Althing__SrtpKey *key, uint32_t ssrc)
{
    char ip[ADDR_STR_MAX];
    const struct addr *to = &p->ends[!end]->worker->udp;
    addr_format_ip(to, ip);
    Althing__ConnectPipeTransport m = ALTHING__CONNECT_PIPE_TRANSPORT__INIT;
    m.transport = p->transports[end];
    m.remote_ip = ip;
    m.remote_port = to->port;
    m.receive_key = key;
    m.remote_ssrc = ssrc;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_CONNECT_PIPE_TRANSPORT;
    rq.connect_pipe_transport = &m;
    media_request(p->ends[end], &rq, m.transport, NULL, NULL);
}

static struct pipe *pipe_open(struct pipes *ps, struct media_router *from, struct media_router *to)
{
    uint8_t bytes[2][KEY_LEN];
    Althing__SrtpKey keys[2] = {ALTHING__SRTP_KEY__INIT, ALTHING__SRTP_KEY__INIT};
    uint32_t ssrc = media_ssrcs(ps->media, 2);
    struct pipe *p = mem_zalloc(sizeof(*p));
    p->pipes = ps;
    p->ends[0] = from;
    p->ends[1] = to;
    rand_bytes(bytes, sizeof(bytes));
    for (int i = 0; i < 2; i++) {
        keys[i].profile = KEY_NUMBER;
        keys[i].key = (ProtobufCBinaryData){KEY_LEN, bytes[i]};
        p->transports[i] = media_handle(ps->media);
        create_end(p, i, &keys[i], ssrc + (uint32_t)i);
    }
    for (int i = 0; i < 2; i++)
        connect_end(p, i, &keys[!i], ssrc + !i);
    explicit_bzero(bytes, sizeof(bytes));
    DL_APPEND(ps->pipes, p);
    return p;
}

static void close_end(struct pipe *p, int end)
{
    Althing__CloseTransport m = ALTHING__CLOSE_TRANSPORT__INIT;
    m.transport = p->transports[end];
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_CLOSE_TRANSPORT;
    rq.close_transport = &m;
    media_request(p->ends[end], &rq, m.transport, NULL, NULL);
}

static void orphan(struct piped *u)
{
    DL_DELETE(u->pipe->producers, u);
    u->pipe->n_producers--;
    u->pipe = NULL;
}

static void pipe_free(struct pipe *p)
{
    while (p->producers)
        orphan(p->producers);
    DL_DELETE(p->pipes->pipes, p);
    free(p);
}

void pipes_close(struct pipes *ps)
{
    struct pipe *p;
    DL_FOREACH (ps->pipes, p) {
        close_end(p, 0);
        close_end(p, 1);
    }
}

void pipes_free(struct pipes *ps)
{
    if (!ps)
        return;
    while (ps->pipes)
        pipe_free(ps->pipes);
    free(ps);
}

void pipes_router_gone(struct pipes *ps, const struct media_router *r)
{
    struct pipe *p, *next;
    DL_FOREACH_SAFE (ps->pipes, p, next) {
        if (p->ends[0] != r && p->ends[1] != r)
            continue;
        close_end(p, p->ends[0] == r);
        pipe_free(p);
    }
}

/* ---- a producer in it ---- */

/* Its payload types are the router's own already. */
static json_t *same_mapping(const json_t *params)
{
    json_t *list = json_array();
    size_t i;
    const json_t *codec;
    json_array_foreach(json_object_get(params, "codecs"), i, codec)
    {
        const json_t *pt = json_object_get(codec, "payloadType");
        json_array_append_new(list, json_pack("{sO, sO}", "payloadType", (json_t *)(uintptr_t)pt,
                                              "mappedPayloadType", (json_t *)(uintptr_t)pt));
    }
    return json_pack("{so}", "codecs", list);
}

static void create_producer(struct piped *u, struct ortc_create_producer *create, bool paused)
{
    create->msg.transport = u->pipe->transports[1];
    create->msg.producer = u->producer;
    create->msg.paused = paused;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_CREATE_PRODUCER;
    rq.create_producer = &create->msg;
    media_request(u->pipe->ends[1], &rq, u->producer, NULL, NULL);
}

static void create_consumers(struct piped *u, struct ortc_create_consumer *create,
                             const struct ortc_create_producer *producer)
{
    for (size_t i = 0; i < u->n_consumers; i++) {
        create->msg.transport = u->pipe->transports[0];
        create->msg.producer = u->source;
        create->msg.consumer = u->consumers[i];
        create->msg.ssrc = producer->encoding[i].ssrc;
        create->msg.rtx_ssrc = producer->encoding[i].rtx_ssrc;
        create->msg.only_encoding = (uint32_t)i + 1;
        Althing__Request rq = ALTHING__REQUEST__INIT;
        rq.method_case = ALTHING__REQUEST__METHOD_CREATE_CONSUMER;
        rq.create_consumer = &create->msg;
        media_request(u->pipe->ends[0], &rq, u->consumers[i], NULL, NULL);
    }
}

static struct piped *piped_new(struct pipe *p, const struct pipes_source *from)
{
    struct media *m = p->pipes->media;
    struct ortc_error error;
    uint32_t ssrc = media_ssrcs(m, 2 * ORTC_ENCODINGS_MAX);
    struct ortc_consumer_options options = {ssrc, ssrc + ORTC_ENCODINGS_MAX, true, true};
    json_t *params = ortc_pipe_parameters(from->consumable, &options);
    struct ortc_create_producer *producer = ortc_create_producer(from->kind, params, &error);
    struct ortc_create_consumer *consumer = ortc_create_consumer(params, from->mapping, &error);
    struct piped *u = NULL;
    if (producer && consumer) {
        u = mem_zalloc(sizeof(*u));
        u->pipe = p;
        u->source = from->producer;
        u->producer = media_handle(m);
        u->mapping = same_mapping(params);
        u->n_consumers = producer->msg.n_encodings;
        for (size_t i = 0; i < u->n_consumers; i++)
            u->consumers[i] = media_handle(m);
        DL_APPEND(p->producers, u);
        p->n_producers++;
        p->n_made++;
        create_producer(u, producer, from->paused);
        create_consumers(u, consumer, producer);
    }
    ortc_create_producer_free(producer);
    ortc_create_consumer_free(consumer);
    json_decref(params);
    return u;
}

static void close_producer(struct piped *u)
{
    Althing__CloseProducer m = ALTHING__CLOSE_PRODUCER__INIT;
    m.producer = u->producer;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_CLOSE_PRODUCER;
    rq.close_producer = &m;
    media_request(u->pipe->ends[1], &rq, u->producer, NULL, NULL);
}

static void close_consumers(struct piped *u)
{
    for (size_t i = 0; i < u->n_consumers; i++) {
        Althing__CloseConsumer m = ALTHING__CLOSE_CONSUMER__INIT;
        m.consumer = u->consumers[i];
        Althing__Request rq = ALTHING__REQUEST__INIT;
        rq.method_case = ALTHING__REQUEST__METHOD_CLOSE_CONSUMER;
        rq.close_consumer = &m;
        media_request(u->pipe->ends[0], &rq, u->consumers[i], NULL, NULL);
    }
}

static void end_if_unused(struct pipe *p)
{
    if (p->producers)
        return;
    close_end(p, 0);
    close_end(p, 1);
    pipe_free(p);
}

static void take_out(struct piped *u)
{
    struct pipe *p = u->pipe;
    close_producer(u);
    close_consumers(u);
    orphan(u);
    end_if_unused(p);
}

/* The producer in a pipe between these two, or NULL and in *room (NULL: none) a pipe with room for it. */
static struct piped *find(const struct pipes *ps, const struct pipes_source *from,
                          const struct media_router *to, struct pipe **room)
{
    struct pipe *p;
    *room = NULL;
    DL_FOREACH (ps->pipes, p) {
        struct piped *u;
        if (p->ends[0] != from->router || p->ends[1] != to)
            continue;
        DL_SEARCH_SCALAR(p->producers, u, source, from->producer);
        if (u)
            return u;
        if (p->n_producers < PIPE_PRODUCERS_MAX && p->n_made < PIPE_MADE_MAX)
            *room = p;
    }
    return NULL;
}

struct piped *pipes_use(struct pipes *ps, const struct pipes_source *from, struct media_router *to)
{
    struct pipe *p;
    struct piped *u = find(ps, from, to, &p);
    if (!u) {
        if (!from->router->worker->udp.port || !to->worker->udp.port)
            return NULL;
        if (!p)
            p = pipe_open(ps, from->router, to);
        u = piped_new(p, from);
        if (!u)
            end_if_unused(p);
    }
    if (u)
        u->uses++;
    return u;
}

void piped_put(struct piped *u)
{
    if (!u || --u->uses)
        return;
    if (u->pipe)
        take_out(u);
    json_decref(u->mapping);
    free(u);
}

uint64_t piped_handle(const struct piped *u)
{
    return u->producer;
}

const json_t *piped_mapping(const struct piped *u)
{
    return u->mapping;
}

void pipes_pause(struct pipes *ps, uint64_t producer, bool paused)
{
    struct pipe *p;
    DL_FOREACH (ps->pipes, p) {
        struct piped *u;
        DL_SEARCH_SCALAR(p->producers, u, source, producer);
        if (!u)
            continue;
        Althing__PauseProducer m = ALTHING__PAUSE_PRODUCER__INIT;
        m.producer = u->producer;
        m.paused = paused;
        Althing__Request rq = ALTHING__REQUEST__INIT;
        rq.method_case = ALTHING__REQUEST__METHOD_PAUSE_PRODUCER;
        rq.pause_producer = &m;
        media_request(p->ends[1], &rq, u->producer, NULL, NULL);
    }
}

size_t pipes_count(const struct pipes *ps)
{
    size_t n = 0;
    const struct pipe *p;
    DL_FOREACH (ps->pipes, p) {
        const struct piped *u;
        DL_FOREACH (p->producers, u)
            n++;
    }
    return n;
}
