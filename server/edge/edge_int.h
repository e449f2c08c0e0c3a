/* edge_int.h - what the parts of the edge share: the edge, its connections, its sessions. Not for others; they have edge.h.
 *
 * An edge owns its listeners, its connections (struct conn: one TCP connection) and its sessions (struct edge_session: one
 * Engine.IO session, and the Socket.IO connection in it). A session borrows up to three connections: `ws`, `probe` (a WebSocket
 * that has not taken over yet) and `poll` (a GET that waits for packets). A connection knows the session it serves, and either side
 * that goes tells the other. libwebsockets is only written to from its callbacks; everybody else asks for one (conn_wake()).
 */
#ifndef ALTHING_SERVER_EDGE_EDGE_INT_H
#define ALTHING_SERVER_EDGE_EDGE_INT_H

#include <libwebsockets.h>
#include <openssl/ssl.h>
#include <uthash.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/timers.h"
#include "server/edge/bucket.h"
#include "server/edge/edge.h"
#include "server/edge/engineio.h"
#include "server/edge/host.h"
#include "server/edge/limits.h"
#include "server/edge/query.h"
#include "server/edge/scripts.h"
#include "server/edge/socketio.h"
#include "server/edge/static.h"

#define EDGE_ID_LEN       20  /* [A-Za-z0-9]: 119 bits */
#define EDGE_PENDING_MAX  64  /* unanswered edge_request() of one session */
#define EDGE_TRIES_MAX    8
#define EDGE_STRIKES_MAX  100 /* refused messages after which a session is closed */
#define EDGE_QUEUE_MAX    100000 /* packets in a send queue, whatever their size */
#define EDGE_LINGER_US    S_US(3) /* how long a closed session waits to say its last */
#define EDGE_BODY_US      S_US(60) /* a body, and between two steps of an answer */
#define EDGE_POLL_CHECK_US S_US(2) /* is a client that polls still there? */
#define EDGE_IDLE_US      S_US(65) /* between two requests of a connection */

/* One packet to send, shared by the queues it is in. */
struct packet {
    unsigned refs;
    size_t len;
    char *text; /* in front of it LWS_PRE bytes of room */
};

struct queue_node {
    struct packet *packet;
    struct queue_node *next;
};

struct queue {
    struct queue_node *head, **tail;
    size_t bytes, count;
};

struct listener {
    uv_poll_t poll;
    struct edge *e;
    int fd;
    bool redirect;
};

struct edge {
    uv_loop_t *loop;
    struct lws_context *context;
    struct lws_vhost *vhost, *redirect_vhost;
    struct edge_handlers handlers;
    void *arg;

    /* Configuration, copied. */
    struct edge_limits limits;
    bool tls, trust_proxy;
    uint16_t public_port;
    char **origins;
    size_t n_origins;
    char *csp;
    char scripts[SCRIPTS_HASHES_MAX]; /* of the page, for its policy */
    const char *tls_cert, *tls_key; /* during edge_new() only */

    struct static_files *files;
    struct limits *by_address;
    struct listener *listeners;
    size_t n_listeners;
    struct conn *conns;             /* doubly linked */
    struct edge_session *sessions;  /* by sid */
    struct timers timers;
    struct timer sweep, accept_again;
    uv_timer_t tick;
    int64_t tick_due_us;
    unsigned handles;               /* of ours, still open */
    bool stopping;
    struct edge_counters counters;
    struct log_limit log_limit;
};

/* An HTTP answer on its way. */
struct response {
    bool active;
    bool close;          /* the connection, when it is sent */
    const uint8_t *body; /* in `owned`, or a static file's */
    size_t len, sent;
    char *owned;
    int64_t check_us;    /* how long until the socket is looked at again */
    int64_t give_up_us;  /* when the client has taken nothing until then */
};

enum conn_role { CONN_IDLE, CONN_POST, CONN_POLL, CONN_WS, CONN_PROBE };

struct conn {
    struct edge *e;
    struct lws *wsi; /* NULL before adoption and when it is closing */
    bool redirect;
    struct limits_entry *entry;
    char ip[80];
    struct timer deadline;
    enum conn_role role;
    struct edge_session *s;
    struct edge_query *query; /* from the upgrade request to the established WebSocket */
    char *in;                 /* a body or message being received */
    size_t in_len, in_cap, in_expected;
    struct response response;
    struct limits_entry *upgrade_entry; /* of the session that the upgrade will open */
    bool probe_pong;     /* `3probe` is to be sent */
    struct conn *prev, *next;
};

struct pending {
    uint64_t acks[EDGE_TRIES_MAX];
    unsigned tries;
    char *text; /* the JSON of the event */
    const char *failure; /* to be reported when the timer fires; NULL: try again */
    edge_answer_f *fn;
    void *arg;
    struct timer timer;
    struct edge_session *s;
    struct pending *prev, *next;
};

struct edge_session {
    struct edge *e;
    char sid[EDGE_ID_LEN + 1], id[EDGE_ID_LEN + 1];
    char address[80], user_agent[256], host[HOST_MAX];
    struct edge_query *query; /* until `connect` was called */
    struct limits_entry *entry;
    void *user;

