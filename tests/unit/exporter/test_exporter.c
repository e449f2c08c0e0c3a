#include "exporter/exporter.h"
#include "lib/clock.h"
#include "tests/unit/check.h"
#include "tests/unit/exporter/source.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>
#include <zlib.h>

struct fixture {
    uv_loop_t loop;
    struct exporter *exporter;
    struct sockaddr_in at;
    struct fake fake;
};

static void start(struct fixture *f, const struct exporter_config *config)
{
    fake_fill(&f->fake);
    struct exporter_source source = fake_source(&f->fake);
    signal(SIGPIPE, SIG_IGN);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    f->at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(f->at);
    assert_int_equal(bind(fd, (struct sockaddr *)&f->at, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&f->at, &len), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    assert_int_equal(exporter_new(&f->exporter, &f->loop, fd, config, &source), 0);
}

static int setup(void **state)
{
    static const struct exporter_config config = {
        .numeric = true, .max_streams = 100000, .max_rooms = 100};
    *state = calloc(1, sizeof(struct fixture));
    start(*state, &config);
    return 0;
}

static int setup_with_token(void **state)
{
    static const struct exporter_config config = {
        .numeric = true, .max_streams = 100000, .max_rooms = 100, .token = "s3cret-token"};
    *state = calloc(1, sizeof(struct fixture));
    start(*state, &config);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    exporter_free(f->exporter);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    free(f);
    return 0;
}

static void turn(struct fixture *f, int n)
{
    for (int i = 0; i < n; i++)
        uv_run(&f->loop, UV_RUN_NOWAIT);
}

static int dial(struct fixture *f, const char *text)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connect(fd, (struct sockaddr *)&f->at, sizeof(f->at));
    turn(f, 3);
    assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
    return fd;
}

/* All until the end; the caller frees it. */
static char *hear(struct fixture *f, int fd)
{
    size_t len = 0, cap = 1 << 16;
    char *text = malloc(cap);
    int64_t until = clock_now_us() + S_US(20);
    while (clock_now_us() < until) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
        ssize_t n = recv(fd, text + len, cap - len - 1, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            break;
        len += n > 0 ? (size_t)n : 0;
        if (len + 1 == cap)
            text = realloc(text, cap *= 2);
    }
    text[len] = 0;
    close(fd);
    return text;
}

static char *ask(struct fixture *f, const char *text)
{
    return hear(f, dial(f, text));
}

#define END " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

