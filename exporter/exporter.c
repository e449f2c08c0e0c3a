/* libmicrohttpd runs without threads, its epoll descriptor being polled by the loop. A request for metrics is suspended until the text is
 * made, which an idle handle does slice by slice. */
#include "exporter/exporter.h"

#include "exporter/exporter_int.h"
#include "lib/clock.h"
#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#define REQUEST_MEMORY (16 * 1024)
#define SPARE          16 /* connections above the limit: those that are being refused */
#define SWEEP_MS       1000

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

static struct build *build_at(struct exporter *e, size_t i)
{
    return &e->builds[i / 2][i % 2];
}

/* A slice of one build, in turn. False: nothing is being built. */
static bool step(struct exporter *e)
{
    static size_t turn;
    for (size_t i = 0; i < 4; i++) {
        struct build *b = build_at(e, turn++ % 4);
        if (!b->scrape)
            continue;
        int64_t start_us = clock_now_us();
        bool more = scrape_step(b->scrape);
        int64_t took_us = clock_now_us() - start_us;
        b->slices++;
        b->spent_us += took_us;
        b->slowest_us = took_us > b->slowest_us ? took_us : b->slowest_us;
        if (!more) {
            e->self.scrapes++;
            e->self.slices = b->slices;
            e->self.last_us = (uint64_t)b->spent_us;
            e->self.slowest_us = (uint64_t)b->slowest_us;
            requests_finish(e, b);
            run_daemon(e);
        }
        return true;
    }
    return false;
}

static void on_idle(uv_idle_t *idle)
{
    if (!step(idle->data))
        uv_idle_stop(idle);
}

static const char *look_up(const struct addr *a, void *arg)
{
    return names_of(arg, a, clock_now_us());
}

void exporter_build(struct exporter *e)
{
    const struct scrape_input in = {&e->config, &e->source, e->names ? look_up : NULL,
                                    e->names,   &e->last,   &e->self};
    for (size_t i = 0; i < 4; i++) {
        struct build *b = build_at(e, i);
        if (b->scrape || !b->waiters)
            continue;
        b->scrape = scrape_new(&in, (enum exporter_format)(i / 2), i % 2);
        b->slices = 0;
        b->spent_us = b->slowest_us = 0;
    }
    uv_idle_start(&e->idle, on_idle);
}

/* ---- connections ---------------------------------------------------------------------------------------------------------------- */

/* libmicrohttpd sees the end of the connection when it looks at it next. */
static void end_caller(struct exporter *e, struct caller *c, uint64_t *counter, const char *why)
{
    int64_t now_us = clock_now_us();
    c->ended = true;
    e->n_callers--;
    shutdown(c->fd, SHUT_RDWR);
    ++*counter;
    e->unlogged++;
    if (e->logged_us != TIME_NEVER_US && now_us - e->logged_us < S_US(EXPORTER_LOG_S))
        return;
    log_warn("exporter", "connections ended reason=\"%s\" count=%" PRIu64, why, e->unlogged);
    e->logged_us = now_us;
    e->unlogged = 0;
}

static void make_room(struct exporter *e, struct caller *newcomer)
{
    struct caller *c;
    if (e->n_callers <= EXPORTER_CONNECTIONS)
        return;
    DL_FOREACH (e->callers, c) {
        if (!c->asked && !c->ended)
            break;
    }
    end_caller(e, c ? c : newcomer, &e->self.refused, "too many connections");
}

static void on_sweep(uv_timer_t *timer)
{
    struct exporter *e = timer->data;
    int64_t now_us = clock_now_us();
    struct caller *c;
    DL_FOREACH (e->callers, c) {
        if (!c->ended && now_us - c->since_us > S_US(EXPORTER_REQUEST_S))
            end_caller(e, c, &e->self.cut_off, "too slow");
    }
    if (!e->callers)
        uv_timer_stop(timer);
}

static void caller_new(struct exporter *e, struct MHD_Connection *connection, void **context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct caller *c = mem_zalloc(sizeof(*c));
    c->fd = info ? info->connect_fd : -1;
    c->since_us = clock_now_us();
    DL_APPEND(e->callers, c);
    e->n_callers++;
    *context = c;
    make_room(e, c);
    if (!uv_is_active((uv_handle_t *)&e->sweep))
        uv_timer_start(&e->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode what)
{
    struct exporter *e = arg;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        caller_new(e, connection, context);
        return;
    }
    struct caller *c = *context;
    *context = NULL;
    if (!c)
        return;
    DL_DELETE(e->callers, c);
    e->n_callers -= !c->ended;
    free(c);
}

struct caller *exporter_caller(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* ---- life ----------------------------------------------------------------------------------------------------------------------- */

static struct MHD_Daemon *start_daemon(struct exporter *e, int listen_fd)
{
    const struct exporter_config *c = &e->config;
    bool tls = c->tls_cert && c->tls_key;
    struct MHD_OptionItem secret[] = {
        {tls ? MHD_OPTION_HTTPS_MEM_KEY : MHD_OPTION_END, 0, (void *)(uintptr_t)c->tls_key},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)c->tls_cert},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (tls ? MHD_USE_TLS : 0u), 0, NULL, NULL,
        requests_on_request, e, MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)(EXPORTER_CONNECTIONS + SPARE), MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)EXPORTER_TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_MEMORY,
        MHD_OPTION_NOTIFY_COMPLETED, requests_on_completed, e, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, e, MHD_OPTION_ARRAY, secret, MHD_OPTION_END);
}

static int make_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

static void start_handles(struct exporter *e, struct uv_loop_s *loop)
{
    uv_timer_init(loop, &e->timer);
    uv_timer_init(loop, &e->sweep);
    uv_idle_init(loop, &e->idle);
    e->poll.data = e->timer.data = e->sweep.data = e->idle.data = e;
    e->open_handles = 4;
    if (!e->config.numeric && !e->config.deidentify)
        (void)names_new(&e->names, loop, NULL);
    uv_poll_start(&e->poll, UV_READABLE, on_poll);
    run_daemon(e);
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
    e->logged_us = TIME_NEVER_US;
    e->self.started_us = (uint64_t)clock_wall_us();
    e->daemon = start_daemon(e, listen_fd);
    const union MHD_DaemonInfo *info =
        e->daemon ? MHD_get_daemon_info(e->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
    if (!info || uv_poll_init(loop, &e->poll, info->epoll_fd) < 0) {
        if (e->daemon)
            MHD_stop_daemon(e->daemon);
        else
            close(listen_fd);
        free(e);
        return -EIO;
    }
    start_handles(e, loop);
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
    for (size_t i = 0; i < 4; i++)
        requests_wake(build_at(e, i), NULL);
    MHD_stop_daemon(e->daemon);
    for (size_t i = 0; i < 4; i++)
        scrape_free(build_at(e, i)->scrape);
    names_free(e->names);
    scrape_last_free(&e->last);
    uv_close((uv_handle_t *)&e->poll, on_closed);
    uv_close((uv_handle_t *)&e->timer, on_closed);
    uv_close((uv_handle_t *)&e->sweep, on_closed);
    uv_close((uv_handle_t *)&e->idle, on_closed);
}
