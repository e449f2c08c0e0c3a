/* A receive takes up to RX_MESSAGES messages, each into a buffer that holds the largest that GRO makes; every message is cut into the
 * datagrams it was made of, all with the arrival time of the message. The kernel stamps on the real-time clock; the difference to the
 * monotonic one is read anew in each pass, and a stamp that makes no sense (the clock was set) gives way to now. */
#include "worker/net/udp.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "proto/counters.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#define RX_MESSAGES    16
#define RX_BYTES       65536
#define STAMP_AGE_US   500000 /* an older stamp is not believed */
#define GSO_SEGMENTS   64
#define GSO_BYTES      65000
#define SOCKET_BUFFER  (4 << 20)
#define RX_CONTROL_MAX (CMSG_SPACE(sizeof(struct timespec)) + CMSG_SPACE(sizeof(int)))
#define TX_CONTROL_MAX CMSG_SPACE(sizeof(uint16_t))

union rx_control {
    struct cmsghdr align;
    uint8_t bytes[RX_CONTROL_MAX];
};

union tx_control {
    struct cmsghdr align;
    uint8_t bytes[TX_CONTROL_MAX];
};

struct udp {
    struct counters_worker *counters;
    uint8_t *rx_data; /* RX_MESSAGES times RX_BYTES */
    struct mmsghdr rx[RX_MESSAGES];
    struct iovec rx_iov[RX_MESSAGES];
    struct sockaddr_storage rx_from[RX_MESSAGES];
    union rx_control rx_control[RX_MESSAGES];
    struct dgram dgrams[UDP_BATCH_MAX];
    size_t n_dgrams;
    struct mmsghdr tx[OUTBOX_SLOTS];
    struct iovec tx_iov[OUTBOX_SLOTS];
    struct sockaddr_storage tx_to[OUTBOX_SLOTS];
    union tx_control tx_control[OUTBOX_SLOTS];
};

void udp_new(struct udp **up, struct counters_worker *counters)
{
    struct udp *u = mem_zalloc(sizeof(*u));
    u->counters = counters;
    u->rx_data = mem_calloc(RX_MESSAGES, RX_BYTES);
    *up = u;
}

void udp_free(struct udp *u)
{
    if (!u)
        return;
    free(u->rx_data);
    free(u);
}

int udp_open(struct udp_socket *s, int fd)
{
    struct sockaddr_storage ss = {0};
    socklen_t len = sizeof(ss);
    int on = 1, size = SOCKET_BUFFER;
    if (getsockname(fd, (struct sockaddr *)&ss, &len) < 0)
        return -errno;
    int err = addr_from_sockaddr(&s->local, (const struct sockaddr *)&ss);
    if (err)
        return err;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    /* All of these only make it faster. */
    (void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on));
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    s->fd = fd;
    s->family = ss.ss_family;
    s->readable = false;
    return 0;
}

/* ---- in ---- */

static void prepare_receive(struct udp *u)
{
    for (size_t i = 0; i < RX_MESSAGES; i++) {
        u->rx_iov[i] = (struct iovec){u->rx_data + i * RX_BYTES, RX_BYTES};
        u->rx[i].msg_hdr = (struct msghdr){.msg_name = &u->rx_from[i],
                                           .msg_namelen = sizeof(u->rx_from[i]),
                                           .msg_iov = &u->rx_iov[i],
                                           .msg_iovlen = 1,
                                           .msg_control = u->rx_control[i].bytes,
                                           .msg_controllen = sizeof(u->rx_control[i].bytes)};
    }
}

struct rx_info {
    int64_t rx_us;
    size_t segment; /* 0: the message is one datagram */
};

static struct rx_info read_control(struct msghdr *h, int64_t now_us, int64_t wall_offset_us)
{
    struct rx_info info = {.rx_us = now_us};
    for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec ts;
            memcpy(&ts, CMSG_DATA(c), sizeof(ts));
            int64_t us = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000 - wall_offset_us;
            if (us <= now_us && us >= now_us - STAMP_AGE_US)
                info.rx_us = us;
        } else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
            int size;
            memcpy(&size, CMSG_DATA(c), sizeof(size));
            info.segment = size > 0 ? (size_t)size : 0;
        }
    }
    return info;
}

static void hand_over(struct udp *u, udp_dgrams_f *fn, void *arg)
{
    if (u->n_dgrams)
        fn(u->dgrams, u->n_dgrams, arg);
    u->n_dgrams = 0;
}

static size_t take_message(struct udp *u, size_t i, uint32_t sock, const struct rx_info *info,
                           udp_dgrams_f *fn, void *arg)
{
    struct tuple from = {.sock = sock, .proto = NET_UDP};
    uint8_t *data = u->rx_iov[i].iov_base;
    size_t left = u->rx[i].msg_len, count = 0;
    size_t segment = info->segment && info->segment < left ? info->segment : left;
    if (addr_from_sockaddr(&from.remote, (const struct sockaddr *)&u->rx_from[i]))
        return 0;
    do {
        size_t len = left < segment ? left : segment;
        if (u->n_dgrams == UDP_BATCH_MAX)
            hand_over(u, fn, arg);
        u->dgrams[u->n_dgrams++] = (struct dgram){data, (uint32_t)len, info->rx_us, from};
        data += len;
        left -= len;
        count++;
    } while (left);
    counter_add(&u->counters->datagrams_received, count);
    counter_add(&u->counters->bytes_received, u->rx[i].msg_len);
    return count;
}

