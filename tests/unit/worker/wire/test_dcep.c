#include "tests/unit/check.h"
#include "worker/wire/dcep.h"

#include <errno.h>
#include <string.h>

static void reads_what_it_wrote(void **state)
{
    (void)state;
    static const struct dcep rows[] = {
        {.type = DCEP_ACK},
        {.type = DCEP_OPEN},
        {.type = DCEP_OPEN, .unordered = true, .reliability = DCEP_RETRANSMITS, .parameter = 3},
        {.type = DCEP_OPEN,
         .reliability = DCEP_LIFETIME,
         .parameter = 65536,
         .priority = 512,
         .label = (const uint8_t *)"transcription",
         .label_len = 13,
         .protocol = (const uint8_t *)"x",
         .protocol_len = 1},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t buf[64];
        struct dcep d;
        size_t len = dcep_compose(buf, sizeof(buf), &rows[i]);
        assert_int_equal(len, rows[i].type == DCEP_ACK ? DCEP_ACK_LEN : DCEP_OPEN_MAX(&rows[i]));
        assert_int_equal(dcep_parse(buf, len, &d), 0);
        assert_int_equal(d.type, rows[i].type);
        assert_int_equal(d.unordered, rows[i].unordered);
        assert_int_equal(d.reliability, rows[i].reliability);
        assert_int_equal(d.parameter, rows[i].parameter);
        assert_int_equal(d.priority, rows[i].priority);
        assert_int_equal(d.label_len, rows[i].label_len);
        assert_int_equal(d.protocol_len, rows[i].protocol_len);
        if (d.label_len)
            assert_memory_equal(d.label, rows[i].label, d.label_len);
        for (size_t cut = 0; cut < len; cut++)
            assert_int_equal(dcep_parse(buf, cut, &d), -EBADMSG);
        assert_int_equal(dcep_parse(buf, len + 1, &d), -EBADMSG);
        assert_int_equal(dcep_compose(buf, len - 1, &rows[i]), 0);
    }
}

static void refuses_what_is_not_known(void **state)
{
    (void)state;
    uint8_t buf[DCEP_OPEN_HEADER] = {DCEP_OPEN, 0};
    struct dcep d;
    assert_int_equal(dcep_parse(buf, sizeof(buf), &d), 0);
    buf[1] = 0x83;
    assert_int_equal(dcep_parse(buf, sizeof(buf), &d), -EBADMSG);
    buf[0] = 1;
    assert_int_equal(dcep_parse(buf, sizeof(buf), &d), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(reads_what_it_wrote),
                                       cmocka_unit_test(refuses_what_is_not_known)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
