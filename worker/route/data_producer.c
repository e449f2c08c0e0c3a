#include "worker/route/data_producer.h"

#include "lib/mem.h"
#include "worker/route/data.h"
#include "worker/route/data_consumer.h"
#include "worker/route/state.h"
#include "worker/route/transport.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

struct data_producer *data_producer_find(const struct engine *e, uint64_t id)
{
    struct data_producer *p = NULL;
    HASH_FIND(hh, e->data_producers, &id, sizeof(id), p);
    return p;
}

struct data_producer *data_producer_on(const struct data *d, uint16_t stream)
{
    struct data_producer *p = NULL;
    HASH_FIND(hh_stream, d->by_stream, &stream, sizeof(stream), p);
    return p;
}

static int check(const struct engine *e, const struct transport *t,
                 const struct params_data_producer *in)
{
    if (!t->data)
        return -ENOTSUP;
    if (in->stream.id >= t->data->params.streams)
        return -EINVAL;
    if (data_producer_find(e, in->data_producer) || data_producer_on(t->data, in->stream.id))
        return -EEXIST;
    if (HASH_COUNT(e->data_producers) >= LIMIT_DATA_PRODUCERS ||
        HASH_CNT(hh_stream, t->data->by_stream) >= LIMIT_TRANSPORT_DATA_PRODUCERS)
        return -ENOSPC;
    return 0;
}

int data_producer_create(struct engine *e, const struct params_data_producer *in, int64_t now_us)
{
    struct transport *t = transport_find(e, in->transport);
    if (!t)
        return -ENOENT;
    int err = check(e, t, in);
    if (!err)
        err = data_need(t, in->stream.id, now_us);
    if (err)
        return err;
    struct data_producer *p = mem_zalloc(sizeof(*p));
    p->id = in->data_producer;
    p->transport = t;
    p->stream = in->stream;
    p->paused = in->paused;
    HASH_ADD(hh, e->data_producers, id, sizeof(p->id), p);
    HASH_ADD(hh_stream, t->data->by_stream, stream.id, sizeof(p->stream.id), p);
    DL_APPEND(t->data->producers, p);
    counter_set(&e->counts->data_producers, HASH_COUNT(e->data_producers));
    return 0;
}

int data_producer_pause(struct engine *e, uint64_t id, bool paused)
{
    struct data_producer *p = data_producer_find(e, id);
    if (!p)
        return -ENOENT;
    p->paused = paused;
    return 0;
}

void data_producer_close(struct engine *e, uint64_t id, int64_t now_us)
{
    struct data_producer *p = data_producer_find(e, id);
    if (!p)
        return;
    while (p->consumers)
        data_consumer_close(e, p->consumers->id, now_us);
    struct data *d = p->transport->data;
    HASH_DELETE(hh_stream, d->by_stream, p);
    DL_DELETE(d->producers, p);
    HASH_DEL(e->data_producers, p);
    counter_set(&e->counts->data_producers, HASH_COUNT(e->data_producers));
    data_close_stream(d, p->stream.id, now_us);
    free(p);
}

void data_producer_message(struct data_producer *p, uint32_t ppid, const uint8_t *data, size_t len,
                           int64_t now_us)
{
    struct counters_transport *k = p->transport->counters;
    counter_add(&k->data_messages_received, 1);
    counter_add(&k->data_bytes_received, len);
    if (p->paused)
        return;
    for (struct data_consumer *c = p->consumers; c; c = c->next_same)
        data_consumer_message(c, ppid, data, len, now_us);
}
