#include "server/edge/socketio.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/check.h"

static void reads_a_packet(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int type; /* -1: malformed */
        const char *nsp;
        int64_t ack; /* -1: none */
        const char *json;
    } cases[] = {
        {"0", SOCKETIO_CONNECT, NULL, -1, ""},
        {"0{\"token\":\"x\"}", SOCKETIO_CONNECT, NULL, -1, "{\"token\":\"x\"}"},
        {"0/,", SOCKETIO_CONNECT, NULL, -1, ""},
        {"0/chat,", SOCKETIO_CONNECT, "/chat", -1, ""},
        {"0/chat", SOCKETIO_CONNECT, "/chat", -1, ""},
        {"1", SOCKETIO_DISCONNECT, NULL, -1, ""},
        {"2[\"a\"]", SOCKETIO_EVENT, NULL, -1, "[\"a\"]"},
        {"20[\"a\"]", SOCKETIO_EVENT, NULL, 0, "[\"a\"]"},
        {"210[\"a\"]", SOCKETIO_EVENT, NULL, 10, "[\"a\"]"},
        {"2/x,7[1]", SOCKETIO_EVENT, "/x", 7, "[1]"},
        {"30[]", SOCKETIO_ACK, NULL, 0, "[]"},
        {"39007199254740991[]", SOCKETIO_ACK, NULL, SOCKETIO_ACK_MAX, "[]"},
        {"4{}", SOCKETIO_CONNECT_ERROR, NULL, -1, "{}"},
        {"39007199254740992[]", -1, NULL, -1, NULL},
        {"399999999999999999999999999[]", -1, NULL, -1, NULL},
        {"", -1, NULL, -1, NULL},
        {"5", -1, NULL, -1, NULL},
        {"51-[\"a\",{\"_placeholder\":true,\"num\":0}]", -1, NULL, -1, NULL},
        {"2", -1, NULL, -1, NULL},
        {"2{}", -1, NULL, -1, NULL},
        {"2-1[]", -1, NULL, -1, NULL},
        {"3[]", -1, NULL, -1, NULL},
        {"05", -1, NULL, -1, NULL},
        {"x", -1, NULL, -1, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct socketio_packet p;
        int err = socketio_parse(&p, cases[i].text, strlen(cases[i].text));
        assert_int_equal(err, cases[i].type < 0 ? -EBADMSG : 0);
        if (err)
            continue;
        assert_int_equal(p.type, cases[i].type);
        assert_int_equal(p.has_ack, cases[i].ack >= 0);
        if (p.has_ack)
            assert_true(p.ack == (uint64_t)cases[i].ack);
        assert_int_equal(p.nsp_len, cases[i].nsp ? strlen(cases[i].nsp) : 0);
        if (cases[i].nsp)
            assert_memory_equal(p.nsp, cases[i].nsp, p.nsp_len);
        assert_int_equal(p.json_len, strlen(cases[i].json));
        assert_memory_equal(p.json, cases[i].json, p.json_len);
    }
}

static void writes_a_head(void **state)
{
    (void)state;
    char out[SOCKETIO_HEAD_MAX];
    uint64_t ack = 0, most = SOCKETIO_ACK_MAX;
    assert_int_equal(socketio_head(out, SOCKETIO_EVENT, NULL), 2);
    assert_string_equal(out, "42");
    assert_int_equal(socketio_head(out, SOCKETIO_ACK, &ack), 3);
    assert_string_equal(out, "430");
    assert_int_equal(socketio_head(out, SOCKETIO_EVENT, &most), 18);
    assert_string_equal(out, "429007199254740991");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_packet),
        cmocka_unit_test(writes_a_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
