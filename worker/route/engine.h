/* engine.h - the media worker without its sockets: datagrams and the time in, datagrams and the next deadline out.
 *
 * The loop hands over all datagrams of a batch, then asks once for what they caused:
 *
 *     engine_receive(e, dgrams, n, now_us)   any number of times; answers STUN and DTLS at once, composes no media
 *     engine_timers(e, now_us)               when engine_next_us() has come
 *     engine_send(e, now_us)                 composes, encrypts, queues and flushes everything; a clock reading of its own, since
 *                                            it feeds the bandwidth estimates. After every request of the server, too
 *
 * Invariant: after engine_send() nothing waits to be sent but what has its deadline in engine_next_us().
 *
 * The engine owns routers, they own transports, which own producers and consumers; a consumer borrows its producer and is told
 * when that goes. Objects are found by the server's 64-bit handles. What may exist at most is in limits.h. The engine reads no
 * clock, has no socket, writes no log; receive, timers and send do not allocate for a packet. Not thread-safe, and no call may be
 * made from inside a callback.
 */
#ifndef ALTHING_WORKER_ROUTE_ENGINE_H
#define ALTHING_WORKER_ROUTE_ENGINE_H

#include "lib/addr.h"
#include "worker/secure/srtp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct counters;
struct dgram;
struct dtls_cert;
struct engine;
struct outbox;
struct trace;
struct tracer_job;
struct tuple;

enum engine_event_kind {
    ENGINE_ICE_STATE,
    ENGINE_TUPLE,
    ENGINE_DTLS_STATE,
    ENGINE_LAYERS,
    ENGINE_SCORE,
    ENGINE_SCTP_STATE,
    ENGINE_SCTP_SEND_BUFFER_FULL,
    ENGINE_VOLUMES,
    ENGINE_SPEAKER,
    ENGINE_BANDWIDTH_SHORT,
};

/* The numbers of proto/worker.proto. */
enum engine_ice_state {
    ENGINE_ICE_NEW,
    ENGINE_ICE_CONNECTED,
    ENGINE_ICE_COMPLETED,
    ENGINE_ICE_DISCONNECTED,
};

enum engine_dtls_state {
    ENGINE_DTLS_NEW,
    ENGINE_DTLS_CONNECTING,
    ENGINE_DTLS_CONNECTED,
    ENGINE_DTLS_FAILED,
    ENGINE_DTLS_CLOSED,
};

enum engine_sctp_state {
    ENGINE_SCTP_NEW,
    ENGINE_SCTP_CONNECTING,
    ENGINE_SCTP_CONNECTED,
    ENGINE_SCTP_FAILED,
    ENGINE_SCTP_CLOSED,
};

/* Of one stream of a producer, in the order of its encodings. */
struct engine_score {
    uint32_t ssrc; /* 0: not known yet */
    const char *rid;
    uint32_t score;
};

struct engine_volume {
    uint64_t producer;
    int dbov;
};

/* What the server is told. Only the members of the kind are set. */
struct engine_event {
    enum engine_event_kind kind;
    uint64_t
        object; /* handle: a transport; of LAYERS, BANDWIDTH_SHORT a consumer; of SCORE a producer or a
                   consumer;
                   of SCTP_SEND_BUFFER_FULL a data consumer; of VOLUMES and SPEAKER a router */
    enum engine_ice_state ice;
    enum engine_dtls_state dtls;
    const char *reason;         /* of ENGINE_DTLS_FAILED, lasts as long as the call; else "" */
    bool tcp;                   /* TUPLE */
    struct addr local, remote;  /* TUPLE */
    bool is_short;              /* BANDWIDTH_SHORT */
    bool none;                  /* LAYERS: nothing is sent */
    uint32_t spatial, temporal; /* LAYERS */
    uint32_t score;             /* SCORE: 0..10 */
    enum engine_sctp_state sctp;
    uint64_t dropped;        /* SCTP_SEND_BUFFER_FULL: messages in all */
    uint32_t producer_score; /* SCORE of a consumer: of the stream that it is sent, else 0 */
    const struct engine_score
        *streams; /* SCORE: of the producer; lasts as long as the call, as does the next */
    size_t n_streams;
    const struct engine_volume *volumes; /* VOLUMES: the loudest first */
    size_t n_volumes;
    uint64_t speaker; /* SPEAKER: a producer; 0: nobody */
};

typedef void engine_event_f(const struct engine_event *event, void *arg);
/* The address of one of our sockets, by its number in a tuple. False: it is not there. */
typedef bool engine_local_f(uint32_t sock, bool tcp, struct addr *local, void *arg);

/* Everything is borrowed and outlives the engine. */
struct engine_config {
    struct outbox *outbox;
    const struct dtls_cert *cert;
    struct trace *trace;       /* where packet traces are written; NULL: none can be asked for */
    struct counters *counters; /* the writer of the worker's segment; NULL: nothing is counted */
    size_t pool_slots; /* received packets that may be held in all; 0: the default of limits.h */
    int64_t wall_offset_us; /* CLOCK_REALTIME minus CLOCK_MONOTONIC, for the NTP times of sender
                               reports */
    enum srtp_backend srtp; /* of all sessions */
    engine_event_f *event;  /* NULL: nobody listens */
    void *event_arg;
    engine_local_f *local; /* NULL: SelectedTuple says no local address */
    void *local_arg;
};

int engine_new(struct engine **ep, const struct engine_config *conf); /* 0 or -errno */
void engine_free(struct engine *e); /* NULL is fine; sends nothing */

/* A batch; the bytes are the engine's to change during the call and the caller's again after it. */
void engine_receive(struct engine *e, const struct dgram *dgrams, size_t n, int64_t now_us);
void engine_timers(struct engine *e, int64_t now_us);
void engine_send(struct engine *e, int64_t now_us);
int64_t engine_next_us(const struct engine *e); /* TIME_NEVER_US: nothing is due */
/* The TCP connection that was this tuple ended. */
void engine_tcp_gone(struct engine *e, const struct tuple *gone, int64_t now_us);

/* Packet traces (stream/tracer.h). 0, -EINVAL, -ENOENT (the object), -EEXIST (the ring), -ENOTSUP. */
int engine_trace_start(struct engine *e, unsigned ring, const struct tracer_job *job);
void engine_trace_stop(struct engine *e, uint64_t id); /* unknown: fine */
void engine_trace_stop_all(struct engine *e);

#define ENGINE_SOCKETS_MAX 16 /* UDP sockets */
/* The address of a UDP socket of ours. False: there is none with that number, or nobody knows. */
bool engine_local(const struct engine *e, uint32_t sock, struct addr *local);

/* Closes every router and all in it, and forgets all handles: a new server has come. */
void engine_close_all(struct engine *e, int64_t now_us);

#endif
