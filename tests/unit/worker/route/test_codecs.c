/* Codecs beside Opus and VP8: several payload types in one stream, redundant audio, H.265. */
#include "lib/clock.h"
#include "tests/unit/worker/route/world.h"
#include "worker/route/consumer.h"
#include "worker/route/producer.h"

#include <string.h>

enum { RED = 63, TONES = 126, NOISE = 13 };

static struct params_codec audio_codec(enum frame_codec type, uint8_t from, uint8_t to)
{
    return (struct params_codec){.type = type,
                                 .payload_type = to,
                                 .producer_payload_type = from,
                                 .clock_rate = 48000,
                                 .nack = type == FRAME_CODEC_OPUS || type == FRAME_CODEC_RED,
                                 .subtype = "audio"};
}

/* Browser a sends all of these; b takes those that are not 0, under these payload types. */
struct talk {
    struct world w;
    struct browser *a, *b;
    uint32_t seq;
};

static void talk_open(struct talk *t, uint8_t red, uint8_t opus, uint8_t tones, uint8_t noise)
{
    static const enum frame_codec types[] = {FRAME_CODEC_OTHER, FRAME_CODEC_RED, FRAME_CODEC_OPUS,
                                             FRAME_CODEC_OTHER};
    const uint8_t from[] = {TONES, RED, PT_OPUS, NOISE}, to[] = {tones, red, opus, noise};
    t->seq = 100;
    world_open(&t->w);
    t->a = world_join(&t->w, 10);
    t->b = world_join(&t->w, 20);
    struct params_producer p = audio_producer(t->a, 2);
    struct params_consumer c = consumer_of(t->b, 3, &p);
    p.media.n_codecs = c.media.n_codecs = 0;
    for (size_t i = 0; i < 4; i++) {
        p.media.codecs[p.media.n_codecs++] = audio_codec(types[i], from[i], from[i]);
        if (to[i])
            c.media.codecs[c.media.n_codecs++] = audio_codec(types[i], from[i], to[i]);
    }
    assert_int_equal(producer_create(t->w.engine, &p, t->w.now_us), 0);
    assert_int_equal(consumer_create(t->w.engine, &c, t->w.now_us), 0);
}

static void say(struct talk *t, uint8_t pt, const void *payload, size_t len)
{
    struct send_rtp r = {.ssrc = 2000,
                         .ts = 960 * t->seq,
                         .seq = t->seq,
                         .pt = pt,
                         .twcc = -1,
                         .payload = payload,
                         .len = len};
    t->seq++;
    browser_rtp(t->a, &r);
    world_after(&t->w, 20000);
}

static const struct got_rtp *heard(struct talk *t, size_t i, uint8_t pt, const void *payload,
                                   size_t len)
{
    assert_true(i < t->b->n_rtp);
    const struct got_rtp *g = &t->b->rtp[i];
    assert_int_equal(g->h.pt, pt);
    assert_int_equal(g->h.seq, (uint16_t)(t->b->rtp[0].h.seq + i));
    assert_int_equal(g->h.payload_len, len);
    assert_memory_equal(g->data + g->h.payload_off, payload, len);
    return g;
}

static void several_payload_types_in_one_stream(void **state)
{
    (void)state;
    struct talk t;
    talk_open(&t, 0, 101, 102, 0);
    say(&t, PT_OPUS, "speech", 6);
    say(&t, TONES, "\x05\x0a\x03\xc0", 4);
    say(&t, NOISE, "n", 1); /* it has no codec for that */
    say(&t, PT_OPUS, "more", 4);
    assert_int_equal(t.b->n_rtp, 3);
    heard(&t, 0, 101, "speech", 6);
    heard(&t, 1, 102, "\x05\x0a\x03\xc0", 4);
    heard(&t, 2, 101, "more", 4);
    world_close(&t.w);
}

/* Lost ones are asked for although the first codec has no NACK. */
static void lost_sound_is_asked_for(void **state)
{
    (void)state;
    struct talk t;
    talk_open(&t, 0, 101, 0, 0);
    say(&t, PT_OPUS, "speech", 6);
    t.seq++;
    say(&t, PT_OPUS, "speech", 6);
    world_after(&t.w, 100000);
    assert_true(rtcp_count(t.a, RTCP_RTPFB, RTCP_RTPFB_NACK, NULL) > 0);
    world_close(&t.w);
}

static const uint8_t redundant[] = {
    0x80 | PT_OPUS, 0x0f, 0x00, 0x03, PT_OPUS, 'o', 'l', 'd', 'n', 'e', 'w'};

