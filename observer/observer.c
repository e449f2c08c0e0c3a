/* One client at a time is either read or written: while an answer is on its way its socket is not read, so that commands wait in the
 * kernel and nothing of it grows here. */
#include "observer/observer.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "observer/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#define PIECE_BYTES                                                                                \
    (OBSERVER_QUEUE_MAX /                                                                          \
     2) /* when to stop adding objects; one object is far smaller than the rest */
#define BACKLOG 16

struct client {
    uv_pipe_t pipe;
    uv_timer_t stall;
    uv_write_t write;
    struct observer *observer;
    struct client *next;
    struct buf out;
    char in[OBSERVER_LINE_MAX + 1];
    size_t in_len;
    struct observer_snapshot snapshot;
    bool snapshotting; /* more of a snapshot is to be written */
    bool writing;
    bool eof;    /* the client says no more: answer what is there, then close */
    bool ending; /* close when all is written */
    bool closing;
    int open_handles;
};

struct observer {
    uv_pipe_t listener;
    uv_loop_t *loop;
    struct observer_source source;
    struct client *clients;
    unsigned n_clients;
    bool closing;
    bool listener_open;
};

/* ---- the end -------------------------------------------------------------------------------------------------------------------- */

static void observer_maybe_gone(struct observer *o)
{
    if (o->closing && !o->listener_open && !o->clients)
        free(o);
}

static void on_client_closed(uv_handle_t *h)
{
    struct client *c = h->data;
    struct observer *o = c->observer;
    if (--c->open_handles > 0)
        return;
    for (struct client **p = &o->clients; *p; p = &(*p)->next) {
        if (*p == c) {
            *p = c->next;
            break;
        }
    }
    o->n_clients--;
    buf_free(&c->out);
    free(c);
    observer_maybe_gone(o);
}

static void client_close(struct client *c)
{
    if (c->closing)
        return;
    c->closing = true;
    uv_close((uv_handle_t *)&c->pipe, on_client_closed);
    uv_close((uv_handle_t *)&c->stall, on_client_closed);
}

/* ---- commands ------------------------------------------------------------------------------------------------------------------- */

static void command_stats(struct client *c)
{
    const struct observer_source *s = &c->observer->source;
    buf_printf(&c->out, "rooms:%zu\npeers:%zu\n", s->rooms(s->arg), s->peers(s->arg));
}

static void command_snapshot(struct client *c)
{
    observer_snapshot_start(&c->snapshot, &c->observer->source, clock_wall_us(), &c->out);
    c->snapshotting = true;
}

static void command_quit(struct client *c)
{
    c->ending = true;
}

static void command_help(struct client *c);

