#include "worker/net/net.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "proto/counters.h"
#include "proto/histogram.h"
#include "worker/net/tcp.h"
#include "worker/net/tick.h"
#include "worker/net/udp.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct net_udp {
    struct udp_socket socket;
    uv_poll_t poll;
    struct net *net;
};

struct net {
    struct net_config conf;
    struct udp *udp;
    struct tcp *tcp;
    struct net_udp sockets[NET_SOCKETS_MAX];
    size_t n_sockets;
    struct tick tick;
    int timer_fd;
    uv_poll_t timer_poll;
    bool ticked;
    int64_t now_us; /* of the pass */
    size_t handles; /* that libuv holds, and tcp as one */
};

/* ---- life ---- */

static void let_go(struct net *n)
{
    if (--n->handles)
        return;
    udp_free(n->udp);
    free(n);
}

static void socket_closed(uv_handle_t *h)
{
    let_go(((struct net_udp *)h->data)->net);
}

static void timer_closed(uv_handle_t *h)
{
    let_go(h->data);
}

static void tcp_freed(void *arg)
{
    let_go(arg);
}

static void on_udp(uv_poll_t *h, int status, int events)
{
    (void)events;
    if (status < 0) /* libuv has stopped watching; the receive takes the error away */
        uv_poll_start(h, UV_READABLE, on_udp);
    ((struct net_udp *)h->data)->socket.readable = true;
}

static void on_timer(uv_poll_t *h, int status, int events)
{
    struct net *n = h->data;
    uint64_t count;
    (void)status;
    (void)events;
    if (read(n->timer_fd, &count, sizeof(count)) == (ssize_t)sizeof(count))
        n->ticked = true;
}

static void from_socket(const struct dgram *dgrams, size_t count, void *arg)
{
    struct net *n = arg;
    n->conf.handlers->dgrams(dgrams, count, n->now_us, n->conf.arg);
}

static void tcp_gone(const struct tuple *gone, void *arg)
{
    struct net *n = arg;
    n->conf.handlers->tcp_gone(gone, n->now_us, n->conf.arg);
}

static int add_udp(struct net *n, int fd)
{
    struct net_udp *s = &n->sockets[n->n_sockets];
    int err = udp_open(&s->socket, fd);
    if (!err)
        err = uv_poll_init(n->conf.loop, &s->poll, fd);
    if (err)
        return err;
    s->poll.data = s;
    s->net = n;
    n->n_sockets++;
    n->handles++;
    return uv_poll_start(&s->poll, UV_READABLE, on_udp);
}

static int add_timer(struct net *n)
{
    n->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (n->timer_fd < 0)
        return -errno;
    int err = uv_poll_init(n->conf.loop, &n->timer_poll, n->timer_fd);
    if (err) {
        close(n->timer_fd);
        n->timer_fd = -1;
        return err;
    }
    n->timer_poll.data = n;
    n->handles++;
    return uv_poll_start(&n->timer_poll, UV_READABLE, on_timer);
}

/* `close_sockets` false: after a failure they are the caller's again. */
static void shut(struct net *n, bool close_sockets)
{
    for (size_t i = 0; i < n->n_sockets; i++) {
        uv_close((uv_handle_t *)&n->sockets[i].poll, socket_closed);
        if (close_sockets)
            close(n->sockets[i].socket.fd);
    }
    if (n->timer_fd >= 0) {
        uv_close((uv_handle_t *)&n->timer_poll, timer_closed);
        close(n->timer_fd);
    }
    tcp_free(n->tcp, close_sockets);
    let_go(n);
}

int net_new(struct net **np, const struct net_config *conf)
{
    if (conf->n_udp > NET_SOCKETS_MAX || conf->n_tcp > NET_SOCKETS_MAX)
        return -EINVAL;
    struct net *n = mem_zalloc(sizeof(*n));
    n->conf = *conf;
    n->handles = 2; /* the caller, tcp */
    udp_new(&n->udp, conf->counters);
    tcp_new(&n->tcp, &(struct tcp_config){.loop = conf->loop,
                                          .counters = conf->counters,
                                          .dgrams = from_socket,
                                          .gone = tcp_gone,
                                          .freed = tcp_freed,
                                          .arg = n});
    int err = add_timer(n);
    for (size_t i = 0; i < conf->n_udp && !err; i++)
        err = add_udp(n, conf->udp[i]);
    for (size_t i = 0; i < conf->n_tcp && !err; i++)
        err = tcp_listen(n->tcp, conf->tcp[i]);
    if (err) {
        shut(n, false);
        return err;
    }
    *np = n;
    return 0;
}

