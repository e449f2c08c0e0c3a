#include "worker/net/tcp_queue.h"

#include "lib/mem.h"
#include "worker/net/rfc4571.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

void tcp_queue_init(struct tcp_queue *q, size_t cap)
{
    *q = (struct tcp_queue){.bytes = mem_zalloc(cap), .cap = cap};
}

void tcp_queue_free(struct tcp_queue *q)
{
    free(q->bytes);
    *q = (struct tcp_queue){0};
}

static void put(struct tcp_queue *q, const uint8_t *data, size_t n)
{
    if (!n)
        return;
    size_t at = (q->head + q->len) % q->cap;
    size_t first = q->cap - at < n ? q->cap - at : n;
    memcpy(q->bytes + at, data, first);
    memcpy(q->bytes, data + first, n - first);
    q->len += n;
}

/* How much the socket took, 0 when it is full, or -errno. */
static ssize_t write_some(int fd, struct iovec *iov, size_t n)
{
    struct msghdr h = {.msg_iov = iov, .msg_iovlen = n};
    ssize_t done = sendmsg(fd, &h, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (done >= 0)
        return done;
    return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? 0 : -errno;
}

int tcp_queue_send(struct tcp_queue *q, int fd, const uint8_t *data, size_t len)
{
    uint8_t header[RFC4571_HEADER] = {(uint8_t)(len >> 8), (uint8_t)len};
    size_t whole = sizeof(header) + len, done = 0;
    if (q->cap - q->len < whole)
        return -ENOBUFS;
    if (!q->len) {
        struct iovec iov[2] = {{header, sizeof(header)}, {(void *)(uintptr_t)data, len}};
        ssize_t n = write_some(fd, iov, 2);
        if (n < 0)
            return (int)n;
        done = (size_t)n;
    }
    size_t in_header = done < sizeof(header) ? done : sizeof(header);
    put(q, header + in_header, sizeof(header) - in_header);
    put(q, data + (done - in_header), len - (done - in_header));
    return 0;
}

int tcp_queue_flush(struct tcp_queue *q, int fd)
{
    while (q->len) {
        size_t first = q->cap - q->head < q->len ? q->cap - q->head : q->len;
        struct iovec iov[2] = {{q->bytes + q->head, first}, {q->bytes, q->len - first}};
        ssize_t n = write_some(fd, iov, 2);
        if (n < 0)
            return (int)n;
        q->head = (q->head + (size_t)n) % q->cap;
        q->len -= (size_t)n;
        if (n == 0)
            break;
    }
    if (!q->len)
        q->head = 0;
    return 0;
}
