#include "lib/chan.h"

#include "lib/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct frame {
    struct frame *next;
    size_t len;
    uint8_t data[];
};

struct chan {
    int fd;
    size_t queue_max;    /* bytes that may wait */
    size_t queued;       /* bytes that wait */
    struct frame *first; /* oldest */
    struct frame **tail;
};

int chan_new(struct chan **cp, int fd, size_t queue_max_bytes)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    struct chan *c = mem_zalloc(sizeof(*c));
    c->fd = fd;
    c->queue_max = queue_max_bytes;
    c->tail = &c->first;
    *cp = c;
    return 0;
}

static void drop_first(struct chan *c)
{
    struct frame *f = c->first;
    c->first = f->next;
    if (!c->first)
        c->tail = &c->first;
    c->queued -= f->len;
    free(f);
}

void chan_free(struct chan *c)
{
    if (!c)
        return;
    while (c->first)
        drop_first(c);
    close(c->fd);
    free(c);
}

int chan_fd(const struct chan *c)
{
    return c->fd;
}

size_t chan_queued(const struct chan *c)
{
    return c->queued;
}

bool chan_pending(const struct chan *c)
{
    return c->first != NULL;
}

/* 0, -EAGAIN, -EMSGSIZE or -EPIPE. */
static int send_now(int fd, const void *frame, size_t len, const int *fds, size_t n_fds)
{
    union {
        struct cmsghdr align;
        char buf[CMSG_SPACE(sizeof(int) * CHAN_FDS_MAX)];
    } control = {0};
    struct iovec iov = {(void *)(uintptr_t)frame, len};
    struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
    if (n_fds) {
        msg.msg_control = control.buf;
        msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
        struct cmsghdr *h = CMSG_FIRSTHDR(&msg);
        h->cmsg_level = SOL_SOCKET;
        h->cmsg_type = SCM_RIGHTS;
        h->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
        memcpy(CMSG_DATA(h), fds, sizeof(int) * n_fds);
    }
    for (;;) {
        if (sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
            return 0;
        switch (errno) {
        case EINTR:
            continue;
        case EAGAIN:
        case ENOBUFS:
        case ENOMEM:
            return -EAGAIN;
        case EMSGSIZE:
            return -EMSGSIZE;
        default:
            return -EPIPE;
        }
    }
}

int chan_send(struct chan *c, const void *frame, size_t len)
{
    if (len > CHAN_FRAME_MAX || len == 0)
        return -EMSGSIZE;
    if (!c->first) {
        int err = send_now(c->fd, frame, len, NULL, 0);
        if (err != -EAGAIN)
            return err;
    }
    if (c->queued + len > c->queue_max)
        return -ENOBUFS;
    struct frame *f = mem_zalloc(sizeof(*f) + len);
    f->len = len;
    memcpy(f->data, frame, len);
    *c->tail = f;
    c->tail = &f->next;
    c->queued += len;
    return 0;
}

int chan_send_fds(struct chan *c, const void *frame, size_t len, const int *fds, size_t n_fds)
{
    if (len > CHAN_FRAME_MAX || len == 0 || n_fds > CHAN_FDS_MAX)
        return -EMSGSIZE;
    return c->first ? -EAGAIN : send_now(c->fd, frame, len, fds, n_fds);
}

int chan_flush(struct chan *c)
{
    while (c->first) {
        int err = send_now(c->fd, c->first->data, c->first->len, NULL, 0);
        if (err == -EAGAIN)
            return 0;
        if (err == -EPIPE)
            return err;
        drop_first(c);
    }
    return 0;
}

/* Closes what came and is not wanted, and returns what is. */
static size_t take_fds(struct msghdr *msg, int *fds)
{
    size_t n = 0;
    for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR(msg, h)) {
        if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;
            memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(int));
            if (fds && n < CHAN_FDS_MAX)
                fds[n++] = fd;
            else
                close(fd);
        }
    }
    return n;
}

ssize_t chan_recv(struct chan *c, void *buf, size_t cap, int *fds, size_t *n_fds)
{
    union {
        struct cmsghdr align;
        char buf[CMSG_SPACE(sizeof(int) * CHAN_FDS_MAX)];
    } control;
    struct iovec iov = {buf, cap};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.buf,
                         .msg_controllen = sizeof(control.buf)};
    if (n_fds)
        *n_fds = 0;
    ssize_t n;
    do
        n = recvmsg(c->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno == EAGAIN ? 0 : -EPIPE;
    size_t got = take_fds(&msg, fds);
    if (n_fds)
        *n_fds = got;
    if (n == 0)
        return -EPIPE;
    return msg.msg_flags & MSG_TRUNC ? -EMSGSIZE : n;
}
