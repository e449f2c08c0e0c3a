/* ws.h - one WebSocket connection of a client (RFC 6455), over TCP or TLS, on a libuv loop.
 *
 * A connection of our own and not libwebsockets': its client in Debian offers h2 and permessage-deflate unless kept from it, and
 * both are unsound there. Pings are answered here. A message is at most WS_FRAME_MAX bytes, fragments put together; what waits to
 * be sent at most WS_QUEUE_MAX: beyond either the connection fails. `closed` is told once, after which nothing is; never from
 * within ws_send().
 */
#ifndef ALTHING_LOAD_WS_H
#define ALTHING_LOAD_WS_H

#include "load/target.h"

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>
#include <uv.h>

#define WS_QUEUE_MAX 4194304 /* bytes */

struct ws;

struct ws_handlers {
    void (*open)(void *arg);
    void (*text)(const char *text, size_t len, void *arg); /* followed by a NUL */
    void (*closed)(const char *reason, void *arg);         /* the connection still is to be freed */
};

struct ws_config {
    uv_loop_t *loop;
    const struct target *target;       /* borrowed */
    const struct sockaddr *address;    /* of the target; copied */
    SSL_CTX *tls;                      /* NULL for ws:// */
    const char *path;                  /* with its query; copied */
    const struct ws_handlers *handlers; /* borrowed */
    void *arg;
};

/* What checks certificates, with the system's authorities; `insecure`: any certificate will do. NULL: OpenSSL says no. */
SSL_CTX *ws_tls_new(bool insecure);
void ws_new(struct ws **wp, const struct ws_config *conf);
/* Ends it without a word to the handlers; the memory goes when libuv has let go. NULL is fine. */
void ws_free(struct ws *w);
void ws_send(struct ws *w, const char *text, size_t len); /* one text message; not open: dropped */

#endif
