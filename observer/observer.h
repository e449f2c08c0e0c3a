/* observer.h - tells operators what happens, over a Unix stream socket: lines in, lines out (proto/observer.md).
 *
 * The observer lives in the server's loop and takes a listening descriptor. It only reads. Nobody can make it block or grow: at
 * most OBSERVER_CLIENTS_MAX clients (one more is told so and closed), a line of at most OBSERVER_LINE_MAX bytes (longer: told
 * and closed), a snapshot is written piece by piece as the client reads it, with at most about OBSERVER_QUEUE_MAX bytes waiting;
 * a client that reads nothing for OBSERVER_STALL_MS with bytes waiting is closed. Commands that come meanwhile wait in the
 * socket. The program must ignore SIGPIPE.
 */
#ifndef ALTHING_OBSERVER_OBSERVER_H
#define ALTHING_OBSERVER_OBSERVER_H

#include "lib/addr.h"
#include "proto/counters.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OBSERVER_CLIENTS_MAX 16
#define OBSERVER_LINE_MAX    1024
#define OBSERVER_QUEUE_MAX   (128 * 1024)
#define OBSERVER_STALL_MS    10000

/* Where a walk stands. All zero at its start; its meaning is the source's alone. Objects may come and go between two steps: the
 * walk must then still end, must show no object twice, and should show every one that was there from start to end. */
struct observer_cursor {
    uint64_t a, b, c;
};

/* Strings are borrowed until the next call of the source or the next turn of the loop; UTF-8; never NULL. */
struct observer_room {
    const char *room_id;
    uint32_t peers;  /* admitted */
    uint32_t lobby;  /* waiting */
    uint32_t worker; /* index of the worker that carries it */
    bool locked;
};

struct observer_peer {
    const char *room_id, *peer_id, *display_name, *user_agent;
    bool joined; /* false: in the lobby, or not there yet */
};

struct observer_transport {
    const char *room_id, *peer_id, *transport_id;
    const char *direction; /* "send" (the browser sends), "recv" or "" */
    int32_t pid;           /* of the worker */
    bool selected;         /* ICE has chosen a pair: tcp, local, remote are set */
    bool tcp;
    struct addr local, remote;
    const uint64_t *values; /* of COUNTERS_TRANSPORT, COUNTERS_FIELDS_MAX of them */
};

/* A stream of a producer, or of a consumer. */
struct observer_stream {
    const char *room_id, *peer_id, *transport_id;
    const char *id;          /* of the producer or consumer */
    const char *producer_id; /* of a consumer: what it consumes; of a producer: "" */
    const char *kind;        /* "audio", "video" */
    const char *codec;       /* MIME subtype: "opus", "VP8" */
    const char *rid;         /* "": none */
    int32_t pid;
    uint32_t ssrc; /* 0: not known yet */
    const uint64_t *values; /* of COUNTERS_PRODUCER or COUNTERS_CONSUMER */
};

struct observer_worker {
    uint32_t index;
    int32_t pid;
    bool up;
    const uint64_t *values; /* of COUNTERS_WORKER */
};

/* What the observer needs to see. Each *_next fills *out and returns true, or returns false at the end. */
struct observer_source {
    void *arg; /* first argument of all */
    size_t (*rooms)(void *arg);
    size_t (*peers)(void *arg); /* admitted, of all rooms */
    bool (*worker_next)(void *arg, struct observer_cursor *cursor, struct observer_worker *out);
    bool (*room_next)(void *arg, struct observer_cursor *cursor, struct observer_room *out);
    bool (*peer_next)(void *arg, struct observer_cursor *cursor, struct observer_peer *out);
    bool (*transport_next)(void *arg, struct observer_cursor *cursor,
                           struct observer_transport *out);
    bool (*stream_next)(void *arg, enum counters_level level, struct observer_cursor *cursor,
                        struct observer_stream *out);
};

struct observer;
struct uv_loop_s;

/* Takes listen_fd (also on error); makes a socket bound to a path group-readable and -writable (0660). `source` is copied, what
 * it points to outlives the observer. 0 or -errno. */
int observer_new(struct observer **op, struct uv_loop_s *loop, int listen_fd,
                 const struct observer_source *source);
/* Closes all at once; memory goes when the loop has turned once more. NULL is fine. */
void observer_free(struct observer *o);

#endif
