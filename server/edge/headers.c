#include "server/edge/headers.h"

#include <stdio.h>

#include "server/edge/host.h"

size_t headers_security(char out[static HEADERS_MAX], const char *host, bool tls, const char *csp,
                        const char *scripts)
{
    char wss[HOST_MAX + 8] = "";
    bool named = host_is_valid(host);
    if (named)
        snprintf(wss, sizeof(wss), " %s://%s", tls ? "wss" : "ws", host);
    bool hsts = tls && named && !host_is_local_or_ip(host);

    int n = snprintf(out, HEADERS_MAX,
                     "X-Content-Type-Options: nosniff\r\n"
                     "Referrer-Policy: strict-origin-when-cross-origin\r\n"
                     "X-Frame-Options: SAMEORIGIN\r\n"
                     "%s",
                     hsts ? "Strict-Transport-Security: max-age=31536000\r\n" : "");
    if (csp)
        n +=
            snprintf(out + n, HEADERS_MAX - (size_t)n, "Content-Security-Policy: %.1200s\r\n", csp);
    else
        n += snprintf(out + n, HEADERS_MAX - (size_t)n,
                      "Content-Security-Policy: default-src 'self'; "
                      "script-src 'self' 'wasm-unsafe-eval' blob:%s; "
                      "style-src 'self' 'unsafe-inline'; "
                      "img-src 'self' data: blob:; media-src 'self' data: blob:; "
                      "font-src 'self' data:; connect-src 'self' data: blob:%s; "
                      "worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
                      "form-action 'self'; frame-ancestors 'self'\r\n",
                      scripts, wss);
    return (size_t)n;
}
