/* The edge as a whole: its libwebsockets context on the caller's loop, its timers, its birth and end.
 *
 * libwebsockets 4.1.6 as Debian builds it has three traps that decide the settings here: HTTP/2 (WebSocket over it spins), so ALPN is
 * "http/1.1" only; permessage-deflate (corrupts), so there are no extensions; and a TLS vhost that lacks DO_SSL_GLOBAL_INIT itself
 * silently serves plain text. A context on a foreign loop is destroyed in two steps, and the loop has to close its handles between them.
 */
#include "server/edge/edge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <utlist.h>

#include "lib/clock.h"
#include "lib/mem.h"
#include "server/edge/edge_int.h"

#define SWEEP_US S_US(10)

void edge_config_defaults(struct edge_config *c)
{
    *c = (struct edge_config){
        .public_port = 443,
        .limits =
            {
                .message_bytes = 3 << 20,
                .json_depth = 32,
                .sessions = 10000,
                .sessions_per_address = 200,
                .sessions_per_second = 50,
                .queue_bytes = 16 << 20,
                .messages_per_second = 100,
                .messages_burst = 500,
                .bytes_per_second = 2 << 20,
                .handshake_ms = 10000,
                .ping_interval_ms = 25000,
                .ping_timeout_ms = 20000,
                .request_timeout_ms = 3000,
                .request_tries = 3,
                .static_bytes = 256 << 20,
            },
    };
}

const char *edge_reason_name(enum edge_reason r)
{
    static const char *const names[] = {
        [EDGE_CLIENT_LEFT] = "client left",       [EDGE_TRANSPORT_CLOSED] = "transport closed",
        [EDGE_TIMEOUT] = "ping timeout",          [EDGE_KICKED] = "kicked",
        [EDGE_PROTOCOL_ERROR] = "protocol error", [EDGE_STOPPING] = "stopping",
    };
    return names[r];
}

size_t edge_queued(const struct edge *e, size_t *most)
{
    size_t all = 0;
    *most = 0;
    for (const struct edge_session *s = e->sessions; s; s = s->hh.next) {
        all += s->queue.bytes;
        *most = s->queue.bytes > *most ? s->queue.bytes : *most;
    }
    return all;
}

const struct edge_counters *edge_counters(const struct edge *e)
{
    return &e->counters;
}

/* ---- timers: one uv timer for all ---- */

static void on_tick(uv_timer_t *t);

static void tick_arm(struct edge *e)
{
    int64_t due = timers_next_us(&e->timers);
    if (e->stopping && !e->context)
        return;
    if (due == e->tick_due_us)
        return;
    e->tick_due_us = due;
    if (due == TIME_NEVER_US) {
        uv_timer_stop(&e->tick);
        return;
    }
    int64_t in_us = due - clock_now_us();
    uv_update_time(e->loop);
    uv_timer_start(&e->tick, on_tick, in_us > 0 ? (uint64_t)(in_us + 999) / 1000 : 0, 0);
}

static void on_tick(uv_timer_t *t)
{
    struct edge *e = t->data;
    e->tick_due_us = 0;
    timers_run(&e->timers, clock_now_us());
    tick_arm(e);
}

void edge_timer_start(struct edge *e, struct timer *t, int64_t due_us)
{
    timer_start(&e->timers, t, due_us);
    tick_arm(e);
}

void edge_timer_stop(struct edge *e, struct timer *t)
{
    timer_stop(&e->timers, t);
}

static void on_sweep(struct timer *t, int64_t now_us, void *arg)
{
    struct edge *e = arg;
    limits_sweep(e->by_address, now_us);
    edge_timer_start(e, t, now_us + SWEEP_US);
}

/* ---- libwebsockets ---- */

