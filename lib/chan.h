/* chan.h - whole messages between two of our processes over SOCK_SEQPACKET, never blocking.
 *
 * A frame is one datagram of at most CHAN_FRAME_MAX bytes, and may carry file descriptors. What the socket does not take now is
 * queued, in order, up to a bound; past the bound chan_send() refuses with -ENOBUFS and the caller decides what is lost. The chan
 * owns its descriptor. It has no loop: the owner polls chan_fd() and calls chan_recv() and chan_flush().
 */
#ifndef ALTHING_LIB_CHAN_H
#define ALTHING_LIB_CHAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CHAN_FRAME_MAX 65536
#define CHAN_FDS_MAX   8

struct chan;

int chan_new(struct chan **cp, int fd, size_t queue_max_bytes); /* takes fd, makes it non-blocking; 0 or -errno */
void chan_free(struct chan *c);                                 /* closes fd; NULL is fine */
int chan_fd(const struct chan *c);
/* 0 (sent or queued), -ENOBUFS (over the bound), -EMSGSIZE, or -EPIPE (the other end is gone). */
int chan_send(struct chan *c, const void *frame, size_t len);
/* The same, with descriptors, which stay the caller's (it may close them at once). A frame with descriptors is never queued: when
 * it cannot be sent now, -EAGAIN. */
int chan_send_fds(struct chan *c, const void *frame, size_t len, const int *fds, size_t n_fds);
/* The length of the frame read into buf; 0: nothing there; -EPIPE: the other end is gone; -EMSGSIZE: a frame did not fit and is
 * lost. Descriptors that came along are the caller's (close-on-exec; room for CHAN_FDS_MAX); *n_fds is how many. fds may be NULL:
 * then they are closed. */
ssize_t chan_recv(struct chan *c, void *buf, size_t cap, int *fds, size_t *n_fds);
int chan_flush(struct chan *c);              /* 0 or -EPIPE */
size_t chan_queued(const struct chan *c);    /* bytes that wait */
bool chan_pending(const struct chan *c);     /* wants chan_flush() when the descriptor is writable */

#endif
