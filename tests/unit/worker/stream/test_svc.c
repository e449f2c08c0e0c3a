/* A model of an encoder that knows what each frame refers to, and of a decoder that has only what was forwarded. */
#include "lib/clock.h"
#include "lib/rand.h"
#include "tests/unit/check.h"
#include "worker/stream/pool.h"
#include "worker/stream/svc.h"

enum { PICTURES = 64 }; /* remembered */

enum mode { FULL, KEY, SIMULCAST };

struct model {
    enum mode mode;
    bool described; /* by the dependency descriptor, else as VP9 does */
    unsigned spatial, sent_spatial;
    int64_t picture, since_key; /* number of the next; pictures since the last key one */
    bool key;                   /* the next one is a key picture */
    int64_t seq;
    uint16_t number;
    uint16_t chain[FRAME_SPATIAL_MAX]; /* last number of each */
    bool chain_begun[FRAME_SPATIAL_MAX];
    bool forwarded[PICTURES][FRAME_SPATIAL_MAX];
    unsigned n_forwarded, n_keys;
    unsigned top_spatial, top_temporal; /* forwarded of late */
    struct svc svc;
};

static unsigned temporal_of(int64_t since_key)
{
    static const unsigned pattern[] = {0, 2, 1, 2};
    return pattern[since_key % 4];
}

static bool needs(const struct model *m, bool key, unsigned s, unsigned t, unsigned ts, unsigned tt)
{
    if (t > tt || s > ts)
        return false;
    return s == ts || m->mode == FULL || (m->mode == KEY && key);
}

static void describe(struct model *m, struct frame_info *f, bool key, unsigned s, unsigned t)
{
    for (unsigned ts = 0; ts < m->spatial; ts++) {
        for (unsigned tt = 0; tt < 3; tt++) {
            uint32_t cell = FRAME_CELL(ts, tt);
            f->known |= cell;
            f->active |= ts < m->sent_spatial ? cell : 0;
            if (!needs(m, key, s, t, ts, tt))
                continue;
            f->needs |= cell;
            if (m->described && (t == 0 || t < tt))
                f->switches |= cell;
        }
        f->chain[ts] =
            m->chain_begun[ts] && !(key && s == 0) ? (uint8_t)(f->number - m->chain[ts]) : 0;
        if (needs(m, key, s, t, ts, 0)) {
            m->chain[ts] = f->number;
            m->chain_begun[ts] = true;
        }
    }
    f->chained = m->described;
    f->sync_above = !m->described && t > 0;
}

static bool have(const struct model *m, int64_t picture, unsigned s)
{
    return m->forwarded[picture % PICTURES][s];
}

static void must_be_decodable(const struct model *m, bool key, unsigned s)
{
    static const int64_t before[] = {4, 1, 2, 1};
    if (s > 0 && (m->mode == FULL || (m->mode == KEY && key)))
        assert_true(have(m, m->picture, s - 1));
    if (!key)
        assert_true(have(m, m->picture - before[m->since_key % 4], s));
}

static void frame(struct model *m, unsigned s, uint32_t want_s, uint32_t want_t)
{
    static struct packet pk;
    bool key = m->since_key == 0;
    unsigned t = temporal_of(m->since_key);
    bool first = m->seq == 0;
    pk.frame = (struct frame_info){.start = true,
                                   .end = true,
                                   .keyframe = key && s == 0,
                                   .spatial = (uint8_t)s,
                                   .temporal = (uint8_t)t,
                                   .has_temporal = true,
                                   .number = m->number++};
    pk.ext_seq = m->seq++;
    pk.rx_us = m->picture * 33333;
    describe(m, &pk.frame, key, s, t);
    if (first)
        svc_start(&m->svc, &pk, want_s, want_t);
    bool forward = svc_packet(&m->svc, &pk, want_s, want_t);
    m->forwarded[m->picture % PICTURES][s] = forward;
    if (!forward)
        return;
    must_be_decodable(m, key, s);
    m->n_forwarded++;
    if (s > m->top_spatial)
        m->top_spatial = s;
    if (t > m->top_temporal)
        m->top_temporal = t;
}

static void picture(struct model *m, uint32_t want_s, uint32_t want_t)
{
    if (m->key) {
        m->n_keys++;
        m->since_key = 0;
    }
    m->key = false;
    for (unsigned s = 0; s < FRAME_SPATIAL_MAX; s++)
        m->forwarded[m->picture % PICTURES][s] = false;
    for (unsigned s = 0; s < m->sent_spatial; s++)
        frame(m, s, want_s, want_t);
    m->picture++;
    m->since_key++;
}

static void start(struct model *m, enum mode mode, bool described)
{
    *m = (struct model){
        .mode = mode, .described = described, .spatial = 3, .sent_spatial = 3, .key = true};
    m->number = (uint16_t)rand_u32();
    svc_init(&m->svc, 3, 3, described);
}

static void run(struct model *m, unsigned n, uint32_t want_s, uint32_t want_t)
{
    m->n_forwarded = m->top_spatial = m->top_temporal = 0;
    for (unsigned i = 0; i < n; i++) {
        if (svc_wants_key(&m->svc, want_s, want_t) && rand_u32() % 4 == 0)
            m->key = true;
        picture(m, want_s, want_t);
    }
}

