/* Media from one independent peer to another through a real worker, over every kind of path and cipher. */
#include "tests/interop/worker/call.h"
#include "tests/unit/check.h"

#include <stdio.h>
#include <string.h>

#define V4 "127.0.0.1"
#define V6 "::1"

static struct call call;

static void all_paths(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct call_side sender, receiver;
        const char *profile; /* the sender's; NULL: not looked at */
    } rows[] = {
        {"UDP, IPv4", {.ip = V4}, {.ip = V4}, CALL_GCM},
        {"UDP, IPv6 to IPv4", {.ip = V6}, {.ip = V4}, CALL_GCM},
        {"TCP, IPv4 to UDP", {.ip = V4, .tcp = true}, {.ip = V4}, CALL_GCM},
        {"UDP to TCP, IPv6", {.ip = V4}, {.ip = V6, .tcp = true}, CALL_GCM},
        {"AES_CM to GCM", {.ip = V4, .profiles = CALL_CM}, {.ip = V4}, CALL_CM},
        {"GCM 256 to AES_CM",
         {.ip = V4, .profiles = CALL_GCM_256},
         {.ip = V4, .profiles = CALL_CM},
         CALL_GCM_256},
        {"the worker's order counts",
         {.ip = V4, .profiles = CALL_CM ":" CALL_GCM_256 ":" CALL_GCM},
         {.ip = V4},
         CALL_GCM},
        {"the peers are DTLS servers",
         {.ip = V4, .dtls_server = true},
         {.ip = V6, .dtls_server = true},
         CALL_GCM},
        {"ClientHello in two", {.ip = V4, .hello_pieces = 2}, {.ip = V4}, CALL_GCM},
        {"ClientHello in twenty", {.ip = V4, .hello_pieces = 20}, {.ip = V4}, CALL_GCM},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("%s\n", rows[i].name);
        call_start(&call);
        call_connect(&call, &rows[i].sender, &rows[i].receiver);
        assert_string_equal(browser_profile(call.sender), rows[i].profile);
        size_t place = harness_place(&call.h, CALL_SENDER);
        assert_int_equal(call.h.transports[place].ice, ALTHING__ICE_STATE__ICE_STATE_COMPLETED);
        assert_int_equal(call.h.transports[place].dtls, ALTHING__DTLS_STATE__DTLS_STATE_CONNECTED);
        assert_string_equal(call.h.transports[place].protocol, rows[i].sender.tcp ? "tcp" : "udp");
        call_produce(&call);
        call_send(&call, 200);
        assert_int_equal(call.received, 200);
        assert_int_equal(call.strange, 0);
        assert_int_equal(browser_bad_packets(call.receiver), 0);
        call_stop(&call);
    }
}

static const struct call_side v4 = {.ip = V4};

/* The sender's numbers wrap: the roll-over counters of both sides follow. */
static void numbers_wrap(void **state)
{
    (void)state;
    call_start(&call);
    call.next_seq = 65400;
    call_connect(&call, &v4, &v4);
    call_produce(&call);
    call_send(&call, 400);
    assert_int_equal(call.received, 400);
    assert_int_equal(call.strange, 0);
    call_stop(&call);
}

static void replays_and_forgeries_go_nowhere(void **state)
{
    (void)state;
    uint8_t pkt[CALL_RTP_HEADER + CALL_PAYLOAD], sealed[512] __attribute__((aligned(8)));
    call_start(&call);
    call_connect(&call, &v4, &v4);
    call_produce(&call);
    size_t n =
        browser_protect_rtp(call.sender, pkt, call_packet(&call, pkt), sealed, sizeof(sealed));
    assert_true(n > 0);
    for (unsigned i = 0; i < 1000; i++)
        browser_send_raw(call.sender, sealed, n);
    n = browser_protect_rtp(call.sender, pkt, call_packet(&call, pkt), sealed, sizeof(sealed));
    sealed[n - 1] ^= 1;
    for (unsigned i = 0; i < 1000; i++)
        browser_send_raw(call.sender, sealed, n);
    browser_send_raw(call.sender, pkt, sizeof(pkt)); /* plain */
    call.sent--;
    sealed[n - 1] ^= 1;
    browser_send_raw(call.sender, sealed, n);
    call.sent++;
    call_wait(&call, 2);
    call_send(&call, 10);
    assert_int_equal(call.received, 12);
    assert_int_equal(call.strange, 0);
    assert_true(harness_counter(&call.h, COUNTERS_INDEX(worker, dropped_srtp_replay)) >= 900);
    assert_true(harness_counter(&call.h, COUNTERS_INDEX(worker, dropped_srtp_auth)) >= 900);
    call_stop(&call);
}

static void a_wrong_fingerprint_fails(void **state)
{
    (void)state;
    struct browser_config conf = {.local_ip = V4, .profiles = CALL_GCM};
    struct browser *p = browser_new(&conf), *other = browser_new(&conf);
    call_start(&call);
    harness_transport(&call.h, CALL_ROUTER, 30, "fragment30", "apasswordofagoodlength1234");
    harness_connect(&call.h, 30, ALTHING__DTLS_ROLE__DTLS_ROLE_CLIENT, browser_fingerprint(other));
    browser_connect(p, "fragment30", "apasswordofagoodlength1234", V4, call.h.port,
                    call.h.fingerprint);
    browser_wait(p, 3000);
    harness_events(&call.h, 200);
    size_t place = harness_place(&call.h, 30);
    assert_int_equal(call.h.transports[place].dtls, ALTHING__DTLS_STATE__DTLS_STATE_FAILED);
    assert_string_equal(call.h.transports[place].reason, "fingerprint");
    browser_free(p);
    browser_free(other);
    /* And the worker goes on. */
    call_connect(&call, &v4, &v4);
    call_produce(&call);
    call_send(&call, 10);
    assert_int_equal(call.received, 10);
    call_stop(&call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_paths),
        cmocka_unit_test(numbers_wrap),
        cmocka_unit_test(replays_and_forgeries_go_nowhere),
        cmocka_unit_test(a_wrong_fingerprint_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
