/* A client's bytes. In `in` there is at most one line and what the socket had behind it; when that is full, nothing is read until it
 * is not, so that requests wait in the kernel. One write is on its way at a time: a piece of an answer, or some events, whose lines are
 * the ring's own. Answers go first. */
#include "lib/clock.h"
#include "lib/mem.h"
#include "observer/observer_int.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define OUT_MAX   (2 * OBSERVER_PIECE + 6 * OBSERVER_OBJECT_MAX)
#define OUT_KEEP  (2 * OBSERVER_PIECE) /* what grew larger is given back */
#define ANSWER_MS 10000                /* for an answer that comes later */

/* ---- the end -------------------------------------------------------------------------------------------------------------------- */

static void release_events(struct observer_client *c)
{
    while (c->n_sending)
        observer_event_release(c->sending[--c->n_sending]);
}

static void on_closed(uv_handle_t *h)
{
    struct observer_client *c = h->data;
    if (--c->open_handles > 0)
        return;
    release_events(c);
    observer_filter_clear(&c->filter);
    observer_filter_clear(&c->snapshot.filter);
    buf_free(&c->out);
    observer_client_gone(c);
}

void observer_client_untrace(struct observer_client *c)
{
    if (!c->trace)
        return;
    c->observer->admin.trace_stop(c->trace);
    c->trace = NULL;
    observer_trace_ended(c->observer);
}

void observer_client_close(struct observer_client *c)
{
    if (c->closing)
        return;
    c->closing = true;
    c->subscribed = false;
    observer_client_untrace(c);
    uv_close((uv_handle_t *)&c->pipe, on_closed);
    uv_close((uv_handle_t *)&c->stall, on_closed);
    observer_recount(c->observer);
}

static void on_stall(uv_timer_t *t)
{
    struct observer_client *c = t->data;
    unsigned suppressed;
    if (c->ticket && !c->writing) {
        c->ticket = 0;
        observer_reply_error(c, c->ticket_id, "failed", "no answer came");
        observer_client_go_on(c);
        return;
    }
    if (log_limit(&c->observer->stalled, clock_now_us(), 1, &suppressed))
        log_warn("observer", "a client does not read, closed uid=%u pid=%d suppressed=%u",
                 (unsigned)c->who.uid, (int)c->who.pid, suppressed);
    observer_client_close(c);
}

/* ---- in ------------------------------------------------------------------------------------------------------------------------- */

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *b)
{
    struct observer_client *c = h->data;
    (void)suggested;
    *b = uv_buf_init(c->in + c->in_len, (unsigned)(sizeof(c->in) - c->in_len));
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b)
{
    struct observer_client *c = s->data;
    (void)b;
    if (n == UV_EOF) {
        c->eof = true;
    } else if (n < 0 && n != UV_ENOBUFS) {
        observer_client_close(c);
        return;
    } else if (n > 0) {
        c->in_len += (size_t)n;
    }
    if (c->in_len == sizeof(c->in))
        uv_read_stop(s);
    observer_client_go_on(c);
}

/* Takes the first line out of what was read; at the end, also one without a newline. False: there is none yet. */
static bool take_line(struct observer_client *c)
{
    char *newline = memchr(c->in, '\n', c->in_len);
    size_t n = newline ? (size_t)(newline - c->in) : c->in_len;
    if ((!newline && (!c->eof || !c->in_len)) || n > OBSERVER_LINE_MAX)
        return false;
    size_t used = newline ? n + 1 : n;
    observer_command(c, c->in, n);
    c->in_len -= used;
    memmove(c->in, c->in + used, c->in_len);
    return true;
}

/* ---- out ------------------------------------------------------------------------------------------------------------------------ */

static void on_written(uv_write_t *w, int status)
{
    struct observer_client *c = w->data;
    c->writing = false;
    release_events(c);
    if (c->closing)
        return;
    uv_timer_stop(&c->stall);
    if (c->out.cap > OUT_KEEP)
        buf_free(&c->out);
    buf_clear(&c->out);
    if (status < 0)
        observer_client_close(c);
    else
        observer_client_go_on(c);
}

static void start_write(struct observer_client *c)
{
    uv_buf_t bufs[1 + OBSERVER_BATCH];
    unsigned n = 0;
    if (c->out.len)
        bufs[n++] = uv_buf_init(c->out.data, (unsigned)c->out.len);
    for (size_t i = 0; i < c->n_sending; i++)
        bufs[n++] = uv_buf_init(c->sending[i]->line, (unsigned)c->sending[i]->len);
    c->write.data = c;
    if (uv_write(&c->write, (uv_stream_t *)&c->pipe, bufs, n, on_written) < 0) {
        observer_client_close(c);
        return;
    }
    c->writing = true;
    uv_timer_start(&c->stall, on_stall, c->observer->stall_ms, 0);
}

static void snapshot_step(struct observer_client *c)
{
    c->snapshotting = observer_snapshot_step(&c->snapshot, c->observer->ring.next - 1, &c->out);
    if (!c->snapshotting)
        buf_puts(&c->out, c->enveloped ? "}\n" : "\n");
}

