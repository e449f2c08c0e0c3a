/* supervisor_int.h - the supervisor's parts among themselves. */
#ifndef ALTHING_SERVER_SUPERVISOR_SUPERVISOR_INT_H
#define ALTHING_SERVER_SUPERVISOR_SUPERVISOR_INT_H

#include "lib/chan.h"
#include "server/supervisor/backoff.h"
#include "server/supervisor/listen.h"
#include "server/supervisor/spawn.h"
#include "server/supervisor/supervisor.h"

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

/* A program that is kept running. */
struct keeper {
    const char *name; /* for the log */
    pid_t pid;        /* 0: does not run */
    int64_t started_us;
    struct backoff backoff;
    uv_timer_t again;
    void (*start)(struct keeper *k); /* sets pid, or leaves it 0 */
    struct supervisor *s;
};

void keeper_init(struct keeper *k, struct supervisor *s, const char *name, void (*start)(struct keeper *));
void keeper_start(struct keeper *k);           /* now */
void keeper_ended(struct keeper *k, int status); /* logs it, and starts the timer unless the supervisor stops */
void keeper_kill(const struct keeper *k, int sig);

/* A worker's place. */
struct place {
    struct keeper keeper; /* first: a keeper is its place */
    char name[16];
    uint32_t index;
    int udp[CONF_LISTEN_MAX], tcp[CONF_LISTEN_MAX];
    uint64_t generation; /* of the process */
    uint64_t told;       /* the generation that the server knows; 0: none */
    int channel_fd;      /* the server's end; -1: no process */
    int counters_fd;
};

int place_open(struct place *p, struct supervisor *s, uint32_t index, char err[static LISTEN_ERROR_MAX]);
void place_close(struct place *p);
void place_ended(struct place *p, int status);
/* Tells the server what it does not know of this place. 0; -EAGAIN: its socket is full; -EPIPE. */
int place_tell(struct place *p, struct chan *control);

struct server_proc {
    struct keeper keeper; /* first */
    struct chan *control; /* NULL: no process */
    uv_poll_t *poll;      /* of the control socket */
    uv_timer_t overdue;   /* runs from the end of the control socket */
    bool was_ready;       /* some server has said so */
    uint64_t epoch;
};

void server_proc_init(struct server_proc *p, struct supervisor *s);
void server_proc_ended(struct server_proc *p, int status);
void server_proc_sync(struct server_proc *p); /* tells it of all places; goes on by itself when the socket is full */
void server_proc_stop(struct server_proc *p); /* HANDOFF_STOP */

/* reload.c */
int reload_write_conf(struct supervisor *s); /* s->conf into a new s->conf_fd; 0 or -errno */
void reload(struct supervisor *s);           /* reads the file again, and tells the server */

enum stopping {
    RUNNING,
    STOPPING_SERVER,
    STOPPING_WORKERS,
    KILLING,
};

struct supervisor {
    uv_loop_t loop;
    uv_signal_t child, term, interrupt, hangup;
    uv_timer_t deadline, watchdog;
    struct conf *conf;
    const char *conf_path;
    int conf_fd; /* what the server is given */
    struct listen_fds https, redirect, metrics;
    int observer_fd; /* -1: none */
    int life_r, life_w;
    char server_file[SPAWN_PATH_MAX], worker_file[SPAWN_PATH_MAX];
    struct server_proc server;
    struct place *places;
    uint32_t n_places;
    uint64_t generation; /* of the worker started last */
    enum stopping stopping;
    unsigned interrupts; /* SIGINTs so far */
    int exit_status;
};

void supervisor_init_loop(struct supervisor *s);
void supervisor_stop(struct supervisor *s, int exit_status);
struct place *supervisor_place(struct supervisor *s, uint32_t index, uint64_t generation); /* NULL: not that process */

#endif