static void red_names_the_receivers_types(void **state)
{
    (void)state;
    const uint8_t want[] = {0x80 | 101, 0x0f, 0x00, 0x03, 101, 'o', 'l', 'd', 'n', 'e', 'w'};
    struct talk t;
    talk_open(&t, 100, 101, 0, 0);
    say(&t, RED, redundant, sizeof(redundant));
    say(&t, PT_OPUS, "plain", 5);
    const struct got_rtp *first = heard(&t, 0, 100, want, sizeof(want));
    heard(&t, 1, 101, "plain", 5);

    struct got_rtp lost = *first;
    browser_nack(t.b, 7003, lost.h.seq);
    assert_int_equal(t.b->n_rtp, 3);
    assert_true(t.b->rtp[2].replay);
    assert_int_equal(t.b->rtp[2].wire_len, lost.wire_len);
    assert_memory_equal(t.b->rtp[2].wire, lost.wire, lost.wire_len);
    world_close(&t.w);
}

static void without_red_the_newest_is_heard(void **state)
{
    (void)state;
    struct talk t;
    talk_open(&t, 0, 101, 0, 0);
    say(&t, RED, redundant, sizeof(redundant));
    say(&t, RED, redundant, sizeof(redundant));
    heard(&t, 0, 101, "new", 3);
    heard(&t, 1, 101, "new", 3);
    struct got_rtp lost = t.b->rtp[0];
    browser_nack(t.b, 7003, lost.h.seq);
    assert_int_equal(t.b->n_rtp, 3);
    assert_memory_equal(t.b->rtp[2].wire, lost.wire, lost.wire_len);
    world_close(&t.w);
}

/* A block of a codec that the receiver does not have, an unknown one, RED in RED, and no RED at all. */
static void what_red_hides_is_not_passed(void **state)
{
    (void)state;
    static const struct {
        uint8_t b[6];
        size_t len;
        bool newest; /* it is heard, alone */
    } rows[] = {
        {{0x80 | TONES, 0, 0, 0, PT_OPUS, 'x'}, 6, true},
        {{0x80 | 99, 0, 0, 0, PT_OPUS, 'x'}, 6, true},
        {{0x80 | RED, 0, 0, 0, PT_OPUS, 'x'}, 6, true},
        {{0x80 | PT_OPUS, 0, 0, 0, TONES, 'x'}, 6, false},
        {{RED, 'x'}, 2, false},
        {{0x80 | PT_OPUS, 0, 0}, 3, false},
        {{PT_OPUS}, 1, false},
    };
    struct talk t;
    talk_open(&t, 100, 101, 0, 0);
    say(&t, PT_OPUS, "a", 1);
    size_t n = 1;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        say(&t, RED, rows[i].b, rows[i].len);
        if (rows[i].newest)
            heard(&t, n++, 101, "x", 1);
        assert_int_equal(t.b->n_rtp, n);
    }
    say(&t, PT_OPUS, "b", 1);
    heard(&t, n, 101, "b", 1);
    world_close(&t.w);
}

static void h265_begins_with_a_key_frame(void **state)
{
    (void)state;
    struct world w;
    world_open(&w);
    struct browser *a = world_join(&w, 10), *b = world_join(&w, 20);
    struct params_producer p = video_producer(a, 2);
    struct params_consumer c = consumer_of(b, 3, &p);
    p.media.codecs[0].type = c.media.codecs[0].type = FRAME_CODEC_H265;
    assert_int_equal(producer_create(w.engine, &p, w.now_us), 0);
    assert_int_equal(consumer_create(w.engine, &c, w.now_us), 0);
    static const uint8_t frames[][4] = {{1 << 1, 1, 0x80, 0},          /* inter */
                                        {49 << 1, 1, 19, 0},           /* rest of an IDR */
                                        {49 << 1, 1, 0x80 | 19, 0x80}, /* its start */
                                        {1 << 1, 1, 0x80, 0}};
    for (uint32_t i = 0; i < ARRAY_LEN(frames); i++) {
        struct send_rtp r = {.ssrc = 2000,
                             .ts = 3000 * i,
                             .seq = 100 + i,
                             .pt = PT_VP8,
                             .marker = true,
                             .twcc = -1,
                             .payload = frames[i],
                             .len = sizeof(frames[i])};
        browser_rtp(a, &r);
        world_after(&w, 33000);
        assert_int_equal(b->n_rtp, i < 2 ? 0 : i - 1);
    }
    assert_true(rtcp_count(a, RTCP_PSFB, RTCP_PSFB_PLI, NULL) > 0);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_payload_types_in_one_stream),
        cmocka_unit_test(lost_sound_is_asked_for),
        cmocka_unit_test(red_names_the_receivers_types),
        cmocka_unit_test(without_red_the_newest_is_heard),
        cmocka_unit_test(what_red_hides_is_not_passed),
        cmocka_unit_test(h265_begins_with_a_key_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
