#include "tests/unit/check.h"
#include "tests/unit/worker/wire/bits.h"
#include "worker/wire/dd.h"
#include "worker/wire/frame.h"
#include "worker/wire/rtp.h"

#include <errno.h>

/* L1T2: templates 0 and 1 of layer T0 (key, delta), 2 of T1; two decode targets, one chain, a resolution. */
static void reads_structure_and_frames(void **state)
{
    (void)state;
    uint8_t b[64];
    struct dd_structure s = {0};
    struct dd d;
    size_t n = bits(b, sizeof(b),
                    "1 0 000101 0000000000000111"
                    "1 0 0 0 0"
                    "000101 00001"
                    "00 01 11"
                    "10 10  11 11  00 01"
                    "0  1 0001 0  1 0000 0"
                    "1 0"
                    "0000 0001 0001"
                    "1 0000001001111111 0000000101100111");
    assert_int_equal(dd_parse(b, n, &s, &d), 0);
    assert_true(d.start && !d.end && d.has_structure);
    assert_int_equal(d.frame_number, 7);
    assert_int_equal(s.n_templates, 3);
    assert_int_equal(s.n_targets, 2);
    assert_int_equal(s.n_chains, 1);
    assert_int_equal(s.id_offset, 5);
    assert_int_equal(s.templates[2].temporal, 1);
    assert_int_equal(s.target_temporal[0], 0);
    assert_int_equal(s.target_temporal[1], 1);
    assert_int_equal(d.temporal, 0);
    assert_int_equal(dd_dti_of(d.dti, 0), DD_SWITCH);
    assert_int_equal(s.target_chain[1], 0);
    assert_int_equal(s.templates[1].chain_diff[0], 1);
    assert_int_equal(d.chain_diff[0], 0);

    /* The mandatory three bytes: template 7 is the third. */
    n = bits(b, sizeof(b), "1 1 000111 0000000000001000");
    assert_int_equal(dd_parse(b, n, &s, &d), 0);
    assert_true(d.start && d.end);
    assert_int_equal(d.temporal, 1);
    assert_int_equal(dd_dti_of(d.dti, 0), DD_NOT_PRESENT);
    assert_int_equal(dd_dti_of(d.dti, 1), DD_DISCARDABLE);

    /* Custom everything. */
    n = bits(b, sizeof(b),
             "1 1 000111 0000000000001001 0 1 1 1 1  01  00 10  01 0011 10 00000001 00  00000101");
    assert_int_equal(dd_parse(b, n, &s, &d), 0);
    assert_true(d.has_active);
    assert_int_equal(d.active_targets, 1);
    assert_int_equal(dd_dti_of(d.dti, 1), DD_SWITCH);
    assert_int_equal(d.chain_diff[0], 5);
}

static void refuses_what_it_cannot_read(void **state)
{
    (void)state;
    static const struct {
        const char *what, *bits;
        int err;
    } rows[] = {
        {"empty", "", -EBADMSG},
        {"two bytes", "1 0 000101 00000000", -EBADMSG},
        {"no structure yet", "1 0 000101 0000000000000111", -ENOENT},
        {"no structure yet, extended", "1 0 000101 0000000000000111 0 1 0 0 0 000", -ENOENT},
        {"structure cut", "1 0 000101 0000000000000111 1 0 0 0 0 000101 00001", -EBADMSG},
        {"five spatial layers",
         "1 0 000000 0000000000000111 1 0 0 0 0 000000 00000 10 10 10 10 11 "
         "0000000000000000000000000000000000",
         -EBADMSG},
        {"template that is not there",
         "1 0 000001 0000000000000111 1 0 0 0 0 000000 00000 11 10 0 0 0", -EBADMSG},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t b[64];
        struct dd_structure s = {0};
        struct dd d;
        size_t n = bits(b, sizeof(b), rows[i].bits);
        if (dd_parse(b, n, &s, &d) != rows[i].err || s.known)
            fail_msg("%s", rows[i].what);
    }
}

