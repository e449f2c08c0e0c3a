/* world.h - a hub with a pretended edge and pretended workers around it, for tests: browsers are struct edge_session with a list
 * of all that they were sent. Defines every edge_*() that the hub calls.
 */
#ifndef ALTHING_TESTS_UNIT_SERVER_WORLD_H
#define ALTHING_TESTS_UNIT_SERVER_WORLD_H

#include "server/hub.h"
#include "tests/unit/server/media/fake_worker.h"

#define WORLD_SESSIONS 2048

struct edge_session {
    void *user;
    bool gone; /* edge_disconnect() was called */
    char why[128];
    json_t *sent;          /* array of [method or "ack" or "error", data, ack id] */
    edge_answer_f *answer; /* of the last edge_request() */
    void *answer_arg;
    unsigned n_requests;
};

struct world {
    uv_loop_t loop;
    struct media *media;
    struct hub hub;
    struct edge_handlers edge;
    struct fake_worker workers[2];
    int counters_fd[2]; /* the workers' ends */
    struct edge_session *sessions[WORLD_SESSIONS];
    size_t n_sessions;
    uint64_t next_ack;
    unsigned n_bad;
};

void world_init(struct world *w, unsigned n_workers);
void world_init_as(struct world *w, unsigned n_workers, uint64_t epoch); /* 5 otherwise */
void world_free(struct world *w);
void world_worker_up(struct world *w, unsigned index);
void world_worker_up_as(struct world *w, unsigned index, uint64_t generation);
void world_turn(struct world *w); /* until all is said */

struct edge_session *world_connect(struct world *w, const char *room, const char *peer,
                                   const char *key);
/* With its transports still there. */
struct edge_session *world_resume(struct world *w, const char *room, const char *peer,
                                  const char *key);
/* The connection is lost and the next is there, in the same memory, before a worker has said anything. */
void world_resume_in(struct world *w, struct edge_session *s, const char *room, const char *peer,
                     const char *key);
/* The browser's side of the connection ends. */
void world_close(struct world *w, struct edge_session *s, enum edge_reason reason);
/* json is stolen. Returns the ack id. Only the edge's part: the answer comes perhaps later. */
uint64_t world_request(struct world *w, struct edge_session *s, const char *method, json_t *data);
void world_notification(struct world *w, struct edge_session *s, const char *method, json_t *data);
/* With world_turn(); the result (borrowed), or NULL: an error, whose text is then in *err (if not NULL). Fails if there is not
 * one answer. */
const json_t *world_ask(struct world *w, struct edge_session *s, const char *method, json_t *data,
                        const char **err);
/* Answers mediaConfiguration with what it was told (a browser that can do all). */
void world_capable(struct world *w, struct edge_session *s);

/* The last data of this method that the browser was sent since it was forgotten; NULL: none. */
const json_t *world_told(const struct edge_session *s, const char *method);
size_t world_times(const struct edge_session *s, const char *method);
size_t world_answers(const struct edge_session *s, uint64_t ack);
void world_forget(struct edge_session *s);
struct peer *world_peer(const struct edge_session *s);

/* connect, capabilities, join, both transports. */
struct edge_session *world_member(struct world *w, const char *room, const char *peer);
json_t *world_produce_data(const struct edge_session *s,
                           const char *source); /* of a produce request */

#endif
