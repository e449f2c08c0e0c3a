#include "server/room/objects.h"

#include "lib/mem.h"
#include "lib/rand.h"
#include "server/room/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#define SSRC_FIRST 0x00010000U /* low numbers are special to some: 1234 is the probator's */
#define SSRC_LAST  0xfffeffffU

static void object_init(struct rooms *rs, struct object *o, enum object_type type, uint64_t handle)
{
    o->type = type;
    o->handle = handle;
    o->score = 10;
    rand_uuid(o->id);
    HASH_ADD(hh, rs->by_handle, handle, sizeof(o->handle), o);
    o->change.type = CHANGE_OBJECT;
    rooms_tell(rs, &o->change);
}

static void object_forget(struct rooms *rs, struct object *o)
{
    rooms_end(rs, &o->change);
    HASH_DELETE(hh, rs->by_handle, o);
}

struct object *rooms_object(const struct rooms *rs, uint64_t handle)
{
    struct object *o;
    HASH_FIND(hh, rs->by_handle, &handle, sizeof(handle), o);
    return o;
}

struct transport *rooms_transport(const struct rooms *rs, uint64_t handle)
{
    struct object *o = rooms_object(rs, handle);
    return o && o->type == OBJECT_TRANSPORT ? (struct transport *)o : NULL;
}

struct producer *rooms_producer(const struct rooms *rs, uint64_t handle)
{
    struct object *o = rooms_object(rs, handle);
    return o && o->type == OBJECT_PRODUCER ? (struct producer *)o : NULL;
}

struct consumer *rooms_consumer(const struct rooms *rs, uint64_t handle)
{
    struct object *o = rooms_object(rs, handle);
    return o && o->type == OBJECT_CONSUMER ? (struct consumer *)o : NULL;
}

struct peer *object_peer(struct object *o)
{
    switch (o->type) {
    case OBJECT_TRANSPORT:
        return ((struct transport *)o)->peer;
    case OBJECT_PRODUCER:
        return ((struct producer *)o)->transport->peer;
    default:
        return ((struct consumer *)o)->transport->peer;
    }
}

void object_changed(struct object *o)
{
    rooms_tell(object_peer(o)->room->rooms, &o->change);
}

void object_confirm(struct object *o)
{
    o->confirmed = true;
    object_changed(o);
}

bool object_wait(struct object *o, uint64_t ack)
{
    if (o->n_acks == ACKS_MAX)
        return false;
    o->acks[o->n_acks++] = ack;
    return true;
}

/* ---- transports ---- */

struct transport *transport_new(struct peer *p, enum direction d, uint64_t handle,
                                uint32_t ssrc_seed)
{
    struct transport **place = d == DIRECTION_SEND ? &p->send : &p->recv;
    if (*place)
        return NULL;
    struct transport *t = mem_zalloc(sizeof(*t));
    t->peer = p;
    t->direction = d;
    /* Far enough from the end that a transport's consumers never get there. */
    t->next_ssrc = SSRC_FIRST + ssrc_seed % (SSRC_LAST / 2);
    object_init(p->room->rooms, &t->obj, OBJECT_TRANSPORT, handle);
    *place = t;
    return t;
}

void transport_free(struct transport *t)
{
    if (!t)
        return;
    while (t->producers)
        producer_free(t->producers);
    while (t->consumers)
        consumer_free(t->consumers);
    while (t->data_producers)
        data_producer_free(t->data_producers);
    while (t->data_consumers)
        data_consumer_free(t->data_consumers);
    if (t->peer->send == t)
        t->peer->send = NULL;
    else
        t->peer->recv = NULL;
    object_forget(t->peer->room->rooms, &t->obj);
    free(t->dtls);
    free(t);
}

struct transport *peer_transport(const struct peer *p, const char *id)
{
    if (p->send && !strcmp(p->send->obj.id, id))
        return p->send;
    if (p->recv && !strcmp(p->recv->obj.id, id))
        return p->recv;
    return NULL;
}

/* ---- producers ---- */

struct producer *producer_new(struct transport *t, uint64_t handle, bool video, const char *source,
                              const char *key)
{
    if (t->peer->n_producers >= PEER_PRODUCERS_MAX)
        return NULL;
    struct producer *p = mem_zalloc(sizeof(*p));
    p->transport = t;
    p->video = video;
    snprintf(p->source, sizeof(p->source), "%s", source);
    p->key = mem_strdup(key);
    p->layers = p->temporal_layers = 1;
    p->wanted_layer = -1;
    object_init(t->peer->room->rooms, &p->obj, OBJECT_PRODUCER, handle);
    DL_APPEND(t->producers, p);
    t->peer->n_producers++;
    return p;
}

void producer_free(struct producer *p)
{
    if (!p)
        return;
    while (p->consumers)
        consumer_free(p->consumers);
    if (p->rtp)
        p->rtp_free(p->rtp);
    DL_DELETE(p->transport->producers, p);
    p->transport->peer->n_producers--;
    object_forget(p->transport->peer->room->rooms, &p->obj);
    free(p->key);
    free(p);
}

struct producer *peer_producer(const struct peer *p, const char *id)
{
    PEER_FOREACH_PRODUCER(p, pr)
    {
        if (!strcmp(pr->obj.id, id))
            return pr;
    }
    return NULL;
}

struct producer *peer_producer_by_key(const struct peer *p, const char *key)
{
    PEER_FOREACH_PRODUCER(p, pr)
    {
        if (!strcmp(pr->key, key))
            return pr;
    }
    return NULL;
}

int producer_wanted(const struct producer *p)
{
    int most = 0, top = (int)p->layers - 1;
    PRODUCER_FOREACH_CONSUMER(p, c)
    {
        int want = c->paused ? 0 : c->preferred_spatial < 0 ? top : c->preferred_spatial;
        most = want > most ? want : most;
    }
    return most < top ? most : top;
}

/* ---- consumers ---- */

struct consumer *consumer_new(struct transport *t, struct producer *p, uint64_t handle,
                              bool with_rtx)
{
    if (t->n_consumers >= PEER_CONSUMERS_MAX || t->next_ssrc > SSRC_LAST - 2)
        return NULL;
    PRODUCER_FOREACH_CONSUMER(p, other)
    {
        if (other->transport == t)
            return NULL;
    }
    struct consumer *c = mem_zalloc(sizeof(*c));
    c->transport = t;
    c->producer = p;
    c->preferred_spatial = c->preferred_temporal = c->spatial = c->temporal = -1;
    c->ssrc = t->next_ssrc++;
    c->rtx_ssrc = with_rtx ? t->next_ssrc++ : 0;
    snprintf(c->mid, sizeof(c->mid), "%u", t->next_mid++);
    object_init(t->peer->room->rooms, &c->obj, OBJECT_CONSUMER, handle);
    DL_APPEND(t->consumers, c);
    DL_APPEND2(p->consumers, c, prev_sibling, next_sibling);
    t->n_consumers++;
    return c;
}

void consumer_free(struct consumer *c)
{
    if (!c)
        return;
    if (c->rtp)
        c->rtp_free(c->rtp);
    if (c->piped)
        c->piped_free(c->piped);
    DL_DELETE(c->transport->consumers, c);
    DL_DELETE2(c->producer->consumers, c, prev_sibling, next_sibling);
    c->transport->n_consumers--;
    object_forget(c->transport->peer->room->rooms, &c->obj);
    free(c);
}

struct consumer *peer_consumer(const struct peer *p, const char *id)
{
    PEER_FOREACH_CONSUMER(p, c)
    {
        if (!strcmp(c->obj.id, id))
            return c;
    }
    return NULL;
}
