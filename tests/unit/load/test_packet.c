#include "tests/unit/check.h"

#include "load/packet.h"

#include <string.h>

static void tells_packets_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum packet_kind kind;
        int64_t id;
        const char *json;
    } rows[] = {
        {"", PACKET_OTHER, -1, NULL},
        {"0{\"sid\":\"x\"}", PACKET_OPEN, -1, "{\"sid\":\"x\"}"},
        {"1", PACKET_CLOSE, -1, ""},
        {"2", PACKET_PING, -1, ""},
        {"3", PACKET_OTHER, -1, NULL},
        {"4", PACKET_OTHER, -1, NULL},
        {"40{}", PACKET_CONNECTED, -1, "{}"},
        {"41", PACKET_GONE, -1, ""},
        {"42[1]", PACKET_EVENT, -1, "[1]"},
        {"4217[1]", PACKET_EVENT, 17, "[1]"},
        {"43[1]", PACKET_OTHER, -1, NULL},
        {"430[null]", PACKET_ACK, 0, "[null]"},
        {"44{}", PACKET_REFUSED, -1, "{}"},
        {"45", PACKET_OTHER, -1, NULL},
        {"439007199254740992[]", PACKET_ACK, 9007199254740992, "[]"},
        {"439007199254740993[]", PACKET_OTHER, -1, NULL},
        {"4399999999999999999999999999999[]", PACKET_OTHER, -1, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct packet p = packet_parse(rows[i].text, strlen(rows[i].text));
        if (p.kind != rows[i].kind || p.id != rows[i].id)
            fail_msg("%s: kind %d id %lld", rows[i].text, p.kind, (long long)p.id);
        if (rows[i].json)
            assert_string_equal(p.json, rows[i].json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tells_packets_apart)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
