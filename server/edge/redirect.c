/* Plain HTTP to HTTPS. The host is the one that was asked for, so it must at least be made of what hosts are made of; and a browser
 * cannot be made to send another one. */
#include <string.h>

#include "server/edge/edge_int.h"

int redirect_request(struct conn *c, struct lws *wsi, const char *path, size_t len)
{
    char host[HOST_MAX], target[4096], url[4096 + HOST_MAX];
    char location[sizeof(url) + 64];
    c->e->counters.http_requests++;
    c->wsi = wsi;
    conn_no_deadline(c);
    request_host(c->e, wsi, host);
    if (!host[0] || !request_target(wsi, path, len, target, sizeof(target)) ||
        !host_https_url(url, sizeof(url), host, c->e->public_port, target))
        return http_error(c, wsi, 400, "Bad request\n");
    snprintf(location, sizeof(location), "Location: %s\r\nCache-Control: no-store\r\n", url);
    bool get = lws_hdr_total_length(wsi, WSI_TOKEN_GET_URI) > 0;
    bool head = lws_hdr_total_length(wsi, WSI_TOKEN_HEAD_URI) > 0;
    c->response.close = !get && !head; /* its body is not read */
    return http_answer(c, wsi, get || head ? 302 : 308, "text/plain; charset=utf-8", location,
                       "See https\n", 10);
}
