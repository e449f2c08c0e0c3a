/* The payload descriptors of the codecs, each as the figure of its specification has it. */
#include "lib/rand.h"
#include "tests/unit/check.h"
#include "tests/unit/worker/wire/bits.h"
#include "worker/wire/av1.h"
#include "worker/wire/frame.h"
#include "worker/wire/h26x.h"
#include "worker/wire/opus.h"
#include "worker/wire/vp8.h"
#include "worker/wire/vp9.h"

#include <errno.h>

static void reads_vp8(void **state)
{
    (void)state;
    static const struct {
        const char *what, *bits;
        int err;
        struct vp8 d;
    } rows[] = {
        {"no extension, key frame",
         "00010000 00000000",
         0,
         {.len = 1, .partition_start = true, .start = true, .keyframe = true}},
        {"no extension, inter frame",
         "00010000 00000001",
         0,
         {.len = 1, .partition_start = true, .start = true}},
        {"second partition",
         "00010001 00000000",
         0,
         {.len = 1, .partition_start = true, .partition = 1}},
        {"rest of a frame", "00100000 00000000", 0, {.len = 1, .non_reference = true}},
        {"7 bit id",
         "10010000 10000000 01010101 00000001",
         0,
         {.len = 3,
          .partition_start = true,
          .start = true,
          .has_picture_id = true,
          .picture_id = 85}},
        {"15 bit id, all",
         "10010000 11110000 1 0000001 00000010 00000111 10 1 00011 00000001",
         0,
         {.len = 6,
          .partition_start = true,
          .start = true,
          .has_picture_id = true,
          .wide_picture_id = true,
          .picture_id = 258,
          .has_tl0picidx = true,
          .tl0picidx = 7,
          .has_tid = true,
          .tid = 2,
          .sync = true,
          .has_keyidx = true,
          .keyidx = 3}},
        {"keyidx alone",
         "10000000 00010000 11 1 00011 00000001",
         0,
         {.len = 3, .has_keyidx = true, .keyidx = 3}},
        {"empty", "", -EBADMSG, {0}},
        {"nothing behind it", "00010000", -EBADMSG, {0}},
        {"cut in the extension", "10010000", -EBADMSG, {0}},
        {"cut in the id", "10010000 10000000 10000001", -EBADMSG, {0}},
        {"nothing behind the id", "10010000 10000000 00000001", -EBADMSG, {0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t b[16];
        size_t n = bits(b, sizeof(b), rows[i].bits);
        struct vp8 d;
        int err = vp8_parse(b, n, &d);
        const struct vp8 *e = &rows[i].d;
        if (err != rows[i].err)
            fail_msg("%s", rows[i].what);
        if (err)
            continue;
        if (d.len != e->len || d.start != e->start || d.keyframe != e->keyframe ||
            d.partition != e->partition || d.non_reference != e->non_reference ||
            d.has_picture_id != e->has_picture_id || d.picture_id != e->picture_id ||
            d.wide_picture_id != e->wide_picture_id || d.tl0picidx != e->tl0picidx ||
            d.tid != e->tid || d.sync != e->sync || d.keyidx != e->keyidx)
            fail_msg("%s", rows[i].what);
    }
}

static void rewrites_vp8(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t b[8], out[VP8_DESCRIPTOR_MAX + 1] = {0};
        rand_bytes(b, sizeof(b));
        struct vp8 d, e;
        assert_int_equal(vp8_parse(b, sizeof(b), &d), 0);
        uint16_t id = rand_u32() & 0x7fff;
        size_t n = vp8_compose(out, &d, id, (uint8_t)i);
        assert_true(n <= VP8_DESCRIPTOR_MAX && n + 1 >= d.len);
        out[n] = b[d.len];
        assert_int_equal(vp8_parse(out, n + 1, &e), 0);
        assert_int_equal(e.len, n);
        assert_int_equal(e.picture_id, d.has_picture_id ? id : 0);
        assert_int_equal(e.wide_picture_id, d.has_picture_id);
        assert_int_equal(e.tl0picidx, d.has_tl0picidx ? (uint8_t)i : 0);
        assert_int_equal(e.tid, d.tid);
        assert_int_equal(e.sync, d.sync);
        assert_int_equal(e.keyidx, d.keyidx);
        assert_int_equal(e.start, d.start);
        assert_int_equal(e.keyframe, d.keyframe);
        assert_int_equal(e.non_reference, d.non_reference);
        assert_int_equal(e.partition, d.partition);
    }
}

static void reads_vp9(void **state)
{
    (void)state;
    static const struct {
        const char *what, *bits;
        int err;
        struct vp9 d;
    } rows[] = {
        /*              IPLFBEVZ */
        {"key frame",
         "10001000 1 0000001 00000011 1",
         0,
         {.len = 3, .has_picture_id = true, .picture_id = 259, .start = true, .keyframe = true}},
        {"layers, not flexible",
         "11101101 00000101 010 1 001 1 00001001 1",
         0,
         {.len = 4,
          .has_picture_id = true,
          .picture_id = 5,
          .inter = true,
          .start = true,
          .end = true,
          .not_referenced = true,
          .has_layers = true,
          .tid = 2,
          .sid = 1,
          .switching_up = true,
          .inter_layer = true,
          .has_tl0picidx = true,
          .tl0picidx = 9}},
        {"upper layer of a key picture",
         "00101000 000 0 001 1 00000001 1",
         0,
         {.len = 3,
          .start = true,
          .has_layers = true,
          .sid = 1,
          .inter_layer = true,
          .has_tl0picidx = true,
          .tl0picidx = 1}},
        {"flexible, two references",
         "01111000 001 0 000 0 0000001 1 0000010 0 1",
         0,
         {.len = 4, .inter = true, .flexible = true, .start = true, .has_layers = true, .tid = 1}},
        {"four references", "01011000 00000011 00000011 00000011 00000010 1", -EBADMSG, {0}},
        {"structure",
         "00001010 001 1 1 000 0000000100000010 0000000100000010 0000001000000100 0000001000000100 "
         "00000001 000 0 01 00 00000001 1",
         0,
         {.len = 13, .start = true, .keyframe = true, .n_spatial = 2}},
        {"structure cut", "00001010 111 1 0 000 00000001", -EBADMSG, {0}},
        {"255 pictures cut", "00001010 000 0 1 000 11111111 00000000 00000000", -EBADMSG, {0}},
        {"empty", "", -EBADMSG, {0}},
        {"nothing behind it", "00001000", -EBADMSG, {0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t b[64];
        size_t n = bits(b, sizeof(b), rows[i].bits);
        struct vp9 d = {0};
        int err = vp9_parse(b, n, &d);
        const struct vp9 *e = &rows[i].d;
        if (err != rows[i].err)
            fail_msg("%s", rows[i].what);
        if (!err && (d.len != e->len || d.picture_id != e->picture_id ||
                     d.tl0picidx != e->tl0picidx || d.tid != e->tid || d.sid != e->sid ||
                     d.n_spatial != e->n_spatial || d.inter != e->inter || d.start != e->start ||
                     d.end != e->end || d.keyframe != e->keyframe ||
                     d.switching_up != e->switching_up || d.has_layers != e->has_layers))
            fail_msg("%s: len %u", rows[i].what, d.len);
    }
}

static void vp9_numbers_are_replaced(void **state)
{
    (void)state;
    /* I P L F0 B E: a 7-bit id, layers, TL0PICIDX */
    const uint8_t in[] = {0xec, 0x11, 0x20, 0x07, 0xaa, 0xbb};
    uint8_t out[VP9_HEAD_MAX];
    struct vp9 d;
    assert_int_equal(vp9_parse(in, sizeof(in), &d), 0);
    assert_int_equal(d.head_len, 4);
    assert_int_equal(vp9_compose(out, in, &d, 0x1234, 0x56), 5);
    const uint8_t want[] = {0xec, 0x92, 0x34, 0x20, 0x56};
    assert_memory_equal(out, want, sizeof(want));
    /* Flexible: no TL0PICIDX; references and structure stay. */
    const uint8_t flexible[] = {0xfc, 0x80, 0x11, 0x20, 0x02, 0xaa};
    assert_int_equal(vp9_parse(flexible, sizeof(flexible), &d), 0);
    assert_int_equal(d.head_len, 4);
    assert_int_equal(vp9_compose(out, flexible, &d, 0x12, 0), 4);
    assert_int_equal(out[2], 0x12);
    assert_int_equal(out[3], 0x20);
}

/* K-SVC: a frame that the layers above do not refer to is needed by its own alone. */
static void vp9_tells_who_needs_a_frame(void **state)
{
    (void)state;
    struct frame_ctx ctx = {0};
    struct frame_info f;
    /* L B E V, tid 0 sid 0, TL0PICIDX, three layers without sizes or pictures */
    const uint8_t key[] = {0x2e, 0x00, 0x01, 0x40, 0xaa};
    assert_int_equal(frame_parse(FRAME_CODEC_VP9, key, sizeof(key), false, NULL, &ctx, &f), 0);
    assert_true(f.keyframe);
    assert_true(f.needs & FRAME_CELL(0, 0) && f.needs & FRAME_CELL(2, 3));
    /* P L B E Z, tid 1 sid 1 */
    const uint8_t delta[] = {0x6d, 0x22, 0x01, 0xaa};
    assert_int_equal(frame_parse(FRAME_CODEC_VP9, delta, sizeof(delta), false, NULL, &ctx, &f), 0);
    assert_false(f.needs & (FRAME_CELL(0, 7) | FRAME_CELL(1, 0) | FRAME_CELL(2, 1)));
    assert_true(f.needs & FRAME_CELL(1, 1));
    assert_true(f.known & FRAME_CELL(2, 0));
    assert_false(f.known & FRAME_CELL(3, 0));
}

static void finds_key_frames_of_h264(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int err;
        bool key, start;
        size_t len;
        uint8_t b[16];
    } rows[] = {
        {"SPS", 0, true, true, 3, {0x67, 0x42, 0xe0}},
        {"PPS", 0, false, true, 2, {0x68, 0xce}},
        {"IDR, first slice", 0, true, true, 2, {0x65, 0x88}},
        {"IDR, another slice", 0, false, true, 2, {0x65, 0x48}},
        {"inter", 0, false, true, 2, {0x41, 0x9a}},
        {"STAP-A of SPS, PPS", 0, true, true, 9, {0x78, 0, 2, 0x67, 0x42, 0, 2, 0x68, 0xce}},
        {"STAP-A of PPS", 0, false, true, 5, {0x78, 0, 2, 0x68, 0xce}},
        {"STAP-A cut", -EBADMSG, false, true, 5, {0x78, 0, 9, 0x68, 0xce}},
        {"STAP-A of nothing", -EBADMSG, false, true, 1, {0x78}},
        {"STAP-A with an empty unit", -EBADMSG, false, true, 3, {0x78, 0, 0}},
        {"FU-A start of IDR", 0, true, true, 3, {0x7c, 0x85, 0x88}},
        {"FU-A start of IDR, another slice", 0, false, true, 3, {0x7c, 0x85, 0x08}},
        {"FU-A middle of IDR", 0, false, false, 3, {0x7c, 0x05, 0x88}},
        {"FU-A start of inter", 0, false, true, 3, {0x7c, 0x81, 0x88}},
        {"FU-A cut", -EBADMSG, false, true, 1, {0x7c}},
        {"empty", -EBADMSG, false, true, 0, {0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct h26x h;
        int err = h264_parse(rows[i].b, rows[i].len, &h);
        if (err != rows[i].err || (!err && (h.keyframe != rows[i].key || h.start != rows[i].start)))
            fail_msg("%s", rows[i].what);
    }
}

static void finds_key_frames_of_h265(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int err;
        bool key, start;
        uint8_t tid;
        size_t len;
        uint8_t b[16];
    } rows[] = {
        {"VPS", 0, true, true, 0, 3, {32 << 1, 1, 0}},
        {"SPS", 0, true, true, 0, 3, {33 << 1, 1, 0}},
        {"PPS", 0, false, true, 0, 3, {34 << 1, 1, 0}},
        {"IDR", 0, true, true, 0, 3, {19 << 1, 1, 0x80}},
        {"CRA, another slice", 0, false, true, 0, 3, {21 << 1, 1, 0x40}},
        {"CRA", 0, true, true, 0, 3, {21 << 1, 1, 0x80}},
        {"BLA", 0, true, true, 0, 3, {16 << 1, 1, 0x80}},
        {"reserved IRAP", 0, true, true, 0, 3, {23 << 1, 1, 0x80}},
        {"reserved, no IRAP", 0, false, true, 0, 3, {24 << 1, 1, 0x80}},
        {"leading picture", 0, false, true, 0, 3, {9 << 1, 1, 0x80}},
        {"SEI", 0, false, true, 0, 3, {39 << 1, 1, 0x80}},
        {"inter in layer 2", 0, false, true, 2, 3, {1 << 1, 3, 0x80}},
        {"aggregate", 0, true, true, 0, 8, {48 << 1, 1, 0, 4, 33 << 1, 1, 0, 0}},
        {"aggregate, PPS to IDR",
         0,
         true,
         true,
         0,
         15,
         {48 << 1, 1, 0, 2, 34 << 1, 1, 0, 2, 39 << 1, 1, 0, 3, 19 << 1, 1, 0x80}},
        {"aggregate of inter slices",
         0,
         false,
         true,
         0,
         12,
         {48 << 1, 1, 0, 3, 1 << 1, 1, 0x80, 0, 3, 1 << 1, 1, 0x40}},
        {"aggregate of nothing", -EBADMSG, false, true, 0, 2, {48 << 1, 1}},
        {"aggregate, empty unit", -EBADMSG, false, true, 0, 4, {48 << 1, 1, 0, 0}},
        {"aggregate cut", -EBADMSG, false, true, 0, 5, {48 << 1, 1, 0, 4, 33 << 1}},
        {"fragment start", 0, true, true, 0, 4, {49 << 1, 1, 0x80 | 19, 0x80}},
        {"fragment middle", 0, false, false, 0, 4, {49 << 1, 1, 19, 0x80}},
        {"fragment end", 0, false, false, 0, 4, {49 << 1, 1, 0x40 | 19, 0x80}},
        {"fragment start, VPS", 0, true, true, 0, 4, {49 << 1, 1, 0x80 | 32, 0}},
        {"fragment start, inter in layer 1", 0, false, true, 1, 4, {49 << 1, 2, 0x80 | 1, 0x80}},
        {"fragment cut", -EBADMSG, false, true, 0, 2, {49 << 1, 1}},
        {"layer id 0", -EBADMSG, false, true, 0, 3, {32 << 1, 0, 0}},
        {"one byte", -EBADMSG, false, true, 0, 1, {64}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct h26x h;
        int err = h265_parse(rows[i].b, rows[i].len, &h);
        if (err != rows[i].err || (!err && (h.keyframe != rows[i].key || h.start != rows[i].start ||
                                            h.tid != rows[i].tid)))
            fail_msg("%s", rows[i].what);
    }
}

static void finds_key_frames_of_av1(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        int err;
        bool key;
        uint8_t tid, sid, n;
        size_t len;
        uint8_t b[16];
    } rows[] = {
        /* aggregation header: Z Y WW N; OBU header: type << 3, extension 0x04 */
        {"new sequence, W 1", 0, true, 0, 0, 1, 3, {0x18, 0x08, 0xaa}},
        {"sequence header without N", 0, true, 0, 0, 2, 6, {0x20, 0x02, 0x08, 0xaa, 0x30, 0xbb}},
        {"frame only", 0, false, 0, 0, 1, 3, {0x10, 0x30, 0xbb}},
        {"layers", 0, false, 2, 1, 1, 4, {0x10, 0x34, 2 << 5 | 1 << 3, 0xbb}},
        {"rest of an OBU like a sequence header", 0, false, 0, 0, 0, 3, {0x90, 0x08, 0xbb}},
        {"W 0: all with lengths", 0, true, 0, 0, 2, 6, {0x00, 0x01, 0x30, 0x02, 0x08, 0xaa}},
        {"length past the end", -EBADMSG, false, 0, 0, 0, 3, {0x00, 0x05, 0x30}},
        {"length of nine bytes",
         -EBADMSG,
         false,
         0,
         0,
         0,
         12,
         {0x00, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1}},
        {"continues and new", -EBADMSG, false, 0, 0, 0, 3, {0x98, 0x08, 0xaa}},
        {"nothing behind it", -EBADMSG, false, 0, 0, 0, 1, {0x18}},
        {"empty", -EBADMSG, false, 0, 0, 0, 0, {0}},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct av1 a;
        int err = av1_parse(rows[i].b, rows[i].len, &a);
        if (err != rows[i].err || (!err && (a.keyframe != rows[i].key || a.tid != rows[i].tid ||
                                            a.sid != rows[i].sid || a.n_elements != rows[i].n)))
            fail_msg("%s", rows[i].what);
    }
}

static void tells_silence_of_opus(void **state)
{
    (void)state;
    const uint8_t b[] = {0xf8, 0xff, 0xfe};
    assert_false(opus_is_dtx(b, 0));
    assert_true(opus_is_dtx(b, 1));
    assert_true(opus_is_dtx(b, 2));
    assert_false(opus_is_dtx(b, 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_vp8),
        cmocka_unit_test(rewrites_vp8),
        cmocka_unit_test(reads_vp9),
        cmocka_unit_test(finds_key_frames_of_h264),
        cmocka_unit_test(finds_key_frames_of_h265),
        cmocka_unit_test(finds_key_frames_of_av1),
        cmocka_unit_test(vp9_numbers_are_replaced),
        cmocka_unit_test(vp9_tells_who_needs_a_frame),
        cmocka_unit_test(tells_silence_of_opus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
