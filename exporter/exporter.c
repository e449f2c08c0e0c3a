/* libmicrohttpd runs without threads, its epoll descriptor being polled by the loop. A request for metrics is suspended until the text is
 * made, which an idle handle does slice by slice. */
#include "exporter/exporter.h"
#include "exporter/names.h"
#include "exporter/text.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define REQUEST_MEMORY (16 * 1024)

/* A finished text, shared by those that asked for it. */
struct result {
    struct MHD_Response *response;
    unsigned status;
    unsigned refs;
};

/* A request for metrics, from its head to its completion. */
struct waiter {
    struct MHD_Connection *connection;
    struct waiter *next;   /* while it waits */
    struct result *result; /* NULL: it waits */
    bool suspended;        /* it was, at least once */
};

struct exporter {
    struct MHD_Daemon *daemon;
    struct exporter_config config;
    struct exporter_source source;
    struct names *names;        /* NULL: addresses stay numbers */
    struct exporter_text *text; /* NULL: no scrape is being built */
    struct waiter *waiters;
    uv_poll_t poll;
    uv_timer_t timer;
    uv_idle_t idle;
    int open_handles;
};

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

/* NULL: no memory. */
static struct result *result_of(struct buf *text)
{
    struct result *r = mem_zalloc(sizeof(*r));
    r->refs = 1;
    if (text->full) {
        log_error("exporter", "the text is too long");
        r->status = MHD_HTTP_SERVICE_UNAVAILABLE;
        r->response = plain_response("Too many streams.\n");
    } else {
        r->status = MHD_HTTP_OK;
        r->response = MHD_create_response_from_buffer(text->len, text->data, MHD_RESPMEM_MUST_FREE);
        if (r->response) {
            MHD_add_response_header(r->response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                    "text/plain; version=0.0.4; charset=utf-8");
            *text = (struct buf){.max = text->max};
        }
    }
    if (r->response)
        return r;
    free(r);
    return NULL;
}

/* ---- the loop ------------------------------------------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *timer);

static unsigned n_connections(struct exporter *e)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(e->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    return info ? info->num_connections : 0;
}

/* When connections end, once more: a run that began at the limit does not listen, and nothing would wake us to try again. */
static void run_daemon(struct exporter *e)
{
    MHD_UNSIGNED_LONG_LONG ms;
    unsigned before;
    do {
        before = n_connections(e);
        MHD_run(e->daemon);
    } while (n_connections(e) < before);
    if (MHD_get_timeout(e->daemon, &ms) == MHD_YES)
        uv_timer_start(&e->timer, on_timer, ms, 0);
    else
        uv_timer_stop(&e->timer);
}

static void on_timer(uv_timer_t *timer)
{
    run_daemon(timer->data);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    run_daemon(poll->data);
}

/* Wakes all that wait; without a result they are answered with an error. */
static void wake_waiters(struct exporter *e, struct result *result)
{
    while (e->waiters) {
        struct waiter *w = e->waiters;
        e->waiters = w->next;
        w->next = NULL;
        w->result = result;
        if (result)
            result->refs++;
        MHD_resume_connection(w->connection);
    }
}

static void on_idle(uv_idle_t *idle)
{
    struct exporter *e = idle->data;
    if (exporter_text_step(e->text))
        return;
    struct result *result = result_of(exporter_text_buf(e->text));
    exporter_text_free(e->text);
    e->text = NULL;
    uv_idle_stop(&e->idle);
    wake_waiters(e, result);
    result_unref(result);
    run_daemon(e);
}

/* ---- requests ------------------------------------------------------------------------------------------------------------------- */

static const char *look_up(const struct addr *a, void *arg)
{
    return names_of(arg, a, clock_now_us());
}

