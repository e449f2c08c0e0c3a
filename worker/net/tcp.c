/* All connections read into one buffer: what the last read left of a frame is put in front of what comes now, whole frames are handed
 * over in place, and only the rest is kept with the connection. */
#include "worker/net/tcp.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "proto/counters.h"
#include "worker/net/rfc4571.h"
#include "worker/net/tcp_queue.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SLOT_BITS       10
#define ACCEPT_PASS_MAX 32
#define READ_BYTES      65536
#define FRAMES_MAX      256
#define LOOK_US         1000000 /* how often idle connections are looked for */
#define PARTIAL_MAX     (RFC4571_HEADER + NET_TCP_FRAME_MAX)

_Static_assert(NET_TCP_MAX == 1 << SLOT_BITS, "a connection's number holds its slot");

struct listener {
    uv_poll_t poll;
    struct tcp *tcp;
    int fd;
    bool readable;
};

struct connection {
    uv_poll_t poll;
    struct tcp *tcp;
    int fd;
    uint32_t sock;
    struct tuple tuple;
    int64_t since_us, sent_us; /* sent_us 0: nothing was sent to it */
    bool readable, writable, dead;
    struct tcp_queue out;
    size_t n_partial;
    uint8_t partial[PARTIAL_MAX];
};

struct tcp {
    struct tcp_config conf;
    struct listener listeners[NET_SOCKETS_MAX];
    size_t n_listeners;
    struct connection *slots[NET_TCP_MAX];
    uint32_t used[NET_TCP_MAX]; /* how often a slot was taken */
    size_t n_connections, n_waiting;
    bool some_dead, accept_paused;
    int64_t now_us, look_us;
    size_t handles; /* that libuv holds */
    bool freeing;
    uint8_t read[PARTIAL_MAX + READ_BYTES];
    struct dgram frames[FRAMES_MAX];
};

void tcp_new(struct tcp **tp, const struct tcp_config *conf)
{
    struct tcp *t = mem_zalloc(sizeof(*t));
    t->conf = *conf;
    t->look_us = TIME_NEVER_US;
    *tp = t;
}

static void let_go(struct tcp *t)
{
    if (--t->handles || !t->freeing)
        return;
    void (*freed)(void *) = t->conf.freed;
    void *arg = t->conf.arg;
    free(t);
    freed(arg);
}

static void connection_closed(uv_handle_t *h)
{
    struct connection *c = h->data;
    struct tcp *t = c->tcp;
    tcp_queue_free(&c->out);
    free(c);
    let_go(t);
}

static void listener_closed(uv_handle_t *h)
{
    let_go(((struct listener *)h->data)->tcp);
}

static void end_connection(struct connection *c)
{
    struct tcp *t = c->tcp;
    t->slots[c->sock & (NET_TCP_MAX - 1)] = NULL;
    t->n_connections--;
    if (c->readable || c->writable)
        t->n_waiting--;
    uv_close((uv_handle_t *)&c->poll, connection_closed);
    close(c->fd);
    counter_set(&t->conf.counters->tcp_connections, t->n_connections);
}

void tcp_free(struct tcp *t, bool close_listeners)
{
    t->handles++;
    t->freeing = true;
    for (size_t i = 0; i < t->n_listeners; i++) {
        uv_close((uv_handle_t *)&t->listeners[i].poll, listener_closed);
        if (close_listeners)
            close(t->listeners[i].fd);
    }
    for (size_t i = 0; i < NET_TCP_MAX; i++)
        if (t->slots[i])
            end_connection(t->slots[i]);
    let_go(t);
}

/* ---- what libuv says ---- */

static void wait_for(struct connection *c, bool readable, bool writable)
{
    bool before = c->readable || c->writable;
    c->readable = readable;
    c->writable = writable;
    bool after = readable || writable;
    c->tcp->n_waiting += (size_t)after - (size_t)before;
}

static void on_connection(uv_poll_t *h, int status, int events);

static void watch(struct connection *c)
{
    int events = UV_READABLE | (tcp_queue_len(&c->out) ? UV_WRITABLE : 0);
    uv_poll_start(&c->poll, events, on_connection);
}

static void on_connection(uv_poll_t *h, int status, int events)
{
    struct connection *c = h->data;
    /* An error shows in a read, when the data before it has been read; libuv has stopped watching at it. */
    if (status < 0)
        watch(c);
    wait_for(c, status < 0 || (events & UV_READABLE), (events & UV_WRITABLE) != 0);
}

static void on_listener(uv_poll_t *h, int status, int events)
{
    (void)events;
    if (status < 0)
        uv_poll_start(h, UV_READABLE, on_listener);
    ((struct listener *)h->data)->readable = true;
}

static void fail(struct connection *c)
{
    c->dead = c->tcp->some_dead = true;
}

/* ---- coming ---- */

