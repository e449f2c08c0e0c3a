#include "lib/clock.h"
#include "tests/unit/check.h"
#include "worker/ice/ice.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <stun/stunagent.h>
#include <stun/usages/ice.h>

#define UFRAG    "ourufrag"
#define PASSWORD "0123456789abcdefghijkl"

/* What the handlers were told. */
static struct {
    enum ice_state state;
    unsigned states, added, removed, selected;
    struct tuple last_selected, last_removed;
} seen;

static void on_state(enum ice_state from, enum ice_state to, void *arg)
{
    (void)from;
    (void)arg;
    seen.state = to;
    seen.states++;
}

static void on_added(const struct tuple *t, void *arg)
{
    (void)t;
    (void)arg;
    seen.added++;
}

static void on_removed(const struct tuple *t, void *arg)
{
    (void)arg;
    seen.last_removed = *t;
    seen.removed++;
}

static void on_selected(const struct tuple *t, void *arg)
{
    (void)arg;
    seen.last_selected = *t;
    seen.selected++;
}

static const struct ice_handlers handlers = {on_state, on_added, on_removed, on_selected};

static struct ice *fresh(void)
{
    struct ice *ice;
    memset(&seen, 0, sizeof(seen));
    assert_int_equal(ice_new(&ice, UFRAG, PASSWORD, ICE_CONSENT_US, &handlers, NULL), 0);
    return ice;
}

static struct tuple from(uint16_t port)
{
    struct tuple t = {.sock = 0, .proto = NET_UDP};
    assert_int_equal(addr_parse(&t.remote, "192.0.2.7", port), 0);
    return t;
}

struct check {
    const char *ufrag, *password;
    bool use_candidate, controlled, no_priority;
    uint32_t nomination;
    uint16_t unknown;
};

static StunAgent client;

/* A check as a full agent sends it, by libnice's own hand. */
static size_t make(const struct check *c, uint8_t *buf, size_t cap)
{
    static const uint16_t known[] = {STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS,
                                     STUN_ATTRIBUTE_MESSAGE_INTEGRITY, 0};
    StunMessage m;
    char username[600];
    const char *pwd = c->password ? c->password : PASSWORD;
    stun_agent_init(&client, known, STUN_COMPATIBILITY_RFC5389,
                    STUN_AGENT_USAGE_SHORT_TERM_CREDENTIALS | STUN_AGENT_USAGE_USE_FINGERPRINT);
    assert_true(stun_agent_init_request(&client, &m, buf, cap, STUN_BINDING));
    if (c->use_candidate)
        stun_message_append_flag(&m, STUN_ATTRIBUTE_USE_CANDIDATE);
    if (!c->no_priority)
        stun_message_append32(&m, STUN_ATTRIBUTE_PRIORITY, 1);
    stun_message_append64(
        &m, c->controlled ? STUN_ATTRIBUTE_ICE_CONTROLLED : STUN_ATTRIBUTE_ICE_CONTROLLING, 7);
    if (c->nomination)
        stun_message_append32(&m, STUN_ATTRIBUTE_NOMINATION, c->nomination);
    if (c->unknown)
        stun_message_append32(&m, (StunAttribute)c->unknown, 1);
    snprintf(username, sizeof(username), "%s:theirs", c->ufrag ? c->ufrag : UFRAG);
    stun_message_append_string(&m, STUN_ATTRIBUTE_USERNAME, username);
    size_t n = stun_agent_finish_message(&client, &m, (const uint8_t *)pwd, strlen(pwd));
    assert_true(n > 0);
    return n;
}

static size_t send_check(struct ice *ice, const struct tuple *t, const struct check *c,
                         int64_t now_us, uint8_t *reply)
{
    uint8_t msg[1024];
    return ice_input(ice, t, msg, make(c, msg, sizeof(msg)), now_us, reply);
}

