#include "observer/observer.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "observer/kinds.h"
#include "observer/observer_int.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG      1024
#define SWEEP_MS     1000
#define TELL_AT_ONCE 512 /* objects told before the loop turns again */

/* ---- the end -------------------------------------------------------------------------------------------------------------------- */

static void maybe_gone(struct observer *o)
{
    if (!o->closing || o->open_handles || o->clients)
        return;
    observer_ring_free(&o->ring);
    free(o);
}

static void on_handle_closed(uv_handle_t *h)
{
    struct observer *o = h->data;
    o->open_handles--;
    maybe_gone(o);
}

void observer_client_gone(struct observer_client *c)
{
    struct observer *o = c->observer;
    if (c->prev)
        c->prev->next = c->next;
    else
        o->clients = c->next;
    if (c->next)
        c->next->prev = c->prev;
    o->n_clients--;
    free(c);
    maybe_gone(o);
}

void observer_free(struct observer *o)
{
    if (!o)
        return;
    o->closing = true;
    for (size_t i = 0; i < o->n_listeners; i++)
        uv_close((uv_handle_t *)&o->listeners[i].pipe, on_handle_closed);
    uv_close((uv_handle_t *)&o->flush, on_handle_closed);
    uv_close((uv_handle_t *)&o->sweep, on_handle_closed);
    uv_close((uv_handle_t *)&o->poll, on_handle_closed);
    for (struct observer_client *c = o->clients; c; c = c->next)
        observer_client_close(c);
}

/* ---- events --------------------------------------------------------------------------------------------------------------------- */

static void on_flush(uv_timer_t *t)
{
    struct observer *o = t->data;
    if (o->source.tell(o->source.arg, o, TELL_AT_ONCE))
        uv_timer_start(&o->flush, on_flush, 0, 0);
    for (struct observer_client *c = o->clients, *next; c; c = next) {
        next = c->next;
        if (c->subscribed)
            observer_client_go_on(c);
    }
}

static void flush_soon(struct observer *o)
{
    if (!o->closing && o->n_subscribed && !uv_is_active((uv_handle_t *)&o->flush))
        uv_timer_start(&o->flush, on_flush, o->flush_ms, 0);
}

void observer_flush(struct observer *o)
{
    while (o->source.tell(o->source.arg, o, SIZE_MAX))
        ;
    flush_soon(o);
}

void observer_changed(struct observer *o)
{
    flush_soon(o);
}

uint32_t observer_wanted(const struct observer *o)
{
    return o->wanted;
}

/* A client that has said its last and has gone is not told from one that only shut down its sending side, but here. */
static bool is_gone(const struct observer_client *c)
{
    struct pollfd p = {.events = 0};
    return c->eof && !c->writing && !c->closing &&
           uv_fileno((const uv_handle_t *)&c->pipe, &p.fd) == 0 && poll(&p, 1, 0) > 0 &&
           (p.revents & (POLLHUP | POLLERR));
}

static void on_sweep(uv_timer_t *t)
{
    struct observer *o = t->data;
    for (struct observer_client *c = o->clients; c; c = c->next) {
        if (c->subscribed && is_gone(c))
            observer_client_close(c);
    }
}

