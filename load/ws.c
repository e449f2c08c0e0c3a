/* TLS goes through two memory BIOs, so that libuv alone reads and writes the socket. What arrived and is not a whole frame yet stays in
 * `in`. An error found while sending is told by an idle handler of the loop, since the caller of ws_send() expects no callback. */
#include "load/ws.h"

#include "lib/buf.h"
#include "lib/mem.h"
#include "lib/rand.h"
#include "load/ws_frame.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#define CHUNK 65536

enum ws_state { CONNECTING, TLS_HANDSHAKE, WS_HANDSHAKE, OPEN, CLOSED };

struct ws {
    uv_tcp_t tcp;
    uv_timer_t fail_timer; /* tells of a failure from the loop */
    unsigned handles;      /* of libuv, not yet closed */
    const struct target *target;
    const struct ws_handlers *handlers;
    void *arg;
    enum ws_state state;
    bool freed;
    const char *failure;
    SSL *ssl; /* NULL: plain */
    BIO *net_in, *net_out;
    char key[WS_KEY_LEN + 1];
    char *path;
    struct buf in;      /* bytes of frames */
    struct buf message; /* of fragments */
    char reason[160];
};

/* What uv_read() fills and on_read() empties at once: one does for all. */
static char chunk[CHUNK];

struct write {
    uv_write_t req;
    char data[];
};

/* ---- life and death ---- */

static void on_handle_closed(uv_handle_t *h)
{
    struct ws *w = h->data;
    if (--w->handles)
        return;
    SSL_free(w->ssl);
    buf_free(&w->in);
    buf_free(&w->message);
    free(w->path);
    free(w);
}

void ws_free(struct ws *w)
{
    if (!w || w->freed)
        return;
    w->freed = true;
    w->state = CLOSED;
    uv_close((uv_handle_t *)&w->tcp, on_handle_closed);
    uv_close((uv_handle_t *)&w->fail_timer, on_handle_closed);
}

static void on_fail_timer(uv_timer_t *t)
{
    struct ws *w = t->data;
    w->handlers->closed(w->reason, w->arg);
}

static void fail(struct ws *w, const char *reason)
{
    if (w->state == CLOSED)
        return;
    w->state = CLOSED;
    snprintf(w->reason, sizeof(w->reason), "%s", reason);
    uv_read_stop((uv_stream_t *)&w->tcp);
    uv_timer_start(&w->fail_timer, on_fail_timer, 0, 0);
}

/* ---- out ---- */

static void on_written(uv_write_t *req, int status)
{
    struct ws *w = req->data;
    if (status < 0 && status != UV_ECANCELED)
        fail(w, uv_strerror(status));
    free(req);
}

static void write_raw(struct ws *w, const void *data, size_t len)
{
    if (w->state == CLOSED || !len)
        return;
    if (uv_stream_get_write_queue_size((uv_stream_t *)&w->tcp) + len > WS_QUEUE_MAX) {
        fail(w, "the server does not read");
        return;
    }
    struct write *wr = mem_zalloc(sizeof(*wr) + len);
    memcpy(wr->data, data, len);
    wr->req.data = w;
    uv_buf_t b = uv_buf_init(wr->data, (unsigned)len);
    if (uv_write(&wr->req, (uv_stream_t *)&w->tcp, &b, 1, on_written) < 0) {
        free(wr);
        fail(w, "the socket is broken");
    }
}

static void flush_tls(struct ws *w)
{
    char out[16384];
    int n;
    while ((n = BIO_read(w->net_out, out, sizeof(out))) > 0)
        write_raw(w, out, (size_t)n);
}

static void write_plain(struct ws *w, const void *data, size_t len)
{
    if (!w->ssl) {
        write_raw(w, data, len);
        return;
    }
    ERR_clear_error();
    if (SSL_write(w->ssl, data, (int)len) <= 0)
        fail(w, "TLS failed");
    flush_tls(w);
}

static void send_frame(struct ws *w, enum ws_opcode opcode, const void *payload, size_t len)
{
    uint8_t mask[4], *frame = mem_zalloc(WS_HEADER_MAX + len);
    rand_bytes(mask, sizeof(mask));
    size_t n = ws_frame_header(frame, opcode, len, mask);
    if (len)
        memcpy(frame + n, payload, len);
    ws_mask(frame + n, len, mask);
    write_plain(w, frame, n + len);
    free(frame);
}

