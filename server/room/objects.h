/* objects.h - a peer's transports, producers and consumers. See room.h for who owns what. State only. */
#ifndef ALTHING_SERVER_ROOM_OBJECTS_H
#define ALTHING_SERVER_ROOM_OBJECTS_H

#include "lib/addr.h"
#include "server/room/room.h"

struct data_consumer;
struct data_producer;

enum object_type { OBJECT_TRANSPORT, OBJECT_PRODUCER, OBJECT_CONSUMER };

/* First in each of the three. */
struct object {
    struct change change;
    enum object_type type;
    bool confirmed;         /* the worker has it; until then requests for it wait in acks, and nobody is told of it */
    uint64_t handle;        /* its name towards the worker */
    char id[37];            /* its name towards browsers, a uuid */
    uint64_t acks[ACKS_MAX]; /* requests of the browser, to be answered when it is confirmed, or with an error when it goes */
    size_t n_acks;
    uint8_t score;          /* (set) 0..10, of producers and consumers; 10 until the worker says otherwise */
    UT_hash_handle hh;
};

enum direction { DIRECTION_SEND, DIRECTION_RECV }; /* as the browser sees it */

struct transport {
    struct object obj;
    struct peer *peer;
    enum direction direction;
    char ice_ufrag[33], ice_password[65]; /* (set) ours */
    char *dtls;              /* (set, freed) the remote parameters it was connected with, in one normal form; NULL: not yet */
    int64_t asked_us;        /* (set) when the browser asked to connect it; 0: not yet */
    uint8_t ice_state, dtls_state; /* (set) worker.proto's IceState, DtlsState */
    bool selected, tcp;      /* (set) ICE has chosen a pair: */
    struct addr local, remote; /* (set) this one */
    struct producer *producers; /* DIRECTION_SEND */
    struct consumer *consumers; /* DIRECTION_RECV */
    size_t n_consumers;
    bool behind;             /* (set) its worker was too busy for some of its consumers: they are made later */
    uint32_t next_ssrc;      /* for consumers; only grows */
    uint32_t next_mid;
    struct data_producer *data_producers; /* DIRECTION_SEND; data.h */
    size_t n_data_producers;
    struct data_consumer *data_consumers; /* DIRECTION_RECV */
    uint16_t next_stream;    /* for data consumers; goes round */
};

struct producer {
    struct object obj;
    struct transport *transport;
    bool video;
    bool paused;             /* (set) by the browser */
    char source[16];         /* "mic", "webcam", "screen", ... */
    char *key;               /* what makes a repeated request the same one (msid or SSRCs); owned */
    char codec[32];          /* "VP8", for labels */
    unsigned layers;         /* spatial ones: encodings, or those of the scalability mode; at least 1 */
    unsigned temporal_layers; /* at least 1 */
    int wanted_layer;        /* (set) the highest that a consumer wants, as told to the sender */
    int64_t hold_until_us;   /* (set) wanted_layer is not lowered before */
    void *rtp;               /* negotiated parameters; freed with rtp_free */
    void (*rtp_free)(void *);
    struct consumer *consumers; /* all of this producer, over consumer.sibling */
    struct producer *prev, *next;
};

struct consumer {
    struct object obj;
    struct transport *transport; /* the receiver's */
    struct producer *producer;
    bool paused;             /* (set) by the receiver */
    int preferred_spatial, preferred_temporal; /* (set) -1: the highest */
    int spatial, temporal;   /* (set) current ones, -1: none */
    uint32_t ssrc, rtx_ssrc; /* rtx_ssrc 0: none */
    char mid[12];
    void *rtp;               /* (set) what newConsumer says; freed with rtp_free */
    void (*rtp_free)(void *);
    void *piped;             /* (set) its use of the producer on another router, of server/media; NULL: both are on the same */
    void (*piped_free)(void *);
    struct consumer *prev, *next;                 /* in its transport */
    struct consumer *prev_sibling, *next_sibling; /* in its producer */
};

struct object *rooms_object(const struct rooms *rs, uint64_t handle); /* NULL: unknown */
struct transport *rooms_transport(const struct rooms *rs, uint64_t handle); /* NULL: unknown, or something else; so for all three */
struct producer *rooms_producer(const struct rooms *rs, uint64_t handle);
struct consumer *rooms_consumer(const struct rooms *rs, uint64_t handle);
struct peer *object_peer(struct object *o); /* whose it is */
void object_changed(struct object *o);
void object_confirm(struct object *o);      /* the worker has it */
/* Remembers a request to be answered later. false: ACKS_MAX wait already. */
bool object_wait(struct object *o, uint64_t ack);

/* One a direction: NULL if there is one. `ssrc_seed` is where its consumers' SSRCs start (random). */
struct transport *transport_new(struct peer *p, enum direction d, uint64_t handle, uint32_t ssrc_seed);
void transport_free(struct transport *t); /* what it owns too; NULL is fine, so for all three */
struct transport *peer_transport(const struct peer *p, const char *id);

/* NULL: PEER_PRODUCERS_MAX. `source` and `key` are copied (source cut to its field). */
struct producer *producer_new(struct transport *t, uint64_t handle, bool video, const char *source, const char *key);
void producer_free(struct producer *p);
struct producer *peer_producer(const struct peer *p, const char *id);
struct producer *peer_producer_by_key(const struct peer *p, const char *key);
/* The highest spatial layer that an unpaused consumer wants; 0 when none does. */
int producer_wanted(const struct producer *p);

/* NULL: PEER_CONSUMERS_MAX, or this transport consumes it already. Takes the next mid, and SSRCs (a second one with_rtx). */
struct consumer *consumer_new(struct transport *t, struct producer *p, uint64_t handle, bool with_rtx);
void consumer_free(struct consumer *c);
struct consumer *peer_consumer(const struct peer *p, const char *id);

/* The producers of a peer, over both kinds. */
#define PEER_FOREACH_PRODUCER(p, pr)                                                                                             \
    for (struct producer *pr = (p)->send ? (p)->send->producers : NULL; pr; pr = pr->next)
#define PEER_FOREACH_CONSUMER(p, c)                                                                                              \
    for (struct consumer *c = (p)->recv ? (p)->recv->consumers : NULL; c; c = c->next)
#define PRODUCER_FOREACH_CONSUMER(pr, c) for (struct consumer *c = (pr)->consumers; c; c = c->next_sibling)

#endif
