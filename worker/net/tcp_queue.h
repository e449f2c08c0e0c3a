/* tcp_queue.h - what a TCP connection could not send yet: whole RFC 4571 frames in a ring of bytes, bounded.
 *
 * A frame goes in whole or not at all, so the stream never loses its sense. The ring is allocated with the connection and its
 * memory is touched only when something waits.
 */
#ifndef ALTHING_WORKER_NET_TCP_QUEUE_H
#define ALTHING_WORKER_NET_TCP_QUEUE_H

#include <stddef.h>
#include <stdint.h>

struct tcp_queue {
    uint8_t *bytes;
    size_t cap, head, len; /* head: where the oldest byte is */
};

void tcp_queue_init(struct tcp_queue *q, size_t cap);
void tcp_queue_free(struct tcp_queue *q);
static inline size_t tcp_queue_len(const struct tcp_queue *q)
{
    return q->len;
}

/* Sends a frame of len < 65536 bytes, or queues what the socket does not take. 0; -ENOBUFS: the frame was dropped; else the
 * socket is broken. */
int tcp_queue_send(struct tcp_queue *q, int fd, const uint8_t *data, size_t len);
int tcp_queue_flush(struct tcp_queue *q,
                    int fd); /* 0 (some may be left) or -errno: the socket is broken */

#endif
