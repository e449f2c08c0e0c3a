#include "tests/unit/check.h"
#include "tests/unit/observer/server.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

static json_t *peer(const char *room, const char *id, const char *name)
{
    return json_pack("{ss, ss, ss, sb}", "roomId", room, "peerId", id, "displayName", name,
                     "joined", 1);
}

static int setup(void **state)
{
    server_setup(state);
    struct server *s = *state;
    server_put(s, OBSERVER_ROOM, json_pack("{ss, si}", "roomId", "a", "peers", 2));
    server_put(s, OBSERVER_ROOM, json_pack("{ss, si}", "roomId", "b", "peers", 1));
    server_put(s, OBSERVER_PEER, peer("a", "ada", "A\x1b[2J"));
    server_put(s, OBSERVER_PEER, peer("a", "bo", "Bo"));
    server_put(s, OBSERVER_PEER, peer("b", "cy", "\xc3\xa9"));
    return 0;
}

static void fill(struct server *s, enum observer_kind kind, int n)
{
    for (int i = 0; i < n; i++)
        server_put(s, kind, json_pack("{ss, ss, si}", "roomId", "a", "peerId", "ada", "n", i));
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
        char *answer = server_ask(*state, rows[i].question);
        assert_string_equal(answer, rows[i].answer);
        free(answer);
    }
    char *help = server_ask(*state, "help\n");
    assert_non_null(strstr(help, "snapshot "));
    free(help);
}

static void takes_a_line_in_pieces(void **state)
{
    struct server *f = *state;
    int fd = server_dial(f);
    for (const char *p = "stats\n"; *p; p++) {
        send(fd, p, 1, 0);
        server_turn(f, 3);
    }
    char *answer = server_hear(f, fd);
    assert_string_equal(answer, "rooms:2\npeers:3\n");
    free(answer);
    close(fd);
}

static void refuses_an_endless_line(void **state)
{
    struct server *f = *state;
    char line[4 * OBSERVER_LINE_MAX];
    memset(line, 'x', sizeof(line) - 1);
    line[sizeof(line) - 1] = 0;
    char *answer = server_ask(f, line);
    assert_string_equal(answer, "ERROR: the line is too long\n");
    free(answer);
    line[OBSERVER_LINE_MAX] = '\n';
    line[OBSERVER_LINE_MAX + 1] = 0;
    answer = server_ask(f, line);
    assert_non_null(strstr(answer, "ERROR: unknown command"));
    free(answer);
}

static void shows_everything(void **state)
{
    char *answer = server_ask(*state, "snapshot\nstats\n");
    char *end = strchr(answer, '\n');
    assert_string_equal(end, "\nrooms:2\npeers:3\n");
    *end = 0;
    for (const char *p = answer; *p; p++)
        assert_in_range(*p, 0x20, 0x7e);
    json_t *v = json_loads(answer, 0, NULL);
    assert_non_null(v);
    assert_int_equal(json_array_size(json_object_get(v, "rooms")), 2);
    assert_int_equal(json_array_size(json_object_get(v, "consumers")), 0);
    const char *name;
    int version;
    assert_int_equal(json_unpack(v, "{s:i, s:[{}, {}, {s:s}]}", "version", &version, "peers",
                                 "displayName", &name),
                     0);
    assert_int_equal(version, OBSERVER_PROTOCOL);
    assert_string_equal(name, "\xc3\xa9");
    json_decref(v);
    free(answer);
}

/* A client that asks for much and reads nothing holds nobody up; one that comes back gets all of it. */
static void waits_for_slow_readers(void **state)
{
    struct server *f = *state;
    fill(f, OBSERVER_CONSUMER, 20000);
    int slow = server_dial(f);
    send(slow, "snapshot\nquit\n", 14, 0);
    server_turn(f, 50);
    char *answer = server_ask(f, "stats\n");
    assert_string_equal(answer, "rooms:2\npeers:3\n");
    free(answer);
    answer = server_hear(f, slow);
    json_t *v = json_loads(answer, 0, NULL);
    assert_non_null(v);
    assert_int_equal(json_array_size(json_object_get(v, "consumers")), 20000);
    json_decref(v);
    free(answer);
    close(slow);
    /* And one that goes away in the middle. */
    int gone = server_dial(f);
    send(gone, "snapshot\n", 9, 0);
    server_turn(f, 5);
    close(gone);
    server_turn(f, 50);
}

