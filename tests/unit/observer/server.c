#include "tests/unit/observer/server.h"
#include "tests/unit/check.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- the pretended server ---- */

static size_t rooms(void *arg)
{
    return json_array_size(((struct server *)arg)->objects[OBSERVER_ROOM]);
}

static size_t peers(void *arg)
{
    return json_array_size(((struct server *)arg)->objects[OBSERVER_PEER]);
}

static bool same(const json_t *o, const char *member, const char *wanted)
{
    const char *is = json_string_value(json_object_get(o, member));
    return !wanted || !is || !strcmp(is, wanted);
}

static json_t *next(void *arg, enum observer_kind kind, const struct observer_scope *scope,
                    struct observer_cursor *c)
{
    struct server *s = arg;
    while (c->a < json_array_size(s->objects[kind])) {
        json_t *o = json_array_get(s->objects[kind], c->a++);
        if (same(o, "roomId", scope->room) && same(o, "peerId", scope->peer))
            return json_incref(o);
    }
    return NULL;
}

static json_t *get(void *arg, enum observer_kind kind, const char *room, const char *key)
{
    struct server *s = arg;
    size_t i = (size_t)atoi(key);
    json_t *o = json_array_get(s->objects[kind], i);
    return o && same(o, "roomId", room) ? json_pack("{sO, s[]}", "dump", o, "stats") : NULL;
}

static bool tell(void *arg, struct observer *o, size_t max)
{
    (void)arg;
    (void)o;
    (void)max;
    return false;
}

static json_t *kick(void *arg, const char *room, const char *peer, const char *reason,
                    struct observer_error *e)
{
    struct server *s = arg;
    (void)room;
    (void)reason;
    s->ordered++;
    if (!strcmp(peer, "bo"))
        return json_object();
    e->code = "not-found";
    snprintf(e->text, sizeof(e->text), "no \"%s\"", peer);
    return NULL;
}

static json_t *close_room(void *arg, const char *room, const char *reason, struct observer_error *e)
{
    return kick(arg, room, "bo", reason, e);
}

static json_t *drain(void *arg, bool on, uint32_t seconds, const char *text,
                     struct observer_error *e)
{
    struct server *s = arg;
    (void)text;
    (void)e;
    s->ordered++;
    return json_pack("{sb, si}", "draining", on, "seconds", (int)seconds);
}

static json_t *level(void *arg, enum log_level l, struct observer_error *e)
{
    (void)e;
    ((struct server *)arg)->ordered++;
    return json_pack("{ss}", "logLevel", log_level_name(l));
}

static json_t *log_tags(void *arg, const json_t *list, struct observer_error *e)
{
    (void)e;
    ((struct server *)arg)->ordered++;
    return json_pack("{so}", "logTags", json_deep_copy(list));
}

static bool reload(void *arg, struct observer *o, uint64_t ticket, struct observer_error *e)
{
    struct server *s = arg;
    (void)o;
    (void)e;
    s->ordered++;
    s->ticket = ticket;
    return true;
}

/* Three events and the end; of the key "endless" none of either. */
struct observer_trace {
    struct server *server;
    unsigned left;
    bool endless;
};

static struct observer_trace *trace(void *arg, enum observer_kind kind, const char *key,
                                    uint32_t kinds, uint32_t seconds, struct observer_error *e)
{
    (void)kind;
    (void)kinds;
    (void)seconds;
    if (!strcmp(key, "none")) {
        *e = (struct observer_error){"not-found", "none"};
        return NULL;
    }
    struct observer_trace *t = calloc(1, sizeof(*t));
    *t = (struct observer_trace){arg, 3, !strcmp(key, "endless")};
    t->server->traces++;
    return t;
}

static json_t *trace_next(struct observer_trace *t, const char **end, uint64_t *lost)
{
    *end = t->endless || t->left ? NULL : "time over";
    *lost = 7;
    return t->endless || !t->left ? NULL : json_pack("{si}", "left", (int)t->left--);
}

static void trace_stop(struct observer_trace *t)
{
    t->server->traces--;
    free(t);
}

/* ---- its life ---- */

