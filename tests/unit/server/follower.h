/* follower.h - follows an observer: subscribes over its real socket, and keeps what a snapshot and the events after it say. */
#ifndef ALTHING_TESTS_UNIT_SERVER_FOLLOWER_H
#define ALTHING_TESTS_UNIT_SERVER_FOLLOWER_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

struct follower {
    uv_loop_t *loop;
    int fd, asking; /* connections: the subscription, and one for fresh snapshots */
    char filter[256]; /* members of the request: ",\"room\":\"a\"", or "" */
    char *text;     /* what came, and is not a whole line yet */
    size_t len, cap;
    json_t *state; /* "kind room id" to object */
    uint64_t seq;  /* of the newest event */
    size_t events, of_kind[14]; /* in the order of proto/observer.md */
};

void follower_init(struct follower *f, uv_loop_t *loop, const char *path, const char *filter);
void follower_free(struct follower *f);
/* Takes a fresh snapshot, all events up to it, and fails when they do not say the same. `when` is said then. */
void follower_check(struct follower *f, const char *when);

#endif
