#include "observer/observer.h"
#include "tests/unit/check.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

/* ---- a source ------------------------------------------------------------------------------------------------------------------- */

static uint64_t n_streams;
static uint64_t values[COUNTERS_FIELDS_MAX];
static const char *display_name;

static size_t two_rooms(void *arg)
{
    (void)arg;
    return 2;
}

static size_t three_peers(void *arg)
{
    (void)arg;
    return 3;
}

static bool one_worker(void *arg, struct observer_cursor *c, struct observer_worker *out)
{
    (void)arg;
    *out = (struct observer_worker){.index = 0, .pid = 77, .up = true, .values = values};
    return c->a++ < 1;
}

static bool next_room(void *arg, struct observer_cursor *c, struct observer_room *out)
{
    (void)arg;
    *out = (struct observer_room){.room_id = c->a ? "b" : "a", .peers = 1, .locked = true};
    return c->a++ < 2;
}

static bool next_peer(void *arg, struct observer_cursor *c, struct observer_peer *out)
{
    (void)arg;
    *out = (struct observer_peer){.room_id = "a",
                                  .peer_id = "p",
                                  .display_name = display_name,
                                  .user_agent = "\xff not UTF-8",
                                  .joined = true};
    return c->a++ < 1;
}

static bool next_transport(void *arg, struct observer_cursor *c, struct observer_transport *out)
{
    (void)arg;
    *out = (struct observer_transport){.room_id = "a",
                                       .peer_id = "p",
                                       .transport_id = "t",
                                       .direction = "send",
                                       .selected = c->a == 0,
                                       .values = values};
    addr_parse(&out->local, "2001:db8::1", 40000);
    addr_parse(&out->remote, "10.0.0.1", 5);
    return c->a++ < 2;
}

static bool next_stream(void *arg, enum counters_level level, struct observer_cursor *c,
                        struct observer_stream *out)
{
    (void)arg;
    *out = (struct observer_stream){.room_id = "a",
                                    .peer_id = "p",
                                    .transport_id = "t",
                                    .id = level == COUNTERS_PRODUCER ? "prod" : "cons",
                                    .producer_id = "prod",
                                    .kind = "video",
                                    .codec = "VP8",
                                    .rid = "r0",
                                    .ssrc = (uint32_t)c->a,
                                    .values = values};
    return c->a++ < n_streams;
}

static const struct observer_source source = {
    .rooms = two_rooms,
    .peers = three_peers,
    .worker_next = one_worker,
    .room_next = next_room,
    .peer_next = next_peer,
    .transport_next = next_transport,
    .stream_next = next_stream,
};

/* ---- a server and its clients ---------------------------------------------------------------------------------------------------- */

struct fixture {
    uv_loop_t loop;
    struct observer *observer;
    char path[64];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    signal(SIGPIPE, SIG_IGN);
    n_streams = 3;
    display_name = "A\x1b[2J";
    values[COUNTERS_INDEX(producer, bytes)] = 1234;
    snprintf(f->path, sizeof(f->path), "/tmp/observer-test-%d.sock", (int)getpid());
    unlink(f->path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    strcpy(un.sun_path, f->path);
    assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    assert_int_equal(observer_new(&f->observer, &f->loop, fd, &source), 0);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    observer_free(f->observer);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    unlink(f->path);
    free(f);
    return 0;
}

static int dial(struct fixture *f)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    strcpy(un.sun_path, f->path);
    assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
    return fd;
}

