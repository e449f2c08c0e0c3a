/* An edge that echoes, for edge.test.mjs: prints its ports, serves until its standard input ends, then takes everything down and prints
 * its counters. Options are NAME=VALUE: tls=0, static=FOLDER, cert=FILE, key=FILE, origin=URL, proxy=1, and the names of limits. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "server/edge/edge.h"

static struct edge *edge;
static unsigned open_sessions;

static void on_answer(struct edge_session *s, const char *err, const json_t *result, void *arg)
{
    (void)arg;
    json_t *data = json_object();
    if (err)
        json_object_set_new(data, "error", json_string(err));
    else
        json_object_set_new(data, "result", json_deep_copy(result));
    edge_notify(s, "answered", data);
}

static void on_connect(struct edge_session *s, const struct edge_query *query, void *arg)
{
    (void)arg;
    open_sessions++;
    const char *room = edge_query_get(query, "roomId"), *kick = edge_query_get(query, "kick");
    if (kick) {
        edge_disconnect(s, "asked for it");
        return;
    }
    edge_notify(s, "hello",
                json_pack("{s:s?,s:s,s:s,s:s}", "roomId", room, "address", edge_session_address(s),
                          "host", edge_session_host(s), "userAgent", edge_session_user_agent(s)));
}

static void flood(struct edge_session *s, const json_t *data)
{
    size_t size = (size_t)json_integer_value(json_object_get(data, "size"));
    json_int_t count = json_integer_value(json_object_get(data, "count"));
    char *text = mem_zalloc(size + 1);
    memset(text, 'x', size);
    for (json_int_t i = 0; i < count; i++)
        edge_notify(s, "flood", json_pack("{s:s,s:I}", "text", text, "i", i));
    free(text);
}

static void on_request(struct edge_session *s, const char *method, const json_t *data, uint64_t ack,
                       void *arg)
{
    (void)arg;
    if (strcmp(method, "echo") == 0)
        edge_reply(s, ack, json_deep_copy(data));
    else if (strcmp(method, "nothing") == 0)
        edge_reply(s, ack, NULL);
    else if (strcmp(method, "fail") == 0)
        edge_reply_error(s, ack, "as you wish");
    else if (strcmp(method, "kick") == 0)
        edge_disconnect(s, "test");
    else
        edge_reply_error(s, ack, "unknown method");
}

static void on_notification(struct edge_session *s, const char *method, const json_t *data,
                            void *arg)
{
    (void)arg;
    if (strcmp(method, "ask") == 0)
        edge_request(s, "question", json_deep_copy(data), on_answer, NULL);
    else if (strcmp(method, "flood") == 0)
        flood(s, data);
    else
        edge_notify(s, method, json_deep_copy(data));
}

static void on_closed(struct edge_session *s, enum edge_reason reason, void *arg)
{
    (void)s, (void)arg;
    open_sessions--;
    printf("closed %s\n", edge_reason_name(reason));
    fflush(stdout);
}

static int bind_loopback(uint16_t *port)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(sin);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&sin, len) ||
        getsockname(fd, (struct sockaddr *)&sin, &len)) {
        perror("edge_echo: socket");
        exit(1);
    }
    *port = ntohs(sin.sin_port);
    return fd;
}

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "re");
    char *text = mem_zalloc(65536);
    if (!f || fread(text, 1, 65535, f) == 0) {
        perror(path);
        exit(1);
    }
    fclose(f);
    return text;
}

static const struct {
    const char *name;
    size_t offset;
    bool is_size;
} limit_names[] = {
#define LIMIT(field, is_size)                                                                      \
    {                                                                                              \
#field, offsetof(struct edge_limits, field), is_size                                       \
    }
    LIMIT(message_bytes, true),
    LIMIT(json_depth, false),
    LIMIT(sessions, false),
    LIMIT(sessions_per_address, false),
    LIMIT(sessions_per_second, false),
    LIMIT(queue_bytes, true),
    LIMIT(messages_per_second, false),
    LIMIT(messages_burst, false),
    LIMIT(bytes_per_second, true),
    LIMIT(handshake_ms, false),
    LIMIT(ping_interval_ms, false),
    LIMIT(ping_timeout_ms, false),
    LIMIT(request_timeout_ms, false),
    LIMIT(request_tries, false),
};

static void set_limit(struct edge_limits *limits, const char *name, const char *value)
{
    for (size_t i = 0; i < sizeof(limit_names) / sizeof(limit_names[0]); i++) {
        if (strcmp(name, limit_names[i].name) != 0)
            continue;
        unsigned long long v = strtoull(value, NULL, 10);
        char *field = (char *)limits + limit_names[i].offset;
        if (limit_names[i].is_size)
            *(size_t *)(void *)field = (size_t)v;
        else
            *(unsigned *)(void *)field = (unsigned)v;
        return;
    }
    fprintf(stderr, "edge_echo: no option %s\n", name);
    exit(1);
}

static void set_option(struct edge_config *c, char *option, const char **origin)
{
    char *value = strchr(option, '=');
    if (!value)
        exit(1);
    *value++ = '\0';
    if (strcmp(option, "static") == 0)
        c->static_folder = value;
    else if (strcmp(option, "cert") == 0)
        c->tls_cert = read_file(value);
    else if (strcmp(option, "key") == 0)
        c->tls_key = read_file(value);
    else if (strcmp(option, "origin") == 0)
        *origin = value, c->origins = origin, c->n_origins = 1;
    else if (strcmp(option, "proxy") == 0)
        c->trust_proxy = *value == '1';
    else if (strcmp(option, "public_port") == 0)
        c->public_port = (uint16_t)atoi(value);
    else
        set_limit(&c->limits, option, value);
}

static void on_input(uv_poll_t *poll, int status, int events)
{
    (void)status, (void)events;
    char buf[64];
    if (read(STDIN_FILENO, buf, sizeof(buf)) > 0)
        return;
    uv_poll_stop(poll);
    uv_close((uv_handle_t *)poll, NULL);
    uv_stop(poll->loop);
}

static void print_counters(const struct edge_counters *c)
{
    printf(
        "counters {\"connections\":%" PRIu64 ",\"sessions\":%" PRIu64 ",\"sessions_open\":%" PRIu64
        ",\"messages_in\":%" PRIu64 ",\"upgrades\":%" PRIu64 ",\"pings_missed\":%" PRIu64
        ",\"refused_address\":%" PRIu64 ",\"refused_full\":%" PRIu64 ",\"refused_origin\":%" PRIu64
        ",\"refused_protocol\":%" PRIu64 ",\"refused_size\":%" PRIu64 ",\"refused_json\":%" PRIu64
        ",\"refused_rate\":%" PRIu64 ",\"slow_readers\":%" PRIu64 ",\"timeouts\":%" PRIu64 "}\n",
        c->connections, c->sessions, c->sessions_open, c->messages_in, c->upgrades, c->pings_missed,
        c->refused_address, c->refused_full, c->refused_origin, c->refused_protocol,
        c->refused_size, c->refused_json, c->refused_rate, c->slow_readers, c->timeouts);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static const struct edge_handlers handlers = {on_connect, on_request, on_notification,
                                                  on_closed};
    struct edge_config config;
    const char *origin;
    uint16_t ports[2];
    uv_loop_t loop;
    uv_poll_t input;
    edge_config_defaults(&config);
    config.config_js = "var config = {};\n";
    for (int i = 1; i < argc; i++)
        set_option(&config, argv[i], &origin);
    log_set_program("edge_echo");
    if (getenv("EDGE_ECHO_DEBUG"))
        log_set_level(LOG_LEVEL_DEBUG);

    int fds[2] = {bind_loopback(&ports[0]), bind_loopback(&ports[1])};
    config.https_fds = &fds[0];
    config.n_https_fds = 1;
    config.redirect_fds = &fds[1];
    config.n_redirect_fds = 1;
    uv_loop_init(&loop);
    int err = edge_new(&edge, &loop, &config, &handlers, NULL);
    free((void *)(uintptr_t)config.tls_cert);
    free((void *)(uintptr_t)config.tls_key);
    if (err) {
        fprintf(stderr, "edge_echo: %s\n", strerror(-err));
        uv_run(&loop, UV_RUN_DEFAULT);
        uv_loop_close(&loop);
        return 1;
    }
    printf("ready %u %u\n", ports[0], ports[1]);
    fflush(stdout);
    uv_poll_init(&loop, &input, STDIN_FILENO);
    uv_poll_start(&input, UV_READABLE, on_input);
    uv_run(&loop, UV_RUN_DEFAULT);
    print_counters(edge_counters(edge));
    edge_free(edge);
    uv_run(&loop, UV_RUN_DEFAULT);
    bool clean = uv_loop_close(&loop) == 0 && open_sessions == 0;
    printf("end %s\n", clean ? "clean" : "dirty");
    return clean ? 0 : 1;
}