static void bounds_the_clients(void **state)
{
    struct server *f = *state;
    static int fds[OBSERVER_CLIENTS_MAX];
    for (int i = 0; i < OBSERVER_CLIENTS_MAX; i++) {
        fds[i] = server_dial(f);
        server_turn(f, 2);
    }
    for (int i = 0; i < 3; i++) {
        char *answer = server_ask(f, "");
        assert_string_equal(answer, "ERROR: too many clients\n");
        free(answer);
    }
    close(fds[0]);
    server_turn(f, 10);
    char *answer = server_ask(f, "stats\n");
    assert_string_equal(answer, "rooms:2\npeers:3\n");
    free(answer);
    for (int i = 1; i < OBSERVER_CLIENTS_MAX; i++)
        close(fds[i]);
}

static void restricts_the_path(void **state)
{
    struct server *f = *state;
    struct stat st;
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    assert_true(observer_listen(f->observer, fds[0]) < 0);
    close(fds[1]);
    observer_free(NULL);
}

static void ends_with_clients_at_hand(void **state)
{
    struct server *f = *state;
    fill(f, OBSERVER_CONSUMER, 20000);
    int a = server_dial(f), b = server_dial(f);
    send(a, "snapshot\n", 9, 0);
    server_turn(f, 5);
    (void)b; /* teardown frees the observer with both open */
}

/* ---- althingctl ----------------------------------------------------------------------------------------------------------------- */

/* Runs the command beside the loop; its output in `out`. Returns its exit status. */
static int ctl(struct server *f, const char *path, const char *a, const char *b, char *out,
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
    struct server *f = *state;
    static char out[65536];
    assert_int_equal(ctl(f, f->path, "stats", NULL, out, sizeof(out)), 0);
    assert_string_equal(out, "rooms:2\npeers:3\n");
    assert_int_equal(ctl(f, f->path, "--json", "stats", out, sizeof(out)), 0);
    assert_string_equal(out, "{\"rooms\":2,\"peers\":3}\n");
    assert_int_equal(ctl(f, f->path, "list", "peers", out, sizeof(out)), 0);
    assert_non_null(strstr(out, "A?[2J"));
    assert_int_equal(ctl(f, f->path, "tree", NULL, out, sizeof(out)), 0);
    assert_null(strchr(out, 0x1b));
    assert_int_equal(ctl(f, f->path, "bad", NULL, out, sizeof(out)), 0);
    assert_int_equal(ctl(f, f->path, "dumpPeers", "--json", out, sizeof(out)), 0);
    assert_int_equal(ctl(f, f->path, "dt", "nobody's", out, sizeof(out)), 1);
    assert_int_equal(ctl(f, f->path, "tree", "nowhere", out, sizeof(out)), 1);
    assert_int_equal(ctl(f, f->path, "--json", "snapshot", out, sizeof(out)), 0);
    json_t *v = json_loads(out, 0, NULL);
    assert_non_null(v);
    json_decref(v);
    assert_int_equal(ctl(f, f->path, "help", NULL, out, sizeof(out)), 0);
    assert_non_null(strstr(out, "close-room"));
    assert_int_equal(ctl(f, f->path, "kick", "one", out, sizeof(out)), 2);
    assert_int_equal(ctl(f, f->path, "nonsense", NULL, out, sizeof(out)), 2);
    assert_int_equal(ctl(f, f->path, "--version", NULL, out, sizeof(out)), 0);
    assert_int_equal(ctl(f, "/nonexistent/socket", "stats", NULL, out, sizeof(out)), 3);
    assert_non_null(strstr(out, "cannot connect to /nonexistent/socket"));
}

int main(void)
{
#define WITH_SERVER(t) cmocka_unit_test_setup_teardown(t, setup, server_teardown)
    const struct CMUnitTest tests[] = {
        WITH_SERVER(answers_lines),           WITH_SERVER(takes_a_line_in_pieces),
        WITH_SERVER(refuses_an_endless_line), WITH_SERVER(shows_everything),
        WITH_SERVER(waits_for_slow_readers),  WITH_SERVER(bounds_the_clients),
        WITH_SERVER(restricts_the_path),      WITH_SERVER(ends_with_clients_at_hand),
        WITH_SERVER(has_a_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
