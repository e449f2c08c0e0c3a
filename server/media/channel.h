/* channel.h - one worker's channel as the server sees it: worker.proto over lib/chan.h. The worker is taken for hostile.
 *
 * Requests are pipelined, and answered in order; each reply callback is called exactly once, from channel_read() or
 * channel_fail(), never inside channel_request(). At most CHANNEL_PENDING_MAX requests wait for an answer, each at most
 * CHANNEL_TIMEOUT_US. Whatever in a frame breaks the contract ends the channel (-EPROTO, and channel_why() says what), nothing
 * else. Frames of older epochs are ignored. No loop and no clock inside: the owner polls channel_fd().
 */
#ifndef ALTHING_SERVER_MEDIA_CHANNEL_H
#define ALTHING_SERVER_MEDIA_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/worker.pb-c.h"

#define CHANNEL_VERSION     1
#define CHANNEL_PENDING_MAX 65536
#define CHANNEL_QUEUE_MAX   (32 * 1024 * 1024) /* bytes that the socket does not take; beyond: -ENOBUFS */
#define CHANNEL_TIMEOUT_US  INT64_C(5000000)

struct channel;

/* err NULL: done; else one sentence. `handle` is what channel_request() was given. */
typedef void channel_reply_f(uint64_t handle, const char *err, void *arg);
/* A page of the worker's objects, borrowed; list NULL: an error. */
typedef void channel_list_f(const Althing__ObjectList *list, void *arg);

/* Called from channel_read() only. The messages are checked (enums and strings in range) and borrowed; handles may be unknown. */
struct channel_handlers {
    void (*hello)(const Althing__HelloReply *hello, void *arg); /* once, before all else */
    void (*event)(const Althing__Event *event, void *arg);
};

/* Takes fd, sends Hello. 0 or -errno (fd is closed then too). */
/* keep: the worker goes on with what a former server has made. */
int channel_new(struct channel **cp, int fd, uint64_t epoch, bool keep, const struct channel_handlers *handlers, void *arg,
                int64_t now_us);
void channel_free(struct channel *c); /* callbacks that are left are dropped; NULL is fine */
/* Calls all callbacks that are left, with this error. */
void channel_fail(struct channel *c, const char *err);

int channel_fd(const struct channel *c);
/* More than half of either bound is used: who can wait should. */
bool channel_busy(const struct channel *c);
/* Bytes that wait to be sent, and requests that wait for an answer. */
size_t channel_queued(const struct channel *c, uint64_t *requests);
bool channel_wants_write(const struct channel *c);
/* Sets rq->id. fn may be NULL. 0, or -ENOBUFS (the worker does not read), -EPIPE, -EMSGSIZE (over a frame): then fn is not
 * called. */
int channel_request(struct channel *c, Althing__Request *rq, uint64_t handle, channel_reply_f *fn, void *arg, int64_t now_us);
/* ListObjects, likewise; what events it brings come before. */
int channel_list(struct channel *c, Althing__ObjectKind kind, uint64_t after, channel_list_f *fn, void *arg, int64_t now_us);
/* Reads what is there, a few hundred frames at most. 0, -EPIPE (the worker is gone), -EPROTO. No callback may free the
 * channel. */
int channel_read(struct channel *c);
int channel_write(struct channel *c);      /* 0 or -EPIPE */
int64_t channel_deadline_us(const struct channel *c); /* when the oldest request is overdue; INT64_MAX: none waits */
const char *channel_why(const struct channel *c);

#endif
