#include "lib/rand.h"
#include "tests/unit/check.h"
#include "worker/wire/rtp.h"

#include <errno.h>
#include <string.h>

#define HEAD 0x80, 0x60, 0x12, 0x34, 0, 0, 0, 100, 0xde, 0xad, 0xbe, 0xef

static void parses_a_plain_packet(void **state)
{
    (void)state;
    const uint8_t p[] = {0x80, 0xe0, 0x12, 0x34, 0, 0, 0, 100, 0xde, 0xad, 0xbe, 0xef, 1, 2, 3};
    struct rtp h;
    assert_int_equal(rtp_parse(p, sizeof(p), &h), 0);
    assert_true(h.marker);
    assert_int_equal(h.pt, 0x60);
    assert_int_equal(h.seq, 0x1234);
    assert_int_equal(h.ts, 100);
    assert_int_equal(h.ssrc, 0xdeadbeef);
    assert_int_equal(h.payload_off, 12);
    assert_int_equal(h.payload_len, 3);
    assert_int_equal(h.pad_len, 0);
}

static void finds_payload_behind_csrcs_extension_and_padding(void **state)
{
    (void)state;
    const uint8_t p[] = {0xb2, 0x60, 0, 1,    0,    0, 0, 1,    0,    0, 0, 2,    9,    9, 9, 9, 8,
                         8,    8,    8, 0xbe, 0xde, 0, 1, 0x10, 0x61, 0, 0, 0xaa, 0xbb, 0, 0, 3};
    struct rtp h;
    assert_int_equal(rtp_parse(p, sizeof(p), &h), 0);
    assert_int_equal(h.ext_off, 24);
    assert_int_equal(h.ext_len, 4);
    assert_int_equal(h.ext_profile, 0xbede);
    assert_int_equal(h.payload_off, 28);
    assert_int_equal(h.payload_len, 2);
    assert_int_equal(h.pad_len, 3);
}

struct row {
    const char *what;
    size_t len;
    uint8_t bytes[32];
};