void ws_send(struct ws *w, const char *text, size_t len)
{
    if (w->state == OPEN)
        send_frame(w, WS_TEXT, text, len);
}

/* ---- in ---- */

static void deliver(struct ws *w, const uint8_t *payload, size_t len)
{
    char *text = mem_zalloc(len + 1);
    if (len)
        memcpy(text, payload, len);
    w->handlers->text(text, len, w->arg);
    free(text);
}

static void take_data(struct ws *w, const struct ws_frame *f)
{
    if (f->fin && !w->message.len && f->opcode == WS_TEXT) {
        deliver(w, f->payload, f->len);
        return;
    }
    buf_add(&w->message, f->payload, f->len);
    if (w->message.full) {
        fail(w, "a message is too long");
    } else if (f->fin) {
        deliver(w, (const uint8_t *)w->message.data, w->message.len);
        buf_clear(&w->message);
    }
}

static void take_frame(struct ws *w, const struct ws_frame *f)
{
    if (f->opcode == WS_PING)
        send_frame(w, WS_PONG, f->payload, f->len);
    else if (f->opcode == WS_CLOSE)
        fail(w, "the server closed the connection");
    else if (f->opcode <= WS_BINARY)
        take_data(w, f);
}

static int take_answer(struct ws *w, const uint8_t *data, size_t len)
{
    char text[80];
    int status = 0, n = ws_answer_parse(data, len, w->key, &status);
    if (n > 0) {
        w->state = OPEN;
        w->handlers->open(w->arg);
    } else if (n == -EPROTO) {
        snprintf(text, sizeof(text), "the server answers the WebSocket with status %d", status);
        fail(w, text);
    } else if (n < 0) {
        fail(w, "what answers is no HTTP server");
    }
    return n;
}

/* Takes what is whole off the front of `in`. A handler may free the connection meanwhile: its memory stays until the loop goes on. */
static void take_all(struct ws *w)
{
    size_t at = 0;
    while (w->state == WS_HANDSHAKE || w->state == OPEN) {
        const uint8_t *data = (const uint8_t *)w->in.data + at;
        struct ws_frame f;
        bool frame = w->state == OPEN;
        int n =
            frame ? ws_frame_parse(data, w->in.len - at, &f) : take_answer(w, data, w->in.len - at);
        if (n < 0)
            fail(w, "a WebSocket frame is malformed");
        if (n <= 0)
            break;
        at += (size_t)n;
        if (frame)
            take_frame(w, &f);
    }
    if (at) {
        memmove(w->in.data, w->in.data + at, w->in.len - at);
        w->in.len -= at;
    }
}

static void take_plain(struct ws *w, const void *data, size_t len)
{
    buf_add(&w->in, data, len);
    if (w->in.full)
        fail(w, "a WebSocket frame is too long");
    else
        take_all(w);
}

/* ---- the two handshakes ---- */

static void send_request(struct ws *w)
{
    struct buf b;
    uint8_t nonce[16];
    rand_bytes(nonce, sizeof(nonce));
    EVP_EncodeBlock((unsigned char *)w->key, nonce, sizeof(nonce));
    buf_init(&b, 16384);
    buf_printf(&b,
               "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               "Origin: %s://%s\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n"
               "User-Agent: althing-load\r\n",
               w->path, w->target->authority, w->target->tls ? "https" : "http",
               w->target->authority, w->key);
    buf_puts(&b, "\r\n");
    w->state = WS_HANDSHAKE;
    if (b.full)
        fail(w, "the request is too long");
    else
        write_plain(w, b.data, b.len);
    buf_free(&b);
}

static void fail_tls(struct ws *w)
{
    char text[160];
    long verify = SSL_get_verify_result(w->ssl);
    unsigned long e = ERR_peek_last_error();
    const char *why = verify != X509_V_OK ? X509_verify_cert_error_string(verify)
                      : e                 ? ERR_reason_error_string(e)
                                          : NULL;
    snprintf(text, sizeof(text), "TLS: %s", why ? why : "the handshake failed");
    fail(w, text);
}

