#include "tests/interop/worker/harness.h"

#include "lib/addr.h"
#include "tests/unit/check.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define REPLY_MS 5000

static int bind_one(int family, int type, uint16_t port)
{
    int fd = socket(family, type, 0), on = 1;
    struct addr a;
    struct sockaddr_storage ss;
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    addr_parse(&a, family == AF_INET ? "127.0.0.1" : "::1", port);
    socklen_t len = addr_to_sockaddr(&a, family, &ss);
    if (bind(fd, (struct sockaddr *)&ss, len) < 0 || (type == SOCK_STREAM && listen(fd, 64) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);
    struct addr a;
    getsockname(fd, (struct sockaddr *)&ss, &len);
    addr_from_sockaddr(&a, (struct sockaddr *)&ss);
    return a.port;
}

/* One port for all four. */
static void bind_all(struct harness *h, int fds[4])
{
    for (unsigned i = 0; i < 100; i++) {
        fds[0] = bind_one(AF_INET, SOCK_DGRAM, 0);
        h->port = port_of(fds[0]);
        fds[1] = bind_one(AF_INET6, SOCK_DGRAM, h->port);
        fds[2] = bind_one(AF_INET, SOCK_STREAM, h->port);
        fds[3] = bind_one(AF_INET6, SOCK_STREAM, h->port);
        if (fds[1] >= 0 && fds[2] >= 0 && fds[3] >= 0)
            return;
        for (size_t j = 0; j < 4; j++)
            if (fds[j] >= 0)
                close(fds[j]);
    }
    fail_msg("no free port");
}

int harness_spawn(struct harness *h)
{
    int fds[4], channel[2], life[2], counters;
    char args[8][32], *argv[9];
    const char *program = getenv("ALTHING_WORKER");
    memset(h, 0, sizeof(*h));
    assert_non_null(program);
    bind_all(h, fds);
    counters = counters_create();
    assert_true(counters >= 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, channel), 0);
    assert_int_equal(pipe(life), 0);
    fcntl(channel[0], F_SETFD, FD_CLOEXEC);
    fcntl(life[1], F_SETFD, FD_CLOEXEC);
    fcntl(counters, F_SETFD, 0);
    snprintf(args[0], sizeof(args[0]), "--channel=%d", channel[1]);
    snprintf(args[1], sizeof(args[1]), "--counters=%d", counters);
    snprintf(args[2], sizeof(args[2]), "--life=%d", life[0]);
    for (size_t i = 0; i < 4; i++)
        snprintf(args[3 + i], sizeof(args[0]), "--%s=%d", i < 2 ? "udp" : "tcp", fds[i]);
    snprintf(args[7], sizeof(args[7]), "althing-worker");
    argv[0] = args[7];
    for (size_t i = 0; i < 7; i++)
        argv[i + 1] = args[i];
    argv[8] = NULL;
    h->pid = fork();
    if (h->pid == 0) {
        execv(program, argv);
        _exit(127);
    }
    for (size_t i = 0; i < 4; i++)
        close(fds[i]);
    close(channel[1]);
    close(life[0]);
    h->channel = channel[0];
    h->life = life[1];
    return counters;
}

static void hello(struct harness *h)
{
    Althing__Hello hello = ALTHING__HELLO__INIT;
    Althing__Request r = ALTHING__REQUEST__INIT;
    hello.version = 1;
    hello.epoch = h->epoch;
    r.method_case = ALTHING__REQUEST__METHOD_HELLO;
    r.hello = &hello;
    assert_int_equal(harness_request(h, &r), 0);
    assert_true(h->fingerprint[0] != '\0');
}

void harness_start(struct harness *h)
{
    int counters = harness_spawn(h);
    h->epoch = 1;
    hello(h);
    assert_int_equal(counters_reader_open(&h->reader, counters), 0);
    close(counters);
}

void harness_stop(struct harness *h)
{
    int status = -1;
    close(h->life);
    for (unsigned i = 0; i < 500 && waitpid(h->pid, &status, WNOHANG) == 0; i++)
        usleep(10000);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    if (h->channel >= 0)
        close(h->channel);
    counters_reader_free(h->reader);
}

size_t harness_place(struct harness *h, uint64_t transport)
{
    for (size_t i = 0; i < h->n_transports; i++)
        if (h->transports[i].id == transport)
            return i;
    assert_true(h->n_transports < HARNESS_TRANSPORTS);
    h->transports[h->n_transports].id = transport;
    return h->n_transports++;
}

static void take_event(struct harness *h, const Althing__Event *e)
{
    size_t i;
    switch (e->kind_case) {
    case ALTHING__EVENT__KIND_ICE_STATE:
        h->transports[harness_place(h, e->ice_state->transport)].ice = e->ice_state->state;
        break;
    case ALTHING__EVENT__KIND_DTLS_STATE:
        i = harness_place(h, e->dtls_state->transport);
        h->transports[i].dtls = e->dtls_state->state;
        snprintf(h->transports[i].reason, sizeof(h->transports[i].reason), "%s",
                 e->dtls_state->reason);
        break;
    case ALTHING__EVENT__KIND_TUPLE:
        i = harness_place(h, e->tuple->transport);
        snprintf(h->transports[i].protocol, sizeof(h->transports[i].protocol), "%s",
                 e->tuple->protocol);
        break;
    default:
        break;
    }
}