static bool same_network(const struct addr *a, const struct addr *b)
{
    return memcmp(a->ip, b->ip, addr_is_ipv4(a) ? 16 : 8) == 0;
}

static size_t count_from(const struct tcp *t, const struct addr *remote)
{
    size_t n = 0;
    for (size_t i = 0; i < NET_TCP_MAX; i++)
        n += t->slots[i] && same_network(&t->slots[i]->tuple.remote, remote);
    return n;
}

/* Ends the oldest connection that nothing was ever sent to. */
static bool make_room(struct tcp *t)
{
    struct connection *oldest = NULL;
    for (size_t i = 0; i < NET_TCP_MAX; i++) {
        struct connection *c = t->slots[i];
        if (c && !c->sent_us && (!oldest || c->since_us < oldest->since_us))
            oldest = c;
    }
    if (!oldest)
        return false;
    struct tuple gone = oldest->tuple;
    end_connection(oldest);
    t->conf.gone(&gone, t->conf.arg);
    return true;
}

static uint32_t take_number(struct tcp *t)
{
    uint32_t slot = 0;
    for (uint32_t i = 1; i < NET_TCP_MAX; i++) /* the free place that was used least */
        if (!t->slots[i] && (t->slots[slot] || t->used[i] < t->used[slot]))
            slot = i;
    return ++t->used[slot] << SLOT_BITS | slot;
}

