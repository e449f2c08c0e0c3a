#include "exporter/exporter_int.h"
#include "lib/clock.h"
#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- results -------------------------------------------------------------------------------------------------------------------- */

static void result_unref(struct result *r)
{
    if (!r || --r->refs)
        return;
    MHD_destroy_response(r->response);
    free(r);
}

static struct MHD_Response *plain_response(const char *text)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(strlen(text), (void *)(uintptr_t)text,
                                                             MHD_RESPMEM_PERSISTENT);
    if (r)
        MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
    return r;
}

static void describe(struct MHD_Response *r, bool open, bool gzip)
{
    MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE,
                            open ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                 : "text/plain; version=0.0.4; charset=utf-8");
    MHD_add_response_header(r, MHD_HTTP_HEADER_VARY, "Accept, Accept-Encoding");
    MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (gzip)
        MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
}

/* NULL: no memory. */
static struct result *result_of(struct buf *text, bool open, bool gzip)
{
    struct result *r = mem_zalloc(sizeof(*r));
    r->refs = 1;
    if (text->full) {
        log_error("exporter", "the text is too long, lower prometheus.maxStreams");
        r->status = MHD_HTTP_SERVICE_UNAVAILABLE;
        r->response = plain_response("Too many streams.\n");
    } else {
        r->status = MHD_HTTP_OK;
        r->response = MHD_create_response_from_buffer(text->len, text->data, MHD_RESPMEM_MUST_FREE);
        if (r->response) {
            describe(r->response, open, gzip);
            *text = (struct buf){.max = text->max};
        }
    }
    if (r->response)
        return r;
    free(r);
    return NULL;
}

void requests_wake(struct build *b, struct result *result)
{
    while (b->waiters) {
        struct waiter *w = b->waiters;
        b->waiters = w->next;
        w->next = NULL;
        w->result = result;
        if (result)
            result->refs++;
        MHD_resume_connection(w->connection);
    }
}

void requests_finish(struct exporter *e, struct build *b)
{
    bool open = b >= e->builds[EXPORTER_OPENMETRICS];
    bool gzip = b == &e->builds[open][1];
    struct result *result = result_of(scrape_buf(b->scrape), open, gzip);
    scrape_free(b->scrape);
    b->scrape = NULL;
    requests_wake(b, result);
    result_unref(result);
}

/* ---- requests ------------------------------------------------------------------------------------------------------------------- */

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *text)
{
    struct MHD_Response *r = plain_response(text);
    if (!r)
        return MHD_NO;
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET");
    if (status == MHD_HTTP_UNAUTHORIZED)
        MHD_add_response_header(r, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    enum MHD_Result done = MHD_queue_response(connection, status, r);
    MHD_destroy_response(r);
    return done;
}

/* How long it takes depends on what was sent, not on the token. */
static bool is_token(const char *sent, const char *token)
{
    size_t n = strlen(sent), m = strlen(token);
    unsigned char diff = n != m;
    for (size_t i = 0; i < n; i++)
        diff |= (unsigned char)sent[i] ^ (unsigned char)token[m ? i % m : 0];
    return !diff;
}

static bool may_scrape(const struct exporter *e, struct MHD_Connection *connection)
{
    if (!e->config.token)
        return true;
    const char *sent =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
    if (!sent || strncasecmp(sent, "Bearer ", 7) != 0)
        return false;
    sent += 7;
    while (*sent == ' ')
        sent++;
    return is_token(sent, e->config.token);
}

static enum MHD_Result wait_for_text(struct exporter *e, struct waiter *w)
{
    w->next = w->build->waiters;
    w->build->waiters = w;
    w->suspended = true;
    exporter_build(e);
    MHD_suspend_connection(w->connection);
    return MHD_YES;
}

/* libmicrohttpd would close a connection that is suspended at the first call: it waits from the second. */
static enum MHD_Result begin(struct exporter *e, struct MHD_Connection *connection, void **request)
{
    struct waiter *w = mem_zalloc(sizeof(*w));
    enum exporter_format format = accept_format(
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT));
    bool gzip = accept_gzip(
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_ENCODING));
    w->connection = connection;
    w->build = &e->builds[format][gzip];
    *request = w;
    return MHD_YES;
}

static enum MHD_Result first_call(struct exporter *e, struct MHD_Connection *connection,
                                  const char *url, const char *method, void **request)
{
    struct caller *c = exporter_caller(connection);
    if (c)
        c->asked = true;
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0)
        return answer(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET.\n");
    if (strcmp(url, "/healthz") == 0)
        return answer(connection, MHD_HTTP_OK, "ok\n");
    if (strcmp(url, "/readyz") == 0)
        return e->source.ready(e->source.arg)
                   ? answer(connection, MHD_HTTP_OK, "ready\n")
                   : answer(connection, MHD_HTTP_SERVICE_UNAVAILABLE, "not ready\n");
    if (strcmp(url, "/") != 0 && strcmp(url, "/metrics") != 0)
        return answer(connection, MHD_HTTP_NOT_FOUND, "Metrics are at /metrics.\n");
    if (!may_scrape(e, connection))
        return answer(connection, MHD_HTTP_UNAUTHORIZED, "A bearer token is needed.\n");
    return begin(e, connection, request);
}

enum MHD_Result requests_on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version, const char *upload,
                                    size_t *upload_size, void **request)
{
    struct exporter *e = arg;
    struct waiter *w = *request;
    (void)version;
    (void)upload;
    (void)upload_size;
    if (!w)
        return first_call(e, connection, url, method, request);
    if (w->result)
        return MHD_queue_response(connection, w->result->status, w->result->response);
    return w->suspended ? MHD_NO : wait_for_text(e, w);
}

void requests_on_completed(void *arg, struct MHD_Connection *connection, void **request,
                           enum MHD_RequestTerminationCode why)
{
    struct waiter *w = *request;
    struct caller *c = exporter_caller(connection);
    (void)arg;
    (void)why;
    if (c) {
        c->since_us = clock_now_us();
        c->asked = false;
    }
    if (!w)
        return;
    for (struct waiter **p = &w->build->waiters; *p; p = &(*p)->next) {
        if (*p == w) {
            *p = w->next;
            break;
        }
    }
    result_unref(w->result);
    free(w);
    *request = NULL;
}