static int on_http(struct conn *c, struct lws *wsi, enum lws_callback_reasons why, void *in,
                   size_t len)
{
    switch ((int)why) {
    case LWS_CALLBACK_HTTP:
        return c->redirect ? redirect_request(c, wsi, in, len) : http_request(c, wsi, in, len);
    case LWS_CALLBACK_HTTP_BODY:
        return http_body(c, wsi, in, len);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return http_body_done(c, wsi);
    case LWS_CALLBACK_HTTP_WRITEABLE:
        return http_writable(c, wsi);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return c->redirect ? -1 : ws_confirm(c, wsi);
    case LWS_CALLBACK_ESTABLISHED:
        return ws_established(c, wsi);
    case LWS_CALLBACK_RECEIVE:
        return ws_receive(c, wsi, in, len);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return ws_writable(c, wsi);
    case LWS_CALLBACK_RAW_ADOPT: /* a CONNECT request ends up here */
    case LWS_CALLBACK_RAW_RX:
    case LWS_CALLBACK_RAW_WRITEABLE:
        return -1;
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_RAW_CLOSE:
        conn_gone(c);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        conn_gone(c);
        conn_free(c);
        return 0;
    default:
        return 0;
    }
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons why, void *user, void *in, size_t len)
{
    if (why == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS) {
        struct edge *e = lws_context_user(lws_get_context(wsi));
        SSL_CTX *ctx = user;
        return tls_configure(ctx) || tls_certificate(ctx, e->tls_cert, e->tls_key) ? -1 : 0;
    }
    switch ((int)why) { /* these have no connection, or are not about one */
    case LWS_CALLBACK_PROTOCOL_INIT:
    case LWS_CALLBACK_PROTOCOL_DESTROY:
    case LWS_CALLBACK_WSI_CREATE:
    case LWS_CALLBACK_GET_THREAD_ID:
    case LWS_CALLBACK_EVENT_WAIT_CANCELLED:
        return 0;
    }
    struct conn *c = wsi ? lws_get_opaque_user_data(wsi) : NULL;
    return c ? on_http(c, wsi, why, in, len) : 0;
}

static const struct lws_protocols protocols[] = {
    {.name = "http", .callback = on_lws, .rx_buffer_size = 4096, .tx_packet_size = 16384},
    {0},
};

static const lws_retry_bo_t no_validity_pings; /* Engine.IO has its own */

static void on_lws_log(int level, const char *line)
{
    (void)level;
    log_debug("lws", "%.*s", (int)strcspn(line, "\n"), line);
}

static struct lws_vhost *vhost_new(struct edge *e, bool tls, const char *name)
{
    struct lws_context_creation_info info = {
        .vhost_name = name,
        .port = tls ? CONTEXT_PORT_NO_LISTEN_SERVER : CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .alpn = "http/1.1",
        .keepalive_timeout = (int)(EDGE_IDLE_US / 1000000) + 5,
        .timeout_secs_ah_idle = (unsigned)(e->limits.handshake_ms + 999) / 1000 + 1,
        .retry_and_idle_policy = &no_validity_pings,
        .options =
            tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_CREATE_VHOST_SSL_CTX : 0,
    };
    return lws_create_vhost(e->context, &info);
}

static int context_new(struct edge *e)
{
    void *loops[] = {e->loop};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .foreign_loops = loops,
        .pcontext = &e->context,
        .user = e,
        .gid = -1,
        .uid = -1,
        .pt_serv_buf_size = 16384,
        .max_http_header_data = 16384,
        .max_http_header_pool2 = 2 * e->limits.sessions + 1000,
        .timeout_secs = (unsigned)(e->limits.handshake_ms + 999) / 1000 + 1,
        .retry_and_idle_policy = &no_validity_pings,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT | LWS_SERVER_OPTION_VALIDATE_UTF8 |
                   LWS_SERVER_OPTION_SKIP_SERVER_CANONICAL_NAME |
                   LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS,
    };
    lws_set_log_level(log_enabled(LOG_LEVEL_DEBUG, "edge") ? LLL_ERR | LLL_WARN : LLL_ERR,
                      on_lws_log);
    e->context = lws_create_context(&info);
    if (!e->context) {
        log_error("edge",
                  "no libwebsockets context (is the package libwebsockets-evlib-uv there?)");
        return -EIO;
    }
    e->vhost = vhost_new(e, e->tls, "edge");
    e->redirect_vhost = e->tls ? vhost_new(e, false, "redirect") : e->vhost;
    if (!e->vhost || !e->redirect_vhost) {
        log_error("edge", "the certificate and its key cannot be used");
        return -EINVAL;
    }
    return 0;
}

/* ---- life ---- */

static void config_copy(struct edge *e, const struct edge_config *config)
{
    e->limits = config->limits;
    if (e->limits.request_tries > EDGE_TRIES_MAX)
        e->limits.request_tries = EDGE_TRIES_MAX;
    e->tls = config->tls_cert != NULL;
    e->tls_cert = config->tls_cert;
    e->tls_key = config->tls_key ? config->tls_key : "";
    e->trust_proxy = config->trust_proxy;
    e->public_port = config->public_port;
    e->csp = config->content_security_policy ? mem_strdup(config->content_security_policy) : NULL;
    e->n_origins = config->n_origins;
    e->origins = mem_calloc(config->n_origins + 1, sizeof(*e->origins));
    for (size_t i = 0; i < config->n_origins; i++)
        e->origins[i] = mem_strdup(config->origins[i]);
}

