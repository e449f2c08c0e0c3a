#include "tests/unit/check.h"
#include "worker/wire/demux.h"

static void tells_by_the_first_bytes(void **state)
{
    (void)state;
    static const struct {
        uint8_t first, second;
        enum demux_kind kind;
    } rows[] = {
        {0, 1, DEMUX_STUN},        {3, 0, DEMUX_STUN},      {4, 0, DEMUX_UNKNOWN},
        {16, 0, DEMUX_UNKNOWN},    {20, 254, DEMUX_DTLS},   {63, 0, DEMUX_DTLS},
        {64, 0, DEMUX_UNKNOWN},    {127, 0, DEMUX_UNKNOWN}, {128, 111, DEMUX_RTP},
        {128, 239, DEMUX_RTP},     {128, 200, DEMUX_RTCP},  {129, 192, DEMUX_RTCP},
        {143, 223, DEMUX_RTCP},    {191, 224, DEMUX_RTP},   {191, 191, DEMUX_RTP},
        {192, 200, DEMUX_UNKNOWN}, {255, 0, DEMUX_UNKNOWN},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const uint8_t data[2] = {rows[i].first, rows[i].second};
        assert_int_equal(demux_kind(data, 2), rows[i].kind);
        assert_int_equal(demux_kind(data, 1), DEMUX_UNKNOWN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tells_by_the_first_bytes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
