#include "lib/log.h"
#include "lib/mem.h"
#include "server/supervisor/notify.h"
#include "server/supervisor/supervisor_int.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SERVER_STOP_MS 5000
#define WORKER_STOP_MS 2000

struct place *supervisor_place(struct supervisor *s, uint32_t index, uint64_t generation)
{
    if (index >= s->n_places || generation == 0 || s->places[index].generation != generation)
        return NULL;
    return &s->places[index];
}

static bool workers_run(const struct supervisor *s)
{
    for (uint32_t i = 0; i < s->n_places; i++) {
        if (s->places[i].keeper.pid > 0)
            return true;
    }
    return false;
}

static void signal_workers(struct supervisor *s, int sig)
{
    for (uint32_t i = 0; i < s->n_places; i++)
        keeper_kill(&s->places[i].keeper, sig);
}

static void go_on_stopping(struct supervisor *s);

static void on_deadline(uv_timer_t *t)
{
    struct supervisor *s = t->data;
    log_warn("supervisor", "not stopped in time, killing");
    keeper_kill(&s->server.keeper, SIGKILL);
    if (s->stopping >= STOPPING_WORKERS) {
        s->stopping = KILLING;
        signal_workers(s, SIGKILL);
    }
    go_on_stopping(s);
}

/* Called when something has ended, and at a deadline. */
static void go_on_stopping(struct supervisor *s)
{
    bool server = s->server.keeper.pid > 0;
    if (s->stopping == STOPPING_SERVER && !server) {
        s->stopping = STOPPING_WORKERS;
        signal_workers(s, SIGTERM);
        uv_timer_start(&s->deadline, on_deadline, WORKER_STOP_MS, 0);
    }
    if (s->stopping && !server && !workers_run(s))
        uv_stop(&s->loop);
}

void supervisor_stop(struct supervisor *s, int exit_status)
{
    if (s->stopping)
        return;
    log_info("supervisor", "stopping");
    notify_send("STOPPING=1");
    s->stopping = STOPPING_SERVER;
    s->exit_status = exit_status;
    uv_timer_start(&s->deadline, on_deadline, SERVER_STOP_MS, 0);
    server_proc_stop(&s->server);
    go_on_stopping(s);
}

static void ended(struct supervisor *s, pid_t pid, int status)
{
    if (pid == s->server.keeper.pid) {
        server_proc_ended(&s->server, status);
        return;
    }
    for (uint32_t i = 0; i < s->n_places; i++) {
        if (pid == s->places[i].keeper.pid) {
            place_ended(&s->places[i], status);
            return;
        }
    }
}

static void on_child(uv_signal_t *h, int sig)
{
    (void)sig;
    struct supervisor *s = h->data;
    int status;
    pid_t pid;
    /* One signal may stand for several. */
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        ended(s, pid, status);
    go_on_stopping(s);
}

static void on_stop(uv_signal_t *h, int sig)
{
    struct supervisor *s = h->data;
    if (sig == SIGINT)
        s->interrupts++;
    if (!s->stopping) {
        supervisor_stop(s, 0);
        return;
    }
    /* Somebody at a keyboard who does not want to wait. (One Ctrl-C may come with a SIGTERM from a script between.) */
    if (s->interrupts < 2)
        return;
    s->stopping = KILLING;
    keeper_kill(&s->server.keeper, SIGKILL);
    signal_workers(s, SIGKILL);
}

static void on_hangup(uv_signal_t *h, int sig)
{
    (void)sig;
    reload(h->data);
}

static void on_watchdog(uv_timer_t *t)
{
    (void)t;
    notify_send("WATCHDOG=1");
}

static void start_signals(struct supervisor *s)
{
    const struct {
        uv_signal_t *handle;
        uv_signal_cb fn;
        int sig;
    } rows[] = {{&s->child, on_child, SIGCHLD},
                {&s->term, on_stop, SIGTERM},
                {&s->interrupt, on_stop, SIGINT},
                {&s->hangup, on_hangup, SIGHUP}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uv_signal_init(&s->loop, rows[i].handle);
        rows[i].handle->data = s;
        uv_signal_start(rows[i].handle, rows[i].fn, rows[i].sig);
    }
    signal(SIGPIPE, SIG_IGN);
}

void supervisor_init_loop(struct supervisor *s)
{
    uv_loop_init(&s->loop);
    uv_timer_init(&s->loop, &s->deadline);
    uv_timer_init(&s->loop, &s->watchdog);
    s->deadline.data = s;
    server_proc_init(&s->server, s);
}

int supervisor_run(struct supervisor *s)
{
    start_signals(s);
    if (notify_watchdog_ms())
        uv_timer_start(&s->watchdog, on_watchdog, notify_watchdog_ms(), notify_watchdog_ms());
    for (uint32_t i = 0; i < s->n_places; i++)
        keeper_start(&s->places[i].keeper);
    keeper_start(&s->server.keeper);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    return s->exit_status;
}

static void close_handle(uv_handle_t *h, void *arg)
{
    (void)arg;
    if (!uv_is_closing(h))
        uv_close(h, NULL);
}

static void close_all(const struct listen_fds *fds)
{
    for (size_t i = 0; i < fds->n; i++)
        close(fds->fd[i]);
}

void supervisor_free(struct supervisor *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->n_places; i++)
        place_close(&s->places[i]);
    uv_walk(&s->loop, close_handle, NULL);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    uv_loop_close(&s->loop);
    free(s->places);
    close_all(&s->https);
    close_all(&s->redirect);
    close_all(&s->metrics);
    const int single[] = {s->observer_fd, s->conf_fd, s->life_r, s->life_w};
    for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++) {
        if (single[i] >= 0)
            close(single[i]);
    }
    if (s->observer_fd >= 0)
        unlink(s->conf->observer_path);
    free(s);
}
