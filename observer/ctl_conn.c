#include "observer/ctl_conn.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct ctl_conn {
    int fd;
    json_int_t next_id;
    char *buf; /* what was read: lines, the last of them perhaps not whole */
    size_t start, len, cap;
    size_t searched; /* no newline between start and here */
};

int ctl_conn_open(struct ctl_conn **cp, const char *path)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    *cp = NULL;
    if (strlen(path) >= sizeof(un.sun_path))
        return -ENAMETOOLONG;
    memcpy(un.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    struct ctl_conn *c = mem_zalloc(sizeof(*c));
    c->fd = fd;
    *cp = c;
    return 0;
}

void ctl_conn_free(struct ctl_conn *c)
{
    if (!c)
        return;
    close(c->fd);
    free(c->buf);
    free(c);
}

int ctl_conn_fd(const struct ctl_conn *c)
{
    return c->fd;
}

static int send_all(struct ctl_conn *c, const char *text, size_t len)
{
    while (len) {
        ssize_t n = send(c->fd, text, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -EPIPE;
        text += n;
        len -= (size_t)n;
    }
    return 0;
}

/* Waits until there is more to read, and reads it. end_us: INT64_MAX: for ever. */
static int read_more(struct ctl_conn *c, int64_t end_us)
{
    int64_t left_us = end_us == INT64_MAX ? 0 : end_us - clock_now_us();
    struct pollfd p = {.fd = c->fd, .events = POLLIN};
    int ms = end_us == INT64_MAX ? -1 : left_us <= 0 ? 0 : (int)((left_us + 999) / 1000);
    int ready = poll(&p, 1, ms);
    if (ready < 0)
        return -errno;
    if (ready == 0)
        return -EAGAIN;
    if (c->start) {
        memmove(c->buf, c->buf + c->start, c->len - c->start);
        c->len -= c->start;
        c->searched -= c->start;
        c->start = 0;
    }
    if (c->cap - c->len < 65536) {
        if (c->len > CTL_LINE_MAX)
            return -EPROTO;
        c->cap = c->cap ? c->cap * 2 : 131072;
        c->buf = mem_realloc(c->buf, c->cap, 1);
    }
    ssize_t n = recv(c->fd, c->buf + c->len, c->cap - c->len, 0);
    if (n < 0)
        return errno == EINTR ? -EINTR : -EPIPE;
    if (n == 0)
        return -EPIPE;
    c->len += (size_t)n;
    return 0;
}

/* The next line without its newline, in the buffer until the next call. */
static int next_line(struct ctl_conn *c, int64_t end_us, char **line)
{
    for (;;) {
        char *nl =
            c->len > c->searched ? memchr(c->buf + c->searched, '\n', c->len - c->searched) : NULL;
        if (nl) {
            *nl = 0;
            *line = c->buf + c->start;
            c->start = c->searched = (size_t)(nl - c->buf) + 1;
            return 0;
        }
        c->searched = c->len;
        int err = read_more(c, end_us);
        if (err)
            return err;
    }
}

static int next_object(struct ctl_conn *c, int64_t end_us, json_t **out,
                       char error[static CTL_ERROR_MAX])
{
    char *line;
    int err = next_line(c, end_us, &line);
    if (err)
        return err;
    if (strncmp(line, "ERROR: ", 7) == 0) {
        snprintf(error, CTL_ERROR_MAX, "%s", line + 7);
        return 1;
    }
    *out = json_loads(line, 0, NULL);
    if (json_is_object(*out))
        return 0;
    json_decref(*out);
    *out = NULL;
    return -EPROTO;
}

static int send_request(struct ctl_conn *c, const char *cmd, json_t *members)
{
    json_t *rq = members ? members : json_object();
    json_object_set_new(rq, "id", json_integer(++c->next_id));
    json_object_set_new(rq, "cmd", json_string(cmd));
    char *text = json_dumps(rq, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(rq);
    if (!text)
        return -EPROTO; /* an argument that is not UTF-8 */
    size_t len = strlen(text);
    text[len] = '\n'; /* over its NUL: send_all() is told the length */
    int err = send_all(c, text, len + 1);
    free(text);
    return err;
}

/* Takes the answer apart. */
static int answer_of(json_t *answer, json_t **result, char error[static CTL_ERROR_MAX])
{
    if (json_is_true(json_object_get(answer, "ok"))) {
        *result = json_incref(json_object_get(answer, "result"));
        return *result ? 0 : -EPROTO;
    }
    const json_t *e = json_object_get(answer, "error");
    const char *text = json_string_value(json_object_get(e, "text"));
    const char *code = json_string_value(json_object_get(e, "code"));
    if (!code)
        return -EPROTO;
    snprintf(error, CTL_ERROR_MAX, "%s", text && *text ? text : code);
    return strcmp(code, "malformed") == 0 ? 2 : 1;
}

int ctl_conn_ask(struct ctl_conn *c, const char *cmd, json_t *members, json_t **result,
                 char error[static CTL_ERROR_MAX])
{
    int64_t end_us = clock_now_us() + MS_US(CTL_ASK_TIMEOUT_MS);
    *result = NULL;
    int err = send_request(c, cmd, members);
    while (!err) {
        json_t *o = NULL;
        err = next_object(c, end_us, &o, error);
        if (err)
            break;
        if (json_integer_value(json_object_get(o, "id")) == c->next_id &&
            json_object_get(o, "ok")) {
            err = answer_of(o, result, error);
            json_decref(o);
            return err;
        }
        json_decref(o);
    }
    return err;
}

int ctl_conn_event(struct ctl_conn *c, int timeout_ms, json_t **event)
{
    char error[CTL_ERROR_MAX];
    int64_t end_us = timeout_ms < 0 ? INT64_MAX : clock_now_us() + MS_US(timeout_ms);
    *event = NULL;
    int err = next_object(c, end_us, event, error);
    return err > 0 ? -EPIPE : err;
}