static void answers_requests(void **state)
{
    static const struct {
        const char *request, *status, *part;
    } rows[] = {
        {"GET /metrics" END, "HTTP/1.1 200 ", "edumeet_rooms 2\n"},
        {"GET /" END, "HTTP/1.1 200 ",
         "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"},
        {"GET /metrics?x=1" END, "HTTP/1.1 200 ", "rid=\"r1\"} 5000000000\n"},
        {"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
         "Accept: application/openmetrics-text\r\n\r\n",
         "HTTP/1.1 200 ", "\n# EOF\n"},
        {"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
         "Accept: application/openmetrics-text\r\n\r\n",
         "HTTP/1.1 200 ",
         "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"},
        {"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept-Encoding: gzip\r\n\r\n",
         "HTTP/1.1 200 ", "Content-Encoding: gzip\r\n"},
        {"GET /healthz" END, "HTTP/1.1 200 ", "ok\n"},
        {"GET /readyz" END, "HTTP/1.1 200 ", "ready\n"},
        {"GET /other" END, "HTTP/1.1 404 ", "Metrics are at"},
        {"GET //" END, "HTTP/1.1 404 ", ""},
        {"HEAD /metrics" END, "HTTP/1.1 405 ", "Allow: GET\r\n"},
        {"POST /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
         "HTTP/1.1 405 ", "Only GET."},
        {"BREW /" END, "HTTP/1.1 405 ", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *answer = ask(*state, rows[i].request);
        if (strncmp(answer, rows[i].status, strlen(rows[i].status)) != 0 ||
            !strstr(answer, rows[i].part))
            fail_msg("%s\n%s", rows[i].request, answer);
        free(answer);
    }
}

static void keeps_a_connection(void **state)
{
    struct fixture *f = *state;
    int fd = dial(f, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    turn(f, 20);
    send(fd, "GET /" END, strlen("GET /" END), 0);
    char *answer = hear(f, fd);
    char *first = strstr(answer, "HTTP/1.1 200 ");
    assert_non_null(first);
    assert_non_null(strstr(first + 1, "HTTP/1.1 200 "));
    free(answer);
}

/* Many ask for much at once, some go away before it is there: all others get the whole. */
static void shares_a_scrape(void **state)
{
    struct fixture *f = *state;
    int fds[8];
    f->fake.repeat = 20000;
    for (int i = 0; i < 8; i++)
        fds[i] = dial(f, "GET /metrics" END);
    close(fds[3]);
    for (int i = 0; i < 8; i++) {
        if (i == 3)
            continue;
        char *answer = hear(f, fds[i]);
        assert_non_null(strstr(answer, "ssrc=\"20012\",rid=\"\"} 9\n"));
        assert_non_null(strstr(answer, "althing_worker_pool_used{worker=\"1\"} 0\n"));
        free(answer);
    }
}

/* What an answer of the exporter says of itself: "name value" in the text. */
static unsigned long long number_in(const char *text, const char *name)
{
    char line[128];
    snprintf(line, sizeof(line), "\n%s ", name);
    const char *at = strstr(text, line);
    assert_non_null(at);
    return strtoull(at + strlen(line), NULL, 10);
}

/* Those who say nothing make room for those who ask. */
static void bounds_the_connections(void **state)
{
    struct fixture *f = *state;
    int fds[2 * EXPORTER_CONNECTIONS];
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = dial(f, i % 2 ? "GET /met" : "");
    turn(f, 20);
    char *answer = ask(f, "GET /metrics" END);
    assert_non_null(strstr(answer, "edumeet_rooms 2\n"));
    assert_in_range(number_in(answer, "althing_exporter_refused_connections_total"),
                    EXPORTER_CONNECTIONS, EXPORTER_CONNECTIONS + 1);
    free(answer);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
    answer = ask(f, "GET /metrics" END);
    assert_non_null(strstr(answer, "edumeet_rooms 2\n"));
    free(answer);
}

/* A thousand at once: most wait in the kernel's queue or are refused; whoever comes then is served. */
static void survives_a_thousand(void **state)
{
    struct fixture *f = *state;
    static int fds[1000];
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        assert_true(fds[i] >= 0);
        connect(fds[i], (struct sockaddr *)&f->at, sizeof(f->at));
        if (i % 10 == 0)
            turn(f, 1);
    }
    turn(f, 300);
    char *answer = ask(f, "GET /metrics" END);
    assert_non_null(strstr(answer, "edumeet_rooms 2\n"));
    free(answer);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
    turn(f, 50);
}

/* They ask for much and read nothing: they take their places, and nothing of the loop. */
static void serves_beside_slow_readers(void **state)
{
    struct fixture *f = *state;
    int fds[8];
    f->fake.repeat = 20000;
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        fds[i] = dial(f, "GET /metrics" END);
    turn(f, 400);
    f->fake.repeat = 1;
    char *answer = ask(f, "GET /metrics" END);
    assert_non_null(strstr(answer, "edumeet_rooms 2\n"));
    free(answer);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
}

static void wants_the_token(void **state)
{
    static const struct {
        const char *path, *header, *status;
    } rows[] = {
        {"/metrics", "", "HTTP/1.1 401 "},
        {"/", "Authorization: Basic s3cret-token\r\n", "HTTP/1.1 401 "},
        {"/metrics", "Authorization: Bearer s3cret-toke\r\n", "HTTP/1.1 401 "},
        {"/metrics", "Authorization: Bearer s3cret-tokens\r\n", "HTTP/1.1 401 "},
        {"/metrics", "Authorization: Bearer s3cret-tokens3cret-token\r\n", "HTTP/1.1 401 "},
        {"/metrics", "Authorization: Bearer \r\n", "HTTP/1.1 401 "},
        {"/metrics", "Authorization: Bearer S3cret-token\r\n", "HTTP/1.1 401 "},
        {"/metrics", "Authorization: Bearer s3cret-token\r\n", "HTTP/1.1 200 "},
        {"/", "authorization: bearer s3cret-token\r\n", "HTTP/1.1 200 "},
        {"/healthz", "", "HTTP/1.1 200 "},
        {"/readyz", "", "HTTP/1.1 200 "},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char request[256];
        snprintf(request, sizeof(request),
                 "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n", rows[i].path,
                 rows[i].header);
        char *answer = ask(*state, request);
        if (strncmp(answer, rows[i].status, strlen(rows[i].status)) != 0)
            fail_msg("%s\n%s", request, answer);
        free(answer);
    }
}

static void says_when_it_is_not_ready(void **state)
{
    struct fixture *f = *state;
    f->fake.ready = false;
    char *answer = ask(f, "GET /readyz" END);
    assert_int_equal(strncmp(answer, "HTTP/1.1 503 ", 13), 0);
    free(answer);
    answer = ask(f, "GET /healthz" END);
    assert_int_equal(strncmp(answer, "HTTP/1.1 200 ", 13), 0);
    free(answer);
}

/* What is packed is what is said unpacked (the exporter's own numbers aside, which are in the end). */
static void packs_the_same_text(void **state)
{
    struct fixture *f = *state;
    f->fake.repeat = 3000;
    char *plain = ask(f, "GET /metrics" END);
    int fd = dial(f, "GET /metrics HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n");
    static char packed[1 << 20];
    size_t len = 0;
    for (int i = 0; i < 100000; i++) {
        uv_run(&f->loop, UV_RUN_NOWAIT);
        ssize_t n = recv(fd, packed + len, sizeof(packed) - len, 0);
        if (n == 0)
            break;
        len += n > 0 ? (size_t)n : 0;
    }
    close(fd);
    const char *body = memmem(packed, len, "\r\n\r\n", 4);
    assert_non_null(body);
    size_t cap = 8 << 20;
    char *text = calloc(1, cap);
    z_stream z = {.next_in = (unsigned char *)(uintptr_t)body + 4,
                  .avail_in = (unsigned)(len - (size_t)(body + 4 - packed)),
                  .next_out = (unsigned char *)text,
                  .avail_out = (unsigned)cap - 1};
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    inflateEnd(&z);
    const char *start = strstr(plain, "\r\n\r\n") + 4;
    const char *end = strstr(start, "# HELP althing_process_cpu");
    assert_non_null(end);
    assert_memory_equal(text, start, (size_t)(end - start));
    free(text);
    free(plain);
}

static void survives_noise(void **state)
{
    struct fixture *f = *state;
    char noise[40000];
    srand(3);
    for (size_t i = 0; i < sizeof(noise) - 1; i++)
        noise[i] = (char)(1 + rand() % 255);
    noise[sizeof(noise) - 1] = 0;
    memcpy(noise, "GET / HTTP/1.1\r\n", 16);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connect(fd, (struct sockaddr *)&f->at, sizeof(f->at));
    turn(f, 3);
    send(fd, noise, strlen(noise), 0);
    shutdown(fd, SHUT_WR);
    free(hear(f, fd));
    char *answer = ask(f, "GET /metrics" END);
    assert_non_null(strstr(answer, "edumeet_rooms 2\n"));
    free(answer);
}

static void ends_in_the_middle_of_a_scrape(void **state)
{
    struct fixture *f = *state;
    f->fake.repeat = 20000;
    int fd = dial(f, "GET /metrics" END);
    turn(f, 5);
    int other = dial(f, "GET /met");
    (void)fd;
    (void)other; /* teardown frees the exporter with both open */
}

int main(void)
{
#define WITH_SERVER(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
#define WITH_TOKEN(t)  cmocka_unit_test_setup_teardown(t, setup_with_token, teardown)
    const struct CMUnitTest tests[] = {
        WITH_SERVER(survives_a_thousand),
        WITH_SERVER(serves_beside_slow_readers),
        WITH_TOKEN(wants_the_token),
        WITH_SERVER(says_when_it_is_not_ready),
        WITH_SERVER(packs_the_same_text),
        WITH_SERVER(answers_requests),
        WITH_SERVER(keeps_a_connection),
        WITH_SERVER(shares_a_scrape),
        WITH_SERVER(bounds_the_connections),
        WITH_SERVER(survives_noise),
        WITH_SERVER(ends_in_the_middle_of_a_scrape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
