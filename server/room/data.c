#include "server/room/data.h"

#include "lib/mem.h"
#include "lib/rand.h"

#include <stdlib.h>
#include <string.h>

#include <utlist.h>

static struct rooms *rooms_of(const struct transport *t)
{
    return t->peer->room->rooms;
}

/* ---- data producers ---- */

struct data_producer *rooms_data_producer(const struct rooms *rs, uint64_t handle)
{
    struct data_producer *p;
    HASH_FIND(hh, rs->data_producers, &handle, sizeof(handle), p);
    return p;
}

struct data_producer *data_producer_new(struct transport *t, uint64_t handle,
                                        const struct data_stream *s, const char *label,
                                        const char *protocol)
{
    if (t->n_data_producers >= PEER_DATA_PRODUCERS_MAX || transport_data_producer_on(t, s->id))
        return NULL;
    struct data_producer *p = mem_zalloc(sizeof(*p));
    p->change.type = CHANGE_DATA_PRODUCER;
    p->handle = handle;
    rand_uuid(p->id);
    p->transport = t;
    p->stream = *s;
    p->label = mem_strdup(label);
    p->protocol = mem_strdup(protocol);
    HASH_ADD(hh, rooms_of(t)->data_producers, handle, sizeof(p->handle), p);
    DL_APPEND(t->data_producers, p);
    t->n_data_producers++;
    return p;
}

void data_producer_confirm(struct data_producer *p)
{
    p->confirmed = true;
    rooms_tell(rooms_of(p->transport), &p->change);
}

void data_producer_free(struct data_producer *p)
{
    if (!p)
        return;
    while (p->consumers)
        data_consumer_free(p->consumers);
    rooms_end(rooms_of(p->transport), &p->change);
    if (p->app_data)
        p->app_data_free(p->app_data);
    DL_DELETE(p->transport->data_producers, p);
    p->transport->n_data_producers--;
    HASH_DELETE(hh, rooms_of(p->transport)->data_producers, p);
    free(p->label);
    free(p->protocol);
    free(p);
}

struct data_producer *transport_data_producer(const struct transport *t, const char *id)
{
    for (struct data_producer *p = t->data_producers; p; p = p->next) {
        if (!strcmp(p->id, id))
            return p;
    }
    return NULL;
}

struct data_producer *transport_data_producer_on(const struct transport *t, uint16_t stream)
{
    for (struct data_producer *p = t->data_producers; p; p = p->next) {
        if (p->stream.id == stream)
            return p;
    }
    return NULL;
}

/* ---- data consumers ---- */

struct data_consumer *rooms_data_consumer(const struct rooms *rs, uint64_t handle)
{
    struct data_consumer *c;
    HASH_FIND(hh, rs->data_consumers, &handle, sizeof(handle), c);
    return c;
}

static bool is_taken(const struct transport *t, unsigned stream)
{
    for (const struct data_consumer *c = t->data_consumers; c; c = c->next) {
        if (c->stream_id == stream)
            return true;
    }
    return false;
}

/* Round and round, so that a stream rests before it is used again. -1: none is free. */
static int take_stream(struct transport *t)
{
    for (unsigned i = 0; i < DATA_STREAMS; i++) {
        unsigned stream = (t->next_stream + i) % DATA_STREAMS;
        if (!is_taken(t, stream)) {
            t->next_stream = (uint16_t)((stream + 1) % DATA_STREAMS);
            return (int)stream;
        }
    }
    return -1;
}

struct data_consumer *data_consumer_new(struct transport *t, struct data_producer *p,
                                        uint64_t handle)
{
    for (struct data_consumer *c = p->consumers; c; c = c->next_sibling) {
        if (c->transport == t)
            return NULL;
    }
    int stream = take_stream(t);
    if (stream < 0)
        return NULL;
    struct data_consumer *c = mem_zalloc(sizeof(*c));
    c->change.type = CHANGE_DATA_CONSUMER;
    c->handle = handle;
    rand_uuid(c->id);
    c->transport = t;
    c->producer = p;
    c->stream_id = (uint16_t)stream;
    HASH_ADD(hh, rooms_of(t)->data_consumers, handle, sizeof(c->handle), c);
    DL_APPEND(t->data_consumers, c);
    DL_APPEND2(p->consumers, c, prev_sibling, next_sibling);
    return c;
}

void data_consumer_confirm(struct data_consumer *c)
{
    c->confirmed = true;
    rooms_tell(rooms_of(c->transport), &c->change);
}

void data_consumer_free(struct data_consumer *c)
{
    if (!c)
        return;
    rooms_end(rooms_of(c->transport), &c->change);
    DL_DELETE(c->transport->data_consumers, c);
    DL_DELETE2(c->producer->consumers, c, prev_sibling, next_sibling);
    HASH_DELETE(hh, rooms_of(c->transport)->data_consumers, c);
    free(c);
}