static void shake(struct ws *w)
{
    ERR_clear_error();
    int ret = SSL_do_handshake(w->ssl);
    int error = ret == 1 ? 0 : SSL_get_error(w->ssl, ret);
    if (error && error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
        fail_tls(w);
    flush_tls(w);
    if (!error)
        send_request(w);
}

static void take_tls(struct ws *w, const char *data, size_t len)
{
    char plain[16384];
    int n = 0;
    BIO_write(w->net_in, data, (int)len);
    if (w->state == TLS_HANDSHAKE)
        shake(w);
    if (w->state == TLS_HANDSHAKE)
        return;
    ERR_clear_error();
    while (w->state != CLOSED && (n = SSL_read(w->ssl, plain, sizeof(plain))) > 0)
        take_plain(w, plain, (size_t)n);
    if (n <= 0 && w->state != CLOSED && SSL_get_error(w->ssl, n) != SSL_ERROR_WANT_READ)
        fail(w, "the server ended TLS");
    if (w->state != CLOSED)
        flush_tls(w);
}

/* ---- libuv ---- */

static void give_room(uv_handle_t *h, size_t suggested, uv_buf_t *b)
{
    (void)h;
    (void)suggested;
    *b = uv_buf_init(chunk, sizeof(chunk));
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    struct ws *w = s->data;
    if (n < 0)
        fail(w, n == UV_EOF ? "the server closed the connection" : uv_strerror((int)n));
    else if (n > 0 && w->ssl)
        take_tls(w, b->base, (size_t)n);
    else if (n > 0)
        take_plain(w, b->base, (size_t)n);
}

static void on_connected(uv_connect_t *req, int status)
{
    struct ws *w = req->data;
    free(req);
    if (status == UV_ECANCELED || w->freed)
        return;
    if (status < 0) {
        fail(w, uv_strerror(status));
        return;
    }
    uv_tcp_nodelay(&w->tcp, 1);
    uv_read_start((uv_stream_t *)&w->tcp, give_room, on_read);
    if (w->ssl) {
        w->state = TLS_HANDSHAKE;
        shake(w);
    } else {
        send_request(w);
    }
}

static void set_up_tls(struct ws *w, SSL_CTX *ctx)
{
    struct in6_addr literal;
    const char *host = w->target->host;
    w->ssl = SSL_new(ctx);
    w->net_in = BIO_new(BIO_s_mem());
    w->net_out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(w->net_in, -1);
    SSL_set_bio(w->ssl, w->net_in, w->net_out);
    SSL_set_connect_state(w->ssl);
    if (inet_pton(AF_INET, host, &literal) == 1 || inet_pton(AF_INET6, host, &literal) == 1) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(w->ssl), host);
    } else {
        SSL_set_tlsext_host_name(w->ssl, host);
        SSL_set1_host(w->ssl, host);
    }
}

SSL_CTX *ws_tls_new(bool insecure)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (!ctx)
        return NULL;
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_default_verify_paths(ctx);
    SSL_CTX_set_verify(ctx, insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    return ctx;
}

void ws_new(struct ws **wp, const struct ws_config *conf)
{
    struct ws *w = mem_zalloc(sizeof(*w));
    w->target = conf->target;
    w->handlers = conf->handlers;
    w->arg = conf->arg;
    w->path = mem_strdup(conf->path);
    buf_init(&w->in, WS_FRAME_MAX + CHUNK);
    buf_init(&w->message, WS_FRAME_MAX);
    uv_tcp_init(conf->loop, &w->tcp);
    uv_timer_init(conf->loop, &w->fail_timer);
    w->tcp.data = w->fail_timer.data = w;
    w->handles = 2;
    if (conf->tls)
        set_up_tls(w, conf->tls);
    uv_connect_t *req = mem_zalloc(sizeof(*req));
    req->data = w;
    int err = uv_tcp_connect(req, &w->tcp, conf->address, on_connected);
    if (err) {
        free(req);
        fail(w, uv_strerror(err));
    }
    *wp = w;
}