static void wait_for_text(struct exporter *e, struct waiter *w)
{
    w->next = e->waiters;
    e->waiters = w;
    w->suspended = true;
    if (!e->text) {
        e->text = exporter_text_new(&e->config, &e->source, e->names ? look_up : NULL, e->names);
        uv_idle_start(&e->idle, on_idle);
    }
    MHD_suspend_connection(w->connection);
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status, const char *text)
{
    struct MHD_Response *r = plain_response(text);
    if (!r)
        return MHD_NO;
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET");
    enum MHD_Result done = MHD_queue_response(connection, status, r);
    MHD_destroy_response(r);
    return done;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **request)
{
    struct exporter *e = arg;
    struct waiter *w = *request;
    (void)version;
    (void)upload;
    (void)upload_size;
    if (w && w->result)
        return MHD_queue_response(connection, w->result->status, w->result->response);
    if (w && w->suspended)
        return MHD_NO;
    if (w) {
        wait_for_text(e, w);
        return MHD_YES;
    }
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0)
        return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "Only GET.\n");
    if (strcmp(url, "/") != 0 && strcmp(url, "/metrics") != 0)
        return refuse(connection, MHD_HTTP_NOT_FOUND, "Metrics are at /metrics.\n");
    /* libmicrohttpd would close a connection that is suspended at the first call. */
    w = mem_zalloc(sizeof(*w));
    w->connection = connection;
    *request = w;
    return MHD_YES;
}

static void on_completed(void *arg, struct MHD_Connection *connection, void **request,
                         enum MHD_RequestTerminationCode why)
{
    struct exporter *e = arg;
    struct waiter *w = *request;
    (void)connection;
    (void)why;
    if (!w)
        return;
    for (struct waiter **p = &e->waiters; *p; p = &(*p)->next) {
        if (*p == w) {
            *p = w->next;
            break;
        }
    }
    result_unref(w->result);
    free(w);
    *request = NULL;
}

/* ---- life ----------------------------------------------------------------------------------------------------------------------- */

static struct MHD_Daemon *start_daemon(struct exporter *e, int listen_fd)
{
    return MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, e,
                            MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_CONNECTION_LIMIT,
                            (unsigned)EXPORTER_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT,
                            (unsigned)EXPORTER_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                            (size_t)REQUEST_MEMORY, MHD_OPTION_NOTIFY_COMPLETED, on_completed, e,
                            MHD_OPTION_END);
}

static int make_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

int exporter_new(struct exporter **ep, struct uv_loop_s *loop, int listen_fd,
                 const struct exporter_config *config, const struct exporter_source *source)
{
    *ep = NULL;
    int error = make_nonblocking(listen_fd);
    if (error < 0) {
        close(listen_fd);
        return error;
    }
    struct exporter *e = mem_zalloc(sizeof(*e));
    e->config = *config;
    e->source = *source;
    e->daemon = start_daemon(e, listen_fd);
    const union MHD_DaemonInfo *info =
        e->daemon ? MHD_get_daemon_info(e->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info || uv_poll_init(loop, &e->poll, info->epoll_fd) < 0) {
        if (e->daemon)
            MHD_stop_daemon(e->daemon);
        free(e);
        return -EIO;
    }
    uv_timer_init(loop, &e->timer);
    uv_idle_init(loop, &e->idle);
    e->poll.data = e->timer.data = e->idle.data = e;
    e->open_handles = 3;
    if (!config->numeric && !config->deidentify)
        e->names = names_new(loop);
    uv_poll_start(&e->poll, UV_READABLE, on_poll);
    run_daemon(e);
    *ep = e;
    return 0;
}

static void on_closed(uv_handle_t *h)
{
    struct exporter *e = h->data;
    if (--e->open_handles == 0)
        free(e);
}

void exporter_free(struct exporter *e)
{
    if (!e)
        return;
    uv_poll_stop(&e->poll);
    wake_waiters(e, NULL);
    MHD_stop_daemon(e->daemon);
    exporter_text_free(e->text);
    names_free(e->names);
    uv_close((uv_handle_t *)&e->poll, on_closed);
    uv_close((uv_handle_t *)&e->timer, on_closed);
    uv_close((uv_handle_t *)&e->idle, on_closed);
}
