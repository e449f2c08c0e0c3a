/* Strangers on the network while a call goes on: they get nothing back, and the call does not notice. */
#include "lib/addr.h"
#include "tests/interop/worker/call.h"
#include "tests/interop/worker/peer_dtls.h"
#include "tests/unit/check.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stun/stunagent.h>
#include <stun/usages/ice.h>

#define V4        "127.0.0.1"
#define PASSWORD  "apasswordofagoodlength1234"
#define PORTS     300
#define HALF_OPEN 500

static struct call call;
static const struct call_side v4 = {.ip = V4};

static void begin(void)
{
    call_start(&call);
    call_connect(&call, &v4, &v4);
    call_produce(&call);
    call_send(&call, 10);
    assert_int_equal(call.received, 10);
}

/* The call goes on, and every packet of it comes through. */
static void end(void)
{
    uint64_t before = call.received;
    call_send(&call, 100);
    assert_int_equal(call.received, before + 100);
    assert_int_equal(call.strange, 0);
    call_stop(&call);
}

static int stranger(int type)
{
    struct addr a;
    struct sockaddr_storage ss;
    addr_parse(&a, V4, call.h.port);
    socklen_t len = addr_to_sockaddr(&a, AF_INET, &ss);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&ss, len), 0);
    return fd;
}

