/* server.h - an observer on a socket of its own, with a pretended source and admin, and clients of it in the same process. */
#ifndef ALTHING_TESTS_UNIT_OBSERVER_SERVER_H
#define ALTHING_TESTS_UNIT_OBSERVER_SERVER_H

#include "observer/observer.h"

#include <uv.h>

/* Tests that do not read for a while take less, on a busy machine, too. */
#define SERVER_STALL_MS 2000

struct server {
    uv_loop_t loop;
    struct observer *observer;
    char path[64];
    json_t *objects[OBSERVER_KINDS]; /* what there is: lists */
    unsigned ordered;                /* how often the admin was asked */
    uint64_t ticket;                 /* of the last reload */
    unsigned traces;                 /* that are on */
};

int server_setup(void **state);
int server_teardown(void **state);

/* What is shown changes; it is told at once. The object is stolen. */
void server_put(struct server *s, enum observer_kind kind, json_t *object);
void server_gone(struct server *s, enum observer_kind kind, size_t i);

int server_dial(struct server *s);
void server_turn(struct server *s, int n);
void server_wait(struct server *s, int ms); /* turns the loop for so long */
/* All that comes until the end, or until nothing came for some turns. The caller frees it. */
char *server_hear(struct server *s, int fd);
/* The same, on a new connection, after it was told this. */
char *server_ask(struct server *s, const char *text);
/* One line, read as JSON; fails when none comes. The caller frees it. */
json_t *server_line(struct server *s, int fd);
void server_say(int fd, const char *line); /* with a newline */

#endif
