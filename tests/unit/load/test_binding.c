/* Our checks against the ICE-lite agent that will answer them. */
#include "tests/unit/check.h"

#include "load/binding.h"
#include "worker/ice/ice.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define UFRAG    "theirfragment"
#define PASSWORD "theirpasswordtheirpassword"

static struct tuple selected;

static void on_selected(const struct tuple *t, void *arg)
{
    (void)arg;
    selected = *t;
}

static void on_state(enum ice_state from, enum ice_state to, void *arg)
{
    (void)from;
    *(enum ice_state *)arg = to;
}

static void on_tuple(const struct tuple *t, void *arg)
{
    (void)t;
    (void)arg;
}

static const struct ice_handlers handlers = {on_state, on_tuple, on_tuple, on_selected};

static size_t ask(struct ice *ice, const struct binding_check *c,
                  uint8_t reply[static ICE_REPLY_MAX])
{
    uint8_t msg[BINDING_MAX];
    struct tuple from = {.remote = {.port = 7}, .proto = NET_UDP};
    size_t n = binding_request(msg, sizeof(msg), c);
    assert_true(n > 0 && n % 4 == 0);
    return ice_input(ice, &from, msg, n, 1000000, reply);
}

static void a_check_is_answered_and_nominates(void **state)
{
    (void)state;
    struct binding_check c = {UFRAG ":ours", PASSWORD, 99, 2130706431, "abcdefghijk"};
    enum ice_state is = ICE_NEW;
    struct ice *ice;
    uint8_t reply[ICE_REPLY_MAX], other[BINDING_ID_LEN] = {0};
    assert_int_equal(ice_new(&ice, UFRAG, PASSWORD, 0, &handlers, &is), 0);
    size_t n = ask(ice, &c, reply);
    assert_true(n > 0);
    assert_int_equal(is, ICE_COMPLETED);
    assert_int_equal(selected.remote.port, 7);
    assert_int_equal(binding_answer(reply, n, PASSWORD, c.id), 0);
    assert_int_equal(binding_answer(reply, n, PASSWORD, other), -EBADMSG);
    assert_int_equal(binding_answer(reply, n, "another", c.id), -EBADMSG);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(binding_answer(reply, i, PASSWORD, c.id), -EBADMSG);
    reply[30] ^= 1;
    assert_int_equal(binding_answer(reply, n, PASSWORD, c.id), -EBADMSG);
    ice_free(ice);
}

static void a_wrong_password_is_met_with_silence(void **state)
{
    (void)state;
    struct binding_check c = {UFRAG ":ours", "notthatpasswordbutanother", 99, 1, {0}};
    enum ice_state is = ICE_NEW;
    struct ice *ice;
    uint8_t reply[ICE_REPLY_MAX];
    assert_int_equal(ice_new(&ice, UFRAG, PASSWORD, 0, &handlers, &is), 0);
    assert_int_equal(ask(ice, &c, reply), 0);
    assert_int_equal(is, ICE_NEW);
    ice_free(ice);
}

static void an_error_is_read(void **state)
{
    (void)state;
    static const uint8_t id[BINDING_ID_LEN] = {1, 2, 3};
    uint8_t msg[] = {1, 0x11, 0, 8, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 0, 0, 0,
                     0, 0,    0, 0, 0,    0,    0,    9,    0, 4, 0, 0, 4, 1};
    assert_int_equal(binding_answer(msg, sizeof(msg), PASSWORD, id), -401);
    msg[27] = 87; /* whoever says 487 must be authentic */
    assert_int_equal(binding_answer(msg, sizeof(msg), PASSWORD, id), -EBADMSG);
    msg[26] = 0;
    assert_int_equal(binding_answer(msg, sizeof(msg), PASSWORD, id), -EBADMSG);
}

static void what_does_not_fit_is_not_written(void **state)
{
    (void)state;
    struct binding_check c = {UFRAG ":ours", PASSWORD, 99, 1, {0}};
    uint8_t msg[BINDING_MAX];
    for (size_t cap = 0; cap < 100; cap++)
        assert_int_equal(binding_request(msg, cap, &c), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_check_is_answered_and_nominates),
        cmocka_unit_test(a_wrong_password_is_met_with_silence),
        cmocka_unit_test(an_error_is_read),
        cmocka_unit_test(what_does_not_fit_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