static void turn(struct fixture *f, int n)
{
    for (int i = 0; i < n; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
}

/* All that comes until the end, or until nothing came for some turns. The caller frees it. */
static char *hear(struct fixture *f, int fd)
{
    size_t len = 0, cap = 1 << 16;
    char *text = malloc(cap);
    for (int idle = 0; idle < 200;) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
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

static char *ask(struct fixture *f, const char *text)
{
    int fd = dial(f);
    assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
    shutdown(fd, SHUT_WR);
    char *answer = hear(f, fd);
    close(fd);
    return answer;
}

static void answers_lines(void **state)
{
    static const struct {
        const char *question, *answer;
    } rows[] = {
        {"stats\n", "rooms:2\npeers:3\n"},
        {"stats", "rooms:2\npeers:3\n"},
        {"stats\r\n\n  \n", "rooms:2\npeers:3\n"},
        {"stats\nstats\n", "rooms:2\npeers:3\nrooms:2\npeers:3\n"},
        {"quit\nstats\n", ""},
        {"", ""},
        {"st\x1b[1mats\n", "ERROR: unknown command 'st?[1mats', try help\n"},
        {"Stats\n", "ERROR: unknown command 'Stats', try help\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *answer = ask(*state, rows[i].question);
        assert_string_equal(answer, rows[i].answer);
        free(answer);
    }
    char *help = ask(*state, "help\n");
    assert_non_null(strstr(help, "snapshot "));
    free(help);
}

static void takes_a_line_in_pieces(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f);
    for (const char *p = "stats\n"; *p; p++) {
        send(fd, p, 1, 0);
        turn(f, 3);
    }
    char *answer = hear(f, fd);
    assert_string_equal(answer, "rooms:2\npeers:3\n");
    free(answer);
    close(fd);
}

static void refuses_an_endless_line(void **state)
{
    struct fixture *f = *state;
    char line[4096];
    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = 0;
    char *answer = ask(f, line);
    assert_string_equal(answer, "ERROR: the line is too long\n");
    free(answer);
    line[OBSERVER_LINE_MAX] = '\n';
    line[OBSERVER_LINE_MAX + 1] = 0;
    answer = ask(f, line);
    assert_non_null(strstr(answer, "ERROR: unknown command"));
    free(answer);
}

static void shows_everything(void **state)
{
    char *answer = ask(*state, "snapshot\nstats\n");
    char *end = strchr(answer, '\n');
    assert_string_equal(end, "\nrooms:2\npeers:3\n");
    *end = 0;
    for (const char *p = answer; *p; p++)
        assert_in_range(*p, 0x20, 0x7e);
    json_t *v = json_loads(answer, 0, NULL);
    assert_non_null(v);
    static const struct {
        const char *list;
        size_t n;
    } rows[] = {{"workers", 1},    {"rooms", 2},     {"peers", 1},
                {"transports", 2}, {"producers", 3}, {"consumers", 3}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(json_array_size(json_object_get(v, rows[i].list)), rows[i].n);
    const char *local, *id;
    int bytes, ssrc;
    assert_int_equal(json_unpack(v, "{s:[{s:s}], s:[{}, {s:i, s:{s:i}}], s:[{s:s}]}", "transports",
                                 "local", &local, "producers", "ssrc", &ssrc, "stats", "bytes",
                                 &bytes, "consumers", "consumerId", &id),
                     0);
    assert_string_equal(local, "[2001:db8::1]:40000");
    assert_string_equal(id, "cons");
    assert_int_equal(ssrc, 1);
    assert_int_equal(bytes, 1234);
    json_decref(v);
    free(answer);
}

/* A client that asks for much and reads nothing holds nobody up; one that comes back gets all of it. */
static void waits_for_slow_readers(void **state)
{
    struct fixture *f = *state;
    n_streams = 20000;
    int slow = dial(f);
    send(slow, "snapshot\nquit\n", 14, 0);
    turn(f, 50);
    char *answer = ask(f, "stats\n");
    assert_string_equal(answer, "rooms:2\npeers:3\n");
    free(answer);
    answer = hear(f, slow);
    json_t *v = json_loads(answer, 0, NULL);
    assert_non_null(v);
    assert_int_equal(json_array_size(json_object_get(v, "consumers")), 20000);
    json_decref(v);
    free(answer);
    close(slow);
    /* And one that goes away in the middle. */
    int gone = dial(f);
    send(gone, "snapshot\n", 9, 0);
    turn(f, 5);
    close(gone);
    turn(f, 50);
}

static void bounds_the_clients(void **state)
{
    struct fixture *f = *state;
    int fds[OBSERVER_CLIENTS_MAX];
    for (int i = 0; i < OBSERVER_CLIENTS_MAX; i++) {
        fds[i] = dial(f);
        turn(f, 3);
    }
    char *answer = ask(f, "");
    assert_string_equal(answer, "ERROR: too many clients\n");
    free(answer);
    close(fds[0]);
    turn(f, 10);
    answer = ask(f, "stats\n");
    assert_string_equal(answer, "rooms:2\npeers:3\n");
    free(answer);
    for (int i = 1; i < OBSERVER_CLIENTS_MAX; i++)
        close(fds[i]);
}

static void restricts_the_path(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    struct observer *o;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_true(observer_new(&o, &f->loop, fds[0], &source) < 0);
    close(fds[1]);
    observer_free(NULL);
}

static void ends_with_clients_at_hand(void **state)
{
    struct fixture *f = *state;
    n_streams = 20000;
    int a = dial(f), b = dial(f);
    send(a, "snapshot\n", 9, 0);
    turn(f, 5);
    (void)b; /* teardown frees the observer with both open */
}

/* ---- althingctl ----------------------------------------------------------------------------------------------------------------- */

/* Runs the command beside the loop; its output in `out`. Returns its exit status. */
static int ctl(struct fixture *f, const char *path, const char *a, const char *b, char *out,
               size_t cap)
{
    int fds[2];
    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fds[1], 1);
        dup2(fds[1], 2);
        execl(ALTHINGCTL, ALTHINGCTL, "--socket", path, a, b, (char *)NULL);
        _exit(127);
    }
    close(fds[1]);
    size_t len = 0;
    int status;
    for (;;) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
        ssize_t n = read(fds[0], out + len, cap - 1 - len);
        len += n > 0 ? (size_t)n : 0;
        if (n == 0)
            break;
        usleep(100);
    }
    waitpid(pid, &status, 0);
    close(fds[0]);
    out[len] = 0;
    return WEXITSTATUS(status);
}

