/* fake_worker.h - plays a worker at the other end of a socket pair: reads real frames, remembers and answers them. For tests. */
#ifndef ALTHING_TESTS_UNIT_SERVER_MEDIA_FAKE_WORKER_H
#define ALTHING_TESTS_UNIT_SERVER_MEDIA_FAKE_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/worker.pb-c.h"

#define FAKE_REQUESTS_MAX 4096

struct fake_worker {
    int fd;
    uint64_t epoch;
    bool mute; /* reads, but does not answer */
    const char
        *refuse; /* answers all but Hello and CreateRouter with this error; NULL: with success */
    const uint64_t *has[7]; /* what it answers ListObjects with, by Althing__ObjectKind; three a page */
    size_t n_has[7];
    bool loses_its_way; /* answers each page with the same, and more to come */
    Althing__Frame *got[FAKE_REQUESTS_MAX]; /* since fake_forget(), Hello included */
    size_t n_got;
};

/* *server_fd is the server's end. */
void fake_init(struct fake_worker *w, int *server_fd);
void fake_free(struct fake_worker *w);
/* Reads and answers what is there; how many requests that were. */
size_t fake_turn(struct fake_worker *w);
void fake_forget(struct fake_worker *w);
/* The i-th remembered request of this method, or NULL. */
const Althing__Request *fake_find(const struct fake_worker *w, Althing__Request__MethodCase method,
                                  size_t i);
size_t fake_count(const struct fake_worker *w, Althing__Request__MethodCase method);
void fake_send(struct fake_worker *w, Althing__Frame *frame); /* as it is */
void fake_event(struct fake_worker *w, Althing__Event *event);
void fake_bytes(struct fake_worker *w, const void *bytes, size_t n);

#endif