static size_t check(const char *ufrag, const char *password, bool nominate, uint8_t *buf,
                    size_t cap)
{
    static const uint16_t known[] = {0};
    StunAgent agent;
    StunMessage m;
    stun_agent_init(&agent, known, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
    stun_agent_init_request(&agent, &m, buf, cap, STUN_BINDING);
    if (nominate)
        stun_message_append_flag(&m, STUN_ATTRIBUTE_USE_CANDIDATE);
    stun_message_append32(&m, STUN_ATTRIBUTE_PRIORITY, 1);
    stun_message_append64(&m, STUN_ATTRIBUTE_ICE_CONTROLLING, 7);
    stun_message_append_string(&m, STUN_ATTRIBUTE_USERNAME, ufrag);
    return stun_agent_finish_message(&agent, &m, (const uint8_t *)password, strlen(password));
}

/* RTP Bleed and its like: whatever comes from an address that ICE has not validated is met with silence. */
static void strangers_get_nothing(void **state)
{
    (void)state;
    uint8_t buf[2048];
    begin();
    int fd = stranger(SOCK_DGRAM);
    for (unsigned i = 0; i < 3000; i++) {
        size_t n = 1 + (unsigned)rand() % 1400;
        for (size_t j = 0; j < n; j++)
            buf[j] = (uint8_t)rand();
        static const uint8_t firsts[] = {0, 1, 20, 22, 23, 64, 128, 144, 255};
        buf[0] = firsts[i % sizeof(firsts)];
        send(fd, buf, n, 0);
        n = check("fragment10:x", "somebodyelsespassword123", true, buf, sizeof(buf));
        send(fd, buf, n, 0);
        n = check("nobodyknows:x", PASSWORD, true, buf, sizeof(buf));
        send(fd, buf, n, 0);
        send(fd, buf, 0, 0);
        if (i % 50 == 0)
            browser_run(1, NULL, 0);
    }
    browser_run(50, NULL, 0);
    assert_int_equal(recv(fd, buf, sizeof(buf), MSG_DONTWAIT), -1);
    close(fd);
    end();
}

/* Somebody who knows the password checks from many ports: each is answered, and media stays where it was nominated. */
static void many_ports_move_nothing(void **state)
{
    (void)state;
    uint8_t buf[1024];
    int fds[PORTS];
    size_t answered = 0;
    begin();
    for (size_t i = 0; i < PORTS; i++) {
        fds[i] = stranger(SOCK_DGRAM);
        size_t n = check("fragment20:x", PASSWORD, false, buf, sizeof(buf));
        send(fds[i], buf, n, 0);
        if (i % 20 == 0)
            browser_run(1, NULL, 0);
    }
    browser_run(100, NULL, 0);
    for (size_t i = 0; i < PORTS; i++)
        answered += recv(fds[i], buf, sizeof(buf), MSG_DONTWAIT) > 0;
    assert_int_equal(answered, PORTS);
    uint64_t before = call.received;
    call_send(&call, 50);
    assert_int_equal(call.received, before + 50);
    for (size_t i = 0; i < PORTS; i++) {
        assert_int_equal(recv(fds[i], buf, sizeof(buf), MSG_DONTWAIT), -1);
        close(fds[i]);
    }
    end();
}

static void tcp_strangers(void **state)
{
    (void)state;
    static const char http[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    uint8_t byte;
    int fds[200];
    begin();
    for (size_t i = 0; i < ARRAY_LEN(fds); i++) {
        fds[i] = stranger(SOCK_STREAM);
        if (i % 3 == 0)
            send(fds[i], http, sizeof(http) - 1, MSG_NOSIGNAL);
        else if (i % 3 == 1)
            send(fds[i], "\0", 1, MSG_NOSIGNAL); /* and never the rest */
        if (i % 20 == 0)
            browser_run(2, NULL, 0);
    }
    browser_run(100, NULL, 0);
    assert_true(recv(fds[0], &byte, 1, MSG_DONTWAIT) <= 0);
    assert_true(harness_counter(&call.h, COUNTERS_INDEX(worker, dropped_tcp_frame)) >= 30);
    assert_true(harness_counter(&call.h, COUNTERS_INDEX(worker, tcp_connections)) <= 128);
    for (size_t i = 0; i < ARRAY_LEN(fds); i++)
        close(fds[i]);
    end();
}

static void send_to(const uint8_t *data, size_t len, void *arg)
{
    send(*(int *)arg, data, len, 0);
}

/* Handshakes that are begun and left hang nobody up: who comes then is served at once. */
static void half_open_handshakes(void **state)
{
    (void)state;
    static int fds[HALF_OPEN];
    static struct peer_dtls *half[HALF_OPEN];
    begin();
    for (unsigned i = 0; i < HALF_OPEN; i++) {
        char ufrag[32], username[40];
        uint8_t buf[512];
        snprintf(ufrag, sizeof(ufrag), "half%u", i);
        snprintf(username, sizeof(username), "%s:x", ufrag);
        harness_transport(&call.h, CALL_ROUTER, 1000 + i, ufrag, PASSWORD);
        fds[i] = stranger(SOCK_DGRAM);
        half[i] = peer_dtls_new(CALL_GCM, false, 0, send_to, &fds[i]);
        harness_connect(&call.h, 1000 + i, ALTHING__DTLS_ROLE__DTLS_ROLE_CLIENT,
                        peer_dtls_fingerprint(half[i]));
        send(fds[i], buf, check(username, PASSWORD, true, buf, sizeof(buf)), 0);
        peer_dtls_start(half[i]);
    }
    struct browser *late = call_peer(&call, 30, &v4);
    assert_true(browser_wait(late, 3000));
    browser_free(late);
    unsigned answered = 0;
    for (unsigned i = 0; i < HALF_OPEN; i++) {
        uint8_t buf[2048];
        bool flight = false;
        while (recv(fds[i], buf, sizeof(buf), MSG_DONTWAIT) > 0)
            flight = flight || buf[0] == 22; /* of the handshake */
        answered += flight;
        peer_dtls_free(half[i]);
        close(fds[i]);
    }
    assert_true(answered > HALF_OPEN * 9 / 10);
    end();
}

/* What the channel brings is not trusted to be well-formed either. */
static void a_mad_server_ends_nothing(void **state)
{
    (void)state;
    uint8_t buf[300];
    begin();
    for (unsigned i = 0; i < 2000; i++) {
        size_t n = 1 + (unsigned)rand() % sizeof(buf);
        for (size_t j = 0; j < n; j++)
            buf[j] = (uint8_t)rand();
        send(call.h.channel, buf, n, MSG_NOSIGNAL);
    }
    harness_router(&call.h, 77); /* it still answers */
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strangers_get_nothing),
        cmocka_unit_test(many_ports_move_nothing),
        cmocka_unit_test(tcp_strangers),
        cmocka_unit_test(half_open_handshakes),
        cmocka_unit_test(a_mad_server_ends_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
