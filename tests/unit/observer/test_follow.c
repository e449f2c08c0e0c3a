#include "tests/unit/check.h"
#include "tests/unit/observer/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static json_t *peer(const char *room, const char *id)
{
    return json_pack("{ss, ss}", "roomId", room, "peerId", id);
}

/* Subscribes; the snapshot, which the caller frees. */
static json_t *subscribe(struct server *s, int fd, const char *rest)
{
    char line[512];
    snprintf(line, sizeof(line), "{\"id\":1,\"cmd\":\"subscribe\"%s}", rest);
    server_say(fd, line);
    json_t *answer = server_line(s, fd);
    assert_true(json_is_true(json_object_get(answer, "ok")));
    return answer;
}

static json_int_t number(const json_t *v, const char *member)
{
    assert_true(json_is_integer(json_object_get(v, member)));
    return json_integer_value(json_object_get(v, member));
}

static const char *text(const json_t *v, const char *member)
{
    const char *t = json_string_value(json_object_get(v, member));
    return t ? t : "";
}

static void tells_each_change(void **state)
{
    struct server *s = *state;
    server_put(s, OBSERVER_PEER, peer("a", "early")); /* nobody follows: no event, no number */
    int fd = server_dial(s);
    json_t *answer = subscribe(s, fd, "");
    const json_t *result = json_object_get(answer, "result");
    assert_int_equal(number(result, "seq"), 0);
    assert_int_equal(number(result, "seqEnd"), 0);
    assert_int_equal(json_array_size(json_object_get(result, "peers")), 1);
    assert_null(json_object_get(result, "log"));
    json_decref(answer);

    server_put(s, OBSERVER_PEER, peer("a", "ada"));
    server_gone(s, OBSERVER_PEER, 0);
    json_t *e = server_line(s, fd);
    assert_int_equal(number(e, "seq"), 1);
    assert_string_equal(text(e, "event"), "put");
    assert_string_equal(text(e, "kind"), "peer");
    assert_string_equal(text(json_object_get(e, "object"), "peerId"), "ada");
    json_decref(e);
    e = server_line(s, fd);
    assert_int_equal(number(e, "seq"), 2);
    assert_string_equal(text(e, "event"), "gone");
    assert_string_equal(text(json_object_get(e, "object"), "peerId"), "early");
    json_decref(e);

    server_say(fd, "{\"id\":2,\"cmd\":\"unsubscribe\"}");
    json_decref(server_line(s, fd));
    server_put(s, OBSERVER_PEER, peer("a", "bo"));
    server_wait(s, 2 * OBSERVER_FLUSH_MS);
    char *rest = server_hear(s, fd);
    assert_string_equal(rest, "");
    free(rest);
    close(fd);
}

