#include "worker/route/producer.h"

#include "lib/mem.h"
#include "worker/route/audio.h"
#include "worker/route/consumer.h"
#include "worker/route/state.h"
#include "worker/route/transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct producer *producer_find(const struct engine *e, uint64_t id)
{
    struct producer *p = NULL;
    HASH_FIND(hh, e->producers, &id, sizeof(id), p);
    return p;
}

const struct params_codec *producer_codec(const struct producer *p, uint8_t pt, bool *rtx)
{
    uint8_t media = p->by_pt[pt & 127], repair = p->by_rtx_pt[pt & 127];
    *rtx = !media && repair;
    uint8_t i = media ? media : repair;
    return i ? &p->media.codecs[i - 1] : NULL;
}

unsigned producer_score(const struct producer *p)
{
    unsigned best = 0;
    for (size_t i = 0; i < p->n_streams; i++) {
        if (p->streams[i]->score.value > best)
            best = p->streams[i]->score.value;
    }
    return best;
}

size_t producer_scores(const struct producer *p, struct engine_score *out)
{
    for (size_t i = 0; i < p->n_streams; i++)
        out[i] = (struct engine_score){.ssrc = p->streams[i]->ssrc,
                                       .rid = p->streams[i]->rid,
                                       .score = p->streams[i]->score.value};
    return p->n_streams;
}

void producer_tell(const struct producer *p)
{
    struct engine_score streams[LIMIT_ENCODINGS];
    struct engine_event ev = {
        .kind = ENGINE_SCORE, .object = p->id, .score = producer_score(p), .streams = streams};
    ev.n_streams = producer_scores(p, streams);
    engine_event(p->transport->engine, &ev);
}

void producer_score_changed(struct producer *p, int64_t now_us)
{
    bool changed = false;
    for (size_t i = 0; i < p->n_streams; i++)
        changed |= p->streams[i]->score.value != p->scores_told[i];
    if (!changed || now_us - p->score_told_us < EVENT_SPACING_US)
        return;
    for (size_t i = 0; i < p->n_streams; i++)
        p->scores_told[i] = p->streams[i]->score.value;
    p->score_told_us = now_us;
    producer_tell(p);
}

static void map_payload_types(struct producer *p)
{
    for (size_t i = 0; i < p->media.n_codecs; i++) {
        const struct params_codec *c = &p->media.codecs[i];
        p->by_pt[c->payload_type] = (uint8_t)(i + 1);
        if (c->has_rtx)
            p->by_rtx_pt[c->rtx_payload_type] = (uint8_t)(i + 1);
    }
}

static void destroy(struct producer *p, int64_t now_us)
{
    for (size_t i = 0; i < p->n_streams; i++)
        inbound_free(p->streams[i], now_us);
    free(p);
}

static struct producer *make(struct transport *t, const struct params_producer *in, int64_t now_us)
{
    struct producer *p = mem_zalloc(sizeof(*p));
    p->id = in->producer;
    p->transport = t;
    p->kind = in->kind;
    p->media = in->media;
    p->paused = in->paused;
    memset(p->scores_told, SCORE_MAX, sizeof(p->scores_told));
    p->score_told_us = now_us - EVENT_SPACING_US;
    map_payload_types(p);
    for (size_t i = 0; i < in->n_encodings; i++) {
        inbound_new(&p->streams[i], p, &in->encodings[i], (uint8_t)i, now_us);
        p->n_streams = i + 1;
    }
    return p;
}

int producer_create(struct engine *e, const struct params_producer *in, int64_t now_us)
{
    struct transport *t = transport_find(e, in->transport);
    if (!t)
        return -ENOENT;
    if (producer_find(e, in->producer))
        return -EEXIST;
    if (HASH_COUNT(e->producers) >= LIMIT_PRODUCERS)
        return -ENOSPC;
    if (!transport_ext_fits(t, &in->media.ext))
        return -EINVAL;
    struct producer *p = make(t, in, now_us);
    int err = listener_add(&t->listener, p);
    if (!err && t->way->producer_added) {
        err = t->way->producer_added(t, p);
        if (err)
            listener_remove(&t->listener, p);
    }
    if (err) {
        destroy(p, now_us);
        return err;
    }
    HASH_ADD(hh, e->producers, id, sizeof(p->id), p);
    DL_APPEND(t->producers, p);
    if (!in->unheard)
        audio_added(p);
    transport_producers_changed(t, &in->media, now_us);
    counter_set(&e->counts->producers, HASH_COUNT(e->producers));
    return 0;
}

int producer_pause(struct engine *e, uint64_t id, bool paused, int64_t now_us)
{
    struct producer *p = producer_find(e, id);
    if (!p)
        return -ENOENT;
    if (p->paused == paused)
        return 0;
    p->paused = paused;
    audio_paused(p);
    for (struct consumer *c = p->consumers; c; c = c->next_same)
        consumer_flow_changed(c, now_us);
    return 0;
}

void producer_close(struct engine *e, uint64_t id, int64_t now_us)
{
    struct producer *p = producer_find(e, id);
    if (!p)
        return;
    while (p->consumers)
        consumer_close(e, p->consumers->id, now_us);
    engine_unbatch(p);
    audio_removed(p);
    struct transport *t = p->transport;
    listener_remove(&t->listener, p);
    DL_DELETE(t->producers, p);
    HASH_DEL(e->producers, p);
    destroy(p, now_us);
    if (t->way->producer_removed)
        t->way->producer_removed(t);
    transport_producers_changed(t, NULL, now_us);
    counter_set(&e->counts->producers, HASH_COUNT(e->producers));
}
