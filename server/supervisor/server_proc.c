#include "lib/log.h"
#include "lib/mem.h"
#include "proto/handoff.h"
#include "server/supervisor/notify.h"
#include "server/supervisor/supervisor_int.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARG_MAX_BYTES 48
#define CONTROL_QUEUE (64 * 1024)
#define OVERDUE_MS    5000 /* from the end of the control socket to that of the process */
#define EXIT_CONFIG   78   /* sysexits.h: the server refuses its configuration */

_Static_assert(2 + 3 * LISTEN_FDS_MAX + 1 <= SPAWN_FDS_MAX, "descriptors of the server");

struct arguments {
    int fds[SPAWN_FDS_MAX];
    size_t n_fds;
    char text[SPAWN_FDS_MAX + 1][ARG_MAX_BYTES];
    char *argv[SPAWN_FDS_MAX + 3];
    size_t n;
};

/* An option that ends with the number which the descriptor gets. */
static void add_fd(struct arguments *a, const char *prefix, int fd)
{
    snprintf(a->text[a->n], ARG_MAX_BYTES, "%s%zu", prefix, SPAWN_FD_FIRST + a->n_fds);
    a->argv[a->n + 1] = a->text[a->n];
    a->n++;
    a->fds[a->n_fds++] = fd;
}

static void add_listen(struct arguments *a, const char *prefix, const struct listen_fds *fds)
{
    for (size_t i = 0; i < fds->n; i++)
        add_fd(a, prefix, fds->fd[i]);
}

static pid_t spawn_server(struct server_proc *p, int control_fd)
{
    struct supervisor *s = p->keeper.s;
    struct arguments a = {.argv = {s->server_file}};
    add_fd(&a, "--control=", control_fd);
    add_fd(&a, "--config=", s->conf_fd);
    add_listen(&a, "--listen=https:", &s->https);
    add_listen(&a, "--listen=redirect:", &s->redirect);
    add_listen(&a, "--listen=metrics:", &s->metrics);
    if (s->observer_fd >= 0)
        add_fd(&a, "--listen=observer:", s->observer_fd);
    snprintf(a.text[a.n], ARG_MAX_BYTES, "--epoch=%llu", (unsigned long long)p->epoch);
    a.argv[a.n + 1] = a.text[a.n];
    return spawn(s->server_file, a.argv, a.fds, a.n_fds);
}

static void on_poll_closed(uv_handle_t *poll)
{
    free(poll);
}

static void close_control(struct server_proc *p)
{
    /* libuv lets go of the descriptor at once, and of the handle in its next turn. */
    if (p->poll)
        uv_close((uv_handle_t *)p->poll, on_poll_closed);
    p->poll = NULL;
    chan_free(p->control);
    p->control = NULL;
}

static void on_bad(struct supervisor *s, const struct handoff *h)
{
    struct place *p = supervisor_place(s, h->index, h->generation);
    if (!p)
        return;
    log_error("supervisor", "the server refuses a worker program=%s pid=%d", p->name,
              (int)p->keeper.pid);
    keeper_kill(&p->keeper, SIGKILL);
}

static void on_overdue(uv_timer_t *t)
{
    struct server_proc *p = t->data;
    log_error("supervisor", "the server has let go and does not end pid=%d", (int)p->keeper.pid);
    keeper_kill(&p->keeper, SIGKILL);
}

/* False: not what a server says. */
static bool on_frame(struct server_proc *p, const struct handoff *h, size_t len)
{
    if (len != sizeof(*h) || h->version != HANDOFF_VERSION)
        return false;
    switch (h->kind) {
    case HANDOFF_READY:
        log_info("supervisor", "ready epoch=%llu", (unsigned long long)p->epoch);
        p->was_ready = true;
        notify_send("READY=1");
        return true;
    case HANDOFF_WORKER_BAD:
        on_bad(p->keeper.s, h);
        return true;
    case HANDOFF_RELOAD:
        reload(p->keeper.s);
        return true;
    default:
        return false;
    }
}

static void read_control(struct server_proc *p)
{
    for (;;) {
        struct handoff h;
        ssize_t n = chan_recv(p->control, &h, sizeof(h), NULL, NULL);
        if (n == 0)
            return;
        if (n == -EPIPE) {
            /* Its process is ending, with a status that counts; or it ought to. */
            close_control(p);
            uv_timer_start(&p->overdue, on_overdue, OVERDUE_MS, 0);
            return;
        }
        if (n < 0 || !on_frame(p, &h, (size_t)n)) {
            log_error("supervisor", "the server breaks the contract pid=%d", (int)p->keeper.pid);
            keeper_kill(&p->keeper, SIGKILL);
            close_control(p);
            return;
        }
    }
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct server_proc *p = poll->data;
    if (status < 0 || (events & UV_READABLE))
        read_control(p);
    if (p->control && (events & UV_WRITABLE))
        server_proc_sync(p);
}

void server_proc_sync(struct server_proc *p)
{
    struct supervisor *s = p->keeper.s;
    if (!p->control)
        return;
    int rc = chan_flush(p->control);
    if (rc == 0 && chan_pending(p->control))
        rc = -EAGAIN;
    for (uint32_t i = 0; rc == 0 && !s->stopping && i < s->n_places; i++)
        rc = place_tell(&s->places[i], p->control);
    /* -EPIPE is seen by the reader. */
    uv_poll_start(p->poll, rc == -EAGAIN ? UV_READABLE | UV_WRITABLE : UV_READABLE, on_poll);
}

static int open_control(struct server_proc *p, int *child_end)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    int rc = chan_new(&p->control, pair[0], CONTROL_QUEUE);
    if (rc < 0) {
        close(pair[0]);
        close(pair[1]);
        return rc;
    }
    *child_end = pair[1];
    return 0;
}

static void start_polling(struct server_proc *p)
{
    p->poll = mem_zalloc(sizeof(*p->poll));
    p->poll->data = p;
    uv_poll_init(&p->keeper.s->loop, p->poll, chan_fd(p->control));
}

static void start(struct keeper *k)
{
    struct server_proc *p = (struct server_proc *)k;
    int child_end;
    int rc = open_control(p, &child_end);
    pid_t pid = rc;
    if (rc == 0) {
        p->epoch++;
        pid = spawn_server(p, child_end);
        close(child_end);
    }
    if (pid < 0) {
        log_error("supervisor", "cannot start program=%s error=%s", k->name, strerror(-pid));
        close_control(p);
        return;
    }
    k->pid = pid;
    for (uint32_t i = 0; i < k->s->n_places; i++)
        k->s->places[i].told = 0;
    start_polling(p);
    server_proc_sync(p);
}

void server_proc_init(struct server_proc *p, struct supervisor *s)
{
    keeper_init(&p->keeper, s, "server", start);
    uv_timer_init(&s->loop, &p->overdue);
    p->overdue.data = p;
}

void server_proc_ended(struct server_proc *p, int status)
{
    struct supervisor *s = p->keeper.s;
    uv_timer_stop(&p->overdue);
    close_control(p);
    if (!p->was_ready && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CONFIG) {
        log_error("supervisor", "the server refuses its configuration");
        p->keeper.pid = 0;
        supervisor_stop(s, EXIT_CONFIG);
        return;
    }
    keeper_ended(&p->keeper, status);
}

void server_proc_stop(struct server_proc *p)
{
    struct handoff h = {.version = HANDOFF_VERSION, .kind = HANDOFF_STOP};
    if (p->control && chan_send(p->control, &h, sizeof(h)) == 0)
        server_proc_sync(p);
    else
        keeper_kill(&p->keeper, SIGTERM);
}