static void filters_by_kind_room_and_peer(void **state)
{
    struct server *s = *state;
    static const struct {
        const char *rest;
        const char *heard;
    } rows[] = {
        {"", "1234"},
        {",\"kinds\":[\"peer\"]", "124"},
        {",\"kinds\":[\"peer\"],\"room\":\"a\"", "12"},
        {",\"room\":\"b\"", "34"},
        {",\"kinds\":[\"peer\",\"worker\"],\"peer\":\"ada\"", "134"},
        {",\"kinds\":[\"chat\"]", ""},
        {",\"kinds\":[\"log\"],\"level\":\"warn\"", "6"},
        {",\"kinds\":[\"log\"],\"level\":\"debug\"", "56"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int all = server_dial(s), fd = server_dial(s);
        json_decref(
            subscribe(s, all, ",\"kinds\":[\"peer\",\"worker\",\"log\"],\"level\":\"debug\""));
        json_t *answer = subscribe(s, fd, rows[i].rest);
        json_int_t before = number(json_object_get(answer, "result"), "seq");
        json_decref(answer);
        server_put(s, OBSERVER_PEER, peer("a", "ada"));
        server_put(s, OBSERVER_PEER, peer("a", "bo"));
        server_put(s, OBSERVER_WORKER, json_pack("{si}", "index", 0));
        server_put(s, OBSERVER_PEER, peer("b", "ada"));
        observer_log(s->observer, LOG_LEVEL_INFO, "m", "info");
        observer_log(s->observer, LOG_LEVEL_WARN, "m", "\xff");
        observer_log(s->observer, LOG_LEVEL_WARN, "m", "warn");
        server_wait(s, 2 * OBSERVER_FLUSH_MS);
        char *heard = server_hear(s, fd), got[16] = "", *save;
        for (char *l = strtok_r(heard, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
            sprintf(got + strlen(got), "%lld", atoll(l + strlen("{\"seq\":")) - (long long)before);
        assert_string_equal(got, rows[i].heard);
        free(heard);
        close(all);
        close(fd);
        server_turn(s, 10);
    }
}

/* A reader that is slower than what happens is told how much it missed, and another snapshot makes it right again. */
static void tells_what_was_missed(void **state)
{
    struct server *s = *state;
    enum { TOTAL = 30000 };
    int fd = server_dial(s);
    json_decref(subscribe(s, fd, ""));
    json_t *o = peer("a", "ada");
    for (int i = 0; i < TOTAL; i++) {
        json_object_set_new(o, "n", json_integer(i));
        observer_put(s->observer, OBSERVER_PEER, o);
        char first;
        while (i == 5000 && recv(fd, &first, 1, MSG_PEEK) < 0) /* some of them are told */
            server_turn(s, 10);
    }
    server_wait(s, 2 * OBSERVER_FLUSH_MS);
    char *t = server_hear(s, fd), *save;
    uint64_t last = 0, missed = 0, events = 0;
    for (char *l = strtok_r(t, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
        json_t *e = json_loads(l, 0, NULL);
        uint64_t seq = (uint64_t)number(e, "seq");
        if (!strcmp(text(e, "event"), "missed")) {
            missed += (uint64_t)number(e, "missed");
            assert_int_equal(seq, last + (uint64_t)number(e, "missed"));
        } else {
            assert_int_equal(seq, last + 1);
            events++;
        }
        last = seq;
        json_decref(e);
    }
    assert_true(missed > 0 && events > OBSERVER_EVENTS_MAX);
    assert_int_equal(last, TOTAL);
    assert_int_equal(missed + events, TOTAL);
    free(t);
    json_t *answer = subscribe(s, fd, "");
    assert_int_equal(number(json_object_get(answer, "result"), "seqEnd"), TOTAL);
    json_decref(answer);
    json_decref(o);
    close(fd);
}

static void closes_who_does_not_read(void **state)
{
    struct server *s = *state;
    int fd = server_dial(s), good = server_dial(s);
    json_decref(subscribe(s, fd, ""));
    json_decref(subscribe(s, good, ""));
    json_t *o = peer("a", "ada");
    char filler[1024];
    memset(filler, 'x', sizeof(filler) - 1);
    filler[sizeof(filler) - 1] = 0;
    json_object_set_new(o, "filler", json_string(filler));
    uint64_t start = uv_hrtime();
    bool closed = false;
    while (!closed && uv_hrtime() - start < UINT64_C(5000000000)) {
        for (int i = 0; i < 100; i++)
            observer_put(s->observer, OBSERVER_PEER, o);
        server_wait(s, 10);
        free(server_hear(s, good));
        /* Its end is seen behind what it did not read. */
        char c;
        closed = send(fd, "\n", 1, MSG_NOSIGNAL) < 0 && recv(good, &c, 1, 0) < 0 && errno == EAGAIN;
    }
    assert_true(closed);
    assert_true(uv_hrtime() - start > (uint64_t)SERVER_STALL_MS * 1000000);
    server_say(good, "stats");
    server_wait(s, 10);
    char *t = server_hear(s, good);
    assert_non_null(strstr(t, "rooms:0\n"));
    free(t);
    json_decref(o);
    close(fd);
    close(good);
}

static void serves_a_thousand(void **state)
{
    struct server *s = *state;
    enum { N = 1000 };
    static int fds[N];
    for (int i = 0; i < N; i++) {
        fds[i] = server_dial(s);
        server_turn(s, 2);
        json_decref(subscribe(s, fds[i], ""));
    }
    uint64_t start = uv_hrtime();
    for (int i = 0; i < 50; i++)
        server_put(s, OBSERVER_PEER, peer("a", "ada"));
    server_wait(s, 2 * OBSERVER_FLUSH_MS);
    uint64_t took = uv_hrtime() - start;
    for (int i = 0; i < N; i++) {
        char *t = malloc(65536);
        ssize_t n = recv(fds[i], t, 65535, 0);
        assert_true(n > 0);
        size_t lines = 0;
        for (ssize_t k = 0; k < n; k++)
            lines += t[k] == '\n';
        assert_int_equal(lines, 50);
        free(t);
    }
    print_message("%d subscribers were told 50 changes within %d ms\n", N, (int)(took / 1000000));
    for (int i = 0; i < N; i++)
        close(fds[i]);
    server_wait(s, 50);
    char *t = server_ask(s, "stats\n");
    assert_string_equal(t, "rooms:0\npeers:50\n");
    free(t);
}

static void survives_rude_clients(void **state)
{
    struct server *s = *state;
    /* In the middle of a line, and in the middle of an answer. */
    for (int i = 0; i < 50; i++) {
        int fd = server_dial(s);
        server_turn(s, 2);
        const char *half = i % 2 ? "{\"cmd\":\"subscr" : "snapshot\n{\"cmd\":\"subscribe\"}\n";
        send(fd, half, strlen(half), 0);
        server_turn(s, i % 3);
        close(fd);
        server_turn(s, 2);
    }
    /* Bytes at random: answered as nonsense, then closed. */
    int fd = server_dial(s);
    srand(1);
    bool closed = false;
    for (int i = 0; i < 200 && !closed; i++) {
        char noise[256];
        for (size_t k = 0; k < sizeof(noise); k++)
            noise[k] = (char)rand();
        noise[255] = '\n';
        closed = send(fd, noise, sizeof(noise), MSG_NOSIGNAL) < 0;
        server_turn(s, 5);
    }
    assert_true(closed);
    close(fd);
    /* Who fell silent half closed, and then went, leaves no subscription behind. */
    fd = server_dial(s);
    json_decref(subscribe(s, fd, ",\"kinds\":[\"chat\"]"));
    shutdown(fd, SHUT_WR);
    server_wait(s, 20);
    server_put(s, OBSERVER_CHAT, json_pack("{ss}", "roomId", "a"));
    json_decref(server_line(s, fd)); /* still told */
    close(fd);
    server_wait(s, 1200);
    assert_int_equal(observer_wanted(s->observer), 0);
}

static void counts_malformed_requests(void **state)
{
    struct server *s = *state;
    int fd = server_dial(s);
    for (int i = 1; i < OBSERVER_BAD_MAX; i++) {
        server_say(fd, "{\"cmd\":\"nonsense\"}");
        json_decref(server_line(s, fd));
    }
    server_say(fd, "{\"cmd\":\"stats\",\"id\":\"x\"}"); /* forgiven */
    json_t *v = server_line(s, fd);
    assert_string_equal(text(v, "id"), "x");
    json_decref(v);
    for (int i = 0; i < OBSERVER_BAD_MAX; i++) {
        server_say(fd, "{\"cmd\":\"nonsense\"}");
        json_decref(server_line(s, fd));
    }
    char *rest = server_hear(s, fd);
    assert_string_equal(rest, "");
    char c;
    assert_int_equal(recv(fd, &c, 1, 0), 0);
    free(rest);
    close(fd);
}

static json_t *asked(struct server *s, int fd, const char *line)
{
    server_say(fd, line);
    return server_line(s, fd);
}

static void follows_traces(void **state)
{
    struct server *s = *state;
    static const char begin[] = "{\"cmd\":\"trace\",\"kind\":\"producer\",\"key\":\"p\"}";
    static const char endless[] = "{\"cmd\":\"trace\",\"kind\":\"producer\",\"key\":\"endless\"}";
    int fd = server_dial(s);
    json_t *v = asked(s, fd, "{\"cmd\":\"trace\",\"kind\":\"producer\",\"key\":\"none\"}");
    assert_string_equal(text(json_object_get(v, "error"), "code"), "not-found");
    json_decref(v);
    v = asked(s, fd, begin);
    json_int_t id = number(json_object_get(v, "result"), "trace");
    assert_int_equal(number(json_object_get(v, "result"), "seconds"), 30);
    json_decref(v);
    for (int left = 3; left > 0; left--) {
        v = server_line(s, fd);
        assert_string_equal(text(v, "event"), "trace");
        assert_int_equal(number(v, "trace"), id);
        assert_int_equal(number(v, "left"), left);
        json_decref(v);
    }
    v = server_line(s, fd);
    assert_string_equal(text(v, "event"), "traceEnd");
    assert_string_equal(text(v, "reason"), "time over");
    assert_int_equal(number(v, "records"), 3);
    assert_int_equal(number(v, "lost"), 7);
    json_decref(v);
    assert_int_equal(s->traces, 0);

    json_decref(asked(s, fd, endless));
    assert_int_equal(s->traces, 1);
    v = asked(s, fd, begin);
    assert_string_equal(text(json_object_get(v, "error"), "code"), "busy");
    json_decref(v);
    json_decref(asked(s, fd, "{\"cmd\":\"untrace\"}"));
    assert_int_equal(s->traces, 0);
    json_decref(asked(s, fd, "{\"cmd\":\"untrace\"}"));
    json_decref(asked(s, fd, endless));
    close(fd); /* goes with its connection */
    server_wait(s, 2 * OBSERVER_TRACE_MS);
    assert_int_equal(s->traces, 0);
    int left = server_dial(s);
    json_decref(asked(s, left, endless)); /* and with the observer */
}

static void carries_out_orders(void **state)
{
    struct server *s = *state;
    static const struct {
        const char *line, *answer;
    } rows[] = {
        {"{\"id\":1,\"cmd\":\"kick\",\"room\":\"a\",\"peer\":\"bo\"}",
         "{\"id\":1,\"ok\":true,\"result\":{}}\n"},
        {"{\"id\":2,\"cmd\":\"kick\",\"room\":\"a\",\"peer\":\"cy\"}",
         "{\"id\":2,\"ok\":false,\"error\":{\"code\":\"not-found\",\"text\":\"no \\\"cy\\\"\"}}\n"},
        {"{\"id\":3,\"cmd\":\"drain\",\"on\":true}",
         "{\"id\":3,\"ok\":true,\"result\":{\"draining\":true,\"seconds\":3600}}\n"},
        {"{\"cmd\":\"logLevel\",\"level\":\"debug\"}",
         "{\"id\":null,\"ok\":true,\"result\":{\"logLevel\":\"debug\"}}\n"},
        {"{\"cmd\":\"logTags\",\"tags\":[\"ice\"]}",
         "{\"id\":null,\"ok\":true,\"result\":{\"logTags\":[\"ice\"]}}\n"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *t = server_ask(s, rows[i].line);
        assert_string_equal(t, rows[i].answer);
        free(t);
        assert_int_equal(s->ordered, i + 1);
    }
    /* Answered later, and what was said meanwhile after it. */
    int fd = server_dial(s);
    server_say(fd, "{\"id\":9,\"cmd\":\"reload\"}");
    server_say(fd, "stats");
    char *t = server_hear(s, fd);
    assert_string_equal(t, "");
    free(t);
    observer_answer(s->observer, s->ticket + 1, json_object(), NULL); /* nobody's */
    observer_answer(s->observer, s->ticket, json_pack("{si}", "n", 1), NULL);
    t = server_hear(s, fd);
    assert_string_equal(t, "{\"id\":9,\"ok\":true,\"result\":{\"n\":1}}\nrooms:0\npeers:0\n");
    free(t);
    server_say(fd, "{\"id\":9,\"cmd\":\"reload\"}");
    server_turn(s, 10);
    close(fd);
    server_turn(s, 10);
    observer_answer(s->observer, s->ticket, json_object(), NULL);
}

int main(void)
{
#define WITH_SERVER(t) cmocka_unit_test_setup_teardown(t, server_setup, server_teardown)
    const struct CMUnitTest tests[] = {
        WITH_SERVER(tells_each_change),         WITH_SERVER(filters_by_kind_room_and_peer),
        WITH_SERVER(tells_what_was_missed),     WITH_SERVER(closes_who_does_not_read),
        WITH_SERVER(serves_a_thousand),         WITH_SERVER(survives_rude_clients),
        WITH_SERVER(counts_malformed_requests), WITH_SERVER(follows_traces),
        WITH_SERVER(carries_out_orders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