void observer_recount(struct observer *o)
{
    o->n_subscribed = 0;
    o->wanted = 0;
    o->log_wanted = LOG_LEVEL_ERROR;
    for (const struct observer_client *c = o->clients; c; c = c->next) {
        if (!c->subscribed)
            continue;
        o->n_subscribed++;
        o->wanted |= c->filter.kinds;
        if ((c->filter.kinds & OBSERVER_BIT(OBSERVER_LOG)) && c->filter.level > o->log_wanted)
            o->log_wanted = c->filter.level;
    }
    if (o->closing)
        return;
    if (o->n_subscribed && !uv_is_active((uv_handle_t *)&o->sweep))
        uv_timer_start(&o->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    else if (!o->n_subscribed)
        uv_timer_stop(&o->sweep);
}

/* ---- traces ---- */

static void on_poll(uv_timer_t *t)
{
    struct observer *o = t->data;
    for (struct observer_client *c = o->clients; c; c = c->next) {
        if (c->trace && is_gone(c))
            observer_client_close(c);
        else if (c->trace)
            observer_client_go_on(c);
    }
}

void observer_trace_began(struct observer *o)
{
    if (o->n_traces++ == 0 && !o->closing)
        uv_timer_start(&o->poll, on_poll, OBSERVER_TRACE_MS, OBSERVER_TRACE_MS);
}

void observer_trace_ended(struct observer *o)
{
    if (--o->n_traces == 0 && !o->closing)
        uv_timer_stop(&o->poll);
}

/* ---- events that are told ---- */

static void add(struct observer *o, const char *event, enum observer_kind kind,
                const json_t *object)
{
    if (!(o->wanted & OBSERVER_BIT(kind)))
        return;
    char *text = observer_json_text(object);
    if (text) {
        struct buf rest;
        buf_init(&rest, OBSERVER_OBJECT_MAX + 256);
        buf_printf(&rest, "\"event\":\"%s\",\"kind\":\"%s\",\"object\":%s}", event,
                   observer_kind_name(kind)->name, text);
        buf_add(&rest, "", 1);
        observer_ring_add(&o->ring, kind, LOG_LEVEL_ERROR,
                          json_string_value(json_object_get(object, "roomId")),
                          json_string_value(json_object_get(object, "peerId")), rest.data);
        buf_free(&rest);
        flush_soon(o);
    }
    free(text);
}

void observer_put(struct observer *o, enum observer_kind kind, const json_t *object)
{
    add(o, "put", kind, object);
}

void observer_gone(struct observer *o, enum observer_kind kind, const json_t *name)
{
    add(o, "gone", kind, name);
}

void observer_log(struct observer *o, enum log_level level, const char *module, const char *text)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    if (!(o->wanted & OBSERVER_BIT(OBSERVER_LOG)) || level > o->log_wanted)
        return;
    json_t *v = json_pack("{ss, ss, ss, ss}", "event", "log", "level", names[level], "module",
                          module, "text", text);
    char *line = v ? observer_json_text(v) : NULL; /* NULL: not UTF-8 */
    if (line)
        observer_ring_add(&o->ring, OBSERVER_LOG, level, NULL, NULL, line + 1);
    free(line);
    json_decref(v);
    flush_soon(o);
}

void observer_answer(struct observer *o, uint64_t ticket, json_t *result,
                     const struct observer_error *e)
{
    for (struct observer_client *c = o->clients; ticket && c; c = c->next) {
        if (c->ticket != ticket || c->closing)
            continue;
        c->ticket = 0;
        uv_timer_stop(&c->stall);
        if (result)
            observer_reply(c, c->ticket_id, result);
        else
            observer_reply_error(c, c->ticket_id, e->code, e->text);
        observer_client_go_on(c);
        break;
    }
    json_decref(result);
}

/* ---- the beginning -------------------------------------------------------------------------------------------------------------- */

int observer_new(struct observer **op, struct uv_loop_s *loop,
                 const struct observer_settings *settings, const struct observer_source *source,
                 const struct observer_admin *admin)
{
    struct observer *o = mem_zalloc(sizeof(*o));
    o->loop = loop;
    o->source = *source;
    o->release = settings->release;
    o->stall_ms = settings->stall_ms ? settings->stall_ms : OBSERVER_STALL_MS;
    o->flush_ms = settings->flush_ms ? settings->flush_ms : OBSERVER_FLUSH_MS;
    o->admin_group = settings->admin_group;
    o->has_admin = admin != NULL;
    if (admin)
        o->admin = *admin;
    observer_ring_init(&o->ring);
    uv_timer_init(loop, &o->flush);
    uv_timer_init(loop, &o->sweep);
    uv_timer_init(loop, &o->poll);
    o->flush.data = o->sweep.data = o->poll.data = o;
    o->open_handles = 3;
    *op = o;
    return 0;
}

void observer_set_admin_group(struct observer *o, gid_t group)
{
    o->admin_group = group;
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

static void on_connection(uv_stream_t *listener, int status)
{
    struct observer *o = listener->data;
    if (status < 0)
        return;
    for (size_t i = 0; i < o->n_listeners; i++) {
        if ((uv_stream_t *)&o->listeners[i].pipe == listener)
            observer_client_new(o, &o->listeners[i]);
    }
}

int observer_listen(struct observer *o, int listen_fd)
{
    int error = o->n_listeners == OBSERVER_LISTEN_MAX ? -EMFILE : restrict_path(listen_fd);
    if (error < 0) {
        close(listen_fd);
        return error;
    }
    struct observer_listener *l = &o->listeners[o->n_listeners++];
    l->fd = listen_fd;
    uv_pipe_init(o->loop, &l->pipe, 0);
    l->pipe.data = o;
    o->open_handles++;
    error = uv_pipe_open(&l->pipe, listen_fd);
    if (error < 0)
        close(listen_fd);
    else
        error = uv_listen((uv_stream_t *)&l->pipe, BACKLOG, on_connection);
    return error;
}
