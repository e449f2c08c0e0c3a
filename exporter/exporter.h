/* exporter.h - what Prometheus scrapes: GET / and GET /metrics, text format 0.0.4.
 *
 * Lives in the server's loop and takes a listening descriptor. It only reads. A scrape is built in slices of EXPORTER_SLICE
 * streams, so that it never holds the loop; requests that come while one is being built share it. At most EXPORTER_CONNECTIONS
 * connections, each ended after EXPORTER_TIMEOUT_S without progress; request heads are bounded by libmicrohttpd's memory limit
 * (16 KiB a connection).
 *
 * Families (types and meaning are those of the exporter this one follows):
 *   edumeet_rooms                              gauge
 *   edumeet_peers{room_id}                     gauge, peers admitted
 *   mediasoup_{producer,consumer}_byte_count_bytes  counter
 *   mediasoup_{producer,consumer}_score        gauge
 *     {pid, room_id, peer_id, display_name, user_agent, transport_id, proto, local_addr, remote_addr, id, kind, codec, type,
 *     ssrc, rid}
 *   althing_worker_up{worker,pid}, althing_worker_<row of counters.def>[_total]{worker}
 * A series is one stream: ssrc and rid tell the layers of a simulcast producer apart; sum without(ssrc, rid) gives the old series.
 * Streams whose transport has no selected pair or whose SSRC is not known yet are left out: nothing would tell them apart.
 * Methods other than GET: 405; other paths: 404; over EXPORTER_CONNECTIONS: closed.
 */
#ifndef ALTHING_EXPORTER_EXPORTER_H
#define ALTHING_EXPORTER_EXPORTER_H

#include "lib/addr.h"
#include "proto/counters.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORTER_CONNECTIONS 16
#define EXPORTER_TIMEOUT_S   10
#define EXPORTER_SLICE       500
#define EXPORTER_LABEL_MAX   256 /* bytes of a label's value; what is longer is cut at a character */

/* Where a walk stands. All zero at its start; its meaning is the source's alone. Objects may come and go between two steps: the
 * walk must then still end, and must show no object twice. */
struct exporter_cursor {
    uint64_t a, b, c;
};

/* Strings are borrowed until the next call of the source or the next turn of the loop; UTF-8; never NULL. */
struct exporter_room {
    const char *room_id;
    uint32_t peers; /* admitted */
};

struct exporter_stream {
    const char *room_id, *peer_id, *display_name, *user_agent, *transport_id;
    const char *id;    /* of the producer or consumer */
    const char *kind;  /* "audio", "video" */
    const char *codec; /* MIME subtype: "opus", "VP8" */
    const char *rid;   /* "": none */
    int32_t pid;       /* of the worker */
    uint32_t ssrc;     /* 0: not known yet */
    bool selected;     /* ICE has chosen a pair: tcp, local, remote are set */
    bool tcp;
    struct addr local, remote;
    const uint64_t *values; /* of COUNTERS_PRODUCER or COUNTERS_CONSUMER, COUNTERS_FIELDS_MAX of them */
};

struct exporter_worker {
    uint32_t index; /* the place, which outlives the process */
    int32_t pid;
    bool up;
    const uint64_t *values; /* of COUNTERS_WORKER */
};

/* What the exporter needs to see. Each *_next fills *out and returns true, or returns false at the end. */
struct exporter_source {
    void *arg; /* first argument of all */
    size_t (*rooms)(void *arg);
    bool (*room_next)(void *arg, struct exporter_cursor *cursor, struct exporter_room *out);
    bool (*stream_next)(void *arg, enum counters_level level, struct exporter_cursor *cursor,
                        struct exporter_stream *out);
    bool (*worker_next)(void *arg, struct exporter_cursor *cursor, struct exporter_worker *out);
};

struct exporter_config {
    bool deidentify; /* addresses are cut to /16 (IPv4) or /32 (IPv6) and lose their port; display name and user agent are empty */
    bool numeric;    /* addresses stay numbers; false: host names, looked up in the background, at first the number */
    bool quiet;      /* transport_id and id are empty */
};

struct exporter;
struct uv_loop_s;

/* Takes listen_fd (also on error). `source` is copied, what it points to outlives the exporter. 0 or -errno. */
int exporter_new(struct exporter **ep, struct uv_loop_s *loop, int listen_fd,
                 const struct exporter_config *config, const struct exporter_source *source);
/* Closes all at once; memory goes when the loop has turned once more. NULL is fine. */
void exporter_free(struct exporter *e);

#endif