size_t udp_receive(struct udp *u, struct udp_socket *s, uint32_t sock, size_t max, int64_t now_us,
                   udp_dgrams_f *fn, void *arg, bool *more)
{
    int64_t wall_offset_us = clock_wall_us() - clock_now_us();
    size_t total = 0;
    *more = true;
    while (total < max) {
        prepare_receive(u);
        int n = recvmmsg(s->fd, u->rx, RX_MESSAGES, MSG_DONTWAIT, NULL);
        for (int i = 0; i < n; i++) {
            struct rx_info info = read_control(&u->rx[i].msg_hdr, now_us, wall_offset_us);
            total += take_message(u, (size_t)i, sock, &info, fn, arg);
        }
        hand_over(u, fn, arg);
        if (n <
            RX_MESSAGES) { /* an error is a datagram's (ICMP), or EAGAIN: look again next time */
            *more = false;
            break;
        }
    }
    return total;
}

/* ---- out ---- */

static bool ours(const struct out_slot *s, uint32_t sock)
{
    return s->len && s->to.proto == NET_UDP && s->to.sock == sock;
}

/* How many slots from `first` can leave as one message. */
static size_t run_length(const struct out_slot *slots, size_t n, size_t first)
{
    const struct out_slot *head = &slots[first];
    size_t bytes = head->len, i = first + 1;
    while (i < n && i - first < GSO_SEGMENTS && slots[i].len && slots[i].len <= head->len &&
           bytes + slots[i].len <= GSO_BYTES && tuple_equal(&slots[i].to, &head->to)) {
        bytes += slots[i].len;
        if (slots[i++].len < head->len)
            break;
    }
    return i - first;
}

static void set_segment(struct msghdr *h, union tx_control *control, uint16_t size)
{
    memset(control, 0, sizeof(*control));
    h->msg_control = control->bytes;
    h->msg_controllen = sizeof(control->bytes);
    struct cmsghdr *c = CMSG_FIRSTHDR(h);
    c->cmsg_level = IPPROTO_UDP;
    c->cmsg_type = UDP_SEGMENT;
    c->cmsg_len = CMSG_LEN(sizeof(size));
    memcpy(CMSG_DATA(c), &size, sizeof(size));
}

/* Message m of `count` slots; false: this socket cannot reach that address. */
static bool compose(struct udp *u, size_t m, size_t iov, const struct udp_socket *s,
                    const struct out_slot *slots, size_t count)
{
    socklen_t to_len = addr_to_sockaddr(&slots[0].to.remote, s->family, &u->tx_to[m]);
    if (!to_len)
        return false;
    for (size_t i = 0; i < count; i++)
        u->tx_iov[iov + i] = (struct iovec){(void *)(uintptr_t)slots[i].data, slots[i].len};
    u->tx[m].msg_hdr = (struct msghdr){.msg_name = &u->tx_to[m],
                                       .msg_namelen = to_len,
                                       .msg_iov = &u->tx_iov[iov],
                                       .msg_iovlen = count};
    if (count > 1)
        set_segment(&u->tx[m].msg_hdr, &u->tx_control[m], (uint16_t)slots[0].len);
    return true;
}

static void count_sent(struct udp *u, const struct msghdr *h)
{
    size_t bytes = 0;
    for (size_t i = 0; i < h->msg_iovlen; i++)
        bytes += h->msg_iov[i].iov_len;
    counter_add(&u->counters->datagrams_sent, h->msg_iovlen);
    counter_add(&u->counters->bytes_sent, bytes);
}

static void count_lost(struct udp *u, const struct msghdr *h, int error)
{
    bool full = error == EAGAIN || error == ENOBUFS || error == ENOMEM;
    counter_add(full ? &u->counters->send_blocked : &u->counters->send_errors, h->msg_iovlen);
}

/* The kernel or the device cannot segment this one (RFC-wise nothing is wrong): its datagrams go one by one. */
static void send_singly(struct udp *u, int fd, const struct msghdr *whole)
{
    for (size_t i = 0; i < whole->msg_iovlen; i++) {
        struct msghdr one = {.msg_name = whole->msg_name,
                             .msg_namelen = whole->msg_namelen,
                             .msg_iov = &whole->msg_iov[i],
                             .msg_iovlen = 1};
        if (sendmsg(fd, &one, MSG_DONTWAIT) >= 0)
            count_sent(u, &one);
        else
            count_lost(u, &one, errno);
    }
}

static void send_messages(struct udp *u, int fd, size_t n)
{
    size_t at = 0;
    while (at < n) {
        int sent = sendmmsg(fd, &u->tx[at], (unsigned int)(n - at), MSG_DONTWAIT);
        for (int i = 0; i < sent; i++)
            count_sent(u, &u->tx[at++].msg_hdr);
        if (sent > 0 || (sent < 0 && errno == EINTR))
            continue; /* an error of the next message shows when it is the first */
        const struct msghdr *h = &u->tx[at++].msg_hdr;
        int error = errno;
        if (h->msg_iovlen > 1 && (error == EINVAL || error == EIO || error == EMSGSIZE))
            send_singly(u, fd, h);
        else
            count_lost(u, h, error);
        while (error == EAGAIN && at < n) /* no room: the rest would fare no better */
            count_lost(u, &u->tx[at++].msg_hdr, error);
    }
}

void udp_send(struct udp *u, const struct udp_socket *s, uint32_t sock,
              const struct out_slot *slots, size_t n)
{
    size_t messages = 0, iov = 0;
    for (size_t i = 0; i < n;) {
        if (!ours(&slots[i], sock)) {
            i++;
            continue;
        }
        size_t count = run_length(slots, n, i);
        if (compose(u, messages, iov, s, &slots[i], count)) {
            messages++;
            iov += count;
        } else {
            counter_add(&u->counters->send_errors, count);
        }
        i += count;
    }
    send_messages(u, s->fd, messages);
}
