#include "worker/route/data_consumer.h"

#include "lib/mem.h"
#include "worker/route/data.h"
#include "worker/route/data_producer.h"
#include "worker/route/state.h"
#include "worker/route/transport.h"
#include "worker/sctp/association.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

struct data_consumer *data_consumer_find(const struct engine *e, uint64_t id)
{
    struct data_consumer *c = NULL;
    HASH_FIND(hh, e->data_consumers, &id, sizeof(id), c);
    return c;
}

static bool is_taken(const struct data *d, uint16_t stream)
{
    struct data_consumer *c = NULL;
    HASH_FIND(hh_stream, d->by_out_stream, &stream, sizeof(stream), c);
    return c != NULL;
}

static int check(const struct engine *e, const struct transport *t, const struct data_producer *p,
                 const struct params_data_consumer *in)
{
    if (!t->data)
        return -ENOTSUP;
    if (t->router != p->transport->router || in->stream.id >= t->data->params.streams)
        return -EINVAL;
    if (data_consumer_find(e, in->data_consumer) || is_taken(t->data, in->stream.id))
        return -EEXIST;
    return HASH_COUNT(e->data_consumers) >= LIMIT_DATA_CONSUMERS ? -ENOSPC : 0;
}

int data_consumer_create(struct engine *e, const struct params_data_consumer *in, int64_t now_us)
{
    struct transport *t = transport_find(e, in->transport);
    struct data_producer *p = data_producer_find(e, in->data_producer);
    if (!t || !p)
        return -ENOENT;
    int err = check(e, t, p, in);
    if (!err)
        err = data_need(t, in->stream.id, now_us);
    if (err)
        return err;
    struct data_consumer *c = mem_zalloc(sizeof(*c));
    c->id = in->data_consumer;
    c->transport = t;
    c->producer = p;
    c->stream = in->stream;
    c->paused = in->paused;
    c->told_us = now_us - EVENT_SPACING_US;
    HASH_ADD(hh, e->data_consumers, id, sizeof(c->id), c);
    HASH_ADD(hh_stream, t->data->by_out_stream, stream.id, sizeof(c->stream.id), c);
    DL_APPEND(t->data->consumers, c);
    DL_APPEND2(p->consumers, c, prev_same, next_same);
    counter_set(&e->counts->data_consumers, HASH_COUNT(e->data_consumers));
    return 0;
}

int data_consumer_pause(struct engine *e, uint64_t id, bool paused)
{
    struct data_consumer *c = data_consumer_find(e, id);
    if (!c)
        return -ENOENT;
    c->paused = paused;
    return 0;
}

void data_consumer_close(struct engine *e, uint64_t id, int64_t now_us)
{
    struct data_consumer *c = data_consumer_find(e, id);
    if (!c)
        return;
    struct data *d = c->transport->data;
    DL_DELETE2(c->producer->consumers, c, prev_same, next_same);
    DL_DELETE(d->consumers, c);
    HASH_DELETE(hh_stream, d->by_out_stream, c);
    HASH_DEL(e->data_consumers, c);
    counter_set(&e->counts->data_consumers, HASH_COUNT(e->data_consumers));
    data_close_stream(d, c->stream.id, now_us);
    free(c);
}

static void no_room(struct data_consumer *c, int64_t now_us)
{
    c->dropped++;
    if (now_us - c->told_us < EVENT_SPACING_US)
        return;
    c->told_us = now_us;
    struct engine_event ev = {
        .kind = ENGINE_SCTP_SEND_BUFFER_FULL, .object = c->id, .dropped = c->dropped};
    engine_event(c->transport->engine, &ev);
}

void data_consumer_message(struct data_consumer *c, uint32_t ppid, const uint8_t *data, size_t len,
                           int64_t now_us)
{
    struct counters_transport *k = c->transport->counters;
    if (c->paused)
        return;
    const struct association_message m = {.stream = c->stream.id,
                                          .ppid = ppid,
                                          .data = data,
                                          .len = len,
                                          .unordered = c->stream.unordered,
                                          .reliability = c->stream.reliability,
                                          .parameter = c->stream.parameter};
    int err = association_send(c->transport->data->association, &m);
    if (err) {
        counter_add(&k->data_messages_dropped, 1);
        if (err == -EAGAIN)
            no_room(c, now_us);
        return;
    }
    counter_add(&k->data_messages_sent, 1);
    counter_add(&k->data_bytes_sent, len);
}
