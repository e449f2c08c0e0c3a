/* edge.h - what faces the browsers: HTTPS, static files, WebSocket, Engine.IO 4, Socket.IO 5, HTTP long polling with upgrade.
 *
 * One edge lives on one libuv loop (libwebsockets on it as a foreign loop; connections are accepted here and adopted by it) and
 * calls the handlers it was given. One Socket.IO connection to the namespace "/" is a session. Only two events exist, in both
 * directions: `request` (answered by an ack) and `notification`.
 *
 * Life of a session: `connect` once, then `request` and `notification` any number of times, then `closed` once. The session is
 * valid from the start of `connect` until `closed` returns. Handlers run from the loop only, never inside a call made to the edge;
 * so a handler may call everything here, edge_disconnect() included. After edge_disconnect() the session gets no request and no
 * notification any more, what is sent to it is dropped, and `closed` follows within a second or so.
 *
 * Bounds: all of struct edge_limits. What a client sends beyond them is answered with an error ack, HTTP status or WebSocket close
 * code, and a client that goes on is disconnected; a client that does not read is closed when its send queue is full. Nobody else
 * notices. All is called from the loop's thread. Strings are UTF-8 without NUL.
 */
#ifndef ALTHING_SERVER_EDGE_EDGE_H
#define ALTHING_SERVER_EDGE_EDGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

struct edge;
struct edge_session;
struct edge_query;

struct edge_limits {
    size_t message_bytes;            /* one message of a client; advertised as maxPayload. 3 MB: pictures are data URIs */
    unsigned json_depth;             /* arrays and objects in one another, the envelope included. 32 */
    unsigned sessions;               /* in all; beyond: 503. 10000 */
    /* beyond: 429. 200 (many people share an address). Connections: twice this, then closed unread */
    unsigned sessions_per_address;
    unsigned sessions_per_second;    /* new ones of one address, and as a burst five times that; beyond: 429. 50 */
    size_t queue_bytes;              /* unsent, of one session; beyond: closed. 16 MB */
    unsigned messages_per_second;    /* of one session, on average; beyond: error ack, then disconnected. 100 */
    unsigned messages_burst;         /* 500 */
    size_t bytes_per_second;         /* of one session, on average, with a burst of three messages of the largest size. 2 MB */
    unsigned handshake_ms;           /* to send TLS and HTTP headers, a body, or `40` after the open packet. 10000 */
    unsigned ping_interval_ms;       /* 25000 */
    unsigned ping_timeout_ms;        /* 20000 */
    unsigned request_timeout_ms;     /* of edge_request(), each try. 3000 */
    unsigned request_tries;          /* 3 */
    size_t static_bytes;             /* all files of the folder, which are kept in memory. 256 MB */
};

/* Borrowed during edge_new() only, but for the descriptors, which the edge owns from then on (also when edge_new() fails). */
struct edge_config {
    const int *https_fds;            /* bound; serve HTTPS, or plain HTTP when tls_cert is NULL (httpOnly, behind a proxy) */
    size_t n_https_fds;
    const int *redirect_fds;         /* bound; plain HTTP that redirects to public_port */
    size_t n_redirect_fds;
    const char *tls_cert;            /* PEM text: the certificate and its chain */
    const char *tls_key;             /* PEM text */
    bool trust_proxy;                /* take address, host and scheme from X-Forwarded-For, -Host, -Proto */
    uint16_t public_port;            /* in the redirect's URL; 443 is left out */
    const char *static_folder;       /* NULL: no files */
    const char *const *origins;      /* allowed Origin headers ("https://meet.example.org", "*"); none: the request's own host */
    size_t n_origins;
    const char *config_js;           /* the text served at /config/config.js; NULL: the file of that name */
    const char *content_security_policy; /* NULL: own origin, its wss:, blob:, data:. At most 1200 bytes */
    struct edge_limits limits;
};

void edge_config_defaults(struct edge_config *c); /* zeroes it and fills in `limits` and public_port */

enum edge_reason {
    EDGE_CLIENT_LEFT,      /* it said 41: it will not come back by itself */
    EDGE_TRANSPORT_CLOSED, /* connection lost or closed: it may come back */
    EDGE_TIMEOUT,          /* no pong */
    EDGE_KICKED,           /* edge_disconnect() */
    EDGE_PROTOCOL_ERROR,   /* it broke the protocol or a limit */
    EDGE_STOPPING,         /* edge_stop() */
};
const char *edge_reason_name(enum edge_reason r); /* "client left", ... */

