/* state.h - what stack.c and association.c share, and nobody else sees. */
#ifndef ALTHING_WORKER_SCTP_STATE_H
#define ALTHING_WORKER_SCTP_STATE_H

#include "worker/sctp/association.h"

#include <uthash.h>

#define STREAM_SET (ASSOCIATION_STREAMS_MAX / 32)

/* A set of streams. */
struct stream_set {
    uint32_t words[STREAM_SET];
};

struct association {
    uintptr_t id; /* the library's name for where packets come from and go to; never used again */
    UT_hash_handle hh;               /* in the stack, while there is a socket */
    struct association *prev, *next; /* in the stack's list, while ready */
    bool ready;                      /* the library has something for us */
    bool silent;                     /* nothing goes out any more */
    struct association_config conf;
    const struct association_handlers *handlers;
    void *arg;
    enum association_state state;
    struct socket *socket;      /* NULL: none yet, or no more */
    uint16_t out_streams;       /* that the peer takes */
    struct stream_set to_reset; /* ours, not yet asked for */
    struct stream_set used;     /* since they began, or were reset */
    uint64_t dropped;
};

void stack_add(struct association *a);    /* gives it its id */
void stack_remove(struct association *a); /* not there: fine */
/* What the library has for associations goes to their handlers. At the end of every call of association.h; nested: nothing. */
void stack_drain(void);
void association_read(struct association *a); /* all that is there for one */

#endif