static int add_connection(struct tcp *t, int fd, const struct addr *remote)
{
    int on = 1;
    struct connection *c = mem_zalloc(sizeof(*c));
    int err = uv_poll_init(t->conf.loop, &c->poll, fd);
    if (err) {
        free(c);
        return err;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    tcp_queue_init(&c->out, NET_TCP_QUEUE_MAX);
    c->poll.data = c;
    c->tcp = t;
    c->fd = fd;
    c->sock = take_number(t);
    c->tuple = (struct tuple){.remote = *remote, .sock = c->sock, .proto = NET_TCP};
    c->since_us = t->now_us;
    t->slots[c->sock & (NET_TCP_MAX - 1)] = c;
    t->n_connections++;
    t->handles++;
    t->look_us = time_min_us(t->look_us, t->now_us + LOOK_US);
    watch(c);
    counter_set(&t->conf.counters->tcp_connections, t->n_connections);
    return 0;
}

static void pause_accepting(struct tcp *t)
{
    for (size_t i = 0; i < t->n_listeners; i++) {
        uv_poll_stop(&t->listeners[i].poll);
        t->listeners[i].readable = false;
    }
    t->accept_paused = true;
    t->look_us = time_min_us(t->look_us, t->now_us + LOOK_US);
}

static void accept_some(struct tcp *t, struct listener *l)
{
    l->readable = false;
    for (unsigned i = 0; i < ACCEPT_PASS_MAX; i++) {
        struct sockaddr_storage ss;
        struct addr remote;
        socklen_t len = sizeof(ss);
        int fd = accept4(l->fd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                pause_accepting(t);
            return;
        }
        bool ok = addr_from_sockaddr(&remote, (const struct sockaddr *)&ss) == 0 &&
                  count_from(t, &remote) < NET_TCP_IP_MAX &&
                  (t->n_connections < NET_TCP_MAX || make_room(t)) &&
                  add_connection(t, fd, &remote) == 0;
        if (!ok) {
            close(fd);
            counter_add(&t->conf.counters->tcp_refused, 1);
        }
    }
}

int tcp_listen(struct tcp *t, int fd)
{
    struct listener *l = &t->listeners[t->n_listeners];
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    int err = uv_poll_init(t->conf.loop, &l->poll, fd);
    if (err)
        return err;
    l->poll.data = l;
    l->tcp = t;
    l->fd = fd;
    t->n_listeners++;
    t->handles++;
    return uv_poll_start(&l->poll, UV_READABLE, on_listener);
}

/* ---- in ---- */

static void hand_over(struct tcp *t, size_t *n)
{
    if (*n)
        t->conf.dgrams(t->frames, *n, t->conf.arg);
    *n = 0;
}

/* Hands over the whole frames of t->read; what is left at the end stays with the connection. */
static size_t take_frames(struct tcp *t, struct connection *c, size_t len)
{
    uint8_t *p = t->read, *frame;
    size_t n = 0, total = 0, frame_len, used;
    int got;
    while ((got = rfc4571_next(p, len, NET_TCP_FRAME_MAX, &frame, &frame_len, &used)) == 1) {
        p += used;
        len -= used;
        if (!frame_len)
            continue;
        t->frames[n++] = (struct dgram){frame, (uint32_t)frame_len, t->now_us, c->tuple};
        counter_add(&t->conf.counters->bytes_received, frame_len);
        total++;
        if (n == FRAMES_MAX)
            hand_over(t, &n);
    }
    hand_over(t, &n);
    counter_add(&t->conf.counters->datagrams_received, total);
    if (got < 0) {
        counter_add(&t->conf.counters->dropped_tcp_frame, 1);
        fail(c);
        return total;
    }
    memcpy(c->partial, p, len); /* less than a whole frame */
    c->n_partial = len;
    return total;
}

static size_t read_some(struct tcp *t, struct connection *c)
{
    memcpy(t->read, c->partial, c->n_partial);
    ssize_t n = recv(c->fd, t->read + c->n_partial, READ_BYTES, MSG_DONTWAIT);
    if (n > 0)
        return take_frames(t, c, c->n_partial + (size_t)n);
    if (n == 0 || (errno != EAGAIN && errno != EINTR))
        fail(c);
    return 0;
}

bool tcp_waiting(const struct tcp *t)
{
    for (size_t i = 0; i < t->n_listeners; i++)
        if (t->listeners[i].readable)
            return true;
    return t->n_waiting || t->some_dead;
}

size_t tcp_receive(struct tcp *t, int64_t now_us)
{
    size_t total = 0;
    t->now_us = now_us;
    for (size_t i = 0; i < t->n_listeners; i++)
        if (t->listeners[i].readable)
            accept_some(t, &t->listeners[i]);
    for (size_t i = 0; t->n_waiting && i < NET_TCP_MAX; i++) {
        struct connection *c = t->slots[i];
        if (!c || !(c->readable || c->writable))
            continue;
        bool readable = c->readable, writable = c->writable;
        wait_for(c, false, false);
        if (writable && tcp_queue_flush(&c->out, c->fd) < 0)
            fail(c);
        else if (writable && !tcp_queue_len(&c->out))
            watch(c);
        if (readable && !c->dead)
            total += read_some(t, c);
    }
    return total;
}

void tcp_reap(struct tcp *t)
{
    for (size_t i = 0; t->some_dead && i < NET_TCP_MAX; i++) {
        struct connection *c = t->slots[i];
        if (!c || !c->dead)
            continue;
        struct tuple gone = c->tuple;
        end_connection(c);
        t->conf.gone(&gone, t->conf.arg);
    }
    t->some_dead = false;
}

/* ---- out ---- */

static struct connection *find(const struct tcp *t, uint32_t sock)
{
    struct connection *c = t->slots[sock & (NET_TCP_MAX - 1)];
    return c && c->sock == sock && !c->dead ? c : NULL;
}

static void send_slot(struct tcp *t, const struct out_slot *s)
{
    struct connection *c = find(t, s->to.sock);
    if (!c) {
        counter_add(&t->conf.counters->send_errors, 1);
        return;
    }
    bool watched = tcp_queue_len(&c->out) > 0;
    int err = tcp_queue_send(&c->out, c->fd, s->data, s->len);
    c->sent_us = t->now_us;
    if (err == -ENOBUFS) {
        counter_add(&t->conf.counters->dropped_tcp_queue, 1);
    } else if (err) {
        counter_add(&t->conf.counters->send_errors, 1);
        fail(c);
    } else {
        counter_add(&t->conf.counters->datagrams_sent, 1);
        counter_add(&t->conf.counters->bytes_sent, s->len);
    }
    if (!watched && !c->dead && tcp_queue_len(&c->out))
        watch(c);
}

void tcp_send(struct tcp *t, const struct out_slot *slots, size_t n, int64_t now_us)
{
    t->now_us = now_us;
    for (size_t i = 0; i < n; i++)
        if (slots[i].len && slots[i].to.proto == NET_TCP)
            send_slot(t, &slots[i]);
}

bool tcp_local(const struct tcp *t, uint32_t sock, struct addr *local)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);
    const struct connection *c = find(t, sock);
    return c && getsockname(c->fd, (struct sockaddr *)&ss, &len) == 0 &&
           addr_from_sockaddr(local, (const struct sockaddr *)&ss) == 0;
}

/* ---- time ---- */

static int64_t connection_end_us(const struct connection *c)
{
    return c->sent_us ? c->sent_us + NET_TCP_IDLE_US : c->since_us + NET_TCP_FIRST_US;
}

int64_t tcp_next_us(const struct tcp *t)
{
    return t->look_us;
}

void tcp_timer(struct tcp *t, int64_t now_us)
{
    if (now_us < t->look_us)
        return;
    t->now_us = now_us;
    for (size_t i = 0; t->accept_paused && i < t->n_listeners; i++)
        uv_poll_start(&t->listeners[i].poll, UV_READABLE, on_listener);
    t->accept_paused = false;
    for (size_t i = 0; i < NET_TCP_MAX; i++)
        if (t->slots[i] && connection_end_us(t->slots[i]) <= now_us)
            fail(t->slots[i]);
    tcp_reap(t);
    t->look_us = t->n_connections ? now_us + LOOK_US : TIME_NEVER_US;
}
