/* Connections: accepted from the descriptors that the supervisor bound, adopted by libwebsockets, timed, and taken apart. */
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <utlist.h>

#include "lib/addr.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "server/edge/edge_int.h"

#define BACKLOG        1024
#define ACCEPT_BATCH   32
#define ACCEPT_REST_US MS_US(100) /* when the process has no descriptor left */

static void on_deadline(struct timer *t, int64_t now_us, void *arg)
{
    (void)t;
    struct conn *c = arg;
    if (c->response.active) {
        http_response_check(c, now_us);
        return;
    }
    if (c->role == CONN_POLL && c->s) { /* it is we who take our time */
        struct pollfd fd = {.fd = c->wsi ? lws_get_socket_fd(c->wsi) : -1, .events = POLLRDHUP};
        if (poll(&fd, 1, 0) > 0)
            conn_kill(c);
        else
            conn_deadline(c, EDGE_POLL_CHECK_US);
        return;
    }
    c->e->counters.timeouts++;
    conn_kill(c);
}

static struct conn *conn_new(struct edge *e, bool redirect, const char *ip)
{
    struct conn *c = mem_zalloc(sizeof(*c));
    c->e = e;
    c->redirect = redirect;
    snprintf(c->ip, sizeof(c->ip), "%s", ip);
    timer_init(&c->deadline, on_deadline, c);
    DL_APPEND(e->conns, c);
    e->counters.connections++;
    e->counters.connections_open++;
    return c;
}

void conn_gone(struct conn *c)
{
    struct edge_session *s = c->s;
    enum conn_role role = c->role;
    c->wsi = NULL;
    c->s = NULL;
    c->role = CONN_IDLE;
    conn_no_deadline(c);
    if (!s)
        return;
    if (s->probe == c) {
        s->probe = NULL;
        s->probed = false;
    }
    if (s->poll == c)
        s->poll = NULL;
    if (s->ws == c)
        s->ws = NULL;
    if (role == CONN_WS || role == CONN_POLL)
        session_end(s, EDGE_TRANSPORT_CLOSED, 0);
}

void conn_free(struct conn *c)
{
    conn_gone(c);
    DL_DELETE(c->e->conns, c);
    c->e->counters.connections_open--;
    limits_drop_connection(c->entry);
    limits_drop_session(c->upgrade_entry);
    free(c->query);
    free(c->in);
    free(c->response.owned);
    free(c);
}

void conn_wake(struct conn *c)
{
    if (c && c->wsi)
        lws_callback_on_writable(c->wsi);
}

void conn_kill(struct conn *c)
{
    if (!c->wsi)
        return;
    lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
    lws_cancel_service(c->e->context); /* or its timer would not see the new deadline */
}

void conn_deadline(struct conn *c, int64_t in_us)
{
    edge_timer_start(c->e, &c->deadline, clock_now_us() + in_us);
}

void conn_no_deadline(struct conn *c)
{
    edge_timer_stop(c->e, &c->deadline);
}

int conn_take(struct conn *c, const char *data, size_t len)
{
    size_t max = c->e->limits.message_bytes;
    if (len > max || c->in_len > max - len)
        return -EMSGSIZE;
    if (c->in_len + len > c->in_cap) {
        size_t cap = c->in_cap ? 2 * c->in_cap : 4096;
        while (cap < c->in_len + len)
            cap *= 2;
        c->in = mem_realloc(c->in, cap, 1);
        c->in_cap = cap;
    }
    memcpy(c->in + c->in_len, data, len);
    c->in_len += len;
    return 0;
}

void conn_in_reset(struct conn *c)
{
    c->in_len = 0;
    if (c->in_cap > 65536) {
        free(c->in);
        c->in = NULL;
        c->in_cap = 0;
    }
}

