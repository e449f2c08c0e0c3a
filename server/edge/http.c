/* HTTP requests and answers: static files, and the way to polling.c.
 *
 * An answer is written at once with its head; what does not fit into one write follows from the writable callback, piece by piece,
 * so that a slow reader costs no memory. Transfer-Encoding, and bodies where none belong, are refused and end the connection.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"
#include "server/edge/edge_int.h"
#include "server/edge/headers.h"

#define WRITE_MAX             16384 /* one TLS record */
#define RESPONSE_BURST        (1 << 20)
#define RESPONSE_CHECK_US     MS_US(5)
#define RESPONSE_CHECK_MAX_US MS_US(160)
#define HEAD_MAX              4096

static const char *status_text(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 302:
        return "Found";
    case 304:
        return "Not Modified";
    case 308:
        return "Permanent Redirect";
    case 400:
        return "Bad Request";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 411:
        return "Length Required";
    case 413:
        return "Content Too Large";
    case 429:
        return "Too Many Requests";
    case 503:
        return "Service Unavailable";
    default:
        return "Error";
    }
}

/* ---- answers ---- */

static int response_done(struct conn *c, struct lws *wsi)
{
    struct response *r = &c->response;
    bool close = r->close;
    free(r->owned);
    *r = (struct response){0};
    conn_deadline(c, EDGE_IDLE_US);
    return close || lws_http_transaction_completed(wsi) ? -1 : 0;
}

/* The client does not take more now. Until it does, libwebsockets must not look at the connection: it does not read while an answer
 * is owed and would spin on whatever is there to be read. */
static int response_wait(struct conn *c, struct lws *wsi)
{
    struct response *r = &c->response;
    r->check_us = RESPONSE_CHECK_US;
    r->give_up_us = clock_now_us() + EDGE_BODY_US;
    lws_rx_flow_control(wsi, 0);
    conn_deadline(c, r->check_us);
    return 0;
}

void http_response_check(struct conn *c, int64_t now_us)
{
    struct response *r = &c->response;
    struct pollfd fd = {.fd = c->wsi ? lws_get_socket_fd(c->wsi) : -1, .events = POLLOUT};
    if (now_us >= r->give_up_us) {
        c->e->counters.timeouts++;
        conn_kill(c);
    } else if (poll(&fd, 1, 0) > 0) {
        lws_rx_flow_control(c->wsi, 1);
        lws_callback_on_writable(c->wsi);
        conn_deadline(c, RESPONSE_CHECK_US);
    } else {
        r->check_us =
            2 * r->check_us < RESPONSE_CHECK_MAX_US ? 2 * r->check_us : RESPONSE_CHECK_MAX_US;
        conn_deadline(c, r->check_us);
    }
}