static void answers_and_selects(void **state)
{
    (void)state;
    struct ice *ice = fresh();
    struct tuple a = from(1000), b = from(2000);
    uint8_t reply[ICE_REPLY_MAX];
    size_t n = send_check(ice, &a, &(struct check){0}, 1, reply);
    /* The answer is authentic, and says where the check came from. */
    StunMessage m;
    struct sockaddr_storage ss;
    socklen_t len = sizeof(ss);
    assert_int_equal(stun_agent_validate(&client, &m, reply, n, NULL, NULL),
                     STUN_VALIDATION_SUCCESS);
    assert_int_equal(stun_message_get_class(&m), STUN_RESPONSE);
    assert_int_equal(stun_message_find_xor_addr(&m, STUN_ATTRIBUTE_XOR_MAPPED_ADDRESS, &ss, &len),
                     STUN_MESSAGE_RETURN_SUCCESS);
    struct addr mapped;
    assert_int_equal(addr_from_sockaddr(&mapped, (struct sockaddr *)&ss), 0);
    assert_true(addr_equal(&mapped, &a.remote));

    assert_int_equal(ice_state(ice), ICE_CONNECTED);
    assert_true(ice_is_valid(ice, &a));
    assert_false(ice_is_valid(ice, &b));
    send_check(ice, &b, &(struct check){.use_candidate = true}, 2, reply);
    assert_int_equal(ice_state(ice), ICE_COMPLETED);
    assert_true(tuple_equal(ice_selected(ice), &b));
    /* A plain check on the other path does not move what was nominated, nor does media there. */
    send_check(ice, &a, &(struct check){0}, 3, reply);
    ice_media_from(ice, &a);
    assert_true(tuple_equal(ice_selected(ice), &b));
    ice_free(ice);
}

static void media_moves_what_nobody_nominated(void **state)
{
    (void)state;
    struct ice *ice = fresh();
    struct tuple a = from(1), b = from(2), stranger = from(3);
    uint8_t reply[ICE_REPLY_MAX];
    send_check(ice, &a, &(struct check){0}, 1, reply);
    send_check(ice, &b, &(struct check){0}, 1, reply);
    ice_media_from(ice, &stranger);
    assert_true(tuple_equal(ice_selected(ice), &a));
    ice_media_from(ice, &b);
    assert_true(tuple_equal(ice_selected(ice), &b));
    ice_free(ice);
}

static void a_later_nomination_wins(void **state)
{
    (void)state;
    struct ice *ice = fresh();
    struct tuple a = from(1), b = from(2);
    uint8_t reply[ICE_REPLY_MAX];
    send_check(ice, &a, &(struct check){.nomination = 5}, 1, reply);
    send_check(ice, &b, &(struct check){.nomination = 4}, 2, reply);
    assert_true(tuple_equal(ice_selected(ice), &a));
    send_check(ice, &b, &(struct check){.nomination = 6}, 3, reply);
    assert_true(tuple_equal(ice_selected(ice), &b));
    ice_free(ice);
}