static void finds_the_payload_of_an_encrypted_packet(void **state)
{
    (void)state;
    static const struct {
        size_t wanted;
        struct row row;
    } rows[] = {
        {0, {"empty", 0, {0}}},
        {0, {"eleven bytes", 11, {HEAD}}},
        {0, {"version 1", 12, {0x40, 0x60, 0, 1}}},
        {12, {"no payload", 12, {0x80, 0x60, 0, 1}}},
        {12, {"padding that looks like none", 13, {0xa0, 0x60, 0, 1}}},
        {20, {"two CSRCs", 21, {0x82, 0x60, 0, 1}}},
        {0, {"15 CSRCs, two there", 20, {0x8f, 0x60, 0, 1}}},
        {0, {"extension head cut", 14, {0x90, 0x60, 0, 1}}},
        {20, {"extension", 21, {0x90, 0x60, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xbe, 0xde, 0, 1}}},
        {0, {"past the end", 19, {0x90, 0x60, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xbe, 0xde, 0, 1}}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rtp_header_len(rows[i].row.bytes, rows[i].row.len) != rows[i].wanted)
            fail_msg("%s", rows[i].row.what);
}

static void refuses_malformed_packets(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"empty", 0, {0}},
        {"eleven bytes", 11, {HEAD}},
        {"version 1", 12, {0x40, 0x60, 0, 1}},
        {"15 CSRCs, two there", 20, {0x8f, 0x60, 0, 1}},
        {"padding without a payload", 12, {0xa0, 0x60, 0, 1}},
        {"padding of 0", 13, {0xa0, 0x60, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
        {"padding over the payload", 14, {0xa0, 0x60, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3}},
        {"padding of 255", 14, {0xa0, 0x60, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 255}},
        {"extension head cut", 14, {0x90, 0x60, 0, 1}},
        {"extension past the end",
         20,
         {0x90, 0x60, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xbe, 0xde, 0, 2}},
        {"longest extension",
         20,
         {0x90, 0x60, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xbe, 0xde, 0xff, 0xff}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rtp h;
        if (rtp_parse(rows[i].bytes, rows[i].len, &h) != -EBADMSG)
            fail_msg("taken: %s", rows[i].what);
    }
}

static void names_extensions_once(void **state)
{
    (void)state;
    struct rtp_ext_map m;
    rtp_ext_map_init(&m);
    assert_int_equal(rtp_ext_map_set(&m, RTP_EXT_MID, 1), 0);
    assert_int_equal(rtp_ext_map_set(&m, RTP_EXT_MID, 2), -EEXIST);
    assert_int_equal(rtp_ext_map_set(&m, RTP_EXT_RID, 1), -EEXIST);
    assert_int_equal(rtp_ext_map_set(&m, RTP_EXT_RID, 0), -EINVAL);
    assert_int_equal(rtp_ext_map_set(&m, RTP_EXT_RID, 256), -EINVAL);
    assert_int_equal(rtp_ext_map_set(&m, RTP_EXT_COUNT, 3), -EINVAL);
}

static void name_all(struct rtp_ext_map *m, uint32_t first)
{
    rtp_ext_map_init(m);
    for (enum rtp_ext_type t = RTP_EXT_MID; t < RTP_EXT_COUNT; t++)
        assert_int_equal(rtp_ext_map_set(m, t, first + t), 0);
}

/* A header of 16 bytes, then the block. */
static struct rtp of_block(uint16_t profile, size_t len)
{
    return (struct rtp){.ext_profile = profile, .ext_off = 0, .ext_len = (uint16_t)len};
}

static void reads_the_one_byte_form(void **state)
{
    (void)state;
    struct rtp_ext_map m;
    name_all(&m, 0);
    const uint8_t b[] = {0x11, 'a',  'b',  0,    0x42, 1,    2,    3,    0x51, 0xff, 0xfe, 0x60,
                         0x85, 0x92, 0xff, 0xff, 0xff, 0xb2, 0x01, 0x20, 0x34, 0,    0,    0};
    struct rtp h = of_block(0xbede, sizeof(b));
    struct rtp_exts x;
    assert_int_equal(rtp_ext_parse(b, &h, &m, &x), 0);
    assert_int_equal(x.mid_len, 2);
    assert_memory_equal(x.mid, "ab", 2);
    assert_int_equal(x.abs_send_time, 0x010203);
    assert_int_equal(x.twcc, 0xfffe);
    assert_true(x.vad);
    assert_int_equal(x.audio_level, 5);
    assert_int_equal(x.toffset, -1);
    assert_int_equal(x.playout_min, 0x012);
    assert_int_equal(x.playout_max, 0x034);
    assert_false(x.present & RTP_EXT_BIT(RTP_EXT_RID));
}

static void reads_the_two_byte_form(void **state)
{
    (void)state;
    struct rtp_ext_map m;
    name_all(&m, 20);
    const uint8_t b[] = {21, 0,    22,   1,    'h',  0,    30,   16,   0,    0,  0, 1, 0,  0, 0,
                         2,  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe, 15, 1, 7, 28, 1, 0x0b};
    struct rtp h = of_block(0x1003, sizeof(b));
    struct rtp_exts x;
    assert_int_equal(rtp_ext_parse(b, &h, &m, &x), 0);
    assert_int_equal(x.present, RTP_EXT_BIT(RTP_EXT_RID) | RTP_EXT_BIT(RTP_EXT_ABS_CAPTURE_TIME) |
                                    RTP_EXT_BIT(RTP_EXT_VIDEO_ORIENTATION));
    assert_true(x.capture_ntp == 0x0000000100000002ull);
    assert_true(x.has_capture_offset);
    assert_true(x.capture_offset == -2);
    assert_int_equal(x.orientation, 0x0b);
}

static void passes_over_what_it_cannot_use(void **state)
{
    (void)state;
    struct rtp_ext_map m;
    rtp_ext_map_init(&m);
    assert_int_equal(rtp_ext_map_set(&m, RTP_EXT_AUDIO_LEVEL, 1), 0);
    static const struct {
        const char *what;
        int err;
        uint32_t present;
        uint16_t profile;
        size_t len;
        uint8_t b[8];
    } rows[] = {
        {"id 15 ends", 0, 0, 0xbede, 8, {0xf0, 0, 0x10, 5}},
        {"id 0 with length", 0, 1 << RTP_EXT_AUDIO_LEVEL, 0xbede, 4, {0x01, 9, 9, 0x00}},
        {"unknown id", 0, 0, 0xbede, 4, {0x72, 1, 2, 3}},
        {"wrong length", 0, 0, 0xbede, 4, {0x11, 1, 2, 0}},
        {"past the end", -EBADMSG, 0, 0xbede, 4, {0x13, 1, 2, 3}},
        {"two bytes, past the end", -EBADMSG, 0, 0x1000, 4, {1, 3, 2, 3}},
        {"two bytes, no length", -EBADMSG, 0, 0x1000, 4, {9, 1, 2, 1}},
        {"other profile", 0, 0, 0x2000, 4, {0x10, 5, 0, 0}},
        {"first of two", 0, 1 << RTP_EXT_AUDIO_LEVEL, 0xbede, 4, {0x10, 5, 0x10, 6}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct rtp h = of_block(rows[i].profile, rows[i].len);
        struct rtp_exts x;
        uint8_t b[8];
        memcpy(b, rows[i].b, sizeof(b));
        if (i == 1) {
            h.ext_len = 8;
            b[3] = 0x10;
            b[4] = 4;
        }
        if (rtp_ext_parse(b, &h, &m, &x) != rows[i].err || x.present != rows[i].present)
            fail_msg("%s: present %x", rows[i].what, x.present);
        if (i == ARRAY_LEN(rows) - 1)
            assert_int_equal(x.audio_level, 5);
    }
}

static void random_exts(struct rtp_exts *x, const uint8_t *text)
{
    memset(x, 0, sizeof(*x));
    x->present = rand_u32() & ((1u << RTP_EXT_COUNT) - 2);
    x->abs_send_time = rand_u32() & 0xffffff;
    x->mid = x->rid = x->rrid = x->dd = text;
    x->mid_len = (uint8_t)(rand_u32() % 18 + 1);
    x->rid_len = (uint8_t)(rand_u32() % 8 + 1);
    x->rrid_len = (uint8_t)(rand_u32() % 8 + 1);
    x->dd_len = (uint8_t)(rand_u32() % 32 + 1);
    x->has_capture_offset = rand_u32() & 1;
    x->capture_ntp = rand_u32();
    x->capture_offset = x->has_capture_offset ? (int32_t)rand_u32() : 0;
    x->toffset = (int32_t)(rand_u32() & 0xffffff) - 0x800000;
    x->twcc = (uint16_t)rand_u32();
    x->playout_min = rand_u32() & 0xfff;
    x->playout_max = rand_u32() & 0xfff;
    x->audio_level = rand_u32() & 0x7f;
    x->vad = rand_u32() & 1;
    x->orientation = (uint8_t)rand_u32();
}

static void assert_same(const struct rtp_exts *a, const struct rtp_exts *b)
{
    assert_int_equal(a->present, b->present);
    for (enum rtp_ext_type t = RTP_EXT_MID; t < RTP_EXT_COUNT; t++) {
        if (!(a->present & RTP_EXT_BIT(t)))
            continue;
        assert_true(t != RTP_EXT_MID ||
                    (a->mid_len == b->mid_len && !memcmp(a->mid, b->mid, a->mid_len)));
        assert_true(t != RTP_EXT_RID ||
                    (a->rid_len == b->rid_len && !memcmp(a->rid, b->rid, a->rid_len)));
        assert_true(t != RTP_EXT_DEPENDENCY_DESCRIPTOR ||
                    (a->dd_len == b->dd_len && !memcmp(a->dd, b->dd, a->dd_len)));
        assert_true(t != RTP_EXT_ABS_SEND_TIME || a->abs_send_time == b->abs_send_time);
        assert_true(t != RTP_EXT_TRANSPORT_CC || a->twcc == b->twcc);
        assert_true(t != RTP_EXT_AUDIO_LEVEL ||
                    (a->audio_level == b->audio_level && a->vad == b->vad));
        assert_true(t != RTP_EXT_VIDEO_ORIENTATION || a->orientation == b->orientation);
        assert_true(t != RTP_EXT_TOFFSET || a->toffset == b->toffset);
        assert_true(t != RTP_EXT_ABS_CAPTURE_TIME ||
                    (a->capture_ntp == b->capture_ntp && a->capture_offset == b->capture_offset));
        assert_true(t != RTP_EXT_PLAYOUT_DELAY ||
                    (a->playout_min == b->playout_min && a->playout_max == b->playout_max));
    }
}

static void composes_what_it_parses(void **state)
{
    (void)state;
    uint8_t text[64];
    rand_bytes(text, sizeof(text));
    for (int i = 0; i < 5000; i++) {
        struct rtp_ext_map m;
        name_all(&m, i & 1 ? 0 : rand_u32() % 240);
        struct rtp_exts x, y;
        random_exts(&x, text);
        struct rtp h = {.ts = rand_u32(),
                        .ssrc = rand_u32(),
                        .seq = (uint16_t)rand_u32(),
                        .pt = rand_u32() & 0x7f,
                        .marker = rand_u32() & 1};
        struct rtp g;
        uint8_t out[256];
        size_t n = rtp_compose(out, sizeof(out), &h, &x, &m);
        assert_true(n >= RTP_HEADER_LEN);
        assert_int_equal(rtp_parse(out, n, &g), 0);
        assert_int_equal(g.ts, h.ts);
        assert_int_equal(g.ssrc, h.ssrc);
        assert_int_equal(g.seq, h.seq);
        assert_int_equal(g.pt, h.pt);
        assert_int_equal(g.marker, h.marker);
        assert_int_equal(g.payload_len, 0);
        assert_int_equal(rtp_ext_parse(out, &g, &m, &y), 0);
        assert_same(&x, &y);
        /* Every shorter room is refused. */
        for (size_t cap = 0; cap < n; cap += 7)
            assert_int_equal(rtp_compose(out, cap, &h, &x, &m), 0);
    }
}

static void uses_the_one_byte_form_where_it_can(void **state)
{
    (void)state;
    struct rtp_ext_map m;
    rtp_ext_map_init(&m);
    assert_int_equal(rtp_ext_map_set(&m, RTP_EXT_MID, 14), 0);
    struct rtp_exts x = {.present = RTP_EXT_BIT(RTP_EXT_MID) | RTP_EXT_BIT(RTP_EXT_TRANSPORT_CC),
                         .mid = (const uint8_t *)"0123456789abcdefg",
                         .mid_len = 16};
    struct rtp h = {.pad_len = 4};
    uint8_t out[64];
    /* transport-cc has no id: left out. */
    assert_int_equal(rtp_compose(out, sizeof(out), &h, &x, &m), 12 + 4 + 20);
    assert_int_equal(out[0], 0xb0);
    assert_int_equal(out[12], 0xbe);
    assert_int_equal(out[16], 0xef);
    x.mid_len = 17;
    assert_int_equal(rtp_compose(out, sizeof(out), &h, &x, &m), 12 + 4 + 20);
    assert_int_equal(out[12], 0x10);
    assert_int_equal(out[16], 14);
    assert_int_equal(out[17], 17);
    assert_int_equal(rtp_compose(out, sizeof(out), &h, NULL, NULL), 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_a_plain_packet),
        cmocka_unit_test(finds_payload_behind_csrcs_extension_and_padding),
        cmocka_unit_test(finds_the_payload_of_an_encrypted_packet),
        cmocka_unit_test(refuses_malformed_packets),
        cmocka_unit_test(names_extensions_once),
        cmocka_unit_test(reads_the_one_byte_form),
        cmocka_unit_test(reads_the_two_byte_form),
        cmocka_unit_test(passes_over_what_it_cannot_use),
        cmocka_unit_test(composes_what_it_parses),
        cmocka_unit_test(uses_the_one_byte_form_where_it_can),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
