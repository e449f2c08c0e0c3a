#include "server/media/channel.h"

#include "lib/addr.h"
#include "lib/chan.h"
#include "lib/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES_A_TURN    512
#define FINGERPRINTS_MAX 8
#define SCORE_MAX        10
#define STREAMS_MAX      4  /* of a producer */
#define VOLUMES_MAX      16 /* of an interval */

struct pending {
    uint64_t id, handle;
    channel_reply_f *fn;
    channel_list_f *list; /* of a ListObjects, instead of fn */
    void *arg;
    int64_t sent_us;
};

struct channel {
    struct chan *chan;
    uint64_t epoch;
    uint64_t next_id;
    bool greeted; /* Hello was answered */
    struct channel_handlers handlers;
    void *arg;
    struct pending *ring; /* CHANNEL_PENDING_MAX places */
    size_t first, count;
    const char *why;
    uint8_t buf[CHAN_FRAME_MAX];
};

static bool text_fits(const char *s, size_t max, const char *extra)
{
    if (!s || strnlen(s, max + 1) > max)
        return false;
    for (; *s; s++) {
        bool plain =
            (*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z');
        if (!plain && !strchr(extra, *s))
            return false;
    }
    return true;
}

static int breach(struct channel *c, const char *why)
{
    c->why = why;
    return -EPROTO;
}

int channel_new(struct channel **cp, int fd, uint64_t epoch, bool keep,
                const struct channel_handlers *handlers, void *arg, int64_t now_us)
{
    struct channel *c = mem_zalloc(sizeof(*c));
    int err = chan_new(&c->chan, fd, CHANNEL_QUEUE_MAX);
    if (err) {
        free(c);
        return err;
    }
    c->epoch = epoch;
    c->next_id = 1;
    c->handlers = *handlers;
    c->arg = arg;
    c->why = "";
    c->ring = mem_calloc(CHANNEL_PENDING_MAX, sizeof(*c->ring));
    Althing__Hello hello = ALTHING__HELLO__INIT;
    hello.version = CHANNEL_VERSION;
    hello.epoch = epoch;
    hello.keep = keep;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_HELLO;
    rq.hello = &hello;
    err = channel_request(c, &rq, 0, NULL, NULL, now_us);
    if (err) {
        channel_free(c);
        return err;
    }
    *cp = c;
    return 0;
}

void channel_free(struct channel *c)
{
    if (!c)
        return;
    chan_free(c->chan);
    free(c->ring);
    free(c);
}

static struct pending take_first(struct channel *c)
{
    struct pending p = c->ring[c->first];
    c->first = (c->first + 1) % CHANNEL_PENDING_MAX;
    c->count--;
    return p;
}

static void finish(const struct pending *p, const char *err)
{
    if (p->list)
        p->list(NULL, p->arg);
    else if (p->fn)
        p->fn(p->handle, err, p->arg);
}

void channel_fail(struct channel *c, const char *err)
{
    while (c->count) {
        struct pending p = take_first(c);
        finish(&p, err);
    }
}

int channel_fd(const struct channel *c)
{
    return chan_fd(c->chan);
}

bool channel_busy(const struct channel *c)
{
    return c->count >= CHANNEL_PENDING_MAX / 2 || chan_queued(c->chan) >= CHANNEL_QUEUE_MAX / 2;
}

size_t channel_queued(const struct channel *c, uint64_t *requests)
{
    *requests = c->count;
    return chan_queued(c->chan);
}

bool channel_wants_write(const struct channel *c)
{
    return chan_pending(c->chan);
}

const char *channel_why(const struct channel *c)
{
    return c->why;
}

int64_t channel_deadline_us(const struct channel *c)
{
    return c->count ? c->ring[c->first].sent_us + CHANNEL_TIMEOUT_US : INT64_MAX;
}

static int request(struct channel *c, Althing__Request *rq, const struct pending *p)
{
    if (c->count == CHANNEL_PENDING_MAX) {
        c->why = "the worker does not answer";
        return -ENOBUFS;
    }
    Althing__Frame frame = ALTHING__FRAME__INIT;
    frame.epoch = c->epoch;
    frame.body_case = ALTHING__FRAME__BODY_REQUEST;
    frame.request = rq;
    rq->id = c->next_id;
    size_t len = althing__frame__get_packed_size(&frame);
    if (len > CHAN_FRAME_MAX)
        return -EMSGSIZE;
    uint8_t *buf = mem_zalloc(len);
    althing__frame__pack(&frame, buf);
    int err = chan_send(c->chan, buf, len);
    free(buf);
    if (err) {
        c->why = err == -ENOBUFS ? "the worker does not read" : "the channel is closed";
        return err;
    }
    size_t at = (c->first + c->count++) % CHANNEL_PENDING_MAX;
    c->ring[at] = *p;
    c->ring[at].id = c->next_id++;
    return 0;
}

int channel_request(struct channel *c, Althing__Request *rq, uint64_t handle, channel_reply_f *fn,
                    void *arg, int64_t now_us)
{
    const struct pending p = {.handle = handle, .fn = fn, .arg = arg, .sent_us = now_us};
    return request(c, rq, &p);
}

int channel_list(struct channel *c, Althing__ObjectKind kind, uint64_t after, channel_list_f *fn,
                 void *arg, int64_t now_us)
{
    const struct pending p = {.list = fn, .arg = arg, .sent_us = now_us};
    Althing__ListObjects msg = ALTHING__LIST_OBJECTS__INIT;
    msg.kind = kind;
    msg.after = after;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_LIST_OBJECTS;
    rq.list_objects = &msg;
    return request(c, &rq, &p);
}

static int on_hello(struct channel *c, const Althing__HelloReply *h)
{
    if (h->version != CHANNEL_VERSION)
        return breach(c, "another version of the protocol");
    if (!h->n_fingerprints || h->n_fingerprints > FINGERPRINTS_MAX ||
        !text_fits(h->release, 64, ".-+~ "))
        return breach(c, "a malformed hello");
    for (size_t i = 0; i < h->n_fingerprints; i++) {
        if (!text_fits(h->fingerprints[i]->algorithm, 16, "-") ||
            !text_fits(h->fingerprints[i]->value, 200, ":") || !*h->fingerprints[i]->value)
            return breach(c, "a malformed fingerprint");
    }
    c->greeted = true;
    c->handlers.hello(h, c->arg);
    return 0;
}

static int on_reply(struct channel *c, const Althing__Reply *r)
{
    if (!c->count || c->ring[c->first].id != r->id)
        return breach(c, "a reply to nothing");
    if (r->error && (!r->error->text || strlen(r->error->text) > 1024))
        return breach(c, "a malformed error");
    if (!c->greeted) {
        if (r->error || r->result_case != ALTHING__REPLY__RESULT_HELLO)
            return breach(c, "hello was refused");
        take_first(c);
        return on_hello(c, r->hello);
    }
    bool list = c->ring[c->first].list && !r->error;
    if (r->result_case !=
        (list ? ALTHING__REPLY__RESULT_OBJECT_LIST : ALTHING__REPLY__RESULT__NOT_SET))
        return breach(c, "a reply to something else");
    struct pending p = take_first(c);
    if (list)
        p.list(r->object_list, p.arg);
    else
        finish(&p, !r->error ? NULL : *r->error->text ? r->error->text : "refused");
    return 0;
}

static bool tuple_ok(const Althing__SelectedTuple *t)
{
    struct addr a;
    return (!strcmp(t->protocol, "udp") || !strcmp(t->protocol, "tcp")) && t->local_port <= 65535 &&
           t->remote_port <= 65535 && !addr_parse(&a, t->local_ip, 0) &&
           !addr_parse(&a, t->remote_ip, 0);
}

static bool score_ok(const Althing__ScoreChanged *e)
{
    if (e->score > SCORE_MAX || e->producer_score > SCORE_MAX || e->n_streams > STREAMS_MAX)
        return false;
    for (size_t i = 0; i < e->n_streams; i++) {
        if (e->streams[i]->score > SCORE_MAX || !text_fits(e->streams[i]->rid, 32, "-_"))
            return false;
    }
    return true;
}

static bool volumes_ok(const Althing__AudioVolumes *e)
{
    if (e->n_volumes > VOLUMES_MAX)
        return false;
    for (size_t i = 0; i < e->n_volumes; i++) {
        if (e->volumes[i]->volume > 0 || e->volumes[i]->volume < -127)
            return false;
    }
    return true;
}

static bool event_ok(const Althing__Event *e)
{
    switch (e->kind_case) {
    case ALTHING__EVENT__KIND_RESYNC:
        return true;
    case ALTHING__EVENT__KIND_ICE_STATE:
        return (unsigned)e->ice_state->state <= ALTHING__ICE_STATE__ICE_STATE_DISCONNECTED;
    case ALTHING__EVENT__KIND_DTLS_STATE:
        return (unsigned)e->dtls_state->state <= ALTHING__DTLS_STATE__DTLS_STATE_CLOSED &&
               text_fits(e->dtls_state->reason, 64, "- _.");
    case ALTHING__EVENT__KIND_LAYERS:
        return e->layers->none || (e->layers->current && e->layers->current->spatial < 16 &&
                                   e->layers->current->temporal < 16);
    case ALTHING__EVENT__KIND_SCORE:
        return score_ok(e->score);
    case ALTHING__EVENT__KIND_AUDIO_VOLUMES:
        return volumes_ok(e->audio_volumes);
    case ALTHING__EVENT__KIND_DOMINANT_SPEAKER:
        return true;
    case ALTHING__EVENT__KIND_TUPLE:
        return tuple_ok(e->tuple);
    case ALTHING__EVENT__KIND_SCTP_STATE:
        return (unsigned)e->sctp_state->state <= ALTHING__SCTP_STATE__SCTP_STATE_CLOSED;
    case ALTHING__EVENT__KIND_SCTP_SEND_BUFFER_FULL:
    case ALTHING__EVENT__KIND_BANDWIDTH_SHORT:
        return true;
    default:
        return false;
    }
}

static int on_event(struct channel *c, const Althing__Event *e)
{
    /* A newer worker may know more kinds of events than we do. */
    if (e->kind_case == ALTHING__EVENT__KIND__NOT_SET)
        return e->base.n_unknown_fields ? 0 : breach(c, "an empty event");
    if (!c->greeted)
        return breach(c, "an event before hello");
    if (!event_ok(e))
        return breach(c, "a malformed event");
    c->handlers.event(e, c->arg);
    return 0;
}

static int on_frame(struct channel *c, const Althing__Frame *f)
{
    if (f->epoch > c->epoch)
        return breach(c, "a frame of a later epoch");
    bool first = f->epoch == 0 && !c->greeted && f->body_case == ALTHING__FRAME__BODY_REPLY;
    if (f->epoch != c->epoch && !first)
        return 0;
    switch (f->body_case) {
    case ALTHING__FRAME__BODY_REPLY:
        return on_reply(c, f->reply);
    case ALTHING__FRAME__BODY_EVENT:
        return on_event(c, f->event);
    default:
        return breach(c, "a frame that is neither reply nor event");
    }
}

int channel_read(struct channel *c)
{
    for (unsigned i = 0; i < FRAMES_A_TURN; i++) {
        ssize_t n = chan_recv(c->chan, c->buf, sizeof(c->buf), NULL, NULL);
        if (n == 0)
            return 0;
        if (n == -EMSGSIZE)
            return breach(c, "a frame over the limit");
        if (n < 0) {
            c->why = "the channel is closed";
            return -EPIPE;
        }
        Althing__Frame *f = althing__frame__unpack(NULL, (size_t)n, c->buf);
        if (!f)
            return breach(c, "a frame that cannot be read");
        int err = on_frame(c, f);
        althing__frame__free_unpacked(f, NULL);
        if (err)
            return err;
    }
    return 0;
}

int channel_write(struct channel *c)
{
    return chan_flush(c->chan);
}