static void strangers_meet_silence(void **state)
{
    (void)state;
    struct ice *ice = fresh();
    struct tuple a = from(1);
    uint8_t msg[1024], reply[ICE_REPLY_MAX];
    static const struct check rows[] = {
        {.password = "wrong-wrong-wrong-wrong"},
        {.ufrag = "somebody"},
        {.ufrag = "ourufra"},
        {.ufrag = "ourufragx"},
        {.unknown = 0x0011, .password = "wrong-wrong-wrong-wrong"},
        {.controlled = true, .password = "wrong-wrong-wrong-wrong"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(send_check(ice, &a, &rows[i], 1, reply), 0);
    size_t n = make(&(struct check){0}, msg, sizeof(msg));
    for (size_t cut = 0; cut < n; cut++)
        assert_int_equal(ice_input(ice, &a, msg, cut, 1, reply), 0);
    for (size_t i = 0; i < n; i++) { /* every bit of it counts */
        msg[i] ^= 0x10;
        assert_int_equal(ice_input(ice, &a, msg, n, 1, reply), 0);
        msg[i] ^= 0x10;
    }
    /* An indication, as some agents send to keep a path alive. */
    static const uint8_t indication[20] = {0x00, 0x11, 0, 0, 0x21, 0x12, 0xa4, 0x42};
    assert_int_equal(ice_input(ice, &a, indication, sizeof(indication), 1, reply), 0);
    assert_int_equal(seen.states + seen.added + seen.selected, 0);
    ice_free(ice);
}

static void errors_only_for_the_authenticated(void **state)
{
    (void)state;
    static const struct {
        struct check check;
        int code;
    } rows[] = {
        {{.controlled = true}, 487},
        {{.unknown = 0x0011}, 420},
        {{.no_priority = true}, 400},
    };
    struct ice *ice = fresh();
    struct tuple a = from(1);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t reply[ICE_REPLY_MAX];
        StunMessage m;
        int code = 0;
        size_t n = send_check(ice, &a, &rows[i].check, 1, reply);
        stun_agent_validate(&client, &m, reply, n, NULL, NULL);
        assert_int_equal(stun_message_get_class(&m), STUN_ERROR);
        assert_int_equal(stun_message_find_error(&m, &code), STUN_MESSAGE_RETURN_SUCCESS);
        assert_int_equal(code, rows[i].code);
    }
    assert_int_equal(seen.added, 0);
    ice_free(ice);
}

static void keeps_eight_tuples(void **state)
{
    (void)state;
    struct ice *ice = fresh();
    uint8_t reply[ICE_REPLY_MAX];
    struct tuple first = from(1);
    send_check(ice, &first, &(struct check){.use_candidate = true}, 0, reply);
    for (uint16_t port = 2; port < 300; port++) {
        struct tuple t = from(port);
        send_check(ice, &t, &(struct check){0}, port, reply);
    }
    assert_int_equal(seen.added - seen.removed, ICE_TUPLES_MAX);
    assert_true(ice_is_valid(ice, &first)); /* selected: never the one that goes */
    struct tuple last = from(299), old = from(2);
    assert_true(ice_is_valid(ice, &last));
    assert_false(ice_is_valid(ice, &old));
    ice_free(ice);
}

/* A peer that names a stranger's address has us send there for a while, once. */
static void a_spoofed_tuple_is_left(void **state)
{
    (void)state;
    struct ice *ice = fresh();
    struct tuple own = from(1), victim = from(2), other = from(3);
    uint8_t reply[ICE_REPLY_MAX];
    const struct check nominate = {.nomination = 9};
    int64_t now_us = 1000;
    send_check(ice, &own, &(struct check){.nomination = 5}, now_us, reply);
    send_check(ice, &victim, &nominate, now_us, reply);
    assert_true(tuple_equal(ice_selected(ice), &victim));
    for (uint16_t port = 10; port < 30; port++) { /* which does not push out the former */
        struct tuple t = from(port);
        send_check(ice, &t, &(struct check){0}, now_us, reply);
    }
    assert_true(ice_next_us(ice) == now_us + ICE_PROBATION_US);
    now_us += ICE_PROBATION_US;
    send_check(ice, &own, &(struct check){0}, now_us - 1, reply);
    ice_timer(ice, now_us);
    assert_true(tuple_equal(ice_selected(ice), &own));
    assert_false(ice_is_valid(ice, &victim));
    assert_int_equal(ice_state(ice), ICE_COMPLETED);
    /* again: not at once, */
    send_check(ice, &victim, &nominate, now_us, reply);
    send_check(ice, &other, &nominate, now_us, reply);
    assert_true(tuple_equal(ice_selected(ice), &own));
    /* unless media comes from there. */
    ice_media_from(ice, &other);
    send_check(ice, &other, &nominate, now_us, reply);
    assert_true(tuple_equal(ice_selected(ice), &other));
    ice_free(ice);
}

static void a_true_move_stays(void **state)
{
    (void)state;
    for (int by_media = 0; by_media < 2; by_media++) {
        struct ice *ice = fresh();
        struct tuple a = from(1), b = from(2);
        uint8_t reply[ICE_REPLY_MAX];
        send_check(ice, &a, &(struct check){.use_candidate = true}, 1000, reply);
        send_check(ice, &b, &(struct check){.use_candidate = true}, 2000, reply);
        if (by_media)
            ice_media_from(ice, &b);
        else
            send_check(ice, &b, &(struct check){0}, 3000, reply);
        ice_timer(ice, 3000 + ICE_PROBATION_US);
        assert_true(tuple_equal(ice_selected(ice), &b));
        ice_free(ice);
    }
}

static void consent_expires(void **state)
{
    (void)state;
    struct ice *ice = fresh();
    struct tuple a = from(1), b = from(2);
    uint8_t reply[ICE_REPLY_MAX];
    assert_true(ice_next_us(ice) == TIME_NEVER_US);
    send_check(ice, &a, &(struct check){.use_candidate = true}, 1000, reply);
    send_check(ice, &b, &(struct check){0}, 2000, reply);
    assert_true(ice_next_us(ice) == 1000 + ICE_CONSENT_US);
    ice_timer(ice, 999 + ICE_CONSENT_US);
    assert_int_equal(ice_state(ice), ICE_COMPLETED);
    /* The selected path goes silent: the other takes over, then nothing is left. */
    ice_timer(ice, 1000 + ICE_CONSENT_US);
    assert_true(tuple_equal(ice_selected(ice), &b));
    assert_int_equal(ice_state(ice), ICE_CONNECTED);
    ice_timer(ice, 2000 + ICE_CONSENT_US);
    assert_int_equal(ice_state(ice), ICE_DISCONNECTED);
    assert_null(ice_selected(ice));
    assert_int_equal(seen.removed, 2);
    /* And back again. */
    send_check(ice, &a, &(struct check){.use_candidate = true}, 3000 + ICE_CONSENT_US, reply);
    assert_int_equal(ice_state(ice), ICE_COMPLETED);
    ice_free(ice);
}

static void restart_keeps_the_old_until_the_new_speaks(void **state)
{
    (void)state;
    struct ice *ice = fresh();
    struct tuple a = from(1);
    uint8_t reply[ICE_REPLY_MAX];
    const struct check fresh_check = {.ufrag = "newufrag", .password = "abcdefghijklmnopqrstuv"};
    send_check(ice, &a, &(struct check){.use_candidate = true}, 1, reply);
    assert_int_equal(ice_restart(ice, "newufrag", "abcdefghijklmnopqrstuv"), 0);
    assert_int_equal(ice_restart(ice, "abc", "abcdefghijklmnopqrstuv"), -EINVAL);
    assert_string_equal(ice_old_ufrag(ice), UFRAG);
    assert_true(send_check(ice, &a, &(struct check){0}, 2, reply) > 0);
    assert_true(send_check(ice, &a, &fresh_check, 3, reply) > 0);
    assert_int_equal(send_check(ice, &a, &(struct check){0}, 4, reply), 0);
    assert_string_equal(ice_old_ufrag(ice), "");
    ice_free(ice);
}

static void a_closed_connection_is_forgotten(void **state)
{
    (void)state;
    struct ice *ice = fresh();
    struct tuple udp = from(1), tcp = from(2);
    uint8_t reply[ICE_REPLY_MAX];
    tcp.proto = NET_TCP;
    tcp.sock = 77;
    send_check(ice, &udp, &(struct check){0}, 1, reply);
    send_check(ice, &tcp, &(struct check){.use_candidate = true}, 2, reply);
    ice_forget_sock(ice, 78);
    assert_true(tuple_equal(ice_selected(ice), &tcp));
    ice_forget_sock(ice, 77);
    assert_true(tuple_equal(ice_selected(ice), &udp));
    assert_false(ice_is_valid(ice, &tcp));
    ice_free(ice);
}

/* RFC 5769 2.1: the sample request, with its own user name and password. */
static void takes_the_sample_request(void **state)
{
    (void)state;
    static const uint8_t sample[] =
        "\x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
        "\x80\x22\x00\x10STUN test client\x00\x24\x00\x04\x6e\x00\x01\xff"
        "\x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36\x00\x06\x00\x09"
        "\x65\x76\x74\x6a\x3a\x68\x36\x76\x59\x20\x20\x20"
        "\x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5"
        "\x71\xa2\x80\x28\x00\x04\xe5\x7a\x3b\xcf";
    struct ice *ice;
    uint8_t reply[ICE_REPLY_MAX];
    struct tuple a = from(1);
    char ufrag[ICE_UFRAG_MAX + 1];
    assert_int_equal(ice_peek_ufrag(sample, sizeof(sample) - 1, ufrag, sizeof(ufrag)), 0);
    assert_string_equal(ufrag, "evtj");
    assert_int_equal(ice_new(&ice, "evtj", "VOkJxbRl1RmTxUk/WvJxBt", 0, &handlers, NULL), 0);
    /* It is authentic, and its sender says that it is controlled, as we are: a role conflict. */
    size_t n = ice_input(ice, &a, sample, sizeof(sample) - 1, 1, reply);
    assert_true(n > 0);
    assert_int_equal(reply[0] << 8 | reply[1], 0x0111);
    ice_free(ice);
}

static void peeks_only_at_whole_requests(void **state)
{
    (void)state;
    uint8_t msg[1024];
    char ufrag[ICE_UFRAG_MAX + 1];
    size_t n = make(&(struct check){0}, msg, sizeof(msg));
    assert_int_equal(ice_peek_ufrag(msg, n, ufrag, sizeof(ufrag)), 0);
    assert_string_equal(ufrag, UFRAG);
    assert_int_equal(ice_peek_ufrag(msg, n, ufrag, 4), -EBADMSG);
    for (size_t cut = 0; cut < n; cut++)
        assert_int_equal(ice_peek_ufrag(msg, cut, ufrag, sizeof(ufrag)), -EBADMSG);
    msg[1] = 0x11;
    assert_int_equal(ice_peek_ufrag(msg, n, ufrag, sizeof(ufrag)), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_and_selects),
        cmocka_unit_test(media_moves_what_nobody_nominated),
        cmocka_unit_test(a_later_nomination_wins),
        cmocka_unit_test(strangers_meet_silence),
        cmocka_unit_test(errors_only_for_the_authenticated),
        cmocka_unit_test(keeps_eight_tuples),
        cmocka_unit_test(a_spoofed_tuple_is_left),
        cmocka_unit_test(a_true_move_stays),
        cmocka_unit_test(consent_expires),
        cmocka_unit_test(restart_keeps_the_old_until_the_new_speaks),
        cmocka_unit_test(a_closed_connection_is_forgotten),
        cmocka_unit_test(takes_the_sample_request),
        cmocka_unit_test(peeks_only_at_whole_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