static void adopt(struct edge *e, int fd, bool redirect, const char *ip)
{
    int one = 1;
    struct limits_entry *entry = limits_take_connection(e->by_address, ip, clock_now_us());
    if (!entry || e->counters.connections_open >= 2ull * e->limits.sessions + 1000) {
        if (entry)
            e->counters.refused_full++;
        else
            e->counters.refused_address++;
        limits_drop_connection(entry);
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    struct conn *c = conn_new(e, redirect, ip);
    c->entry = entry;
    conn_deadline(c, MS_US(e->limits.handshake_ms));
    lws_adopt_desc_t desc = {
        .vh = redirect ? e->redirect_vhost : e->vhost,
        .type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP | LWS_ADOPT_ALLOW_SSL,
        .fd.sockfd = fd,
        .opaque = c,
    };
    struct lws *wsi = lws_adopt_descriptor_vhost_via_info(&desc);
    if (wsi)
        c->wsi = wsi;
    else
        conn_no_deadline(c); /* freed by LWS_CALLBACK_WSI_DESTROY, at the latest in edge_free() */
}

static void accept_pause(struct edge *e)
{
    for (size_t i = 0; i < e->n_listeners; i++)
        uv_poll_stop(&e->listeners[i].poll);
    edge_timer_start(e, &e->accept_again, clock_now_us() + ACCEPT_REST_US);
}

static void on_acceptable(uv_poll_t *poll, int status, int events)
{
    (void)events;
    struct listener *l = poll->data;
    for (int i = 0; status == 0 && i < ACCEPT_BATCH; i++) {
        struct sockaddr_storage ss;
        socklen_t len = sizeof(ss);
        int fd = accept4(l->fd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
                log_error("edge", "cannot accept error=\"%s\"", strerror(errno));
                accept_pause(l->e);
            }
            if (errno != ECONNABORTED && errno != EINTR)
                return;
            continue;
        }
        struct addr a;
        char ip[ADDR_STR_MAX];
        if (addr_from_sockaddr(&a, (struct sockaddr *)&ss) == 0)
            adopt(l->e, fd, l->redirect, addr_format_ip(&a, ip));
        else
            adopt(l->e, fd, l->redirect, "127.0.0.1"); /* a Unix socket of a proxy */
    }
}

static void on_accept_again(struct timer *t, int64_t now_us, void *arg)
{
    (void)t, (void)now_us;
    struct edge *e = arg;
    for (size_t i = 0; i < e->n_listeners && !e->stopping; i++)
        uv_poll_start(&e->listeners[i].poll, UV_READABLE, on_acceptable);
}

static int listener_start(struct edge *e, struct listener *l)
{
    int err = uv_poll_init(e->loop, &l->poll, l->fd);
    if (err)
        return err;
    l->poll.data = l;
    e->handles++;
    if (listen(l->fd, BACKLOG))
        return -errno;
    return uv_poll_start(&l->poll, UV_READABLE, on_acceptable);
}

void edge_hold(struct edge *e)
{
    edge_timer_stop(e, &e->accept_again);
    for (size_t i = 0; i < e->n_listeners; i++)
        uv_poll_stop(&e->listeners[i].poll);
}

void edge_go_on(struct edge *e)
{
    on_accept_again(&e->accept_again, 0, e);
}

int accept_start(struct edge *e, const int *fds, size_t n, bool redirect)
{
    int err = 0;
    timer_init(&e->accept_again, on_accept_again, e);
    for (size_t i = 0; i < n; i++) {
        struct listener *l = &e->listeners[e->n_listeners];
        *l = (struct listener){.e = e, .fd = fds[i], .redirect = redirect};
        int one = listener_start(e, l);
        if (l->poll.data)
            e->n_listeners++;
        else
            close(fds[i]);
        if (one && !err) {
            log_error("edge", "cannot listen fd=%d error=\"%s\"", fds[i], uv_strerror(one));
            err = one;
        }
    }
    return err;
}

static void on_listener_closed(uv_handle_t *h)
{
    struct listener *l = h->data;
    close(l->fd);
    l->e->handles--;
}

void accept_stop(struct edge *e)
{
    edge_timer_stop(e, &e->accept_again);
    for (size_t i = 0; i < e->n_listeners; i++)
        uv_close((uv_handle_t *)&e->listeners[i].poll, on_listener_closed);
}