/* Writes what fits, at most RESPONSE_BURST bytes at once. */
static int response_go_on(struct conn *c, struct lws *wsi)
{
    struct response *r = &c->response;
    unsigned char buf[LWS_PRE + WRITE_MAX];
    size_t burst = 0;
    while (!lws_send_pipe_choked(wsi) && burst < RESPONSE_BURST) {
        size_t n = r->len - r->sent < WRITE_MAX ? r->len - r->sent : WRITE_MAX;
        bool last = r->sent + n == r->len;
        if (n == 0)
            return response_done(c, wsi);
        memcpy(buf + LWS_PRE, r->body + r->sent, n);
        if (lws_write(wsi, buf + LWS_PRE, n, last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < 0)
            return -1;
        r->sent += n;
        burst += n;
    }
    return response_wait(c, wsi);
}

static size_t head_write(struct conn *c, struct lws *wsi, char *out, size_t cap, int status,
                         const char *type, const char *extra, size_t len)
{
    char host[HOST_MAX], security[HEADERS_MAX], origin[HOST_MAX + 16];
    request_host(c->e, wsi, host);
    bool tls = !c->redirect && request_is_tls(c->e, wsi);
    headers_security(security, host, tls, c->e->csp, c->e->scripts);
    request_header(wsi, WSI_TOKEN_ORIGIN, origin, sizeof(origin));
    bool cors = c->role != CONN_IDLE && origin[0];
    int n = snprintf(
        out, cap, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s%s%s%s%s%s\r\n",
        status, status_text(status), type, len, extra, security,
        cors ? "Access-Control-Allow-Credentials: true\r\nVary: Origin\r\n"
               "Access-Control-Allow-Origin: "
             : "",
        cors ? origin : "", cors ? "\r\n" : "", c->response.close ? "Connection: close\r\n" : "");
    return n > 0 && (size_t)n < cap ? (size_t)n : 0;
}

/* `r->body` and `r->len` are set; HEAD leaves the body out. */
static int response_start(struct conn *c, struct lws *wsi, int status, const char *type,
                          const char *extra)
{
    struct response *r = &c->response;
    unsigned char buf[LWS_PRE + HEAD_MAX + WRITE_MAX];
    char *out = (char *)buf + LWS_PRE;
    size_t n = head_write(c, wsi, out, HEAD_MAX, status, type, extra, r->len);
    if (n == 0)
        return -1;
    r->active = true;
    if (status == 304 || lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0)
        r->len = 0;
    if (r->len <= WRITE_MAX) {
        if (r->len)
            memcpy(out + n, r->body, r->len);
        n += r->len;
        r->sent = r->len;
    }
    if (lws_write(wsi, (unsigned char *)out, n, LWS_WRITE_HTTP_HEADERS) < 0)
        return -1;
    return r->close && r->sent == r->len ? response_done(c, wsi) : response_go_on(c, wsi);
}

int http_answer(struct conn *c, struct lws *wsi, int status, const char *type, const char *extra,
                const char *body, size_t len)
{
    struct response *r = &c->response;
    free(r->owned);
    r->owned = mem_zalloc(len + 1);
    memcpy(r->owned, body, len);
    r->body = (const uint8_t *)r->owned;
    r->len = len;
    r->sent = 0;
    return response_start(c, wsi, status, type, extra);
}

int http_error(struct conn *c, struct lws *wsi, int status, const char *text)
{
    c->response.close = true;
    return http_answer(c, wsi, status, "text/plain; charset=utf-8",
                       status == 405 ? "Allow: GET, HEAD\r\n" : "Cache-Control: no-store\r\n", text,
                       strlen(text));
}

int http_engine_error(struct conn *c, struct lws *wsi, int status, int code)
{
    static const char *const messages[] = {
        "Transport unknown", "Session ID unknown", "Bad handshake method",
        "Bad request",       "Forbidden",          "Unsupported protocol version",
    };
    char body[96];
    int n = snprintf(body, sizeof(body), "{\"code\":%d,\"message\":\"%s\"}", code, messages[code]);
    c->response.close = true;
    return http_answer(c, wsi, status, "application/json", "Cache-Control: no-store\r\n", body,
                       (size_t)n);
}

/* ---- static files ---- */

static bool etag_matches(struct lws *wsi, const char *etag)
{
    char header[512];
    return strstr(request_header(wsi, WSI_TOKEN_HTTP_IF_NONE_MATCH, header, sizeof(header)), etag);
}

static int serve_file(struct conn *c, struct lws *wsi, const char *path, size_t len)
{
    const struct static_file *file;
    char extra[256];
    switch (static_find(c->e->files, path, len, &file)) {
    case STATIC_REFUSED:
        return http_error(c, wsi, 400, "Bad path\n");
    case STATIC_MISSING:
        return http_error(c, wsi, 404, "Not found\n");
    case STATIC_FOUND:
        break;
    }
    snprintf(extra, sizeof(extra), "Cache-Control: %s\r\nETag: %s\r\n", file->cache, file->etag);
    c->response.body = file->data;
    c->response.len = file->len;
    c->response.sent = 0;
    return response_start(c, wsi, etag_matches(wsi, file->etag) ? 304 : 200, file->type, extra);
}

/* ---- requests ---- */

/* The length of the body: -1 none was announced, -2 nonsense. */
static int64_t content_length(struct lws *wsi)
{
    char text[24];
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0)
        return -1;
    request_header(wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, text, sizeof(text));
    size_t n = strspn(text, "0123456789");
    return n > 0 && n <= 15 && text[n] == '\0' ? atoll(text) : -2;
}

static int expect_body(struct conn *c, struct lws *wsi, int64_t length)
{
    if (length < 0)
        return http_error(c, wsi, 411, "Length required\n");
    if ((uint64_t)length > c->e->limits.message_bytes) {
        c->e->counters.refused_size++;
        return http_error(c, wsi, 413, "Too large\n");
    }
    conn_in_reset(c);
    c->in_expected = (size_t)length;
    conn_deadline(c, EDGE_BODY_US);
    return 0;
}

int http_request(struct conn *c, struct lws *wsi, const char *path, size_t len)
{
    c->e->counters.http_requests++;
    c->wsi = wsi;
    c->role = CONN_IDLE;
    conn_no_deadline(c);
    bool post = lws_hdr_total_length(wsi, WSI_TOKEN_POST_URI) > 0;
    bool get = lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0;
    int64_t length = content_length(wsi);
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0 || length == -2 ||
        (!post && length > 0))
        return http_error(c, wsi, 400, "Bad request\n");

    if (polling_is_path(path, len)) {
        if (!get && !post)
            return http_engine_error(c, wsi, 400, 2);
        int n = polling_request(c, wsi, post);
        return n == 0 && c->role == CONN_POST ? expect_body(c, wsi, length) : n;
    }
    if (!get && lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) <= 0)
        return http_error(c, wsi, 405, "Method not allowed\n");
    return serve_file(c, wsi, path, len);
}

int http_body(struct conn *c, struct lws *wsi, const char *data, size_t len)
{
    (void)wsi;
    if (c->role != CONN_POST || len == 0)
        return 0;
    return conn_take(c, data, len) ? -1 : 0;
}

int http_body_done(struct conn *c, struct lws *wsi)
{
    return c->role == CONN_POST ? polling_body_done(c, wsi) : 0;
}

int http_writable(struct conn *c, struct lws *wsi)
{
    if (c->response.active)
        return response_go_on(c, wsi);
    return c->role == CONN_POLL ? polling_writable(c, wsi) : 0;
}
