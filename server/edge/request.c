/* What the headers of a request say, and how far they are believed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "server/edge/edge_int.h"
#include "server/edge/text.h"

const char *request_header(struct lws *wsi, enum lws_token_indexes token, char *out, size_t cap)
{
    char all
        [4096]; /* lws_hdr_copy() forgets the commas between the pieces of a header when it counts the room that is left */
    int n = lws_hdr_total_length(wsi, token);
    bool fits = n > 0 && (size_t)n < cap && (size_t)n < sizeof(all) - 256;
    if (!fits || lws_hdr_copy(wsi, all, sizeof(all) - 128, token) != n ||
        !text_is_clean(all, (size_t)n))
        n = 0;
    memcpy(out, all, (size_t)n);
    out[n] = '\0';
    return out;
}

/* `name` in lower case, with its colon. */
static const char *custom_header(struct lws *wsi, const char *name, char *out, size_t cap)
{
    int n = lws_hdr_custom_copy(wsi, out, (int)cap, name, (int)strlen(name));
    if (n <= 0 || !text_is_clean(out, (size_t)n))
        out[0] = '\0';
    return out;
}

void request_host(const struct edge *e, struct lws *wsi, char out[static HOST_MAX])
{
    if (e->trust_proxy && host_is_valid(custom_header(wsi, "x-forwarded-host:", out, HOST_MAX)))
        return;
    if (!host_is_valid(request_header(wsi, WSI_TOKEN_HOST, out, HOST_MAX)))
        out[0] = '\0';
}

void request_address(const struct conn *c, struct lws *wsi, char out[static 80])
{
    char header[1024];
    request_header(wsi, WSI_TOKEN_X_FORWARDED_FOR, header, sizeof(header));
    if (!c->e->trust_proxy || !host_forwarded_for(header, out))
        snprintf(out, 80, "%s", c->ip);
}

bool request_is_tls(const struct edge *e, struct lws *wsi)
{
    char proto[16];
    if (e->tls)
        return true;
    return e->trust_proxy &&
           strcasecmp(custom_header(wsi, "x-forwarded-proto:", proto, sizeof(proto)), "https") == 0;
}

bool request_origin_ok(const struct edge *e, struct lws *wsi)
{
    char origin[HOST_MAX + 16], host[HOST_MAX];
    if (lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) <= 0)
        return true; /* not a page of a browser */
    request_header(wsi, WSI_TOKEN_ORIGIN, origin, sizeof(origin));
    if (e->n_origins > 0)
        return host_origin_listed((const char *const *)e->origins, e->n_origins, origin);
    request_host(e, wsi, host);
    return host_is_origin(host, origin);
}

int request_query(struct lws *wsi, struct edge_query *q)
{
    char piece[QUERY_BYTES_MAX];
    query_init(q);
    if (lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_URI_ARGS) >= QUERY_BYTES_MAX)
        return -ENOSPC;
    for (int i = 0;; i++) {
        int n = lws_hdr_copy_fragment(wsi, piece, sizeof(piece), WSI_TOKEN_HTTP_URI_ARGS, i);
        if (n == -1)
            return 0;
        int err = n < 0 ? -ENOSPC : query_add(q, piece, (size_t)n);
        if (err)
            return err;
    }
}

size_t request_target(struct lws *wsi, const char *path, size_t len, char *out, size_t cap)
{
    char piece[2048];
    size_t at = text_percent_encode(out, cap - 1, path, len, "/-._~!$()*,:@");
    if (at == 0 || lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_URI_ARGS) >= (int)sizeof(piece))
        return 0;
    for (int i = 0;; i++) {
        int n = lws_hdr_copy_fragment(wsi, piece, sizeof(piece), WSI_TOKEN_HTTP_URI_ARGS, i);
        if (n == -1)
            break;
        if (n < 0 || cap - at < 2)
            return 0;
        out[at++] = i == 0 ? '?' : '&';
        size_t more = text_percent_encode(out + at, cap - at - 1, piece, (size_t)n, "/-._~=:@,");
        if (more == 0 && n > 0)
            return 0;
        at += more;
    }
    out[at] = '\0';
    return at;
}