static void take_hello(struct harness *h, const Althing__HelloReply *r)
{
    for (size_t i = 0; i < r->n_fingerprints; i++)
        if (strcmp(r->fingerprints[i]->algorithm, "sha-256") == 0)
            snprintf(h->fingerprint, sizeof(h->fingerprint), "%s", r->fingerprints[i]->value);
}

/* The next frame within the time; its reply's id, 0 for an event, -1: none came. */
static int64_t next_frame(struct harness *h, unsigned ms)
{
    static uint8_t buf[CHAN_FRAME_MAX];
    struct pollfd p = {.fd = h->channel, .events = POLLIN};
    int64_t id = 0;
    if (poll(&p, 1, (int)ms) != 1)
        return -1;
    ssize_t n = recv(h->channel, buf, sizeof(buf), 0);
    assert_true(n > 0);
    Althing__Frame *f = althing__frame__unpack(NULL, (size_t)n, buf);
    assert_non_null(f);
    if (f->body_case == ALTHING__FRAME__BODY_EVENT) {
        take_event(h, f->event);
    } else {
        assert_int_equal(f->body_case, ALTHING__FRAME__BODY_REPLY);
        id = (int64_t)f->reply->id;
        h->error = f->reply->error ? f->reply->error->code : (Althing__ErrorCode)-1;
        if (f->reply->result_case == ALTHING__REPLY__RESULT_HELLO)
            take_hello(h, f->reply->hello);
    }
    althing__frame__free_unpacked(f, NULL);
    return id;
}

void harness_events(struct harness *h, unsigned ms)
{
    while (next_frame(h, ms) >= 0)
        ms = 0;
}

int harness_request(struct harness *h, Althing__Request *request)
{
    static uint8_t buf[CHAN_FRAME_MAX];
    Althing__Frame f = ALTHING__FRAME__INIT;
    request->id = ++h->next_id;
    f.epoch = h->epoch;
    f.body_case = ALTHING__FRAME__BODY_REQUEST;
    f.request = request;
    size_t n = althing__frame__pack(&f, buf);
    assert_int_equal(send(h->channel, buf, n, MSG_NOSIGNAL), n);
    int64_t id;
    do
        id = next_frame(h, REPLY_MS);
    while (id == 0);
    assert_int_equal(id, request->id);
    return (int)h->error == -1 ? 0 : -1;
}

uint64_t harness_counter(struct harness *h, size_t index)
{
    uint64_t values[COUNTERS_FIELDS_MAX];
    assert_int_equal(counters_reader_total(h->reader, COUNTERS_WORKER, values), 0);
    return values[index];
}

void harness_router(struct harness *h, uint64_t router)
{
    Althing__CreateRouter m = ALTHING__CREATE_ROUTER__INIT;
    Althing__Request r = ALTHING__REQUEST__INIT;
    m.router = router;
    r.method_case = ALTHING__REQUEST__METHOD_CREATE_ROUTER;
    r.create_router = &m;
    assert_int_equal(harness_request(h, &r), 0);
}

void harness_transport(struct harness *h, uint64_t router, uint64_t transport, const char *ufrag,
                       const char *password)
{
    Althing__CreateTransport m = ALTHING__CREATE_TRANSPORT__INIT;
    Althing__Request r = ALTHING__REQUEST__INIT;
    m.router = router;
    m.transport = transport;
    m.ice_ufrag = (char *)(uintptr_t)ufrag;
    m.ice_password = (char *)(uintptr_t)password;
    r.method_case = ALTHING__REQUEST__METHOD_CREATE_TRANSPORT;
    r.create_transport = &m;
    assert_int_equal(harness_request(h, &r), 0);
}

void harness_connect(struct harness *h, uint64_t transport, Althing__DtlsRole remote_role,
                     const char *fingerprint)
{
    Althing__ConnectTransport m = ALTHING__CONNECT_TRANSPORT__INIT;
    Althing__Fingerprint f = ALTHING__FINGERPRINT__INIT, *list = &f;
    Althing__Request r = ALTHING__REQUEST__INIT;
    f.algorithm = (char *)(uintptr_t) "sha-256";
    f.value = (char *)(uintptr_t)fingerprint;
    m.transport = transport;
    m.remote_role = remote_role;
    m.n_fingerprints = 1;
    m.fingerprints = &list;
    r.method_case = ALTHING__REQUEST__METHOD_CONNECT_TRANSPORT;
    r.connect_transport = &m;
    assert_int_equal(harness_request(h, &r), 0);
}