static const struct {
    const char *name;
    void (*run)(struct client *c);
    const char *help;
} commands[] = {
    {"stats", command_stats, "how many rooms and peers there are, a line each"},
    {"snapshot", command_snapshot, "everything, as one line of JSON"},
    {"help", command_help, "this; an empty line ends it"},
    {"quit", command_quit, "close the connection"},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void command_help(struct client *c)
{
    for (size_t i = 0; i < N_COMMANDS; i++)
        buf_printf(&c->out, "%-10s %s\n", commands[i].name, commands[i].help);
    buf_puts(&c->out, "\n");
}

/* What a client typed may be shown to it only as plain characters. */
static void run_command(struct client *c, char *line)
{
    size_t n = strlen(line);
    while (n && (line[n - 1] == '\r' || line[n - 1] == ' '))
        line[--n] = 0;
    if (!n)
        return;
    for (size_t i = 0; i < N_COMMANDS; i++) {
        if (strcmp(line, commands[i].name) == 0) {
            commands[i].run(c);
            return;
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (line[i] < 0x20 || line[i] > 0x7e)
            line[i] = '?';
    }
    buf_printf(&c->out, "ERROR: unknown command '%.64s', try help\n", line);
}

/* Takes the first line out of what was read. False: there is none yet. */
static bool take_line(struct client *c, char line[static OBSERVER_LINE_MAX + 1])
{
    char *newline = memchr(c->in, '\n', c->in_len);
    size_t n = newline ? (size_t)(newline - c->in) : c->in_len;
    if ((!newline && (!c->eof || !c->in_len)) || n > OBSERVER_LINE_MAX)
        return false;
    memcpy(line, c->in, n);
    line[n] = 0;
    c->in_len -= newline ? n + 1 : n;
    memmove(c->in, c->in + (newline ? n + 1 : n), c->in_len);
    return true;
}

/* ---- in and out ----------------------------------------------------------------------------------------------------------------- */

static void client_go_on(struct client *c);

static void on_stall(uv_timer_t *t)
{
    struct client *c = t->data;
    log_warn("observer", "a client does not read, closed");
    client_close(c);
}

static void on_written(uv_write_t *w, int status)
{
    struct client *c = w->data;
    c->writing = false;
    if (c->closing)
        return;
    uv_timer_stop(&c->stall);
    buf_clear(&c->out);
    if (status < 0)
        client_close(c);
    else
        client_go_on(c);
}

static void client_write(struct client *c)
{
    uv_buf_t b = uv_buf_init(c->out.data, (unsigned)c->out.len);
    c->write.data = c;
    if (uv_write(&c->write, (uv_stream_t *)&c->pipe, &b, 1, on_written) < 0) {
        client_close(c);
        return;
    }
    c->writing = true;
    uv_timer_start(&c->stall, on_stall, OBSERVER_STALL_MS, 0);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *b)
{
    struct client *c = h->data;
    (void)suggested;
    *b = uv_buf_init(c->in + c->in_len, (unsigned)(sizeof(c->in) - c->in_len));
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    struct client *c = s->data;
    (void)b;
    if (n == UV_EOF) {
        c->eof = true;
    } else if (n < 0 && n != UV_ENOBUFS) {
        client_close(c);
        return;
    } else if (n > 0) {
        c->in_len += (size_t)n;
    }
    client_go_on(c);
}

/* Fills `out` with the next piece of what the client is owed. */
static void client_fill(struct client *c)
{
    char line[OBSERVER_LINE_MAX + 1];
    while (c->out.len < PIECE_BYTES && !c->ending) {
        if (c->snapshotting)
            c->snapshotting = observer_snapshot_step(&c->snapshot, &c->out);
        else if (take_line(c, line))
            run_command(c, line);
        else
            break;
    }
    if (!c->ending && !c->snapshotting && c->in_len == sizeof(c->in) && !c->out.len) {
        buf_puts(&c->out, "ERROR: the line is too long\n");
        c->ending = true;
    }
}

static void client_go_on(struct client *c)
{
    if (c->writing)
        return;
    client_fill(c);
    if (c->out.full) {
        log_error("observer", "an object does not fit into an answer, client closed");
        client_close(c);
    } else if (c->out.len) {
        uv_read_stop((uv_stream_t *)&c->pipe);
        client_write(c);
    } else if (c->ending || c->eof) {
        client_close(c);
    } else {
        uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read);
    }
}

/* ---- connections ---------------------------------------------------------------------------------------------------------------- */

static void refuse(struct client *c)
{
    static char text[] = "ERROR: too many clients\n";
    uv_buf_t b = uv_buf_init(text, sizeof(text) - 1);
    uv_try_write((uv_stream_t *)&c->pipe, &b, 1);
    client_close(c);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct observer *o = listener->data;
    if (status < 0)
        return;
    struct client *c = mem_zalloc(sizeof(*c));
    c->observer = o;
    buf_init(&c->out, OBSERVER_QUEUE_MAX);
    uv_pipe_init(o->loop, &c->pipe, 0);
    uv_timer_init(o->loop, &c->stall);
    c->pipe.data = c->stall.data = c;
    c->open_handles = 2;
    c->next = o->clients;
    o->clients = c;
    o->n_clients++;
    if (uv_accept(listener, (uv_stream_t *)&c->pipe) < 0)
        client_close(c);
    else if (o->n_clients > OBSERVER_CLIENTS_MAX)
        refuse(c);
    else
        client_go_on(c);
}

/* The group may connect, others may not. */
static int restrict_path(int fd)
{
    struct sockaddr_un un = {0};
    socklen_t len = sizeof(un);
    if (getsockname(fd, (struct sockaddr *)&un, &len) < 0)
        return -errno;
    if (un.sun_family != AF_UNIX)
        return -EINVAL;
    char path[sizeof(un.sun_path) + 1] = "";
    memcpy(path, un.sun_path, sizeof(un.sun_path));
    struct stat st;
    if (!path[0] || stat(path, &st) < 0 || (st.st_mode & 0777) == 0660)
        return 0;
    return chmod(path, 0660) < 0 ? -errno : 0;
}

static void on_listener_closed(uv_handle_t *h)
{
    struct observer *o = h->data;
    o->listener_open = false;
    observer_maybe_gone(o);
}

int observer_new(struct observer **op, struct uv_loop_s *loop, int listen_fd,
                 const struct observer_source *source)
{
    *op = NULL;
    int error = restrict_path(listen_fd);
    if (error < 0) {
        close(listen_fd);
        return error;
    }
    struct observer *o = mem_zalloc(sizeof(*o));
    o->loop = loop;
    o->source = *source;
    uv_pipe_init(loop, &o->listener, 0);
    o->listener.data = o;
    o->listener_open = true;
    error = uv_pipe_open(&o->listener, listen_fd);
    if (error < 0)
        close(listen_fd);
    else
        error = uv_listen((uv_stream_t *)&o->listener, BACKLOG, on_connection);
    if (error < 0) {
        observer_free(o);
        return error;
    }
    *op = o;
    return 0;
}

void observer_free(struct observer *o)
{
    if (!o)
        return;
    o->closing = true;
    uv_close((uv_handle_t *)&o->listener, on_listener_closed);
    for (struct client *c = o->clients; c; c = c->next)
        client_close(c);
}
