#include "load/peer_int.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/rand.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void peer_fail(struct peer *p, const char *reason)
{
    if (p->state == PEER_FAILED)
        return;
    p->state = PEER_FAILED;
    snprintf(p->reason, sizeof(p->reason), "%s", reason);
    peer_media_stop(p);
}

static bool link_is_up(const struct link *l)
{
    return l && link_state(l) == LINK_UP;
}

static bool all_answered(const struct peer *p)
{
    for (size_t i = 0; i < MEDIA_COUNT; i++)
        if (p->producers[i].n && !p->producers[i].id[0])
            return false;
    return true;
}

void peer_check_up(struct peer *p)
{
    bool sends = p->conf.audio || p->conf.video;
    if (p->state != PEER_JOINING || !p->joined || !link_is_up(p->recv) ||
        (sends && (!link_is_up(p->send) || !all_answered(p))))
        return;
    p->state = PEER_UP;
    spread_add(&p->world->measure->join, clock_now_us() - p->begun_us);
}

/* ---- life ---- */

void peer_new(struct peer **pp, const struct peer_config *conf)
{
    struct peer *p = mem_zalloc(sizeof(*p));
    const struct peer_world *w = conf->world;
    char id[37];
    p->conf = *conf;
    p->world = w;
    p->ssrc = rand_u32();
    p->begun_us = clock_now_us();
    rtp_ext_map_init(&p->recv_exts);
    peer_media_init(p);
    rand_uuid(id);
    struct signalling_config s = {.loop = w->loop,
                                  .target = &w->target,
                                  .address = (const struct sockaddr *)&w->address,
                                  .tls = w->tls,
                                  .token = w->token,
                                  .room = p->conf.room,
                                  .peer = id,
                                  .handlers = &peer_signalling_handlers,
                                  .arg = p};
    signalling_new(&p->signalling, &s);
    *pp = p;
}

void peer_free(struct peer *p)
{
    struct by_ssrc *b, *tmp;
    if (!p)
        return;
    peer_media_stop(p);
    timer_stop(p->world->timers, &p->second_timer);
    signalling_free(p->signalling);
    link_free(p->send);
    link_free(p->recv);
    HASH_ITER (hh, p->streams, b, tmp) {
        HASH_DEL(p->streams, b);
        free(b);
    }
    for (size_t i = 0; i < p->n_received; i++)
        sink_free(p->received[i].sink);
    free(p->received);
    for (size_t i = 0; i < MEDIA_COUNT; i++)
        for (size_t k = 0; k < p->producers[i].n; k++)
            source_free(p->producers[i].sources[k]);
    twcc_recv_free(p->twcc);
    json_decref(p->router);
    free(p);
}

enum peer_state peer_state(const struct peer *p)
{
    return p->state;
}

const char *peer_reason(const struct peer *p)
{
    return p->reason;
}

void peer_leave(struct peer *p)
{
    signalling_leave(p->signalling);
    for (size_t i = 0; i < MEDIA_COUNT; i++)
        for (size_t k = 0; k < p->producers[i].n; k++)
            source_stop(p->producers[i].sources[k]);
}

void peer_count_anew(struct peer *p)
{
    for (size_t i = 0; i < MEDIA_COUNT; i++)
        for (size_t k = 0; k < p->producers[i].n; k++)
            source_count_anew(p->producers[i].sources[k]);
    for (size_t i = 0; i < p->n_received; i++)
        sink_count_anew(p->received[i].sink);
}

/* ---- what it did ---- */

size_t peer_sinks(const struct peer *p, enum media media)
{
    size_t n = 0;
    for (size_t i = 0; i < p->n_received; i++)
        n += sink_media(p->received[i].sink) == media;
    return n;
}

uint64_t peer_bad(const struct peer *p)
{
    return (p->send ? link_bad(p->send) : 0) + (p->recv ? link_bad(p->recv) : 0);
}

void peer_sent(const struct peer *p, struct peer_sent out[static MEDIA_COUNT])
{
    memset(out, 0, MEDIA_COUNT * sizeof(*out));
    for (size_t i = 0; i < MEDIA_COUNT; i++) {
        for (size_t k = 0; k < p->producers[i].n; k++) {
            struct source_totals t = source_totals(p->producers[i].sources[k]);
            out[i].packets += t.packets;
            out[i].bytes += t.bytes;
            out[i].counted += t.counted;
            out[i].counted_bytes += t.counted_bytes;
            out[i].resent += t.resent;
            out[i].key_frames += t.key_frames;
            out[i].skipped_frames += t.skipped_frames;
        }
    }
}

void peer_received(const struct peer *p, struct peer_received out[static MEDIA_COUNT])
{
    memset(out, 0, MEDIA_COUNT * sizeof(*out));
    for (size_t i = 0; i < p->n_received; i++) {
        const struct sink *s = p->received[i].sink;
        struct sink_totals t = sink_totals(s);
        struct peer_received *o = &out[sink_media(s)];
        o->packets += t.packets;
        o->bytes += t.bytes;
        o->counted += t.counted;
        o->counted_bytes += t.counted_bytes;
        o->lost += t.lost;
        o->repaired += t.repaired;
        o->nacked += t.nacked;
    }
}

void peer_each_sink(const struct peer *p, peer_stream_f *fn, void *arg)
{
    for (size_t i = 0; i < p->n_received; i++) {
        const struct received *r = &p->received[i];
        struct sink_totals t = sink_totals(r->sink);
        fn(r->producer_id, sink_media(r->sink), t.counted, t.lost, arg);
    }
}

void peer_each_producer(const struct peer *p, peer_stream_f *fn, void *arg)
{
    for (size_t i = 0; i < MEDIA_COUNT; i++) {
        const struct producer *pr = &p->producers[i];
        if (pr->n == 1 && pr->id[0])
            fn(pr->id, pr->media, source_totals(pr->sources[0]).counted, 0, arg);
    }
}