static int files_load(struct edge *e, const struct edge_config *config)
{
    int err = static_new(&e->files, config->static_folder, config->limits.static_bytes);
    if (err) {
        log_error("edge", "static files cannot be loaded folder=%s error=\"%s\"",
                  config->static_folder, strerror(-err));
        return err == -EFBIG ? err : -EINVAL;
    }
    if (config->config_js)
        static_add(e->files, "/config/config.js", config->config_js, strlen(config->config_js));
    const struct static_file *page;
    if (static_find(e->files, "/index.html", 11, &page) == STATIC_FOUND)
        scripts_hashes((const char *)page->data, page->len, e->scripts);
    return 0;
}

static void timers_new(struct edge *e)
{
    timers_init(&e->timers);
    timer_init(&e->sweep, on_sweep, e);
    uv_timer_init(e->loop, &e->tick);
    e->tick.data = e;
    e->handles++;
    e->tick_due_us = TIME_NEVER_US;
    edge_timer_start(e, &e->sweep, clock_now_us() + SWEEP_US);
}

static void close_all(const int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
}

int edge_new(struct edge **ep, uv_loop_t *loop, const struct edge_config *config,
             const struct edge_handlers *handlers, void *arg)
{
    struct edge *e = mem_zalloc(sizeof(*e));
    e->loop = loop;
    e->handlers = *handlers;
    e->arg = arg;
    config_copy(e, config);
    struct limits_conf by_address = {
        .sessions_per_address = e->limits.sessions_per_address,
        .sessions_per_second = e->limits.sessions_per_second,
        .connections_per_address = e->trust_proxy ? 0 : 2 * e->limits.sessions_per_address,
    };
    limits_new(&e->by_address, &by_address, clock_now_us());
    timers_new(e);

    int err = files_load(e, config);
    if (!err)
        err = context_new(e);
    if (err) {
        close_all(config->https_fds, config->n_https_fds);
        close_all(config->redirect_fds, config->n_redirect_fds);
    } else {
        size_t n = config->n_https_fds + config->n_redirect_fds;
        e->listeners = mem_calloc(n + 1, sizeof(*e->listeners));
        err = accept_start(e, config->https_fds, config->n_https_fds, false);
        int err2 = accept_start(e, config->redirect_fds, config->n_redirect_fds, true);
        err = err ? err : err2;
    }
    e->tls_cert = e->tls_key = NULL;
    if (err) {
        edge_free(e);
        return err;
    }
    *ep = e;
    return 0;
}

void edge_stop(struct edge *e)
{
    if (e->stopping)
        return;
    e->stopping = true;
    accept_stop(e);
    struct edge_session *s, *next;
    HASH_ITER (hh, e->sessions, s, next)
        session_end(s, EDGE_STOPPING, LWS_CLOSE_STATUS_GOINGAWAY);
}

static void on_tick_closed(uv_handle_t *h)
{
    struct edge *e = h->data;
    e->handles--;
}

static void count_closing(uv_handle_t *h, void *arg)
{
    unsigned *n = arg;
    *n += uv_is_closing(h) ? 1 : 0;
}

static void run_until_closed(struct edge *e)
{
    unsigned closing;
    do {
        uv_run(e->loop, UV_RUN_NOWAIT);
        closing = 0;
        uv_walk(e->loop, count_closing, &closing);
    } while (closing > 0 || e->handles > 0);
}

static void context_free(struct edge *e)
{
    if (e->context)
        lws_context_destroy(e->context);
    run_until_closed(e);
    if (e->context)
        lws_context_destroy(e->context);
}

static void config_free(struct edge *e)
{
    for (size_t i = 0; i < e->n_origins; i++)
        free(e->origins[i]);
    free(e->origins);
    free(e->csp);
    free(e->listeners);
}

void edge_free(struct edge *e)
{
    if (!e)
        return;
    edge_stop(e);
    struct edge_session *s, *next;
    HASH_ITER (hh, e->sessions, s, next)
        session_free(s);
    edge_timer_stop(e, &e->sweep);
    uv_timer_stop(&e->tick);
    uv_close((uv_handle_t *)&e->tick, on_tick_closed);
    context_free(e);
    struct conn *c, *next_conn;
    DL_FOREACH_SAFE (e->conns, c, next_conn)
        conn_free(c);
    timers_free(&e->timers);
    limits_free(e->by_address);
    static_free(e->files);
    config_free(e);
    free(e);
}