/* Fills `out` with the next piece of what the client asked for. */
static void fill_answers(struct observer_client *c)
{
    while (c->out.len < OBSERVER_PIECE && !c->ending && !c->ticket) {
        if (c->snapshotting)
            snapshot_step(c);
        else if (!take_line(c))
            break;
    }
    if (!c->ending && !c->snapshotting && !c->ticket && c->in_len == sizeof(c->in) && !c->out.len) {
        buf_puts(&c->out, "ERROR: the line is too long\n");
        c->ending = true;
    }
}

/* Takes the next events that pass; what the ring has dropped is told as missed. */
static void fill_events(struct observer_client *c)
{
    const struct observer_ring *r = &c->observer->ring;
    if (c->next_seq < r->first) {
        buf_printf(&c->out, "{\"event\":\"missed\",\"missed\":%llu,\"seq\":%llu}\n",
                   (unsigned long long)(r->first - c->next_seq), (unsigned long long)r->first - 1);
        c->next_seq = r->first;
    }
    size_t bytes = 0;
    while (c->n_sending < OBSERVER_BATCH && bytes < OBSERVER_PIECE && c->next_seq < r->next) {
        struct observer_event *e = observer_ring_at(r, c->next_seq++);
        if (!observer_filter_event(&c->filter, e))
            continue;
        c->sending[c->n_sending++] = observer_event_hold(e);
        bytes += e->len;
    }
}

/* What the trace's ring has now; the rest waits in it, and what waits too long is lost there. */
static void fill_trace(struct observer_client *c)
{
    while (c->trace && c->out.len < OBSERVER_PIECE) {
        const char *end;
        uint64_t lost;
        json_t *event = c->observer->admin.trace_next(c->trace, &end, &lost);
        if (event) {
            json_object_set_new(event, "event", json_string("trace"));
            json_object_set_new(event, "trace", json_integer((json_int_t)c->trace_id));
            char *text = observer_json_text(event);
            buf_printf(&c->out, "%s\n", text ? text : "{}");
            free(text);
            json_decref(event);
            c->traced++;
        } else if (end) {
            buf_printf(&c->out,
                       "{\"event\":\"traceEnd\",\"trace\":%llu,\"reason\":\"%s\",\"records\":%llu,"
                       "\"lost\":%llu}\n",
                       (unsigned long long)c->trace_id, end, (unsigned long long)c->traced,
                       (unsigned long long)lost);
            observer_client_untrace(c);
        } else {
            break;
        }
    }
}

void observer_client_go_on(struct observer_client *c)
{
    if (c->writing || c->closing)
        return;
    fill_answers(c);
    if (c->subscribed && !c->snapshotting && !c->ending && !c->out.len)
        fill_events(c);
    if (c->trace && !c->snapshotting && !c->ending && !c->ticket && !c->out.len && !c->n_sending)
        fill_trace(c);
    if (c->out.full) {
        log_error("observer", "an answer does not fit, client closed");
        observer_client_close(c);
        return;
    }
    if (c->out.len || c->n_sending)
        start_write(c);
    else if (c->ending || (c->eof && !c->subscribed && !c->ticket && !c->trace))
        observer_client_close(c);
    else if (c->ticket)
        uv_timer_start(&c->stall, on_stall, ANSWER_MS, 0);
    if (!c->closing && !c->eof && c->in_len < sizeof(c->in))
        uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read);
}

/* ---- the beginning -------------------------------------------------------------------------------------------------------------- */

static void refuse(struct observer_client *c)
{
    static char text[] = "ERROR: too many clients\n";
    uv_buf_t b = uv_buf_init(text, sizeof(text) - 1);
    unsigned suppressed;
    uv_try_write((uv_stream_t *)&c->pipe, &b, 1);
    if (log_limit(&c->observer->refused, clock_now_us(), 1, &suppressed))
        log_warn("observer", "too many clients, refused suppressed=%u", suppressed);
    observer_client_close(c);
}

static void let_in(struct observer_client *c, const struct observer_listener *l)
{
    struct observer *o = c->observer;
    const struct observer_file file = observer_file_of(l->fd);
    int fd;
    unsigned suppressed;
    if (uv_fileno((uv_handle_t *)&c->pipe, &fd) == 0)
        c->access = observer_access(fd, &file, o->admin_group, &c->who);
    if (c->access == OBSERVER_NO_ACCESS) {
        if (log_limit(&o->denied, clock_now_us(), 1, &suppressed))
            log_warn("observer", "a client has no access uid=%u pid=%d suppressed=%u",
                     (unsigned)c->who.uid, (int)c->who.pid, suppressed);
        observer_client_close(c);
    } else {
        observer_client_go_on(c);
    }
}

void observer_client_new(struct observer *o, struct observer_listener *l)
{
    struct observer_client *c = mem_zalloc(sizeof(*c));
    c->observer = o;
    buf_init(&c->out, OUT_MAX);
    uv_pipe_init(o->loop, &c->pipe, 0);
    uv_timer_init(o->loop, &c->stall);
    c->pipe.data = c->stall.data = c;
    c->open_handles = 2;
    c->next = o->clients;
    if (o->clients)
        o->clients->prev = c;
    o->clients = c;
    o->n_clients++;
    if (uv_accept((uv_stream_t *)&l->pipe, (uv_stream_t *)&c->pipe) < 0)
        observer_client_close(c);
    else if (o->n_clients > OBSERVER_CLIENTS_MAX)
        refuse(c);
    else
        let_in(c, l);
}