    struct conn *ws, *probe, *poll;
    bool probed;        /* `3probe` was said: polls are answered at once, so that the client can switch */
    bool connected;     /* handlers.connect was called */
    bool ended, reaped; /* over; and `closed` was called */
    bool awaiting_pong;
    enum edge_reason reason;
    uint16_t close_code;
    struct queue queue;
    struct timer ping, handshake, reap;
    struct bucket messages, bytes;
    unsigned strikes;
    struct pending *pendings;
    unsigned n_pendings;
    uint64_t next_ack;
    UT_hash_handle hh;
};

/* edge.c */
void edge_timer_start(struct edge *e, struct timer *t, int64_t due_us);
void edge_timer_stop(struct edge *e, struct timer *t);

/* tls.c */
int tls_configure(SSL_CTX *ctx);
int tls_certificate(SSL_CTX *ctx, const char *cert, const char *key);

/* accept.c: connections come and go */
int accept_start(struct edge *e, const int *fds, size_t n, bool redirect); /* fds become ours */
void accept_stop(struct edge *e);
void conn_gone(struct conn *c);       /* the network half is over: tells the session */
void conn_free(struct conn *c);
void conn_wake(struct conn *c);       /* asks for a writable callback; NULL is fine */
void conn_kill(struct conn *c);       /* closes it from outside its callback, without a word */
void conn_deadline(struct conn *c, int64_t in_us);
void conn_no_deadline(struct conn *c);
int conn_take(struct conn *c, const char *data, size_t len); /* appends to `in`; -EMSGSIZE beyond limits.message_bytes */
void conn_in_reset(struct conn *c);

/* request.c: what a request's headers say. All of these copy, and cut nothing: too long is absent. */
const char *request_header(struct lws *wsi, enum lws_token_indexes token, char *out, size_t cap); /* "" if absent */
void request_host(const struct edge *e, struct lws *wsi, char out[static HOST_MAX]); /* valid, or "" */
void request_address(const struct conn *c, struct lws *wsi, char out[static 80]);
bool request_is_tls(const struct edge *e, struct lws *wsi);
bool request_origin_ok(const struct edge *e, struct lws *wsi);
int request_query(struct lws *wsi, struct edge_query *q);
size_t request_target(struct lws *wsi, const char *path, size_t len, char *out, size_t cap); /* encoded again; 0: too long */

/* http.c: all return what the callback has to return. */
int http_request(struct conn *c, struct lws *wsi, const char *path, size_t len);
int http_body(struct conn *c, struct lws *wsi, const char *data, size_t len);
int http_body_done(struct conn *c, struct lws *wsi);
int http_writable(struct conn *c, struct lws *wsi);
void http_response_check(struct conn *c, int64_t now_us); /* the deadline of a connection whose answer is on its way */
/* An answer with a body that is copied. `extra`: further header lines, or "". */
int http_answer(struct conn *c, struct lws *wsi, int status, const char *type, const char *extra, const char *body, size_t len);
int http_error(struct conn *c, struct lws *wsi, int status, const char *text); /* closes the connection */
int http_engine_error(struct conn *c, struct lws *wsi, int status, int code); /* {"code":..,"message":..} */

/* redirect.c */
int redirect_request(struct conn *c, struct lws *wsi, const char *path, size_t len);

/* polling.c */
bool polling_is_path(const char *path, size_t len); /* /socket.io/ */
int polling_request(struct conn *c, struct lws *wsi, bool post);
int polling_body_done(struct conn *c, struct lws *wsi);
int polling_writable(struct conn *c, struct lws *wsi);
void polling_wake(struct edge_session *s);

/* ws.c */
int ws_confirm(struct conn *c, struct lws *wsi); /* LWS_CALLBACK_HTTP_CONFIRM_UPGRADE */
int ws_established(struct conn *c, struct lws *wsi);
int ws_receive(struct conn *c, struct lws *wsi, const char *data, size_t len);
int ws_writable(struct conn *c, struct lws *wsi);

/* queue.c */
struct packet *packet_new(const char *text, size_t len);
struct packet *packet_alloc(size_t len); /* text to be filled in */
void packet_drop(struct packet *p);
void queue_init(struct queue *q);
void queue_push(struct queue *q, struct packet *p); /* takes a reference of its own */
struct packet *queue_pop(struct queue *q);          /* the caller's reference; NULL when empty */
void queue_clear(struct queue *q);

/* session.c: Engine.IO */
/* May a session be opened? 0, or the HTTP status and *code of Engine.IO's error. */
int session_admit(struct conn *c, struct lws *wsi, struct limits_entry **entry, int *code);
/* Takes entry and query. */
struct edge_session *session_new(struct conn *c, struct lws *wsi, struct limits_entry *entry, struct edge_query *query,
                                 bool polling);
struct edge_session *session_find(struct edge *e, const char *sid);
size_t session_open_packet(const struct edge_session *s, bool polling, char *out, size_t cap);
void session_send(struct edge_session *s, struct packet *p); /* does not take the caller's reference */
void session_send_text(struct edge_session *s, const char *text, size_t len);
void session_packet(struct edge_session *s, const struct engineio_packet *p); /* one that came */
void session_upgraded(struct edge_session *s, struct conn *c);
void session_end(struct edge_session *s, enum edge_reason reason, uint16_t close_code); /* the first reason counts */
void session_wake(struct edge_session *s);
void session_free(struct edge_session *s); /* calls `closed` if that was not done */

/* message.c: Socket.IO */
void message_in(struct edge_session *s, const char *text, size_t len);
void message_closed(struct edge_session *s); /* answers what is pending */

#endif