void net_free(struct net *n)
{
    if (n)
        shut(n, true);
}

/* ---- the pass ---- */

static void set_timer(struct net *n, int64_t first_ns, int64_t period_us)
{
    struct itimerspec its = {.it_interval.tv_nsec = (long)(period_us * 1000),
                             .it_value.tv_nsec = (long)first_ns};
    (void)timerfd_settime(n->timer_fd, 0, &its, NULL);
}

/* Load begins, ends, or wants another period. */
static void follow_tick(struct net *n, bool was_loaded)
{
    bool loaded = n->tick.period_us > 0;
    set_timer(n, n->tick.period_us * 1000, n->tick.period_us);
    for (size_t i = 0; i < n->n_sockets && loaded != was_loaded; i++) {
        if (loaded)
            uv_poll_stop(&n->sockets[i].poll);
        else
            uv_poll_start(&n->sockets[i].poll, UV_READABLE, on_udp);
    }
}

static size_t receive_udp(struct net *n)
{
    size_t total = 0;
    bool some_more = false;
    for (size_t i = 0; i < n->n_sockets; i++) {
        struct udp_socket *s = &n->sockets[i].socket;
        bool more = false;
        if (!s->readable && !n->ticked)
            continue;
        s->readable = false;
        total +=
            udp_receive(n->udp, s, (uint32_t)i, NET_PASS_MAX, n->now_us, from_socket, n, &more);
        some_more = some_more || more;
    }
    if (some_more && n->tick.period_us) /* not in the poll set: come back at once */
        set_timer(n, 1, n->tick.period_us);
    if (n->ticked)
        counter_add(&n->conf.counters->ticks, 1);
    n->ticked = false;
    return total;
}

bool net_receive(struct net *n, int64_t now_us)
{
    bool was_loaded = n->tick.period_us > 0;
    n->now_us = now_us;
    tcp_reap(n->tcp);
    size_t udp = receive_udp(n), tcp = 0;
    if (tcp_waiting(n->tcp))
        tcp = tcp_receive(n->tcp, now_us);
    tcp_reap(n->tcp);
    if (tick_pass(&n->tick, udp, now_us))
        follow_tick(n, was_loaded);
    if (udp + tcp)
        counter_add(&n->conf.counters->loops, 1);
    return udp + tcp > 0;
}

/* One look at the clock for the whole batch. */
static void count_latency(struct net *n, const struct outbox *ob)
{
    int64_t now_us = clock_now_us();
    for (size_t i = 0; i < ob->n; i++) {
        if (ob->slots[i].rx_us && ob->slots[i].len)
            histogram_add(&n->conf.counters->forward_0, &histogram_forward,
                          now_us - ob->slots[i].rx_us);
    }
}

void net_send(struct outbox *ob, void *arg)
{
    struct net *n = arg;
    count_latency(n, ob);
    for (size_t i = 0; i < n->n_sockets; i++)
        udp_send(n->udp, &n->sockets[i].socket, (uint32_t)i, ob->slots, ob->n);
    tcp_send(n->tcp, ob->slots, ob->n, n->now_us);
}

bool net_local(uint32_t sock, bool tcp, struct addr *local, void *arg)
{
    const struct net *n = arg;
    if (tcp)
        return tcp_local(n->tcp, sock, local);
    if (sock >= n->n_sockets)
        return false;
    *local = n->sockets[sock].socket.local;
    return true;
}

int64_t net_next_us(const struct net *n)
{
    return tcp_next_us(n->tcp);
}

void net_timer(struct net *n, int64_t now_us)
{
    n->now_us = now_us;
    tcp_timer(n->tcp, now_us);
}