static void sixty_four_templates_are_enough(void **state)
{
    (void)state;
    /* "same layer" for ever. */
    uint8_t b[128] = {0x80, 0, 1, 0x80};
    struct dd_structure s = {0};
    struct dd d;
    assert_int_equal(dd_parse(b, sizeof(b), &s, &d), -EBADMSG);
}

static void the_frame_takes_the_descriptors_word(void **state)
{
    (void)state;
    uint8_t b[64];
    struct frame_ctx ctx = {0};
    struct frame_info f;
    struct rtp_exts x = {.present = RTP_EXT_BIT(RTP_EXT_DEPENDENCY_DESCRIPTOR), .dd = b};
    const uint8_t inter[] = {0x41, 0x9a};
    x.dd_len = (uint8_t)bits(
        b, sizeof(b),
        "1 1 000000 0000000000000111 1 0 0 0 0 000000 00001 01 11 10 10 00 10 0 0 00 0");
    assert_int_equal(frame_parse(FRAME_CODEC_H264, inter, sizeof(inter), true, &x, &ctx, &f), 0);
    assert_true(f.keyframe && f.start && f.end && f.has_temporal);
    x.dd_len = (uint8_t)bits(b, sizeof(b), "1 0 000001 0000000000001000");
    assert_int_equal(frame_parse(FRAME_CODEC_H264, inter, sizeof(inter), true, &x, &ctx, &f), 0);
    assert_false(f.keyframe);
    assert_int_equal(f.temporal, 1);
    assert_int_equal(f.known, FRAME_CELL(0, 0) | FRAME_CELL(0, 1));
    assert_int_equal(f.needs, FRAME_CELL(0, 1));
    assert_int_equal(f.switches, FRAME_CELL(0, 1));
    assert_int_equal(f.active, f.known);
    assert_false(f.chained);
    /* The payload may be encrypted: all that is known is in the descriptor. */
    const uint8_t sealed[] = {0xff, 0xff, 0xff};
    assert_int_equal(frame_parse(FRAME_CODEC_AV1, sealed, sizeof(sealed), true, &x, &ctx, &f), 0);
    assert_int_equal(f.needs, FRAME_CELL(0, 1));
    assert_int_equal(frame_parse(FRAME_CODEC_AV1, sealed, sizeof(sealed), true, NULL, &ctx, &f),
                     -EBADMSG);
    /* The second target is not sent any more; that stays so. */
    x.dd_len = (uint8_t)bits(b, sizeof(b), "1 1 000000 0000000000001001 0 1 0 0 0 01");
    assert_int_equal(frame_parse(FRAME_CODEC_AV1, sealed, sizeof(sealed), true, &x, &ctx, &f), 0);
    x.dd_len = (uint8_t)bits(b, sizeof(b), "1 1 000000 0000000000001010");
    assert_int_equal(frame_parse(FRAME_CODEC_AV1, sealed, sizeof(sealed), true, &x, &ctx, &f), 0);
    assert_int_equal(f.active, FRAME_CELL(0, 0));
    /* Without it the payload speaks. */
    assert_int_equal(frame_parse(FRAME_CODEC_H264, inter, sizeof(inter), true, NULL, &ctx, &f), 0);
    assert_true(!f.keyframe && f.start && f.end && !f.has_temporal);
    assert_int_equal(frame_parse(FRAME_CODEC_VP8, inter, 0, true, NULL, &ctx, &f), -EBADMSG);
    assert_true(f.end && !f.start);
    assert_int_equal(frame_parse(FRAME_CODEC_OTHER, inter, 0, false, NULL, &ctx, &f), 0);
    assert_true(f.keyframe && f.start);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_structure_and_frames),
        cmocka_unit_test(refuses_what_it_cannot_read),
        cmocka_unit_test(sixty_four_templates_are_enough),
        cmocka_unit_test(the_frame_takes_the_descriptors_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
