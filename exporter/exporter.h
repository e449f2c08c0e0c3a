/* exporter.h - what Prometheus scrapes: GET / and GET /metrics; and GET /healthz, GET /readyz for who watches over us.
 *
 * Lives in the server's loop and takes a listening descriptor. It only reads: the workers' segments and the server's registry; no
 * worker is asked anything. A scrape is built in slices (EXPORTER_SLICE objects or samples), so that it never holds the loop;
 * requests for the same form that come while one is being built share it.
 *
 * Text format 0.0.4, or OpenMetrics 1.0.0 when Accept prefers it (accept.h); gzip when Accept-Encoding has it. metrics.h declares
 * every family; docs/metrics.md is made from it. With a token, / and /metrics want `Authorization: Bearer TOKEN` (compared in
 * constant time), else 401. /healthz: 200, the loop turns. /readyz: 200 when a worker answers and the server is not ending, else
 * 503. Other methods than GET: 405; other paths: 404.
 *
 * Bounds: EXPORTER_CONNECTIONS. When they are all taken, the oldest that has not asked anything makes room; when all have, the new
 * one is closed. A connection ends after EXPORTER_TIMEOUT_S without progress, and a request that is not answered and read
 * EXPORTER_REQUEST_S after its connection last did anything useful is cut off. A head takes at most 16 KiB. Refused and cut off
 * ones are counted, and logged at most once in EXPORTER_LOG_S.
 *
 * A series of the per-stream families is one stream: ssrc and rid tell the layers of a simulcast producer apart; sum without(ssrc,
 * rid) gives the series of the exporter whose names these are. Streams whose transport has no selected pair or whose SSRC is not
 * known yet are left out: nothing would tell them apart. A closed stream is gone with the next scrape.
 */
#ifndef ALTHING_EXPORTER_EXPORTER_H
#define ALTHING_EXPORTER_EXPORTER_H

#include "lib/addr.h"
#include "proto/counters.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPORTER_CONNECTIONS 64
#define EXPORTER_TIMEOUT_S   10
#define EXPORTER_REQUEST_S   30
#define EXPORTER_LOG_S       60
#define EXPORTER_SLICE       250
#define EXPORTER_LABEL_MAX   256 /* bytes of a label's value; what is longer is cut at a character */
#define EXPORTER_WORKERS_MAX 256 /* of more places nothing is shown */

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
    bool first;        /* of its producer's or consumer's streams: who counts those counts this one */
    bool selected;     /* ICE has chosen a pair: tcp, local, remote are set */
    bool tcp;
    struct addr local, remote;
    const uint64_t *values; /* of COUNTERS_PRODUCER or COUNTERS_CONSUMER, COUNTERS_FIELDS_MAX of them */
};

struct exporter_transport {
    uint32_t worker; /* its place */
    const uint64_t *values; /* of COUNTERS_TRANSPORT */
};

struct exporter_worker {
    uint32_t index; /* the place, which outlives the process; ascending */
    int32_t pid;
    bool up;
    uint64_t queue_bytes, requests; /* that wait to be sent to it, and for its answer */
};

/* What the server knows of itself. */
struct exporter_server {
    uint64_t rooms, admitted, joined, lobby; /* peers: joined ones are not among the admitted */
    uint64_t workers, workers_lost;
    uint64_t connections, sessions;       /* open */
    uint64_t connections_ever, sessions_ever;
    uint64_t queue_bytes, queue_most;     /* to browsers: of all sessions, of the one with most */
    uint64_t messages_in, messages_out, message_bytes_in, message_bytes_out;
    uint64_t http_requests, pings_missed;
    uint64_t refused_address, refused_full, refused_origin, refused_protocol, refused_size,
        refused_json, refused_rate, slow_readers, timeouts;
    const uint64_t *connect, *join;       /* HISTOGRAM_ROWS of histogram_connect each */
};

/* What the exporter needs to see. Each *_next fills *out and returns true, or returns false at the end. */
struct exporter_source {
    void *arg; /* first argument of all */
    void (*server)(void *arg, struct exporter_server *out);
    bool (*ready)(void *arg);
    bool (*room_next)(void *arg, struct exporter_cursor *cursor, struct exporter_room *out);
    bool (*stream_next)(void *arg, enum counters_level level, struct exporter_cursor *cursor,
                        struct exporter_stream *out);
    bool (*transport_next)(void *arg, struct exporter_cursor *cursor,
                           struct exporter_transport *out);
    bool (*worker_next)(void *arg, struct exporter_cursor *cursor, struct exporter_worker *out);
    /* What the worker in this place and the former ones of it have counted, closed objects included. False: not to be had now. */
    bool (*totals)(void *arg, uint32_t worker, enum counters_level level,
                   uint64_t values[static COUNTERS_FIELDS_MAX]);
};

/* Strings are borrowed for the exporter's life. */
struct exporter_config {
    bool deidentify; /* addresses are cut to /16 (IPv4) or /32 (IPv6) and lose their port; peer id, name and user agent are empty */
    bool numeric;    /* addresses stay numbers; false: host names, looked up in the background, at first the number */
    bool quiet;      /* transport_id and id are empty */
    uint32_t max_streams; /* shown by the per-stream families; 0: these families are off */
    uint32_t max_rooms;   /* shown by edumeet_peers */
    const char *token;    /* NULL: whoever reaches the port */
    const char *tls_cert, *tls_key; /* PEM text; NULL: plain HTTP */
    const char *version;            /* for althing_build_info */
};

struct exporter;
struct uv_loop_s;

/* Takes listen_fd (also on error). `source` and `config` are copied, what they point to outlives the exporter. 0 or -errno:
 * -EIO when libmicrohttpd cannot be started, as with a certificate that it does not take. */
int exporter_new(struct exporter **ep, struct uv_loop_s *loop, int listen_fd,
                 const struct exporter_config *config, const struct exporter_source *source);
/* Closes all at once and waits for nothing; memory goes when the loop has turned once more. NULL is fine. */
void exporter_free(struct exporter *e);

#endif
