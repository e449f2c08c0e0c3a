#include "load/gather.h"

#include "lib/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

struct known {
    char id[DESCRIBE_ID_MAX];
    uint64_t counted;
    UT_hash_handle hh;
};

struct work {
    struct known *producers;
    struct result *result;
};

static void on_producer(const char *id, enum media media, uint64_t counted, uint64_t lost,
                        void *arg)
{
    struct work *w = arg;
    struct known *k = mem_zalloc(sizeof(*k));
    (void)media;
    (void)lost;
    snprintf(k->id, sizeof(k->id), "%s", id);
    k->counted = counted;
    HASH_ADD_STR(w->producers, id, k);
}

static void on_sink(const char *id, enum media media, uint64_t counted, uint64_t lost, void *arg)
{
    struct work *w = arg;
    struct result_media *m = &w->result->media[media];
    struct known *k;
    HASH_FIND_STR(w->producers, id, k);
    m->streams++;
    m->received += counted;
    m->lost += !k ? lost : k->counted > counted ? k->counted - counted : 0;
}

static void add_peer(struct result *r, const struct peer *p)
{
    struct peer_sent sent[MEDIA_COUNT];
    struct peer_received received[MEDIA_COUNT];
    peer_sent(p, sent);
    peer_received(p, received);
    for (size_t i = 0; i < MEDIA_COUNT; i++) {
        r->media[i].sent += sent[i].counted;
        r->media[i].sent_bytes += sent[i].counted_bytes;
        r->media[i].skipped_frames += sent[i].skipped_frames;
        r->media[i].received_bytes += received[i].counted_bytes;
        r->media[i].repaired += received[i].repaired;
        r->media[i].nacked += received[i].nacked;
    }
    r->bad += peer_bad(p);
    r->up += peer_state(p) == PEER_UP;
    if (peer_state(p) == PEER_FAILED && !r->failed++)
        snprintf(r->reason, sizeof(r->reason), "%s", peer_reason(p));
}

void gather(struct result *r, struct peer *const *peers, size_t n)
{
    struct work w = {.result = r};
    struct known *k, *tmp;
    r->peers = (unsigned)n;
    for (size_t i = 0; i < n; i++)
        peer_each_producer(peers[i], on_producer, &w);
    for (size_t i = 0; i < n; i++) {
        add_peer(r, peers[i]);
        peer_each_sink(peers[i], on_sink, &w);
    }
    HASH_ITER (hh, w.producers, k, tmp) {
        HASH_DEL(w.producers, k);
        free(k);
    }
}
