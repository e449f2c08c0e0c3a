/* ctl_model.h - a snapshot (proto/observer.md), put in order: rooms, their peers, their transports and streams, found by id.
 *
 * The model owns the snapshot; strings and json_t are borrowed from it. What the snapshot does not say is "" or 0, or -1 where
 * that is said below. Whatever is not of the right type is taken as not said.
 */
#ifndef ALTHING_OBSERVER_CTL_MODEL_H
#define ALTHING_OBSERVER_CTL_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ctl_peer {
    const char *room, *id, *name, *address, *agent;
    bool lobby, joined, connected;
    const json_t *o;
};

struct ctl_transport {
    const char *room, *peer, *id, *direction, *ice, *dtls, *protocol, *remote;
    const json_t *o, *stats; /* stats: NULL: none */
};

/* A stream of a producer (one SSRC), or of a consumer. */
struct ctl_stream {
    bool sends; /* the peer's own, else what it receives */
    const char *room, *peer, *name;
    const char *id, *kind, *codec, *source, *rid;
    const char *producer_id, *from, *from_name; /* of a consumer: what it consumes, and whose it is */
    bool paused;                                /* by its owner, or by the server */
    bool measured;                              /* the worker counts it: the next ones mean something */
    int64_t bitrate, rtt_us, jitter;            /* jitter: RTP ticks */
    int64_t loss, loss_total;                   /* 1/256 in the last interval; packets */
    int64_t score;                              /* 0..10; -1: not said */
    int64_t nacks, plis;
    int64_t spatial, temporal;           /* what is sent to a consumer; -1: nothing, or not said */
    int64_t spatial_most, temporal_most; /* what it could be, and the receiver wants; -1: not said */
    size_t streams, active;              /* of a producer's simulcast set: how many, how many send */
    const struct ctl_transport *transport; /* NULL: none */
    const struct ctl_stream *source_stream; /* of a consumer: the best active one that it could get; NULL */
};

struct ctl_model {
    json_t *snapshot;
    struct ctl_peer *peers; /* by room, then id; those in lobbies too */
    struct ctl_transport *transports; /* by id */
    struct ctl_stream *streams; /* by room, peer; producers first */
    size_t n_peers, n_transports, n_streams;
};

void ctl_model_new(struct ctl_model **mp, json_t *snapshot); /* steals it */
void ctl_model_free(struct ctl_model *m);                    /* NULL is fine */

const struct ctl_peer *ctl_model_peer(const struct ctl_model *m, const char *room, const char *id); /* NULL: none */

/* The whole id of the object of this kind ("room", "peer", "producer", ...) that `word` is the id of, or the beginning of an
 * only one's, or for a peer its display name if nobody else has it. room NULL: of any. NULL: none, or (*several) more than one. */
const json_t *ctl_model_find(const struct ctl_model *m, const char *kind, const char *room, const char *word, bool *several);
/* The list of a kind and the member that has its objects' own id. False: no such kind. */
bool ctl_model_kind(const char *kind, const char **list, const char **id);

const char *ctl_str(const json_t *o, const char *key);          /* "": not there */
int64_t ctl_int(const json_t *o, const char *key, int64_t none);
bool ctl_bool(const json_t *o, const char *key);

#endif