/* `data` is borrowed, and never NULL: an empty object when the client sent none. It is anything JSON can say: check its type. */
struct edge_handlers {
    void (*connect)(struct edge_session *s, const struct edge_query *query, void *arg);
    /* To be answered with edge_reply() or edge_reply_error(), now or later, once. A request without ack id is refused before. */
    void (*request)(struct edge_session *s, const char *method, const json_t *data, uint64_t ack, void *arg);
    void (*notification)(struct edge_session *s, const char *method, const json_t *data, void *arg);
    void (*closed)(struct edge_session *s, enum edge_reason reason, void *arg);
};

/* 0 or -errno: -EINVAL (certificate, key or static folder unusable, said in the log), -EFBIG (static_bytes), ... */
int edge_new(struct edge **ep, uv_loop_t *loop, const struct edge_config *config, const struct edge_handlers *handlers, void *arg);
/* Who comes waits in the sockets, until edge_go_on(). */
void edge_hold(struct edge *e);
void edge_go_on(struct edge *e);
/* Accepts nobody any more and closes all sessions without `41`, so that the clients come back (a restart); `closed` is called for
 * each from the loop. Who should not come back is sent away with edge_disconnect() first. */
void edge_stop(struct edge *e);
/* Sessions that are left get their `closed` now. Not from a handler, and not while the loop runs: it runs the loop itself for a
 * moment, to close its own handles. NULL is fine. */
void edge_free(struct edge *e);

/* A parameter of the session's URL, percent-decoded once; NULL if absent. Known ones: roomId, peerId, reconnectKey, tenantFqdn,
 * token, displayName. The query is valid during `connect` only. */
const char *edge_query_get(const struct edge_query *q, const char *name);

/* `data` and `result` are stolen in all of these, also when nothing can be sent; NULL is an empty object. */
void edge_notify(struct edge_session *s, const char *method, json_t *data);
void edge_notify_many(struct edge_session *const *sessions, size_t n, const char *method, json_t *data); /* serialised once */
void edge_reply(struct edge_session *s, uint64_t ack, json_t *result);           /* 43N[null,{...}] */
void edge_reply_error(struct edge_session *s, uint64_t ack, const char *text);   /* 43N["text",null] */
/* Asks the client. The callback is called once: with the result (err NULL; borrowed), with the client's error, "timeout" (after all
 * tries, each with the same content), "busy" (over 64 unanswered), or "closed" (before the session's `closed`). It is called from
 * the loop, never inside edge_request(). */
typedef void edge_answer_f(struct edge_session *s, const char *err, const json_t *result, void *arg);
void edge_request(struct edge_session *s, const char *method, json_t *data, edge_answer_f *fn, void *arg);
/* Sends it away: `41`, then the connection is closed. `why` is for the log. */
void edge_disconnect(struct edge_session *s, const char *why);

const char *edge_session_address(const struct edge_session *s);    /* "192.0.2.1", "2001:db8::1" */
const char *edge_session_user_agent(const struct edge_session *s); /* "" when it sent none; at most 255 bytes */
/* as the browser names us: "meet.example.org:8443"; "" if none */
const char *edge_session_host(const struct edge_session *s);
void edge_session_set_user(struct edge_session *s, void *user);
void *edge_session_user(const struct edge_session *s);

/* What happened since edge_new(), and the gauges of now. */
struct edge_counters {
    uint64_t connections, connections_open;  /* TCP */
    uint64_t sessions, sessions_open;
    uint64_t messages_in, messages_out;      /* Socket.IO packets */
    uint64_t bytes_in, bytes_out;            /* their bytes */
    uint64_t http_requests;
    uint64_t upgrades;                       /* polling to WebSocket */
    uint64_t pings_missed;
    uint64_t refused_address;                /* too many connections or sessions of one address, or too fast */
    uint64_t refused_full;                   /* too many in all */
    uint64_t refused_origin;
    uint64_t refused_protocol;               /* EIO=3, malformed packets */
    uint64_t refused_size;                   /* message or body too large */
    uint64_t refused_json;                   /* too deep, duplicate keys, not JSON */
    uint64_t refused_rate;                   /* messages answered with an error because there were too many */
    uint64_t slow_readers;                   /* closed with a full send queue */
    uint64_t timeouts;                       /* headers, body or `40` that did not come */
};
const struct edge_counters *edge_counters(const struct edge *e);
size_t edge_queued(const struct edge *e, size_t *most); /* bytes that wait to be sent: of all sessions, of the one with most */

#endif