int server_setup(void **state)
{
    struct server *s = calloc(1, sizeof(*s));
    signal(SIGPIPE, SIG_IGN);
    struct rlimit r;
    getrlimit(RLIMIT_NOFILE, &r);
    r.rlim_cur = r.rlim_max;
    setrlimit(RLIMIT_NOFILE, &r);
    for (unsigned k = 0; k < OBSERVER_KINDS; k++)
        s->objects[k] = json_array();
    snprintf(s->path, sizeof(s->path), "/tmp/observer-test-%d.sock", (int)getpid());
    unlink(s->path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    strcpy(un.sun_path, s->path);
    assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
    assert_int_equal(uv_loop_init(&s->loop), 0);
    const struct observer_settings settings = {"1.2.3", SERVER_STALL_MS, 0, (gid_t)-1};
    const struct observer_source source = {s, rooms, peers, next, get, tell};
    const struct observer_admin admin = {s,        kick,   close_room, drain,      level,
                                         log_tags, reload, trace,      trace_next, trace_stop};
    assert_int_equal(observer_new(&s->observer, &s->loop, &settings, &source, &admin), 0);
    assert_int_equal(observer_listen(s->observer, fd), 0);
    *state = s;
    return 0;
}

int server_teardown(void **state)
{
    struct server *s = *state;
    observer_free(s->observer);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&s->loop), 0);
    unlink(s->path);
    for (unsigned k = 0; k < OBSERVER_KINDS; k++)
        json_decref(s->objects[k]);
    free(s);
    return 0;
}

void server_put(struct server *s, enum observer_kind kind, json_t *object)
{
    observer_put(s->observer, kind, object);
    json_array_append_new(s->objects[kind], object);
}

void server_gone(struct server *s, enum observer_kind kind, size_t i)
{
    observer_gone(s->observer, kind, json_array_get(s->objects[kind], i));
    json_array_remove(s->objects[kind], i);
}

/* ---- its clients ---- */

int server_dial(struct server *s)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    strcpy(un.sun_path, s->path);
    assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
    return fd;
}

void server_turn(struct server *s, int n)
{
    for (int i = 0; i < n; i++)
        uv_run(&s->loop, UV_RUN_NOWAIT);
}

void server_wait(struct server *s, int ms)
{
    uint64_t end = uv_hrtime() + (uint64_t)ms * 1000000;
    while (uv_hrtime() < end) {
        uv_run(&s->loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    uv_run(&s->loop, UV_RUN_NOWAIT); /* the sleep may have taken much longer than it should */
}

char *server_hear(struct server *s, int fd)
{
    size_t len = 0, cap = 1 << 16;
    char *text = malloc(cap);
    for (int idle = 0; idle < 200;) {
        uv_run(&s->loop, UV_RUN_NOWAIT);
        ssize_t n = recv(fd, text + len, cap - len - 1, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            break;
        idle = n > 0 ? 0 : idle + 1;
        len += n > 0 ? (size_t)n : 0;
        if (len + 1 == cap)
            text = realloc(text, cap *= 2);
    }
    text[len] = 0;
    return text;
}

char *server_ask(struct server *s, const char *text)
{
    int fd = server_dial(s);
    assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
    shutdown(fd, SHUT_WR);
    char *answer = server_hear(s, fd);
    close(fd);
    return answer;
}

json_t *server_line(struct server *s, int fd)
{
    static char line[4 * 1024 * 1024];
    size_t len = 0;
    for (int tries = 0; tries < 3000;) {
        ssize_t n = recv(fd, line + len, 1, 0);
        if (n == 1 && line[len] == '\n')
            break;
        if (n == 1) {
            assert_true(++len < sizeof(line));
            continue;
        }
        if (n == 0 || ++tries == 3000)
            fail_msg("no line, but '%.*s'", (int)len, line);
        uv_run(&s->loop, UV_RUN_NOWAIT);
        usleep(100);
    }
    line[len] = 0;
    for (const char *p = line; *p; p++)
        assert_in_range(*p, 0x20, 0x7e);
    json_t *v = json_loads(line, 0, NULL);
    if (!v)
        fail_msg("no JSON: '%s'", line);
    return v;
}

void server_say(int fd, const char *line)
{
    size_t n = strlen(line);
    assert_int_equal(send(fd, line, n, 0), n);
    assert_int_equal(send(fd, "\n", 1, 0), 1);
}