static void has_a_command(void **state)
{
    struct fixture *f = *state;
    static char out[65536];
    assert_int_equal(ctl(f, f->path, "stats", NULL, out, sizeof(out)), 0);
    assert_string_equal(out, "rooms:2\npeers:3\n");
    assert_int_equal(ctl(f, f->path, "--json", "stats", out, sizeof(out)), 0);
    assert_string_equal(out, "{\"rooms\":2,\"peers\":3}\n");
    assert_int_equal(ctl(f, f->path, "snapshot", NULL, out, sizeof(out)), 0);
    assert_non_null(strstr(out, "Rooms (2)\n"));
    assert_non_null(strstr(out, "A?[2J"));
    assert_int_equal(ctl(f, f->path, "--json", "snapshot", out, sizeof(out)), 0);
    json_t *v = json_loads(out, 0, NULL);
    assert_non_null(v);
    json_decref(v);
    assert_int_equal(ctl(f, f->path, "help", NULL, out, sizeof(out)), 0);
    assert_non_null(strstr(out, "snapshot"));
    assert_int_equal(ctl(f, f->path, "nonsense", NULL, out, sizeof(out)), 2);
    assert_int_equal(ctl(f, f->path, "--version", NULL, out, sizeof(out)), 0);
    assert_int_equal(ctl(f, "/nonexistent/socket", "stats", NULL, out, sizeof(out)), 3);
    assert_non_null(strstr(out, "cannot connect to /nonexistent/socket"));
}

int main(void)
{
#define WITH_SERVER(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_SERVER(answers_lines),           WITH_SERVER(takes_a_line_in_pieces),
        WITH_SERVER(refuses_an_endless_line), WITH_SERVER(shows_everything),
        WITH_SERVER(waits_for_slow_readers),  WITH_SERVER(bounds_the_clients),
        WITH_SERVER(restricts_the_path),      WITH_SERVER(ends_with_clients_at_hand),
        WITH_SERVER(has_a_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