static void only_what_can_be_decoded_is_forwarded(void **state)
{
    (void)state;
    for (int described = 0; described < 2; described++) {
        for (enum mode mode = FULL; mode <= SIMULCAST; mode++) {
            struct model m;
            start(&m, mode, described);
            for (int round = 0; round < 300; round++) {
                uint32_t s = rand_u32() % 3, t = rand_u32() % 3;
                run(&m, 1 + rand_u32() % 40, s, t);
                run(&m, 40, s, t); /* by then it is reached */
                run(&m, 8, s, t);
                assert_int_equal(m.top_spatial, s);
                assert_int_equal(m.top_temporal, t);
            }
            svc_clear(&m.svc);
        }
    }
}

static void full_svc_goes_down_without_a_key_frame(void **state)
{
    (void)state;
    for (int described = 0; described < 2; described++) {
        struct model m;
        start(&m, FULL, described);
        run(&m, 9, 2, 2);
        run(&m, 8, 0, 2);
        assert_false(svc_wants_key(&m.svc, 0, 2));
        assert_int_equal(m.n_keys, 1);
        run(&m, 8, 0, 2);
        assert_int_equal(m.top_spatial, 0);
        assert_int_equal(m.n_forwarded, 8);
        assert_true(svc_wants_key(&m.svc, 1, 2));
        svc_clear(&m.svc);
    }
}

static void k_svc_forwards_one_layer(void **state)
{
    (void)state;
    for (int described = 0; described < 2; described++) {
        struct model m;
        start(&m, KEY, described);
        run(&m, 1, 2, 2);
        assert_int_equal(m.n_forwarded, 3); /* the key picture needs all */
        run(&m, 8, 2, 2);
        assert_int_equal(m.n_forwarded, 8);
        assert_true(svc_wants_key(&m.svc, 0, 2));
        assert_true(svc_wants_key(&m.svc, 1, 2));
        for (int i = 0; i < 8; i++)
            picture(&m, 0, 0); /* goes on at the layer it has, and gets slower */
        assert_int_equal(m.svc.level.spatial, 2);
        assert_int_equal(m.svc.level.temporal, 0);
        svc_clear(&m.svc);
    }
}

static void follows_what_the_sender_leaves_out(void **state)
{
    (void)state;
    for (int described = 0; described < 2; described++) {
        struct model m;
        start(&m, KEY, described);
        run(&m, 9, 2, 2);
        m.sent_spatial = 2; /* told with the key picture */
        m.key = true;
        run(&m, 5, 2, 2);
        assert_int_equal(m.svc.level.spatial, 1);
        assert_false(svc_wants_key(&m.svc, 2, 2));
        assert_true(m.n_forwarded >= 5);
        m.sent_spatial = 3;
        m.key = true;
        run(&m, 5, 2, 2);
        assert_int_equal(m.svc.level.spatial, 2);
        svc_clear(&m.svc);
    }
}

/* A sender that says nothing of it: after a while the layer below is taken. */
static void notices_a_layer_that_does_not_come(void **state)
{
    (void)state;
    struct svc v = {0};
    struct packet pk = {.frame = {.start = true, .keyframe = true, .has_temporal = true}};
    svc_init(&v, 3, 1, false);
    svc_start(&v, &pk, 2, 0);
    for (int i = 0; i < 200; i++) {
        pk.rx_us = MS_US(20) * i;
        for (uint8_t s = 0; s < (i < 100 ? 3 : 2); s++) {
            pk.ext_seq++;
            pk.frame = (struct frame_info){
                .start = true, .end = true, .spatial = s, .keyframe = i == 0 && s == 0};
            assert_true(svc_packet(&v, &pk, 2, 0));
            assert_int_equal(svc_ends_picture(&v, &pk.frame), s == v.level.spatial);
        }
    }
    assert_int_equal(v.level.spatial, 1);
    svc_clear(&v);
}

/* A late packet is judged by what was forwarded at its time. */
static void late_packets_belong_to_the_level_before(void **state)
{
    (void)state;
    struct svc v = {0};
    struct packet pk = {.ext_seq = 10, .frame = {.start = true, .keyframe = true}};
    svc_init(&v, 1, 3, false);
    svc_start(&v, &pk, 0, 2);
    assert_true(svc_packet(&v, &pk, 0, 2));
    pk.ext_seq = 13;
    pk.frame = (struct frame_info){.start = true, .has_temporal = true};
    assert_true(svc_packet(&v, &pk, 0, 0));
    pk.frame.temporal = 2;
    pk.ext_seq = 14;
    assert_false(svc_packet(&v, &pk, 0, 0));
    pk.ext_seq = 12;
    assert_true(svc_packet(&v, &pk, 0, 0));
    svc_clear(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_can_be_decoded_is_forwarded),
        cmocka_unit_test(full_svc_goes_down_without_a_key_frame),
        cmocka_unit_test(k_svc_forwards_one_layer),
        cmocka_unit_test(follows_what_the_sender_leaves_out),
        cmocka_unit_test(notices_a_layer_that_does_not_come),
        cmocka_unit_test(late_packets_belong_to_the_level_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
