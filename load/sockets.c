#include "load/sockets.h"

#include "lib/mem.h"
#include "proto/counters.h"
#include "worker/net/udp.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#define EVENTS     256
#define ROUNDS_MAX 64   /* of EVENTS sockets in one drain */
#define PASS_MAX   2048 /* datagrams of one socket in one drain */

struct entry {
    struct udp_socket socket; /* fd -1: free */
    struct addr remote;
    sockets_dgram_f *fn;
    void *arg;
};

struct sockets {
    int epoll;
    bool gro;
    struct udp *udp;
    struct counters_worker counters; /* of which udp fills some */
    struct outbox out;
    struct entry entries[SOCKETS_MAX];
    size_t used; /* entries from here on were never used */
};

/* ---- out ---- */

static void flush(struct outbox *ob, void *arg)
{
    struct sockets *s = arg;
    for (size_t i = 0; i < ob->n;) {
        uint32_t number = ob->slots[i].to.sock;
        size_t n = 1;
        while (i + n < ob->n && ob->slots[i + n].to.sock == number)
            n++;
        if (s->entries[number].socket.fd >= 0)
            udp_send(s->udp, &s->entries[number].socket, number, &ob->slots[i], n);
        i += n;
    }
}

struct out_slot *sockets_take(struct sockets *s, int number)
{
    struct tuple to = {
        .remote = s->entries[number].remote, .sock = (uint32_t)number, .proto = NET_UDP};
    return outbox_take(&s->out, &to);
}

void sockets_flush(struct sockets *s)
{
    outbox_flush(&s->out);
}

/* ---- in ---- */

static void on_dgrams(const struct dgram *dgrams, size_t n, void *arg)
{
    const struct entry *e = arg;
    for (size_t i = 0; i < n; i++)
        e->fn(&dgrams[i], e->arg);
}

size_t sockets_drain(struct sockets *s, int64_t now_us)
{
    struct epoll_event events[EVENTS];
    size_t total = 0;
    for (int round = 0; round < ROUNDS_MAX; round++) {
        int n = epoll_wait(s->epoll, events, EVENTS, 0);
        for (int i = 0; i < n; i++) {
            struct entry *e = &s->entries[events[i].data.u32];
            bool more;
            if (e->socket.fd >= 0)
                total += udp_receive(s->udp, &e->socket, events[i].data.u32, PASS_MAX, now_us,
                                     on_dgrams, e, &more);
        }
        if (n < EVENTS)
            break;
    }
    return total;
}

/* ---- life ---- */

int sockets_new(struct sockets **sp, bool gro)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        return -errno;
    struct sockets *s = mem_zalloc(sizeof(*s));
    s->epoll = epoll;
    s->gro = gro;
    udp_new(&s->udp, &s->counters);
    outbox_init(&s->out, flush, s);
    *sp = s;
    return 0;
}

void sockets_free(struct sockets *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->used; i++)
        sockets_remove(s, (int)i);
    outbox_free(&s->out);
    udp_free(s->udp);
    close(s->epoll);
    free(s);
}

static size_t free_entry(struct sockets *s)
{
    for (size_t i = 0; i < s->used; i++)
        if (s->entries[i].socket.fd < 0)
            return i;
    return s->used;
}

static int open_socket(struct sockets *s, struct entry *e, uint32_t number)
{
    struct sockaddr_storage ss;
    int family = addr_is_ipv4(&e->remote) ? AF_INET : AF_INET6, off = 0;
    socklen_t len = addr_to_sockaddr(&e->remote, family, &ss);
    int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
    if (fd < 0)
        return -errno;
    int err = connect(fd, (struct sockaddr *)&ss, len) < 0 ? -errno : udp_open(&e->socket, fd);
    if (!err && !s->gro)
        (void)setsockopt(fd, IPPROTO_UDP, UDP_GRO, &off, sizeof(off));
    if (!err && epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        err = -errno;
    if (err) {
        close(fd);
        e->socket.fd = -1;
    }
    return err;
}

int sockets_add(struct sockets *s, const struct addr *remote, sockets_dgram_f *fn, void *arg)
{
    size_t number = free_entry(s);
    if (number == SOCKETS_MAX)
        return -ENFILE;
    struct entry *e = &s->entries[number];
    *e = (struct entry){.socket.fd = -1, .remote = *remote, .fn = fn, .arg = arg};
    if (number == s->used)
        s->used++;
    int err = open_socket(s, e, (uint32_t)number);
    return err ? err : (int)number;
}

void sockets_remove(struct sockets *s, int number)
{
    struct entry *e = &s->entries[number];
    if (e->socket.fd < 0)
        return;
    outbox_flush(&s->out); /* nothing that waits may leave from the next one of this number */
    close(e->socket.fd);
    e->socket.fd = -1;
}

struct sockets_totals sockets_totals(const struct sockets *s)
{
    const struct counters_worker *c = &s->counters;
    return (struct sockets_totals){c->datagrams_received, c->datagrams_sent, c->bytes_received,
                                   c->bytes_sent, c->send_errors + c->send_blocked};
}
