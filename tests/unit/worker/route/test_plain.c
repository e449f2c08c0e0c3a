#include "tests/unit/worker/route/world.h"
#include "worker/route/consumer.h"
#include "worker/route/plain.h"
#include "worker/route/producer.h"
#include "worker/route/transport.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct srtp_key key_of(enum srtp_profile profile)
{
    struct srtp_key k = {.profile = profile};
    memset(k.key, 7, sizeof(k.key));
    memset(k.salt, 9, sizeof(k.salt));
    return k;
}

static struct params_plain params(uint64_t id, const struct srtp_key *key)
{
    struct params_plain p = {
        .router = WORLD_ROUTER, .transport = id, .peer = "tool", .rtcp_mux = true, .clear = !key};
    p.has_key = key != NULL;
    if (key)
        p.key = *key;
    return p;
}

static struct params_remote remote(const struct browser *b, const struct srtp_key *key)
{
    struct params_remote r = {.has_key = key != NULL};
    if (b)
        r.addr = b->tuple.remote;
    if (key)
        r.key = *key;
    return r;
}

static void say(struct browser *b, uint32_t ssrc, uint8_t pt, uint32_t seq)
{
    static const uint8_t opus[40] = {0xf8};
    struct send_rtp r = {.ssrc = ssrc,
                         .ts = 960 * seq,
                         .seq = seq,
                         .pt = pt,
                         .twcc = -1,
                         .payload = opus,
                         .len = sizeof(opus)};
    browser_rtp(b, &r);
}

/* Audio from a plain transport (30, producer 4) to a browser (20, consumer 5) and back (producer 6, consumer 7). */
struct desk {
    struct world w;
    struct browser *tool, *b;
};

static void furnish(struct desk *d)
{
    struct params_producer in = audio_producer(d->tool, 4), out = audio_producer(d->b, 6);
    in.media.mid[0] = '\0';
    struct params_consumer to_b = consumer_of(d->b, 5, &in),
                           to_tool = consumer_of(d->tool, 7, &out);
    to_tool.media.mid[0] = '\0';
    assert_int_equal(producer_create(d->w.engine, &in, d->w.now_us), 0);
    assert_int_equal(producer_create(d->w.engine, &out, d->w.now_us), 0);
    assert_int_equal(consumer_create(d->w.engine, &to_b, d->w.now_us), 0);
    assert_int_equal(consumer_create(d->w.engine, &to_tool, d->w.now_us), 0);
}

static void talk(struct desk *d, uint32_t from, uint32_t to)
{
    for (uint32_t n = from; n < to; n++) {
        say(d->tool, 4000, PT_OPUS, n);
        say(d->b, 6000, PT_OPUS, n);
        world_after(&d->w, 20000);
    }
}

static void a_fixed_address(void **state)
{
    (void)state;
    static const enum srtp_profile profiles[] = {
        0, SRTP_PROFILE_AES_CM_128_HMAC_SHA1_80, SRTP_PROFILE_AES_CM_128_HMAC_SHA1_32,
        SRTP_PROFILE_AEAD_AES_128_GCM, SRTP_PROFILE_AEAD_AES_256_GCM};
    for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
        struct srtp_key k = key_of(profiles[i]);
        const struct srtp_key *key = profiles[i] ? &k : NULL;
        struct desk d;
        world_open(&d.w);
        d.b = world_join(&d.w, 20);
        d.tool = world_plain(&d.w, 30, 7000, key);
        struct params_plain p = params(30, key);
        struct params_remote r = remote(d.tool, key);
        assert_int_equal(plain_create(d.w.engine, &p, d.w.now_us), 0);
        furnish(&d);
        talk(&d, 0, 1);
        assert_int_equal(d.b->n_rtp, 0); /* not connected yet */
        assert_int_equal(plain_connect(d.w.engine, 30, &r, d.w.now_us), 0);
        assert_int_equal(plain_connect(d.w.engine, 30, &r, d.w.now_us), -EEXIST);
        assert_int_equal(world_last(&d.w, ENGINE_TUPLE, 30)->remote.port, 7000);
        talk(&d, 1, 101);
        assert_int_equal(d.b->n_rtp, 100);
        assert_int_equal(d.tool->n_rtp, 100);
        assert_int_equal(d.tool->rtp[0].h.pt, 101);
        assert_int_equal(d.tool->rtp[0].h.ssrc, 7007);
        assert_true(rtcp_count(d.tool, RTCP_RR, 0, NULL) > 0);
        world_close(&d.w);
    }
}

static void requests_that_contradict_themselves(void **state)
{
    (void)state;
    struct srtp_key k = key_of(SRTP_PROFILE_AEAD_AES_128_GCM);
    struct world w;
    world_open(&w);
    struct browser *tool = world_plain(&w, 30, 7000, &k);
    struct params_plain p = params(30, NULL);
    p.clear = false;
    assert_int_equal(plain_create(w.engine, &p, w.now_us), -EINVAL); /* clear only when asked for */
    p = params(30, &k);
    p.clear = true;
    assert_int_equal(plain_create(w.engine, &p, w.now_us), -EINVAL);
    p = params(30, &k);
    assert_int_equal(plain_create(w.engine, &p, w.now_us), 0);
    assert_int_equal(plain_create(w.engine, &p, w.now_us), -EEXIST);
    struct params_remote r = remote(tool, NULL);
    assert_int_equal(plain_connect(w.engine, 30, &r, w.now_us), -EINVAL); /* no key */
    r = remote(NULL, &k);
    assert_int_equal(plain_connect(w.engine, 30, &r, w.now_us), -EINVAL); /* no address */
    r = remote(tool, &k);
    r.rtcp_port = 9;
    assert_int_equal(plain_connect(w.engine, 30, &r, w.now_us), -EINVAL); /* multiplexed */
    assert_int_equal(plain_connect(w.engine, 31, &r, w.now_us), -ENOENT);
    p = params(31, &k);
    p.rtcp_mux = false;
    assert_int_equal(plain_create(w.engine, &p, w.now_us), 0);
    assert_int_equal(plain_connect(w.engine, 31, &r, w.now_us), 0);
    r.rtcp_port = 0; /* its address is taken now */
    assert_int_equal(plain_connect(w.engine, 30, &r, w.now_us), -EEXIST);
    transport_close(w.engine, 31, w.now_us);
    assert_int_equal(plain_connect(w.engine, 30, &r, w.now_us), 0);
    world_close(&w);
}

static void open_comedia(struct desk *d, const struct srtp_key *key, bool mux)
{
    world_open(&d->w);
    d->b = world_join(&d->w, 20);
    d->tool = world_plain(&d->w, 30, 7000, key);
    struct params_plain p = params(30, key);
    p.comedia = true;
    p.rtcp_mux = mux;
    assert_int_equal(plain_create(d->w.engine, &p, d->w.now_us), 0);
    if (key) {
        struct params_remote r = remote(NULL, key);
        assert_int_equal(plain_connect(d->w.engine, 30, &r, d->w.now_us), 0);
    }
    furnish(d);
}

static void comedia_learns_and_stays(void **state)
{
    (void)state;
    struct desk d;
    open_comedia(&d, NULL, true);
    struct browser *other = world_plain(&d.w, 0, 7001, NULL);
    say(other, 4000, 55, 1); /* a payload type that was not announced */
    say(other, 4001, PT_OPUS, 1);
    browser_rtcp(other, "\x80\xc9\0\x01\0\0\x0f\xa0", 8); /* RTCP of SSRC 4000 teaches nothing */
    world_run(&d.w);
    assert_null(world_last(&d.w, ENGINE_TUPLE, 30));
    talk(&d, 1, 11);
    assert_int_equal(world_last(&d.w, ENGINE_TUPLE, 30)->remote.port, 7000);
    assert_int_equal(d.b->n_rtp, 10);
    assert_int_equal(d.tool->n_rtp, 10);
    for (uint32_t n = 11; n < 21; n++) /* the right SSRC from the wrong place */
        say(other, 4000, PT_OPUS, n);
    talk(&d, 11, 12);
    assert_int_equal(d.b->n_rtp, 11);
    assert_int_equal(other->n_rtp + other->n_rtcp, 0);
    world_close(&d.w);
}

static void comedia_lets_go_of_the_silent(void **state)
{
    (void)state;
    struct desk d;
    open_comedia(&d, NULL, true);
    struct browser *moved = world_plain(&d.w, 0, 7001, NULL);
    talk(&d, 1, 11);
    world_after(&d.w, PLAIN_SILENCE_US / 2);
    browser_check(d.b, true);
    world_after(&d.w, PLAIN_SILENCE_US / 2 + 1000000);
    size_t got = d.tool->n_rtp, reports = d.tool->n_rtcp;
    say(d.b, 6000, PT_OPUS, 11);
    world_after(&d.w, 5000000);
    assert_int_equal(d.tool->n_rtp, got); /* nothing more to there */
    assert_int_equal(d.tool->n_rtcp, reports);
    say(moved, 4000, PT_OPUS, 12);
    world_after(&d.w, 20000);
    say(d.b, 6000, PT_OPUS, 12);
    world_after(&d.w, 20000);
    assert_int_equal(moved->n_rtp, 1);
    assert_int_equal(world_last(&d.w, ENGINE_TUPLE, 30)->remote.port, 7001);
    world_close(&d.w);
}

static void comedia_with_keys_believes_nothing_else(void **state)
{
    (void)state;
    struct srtp_key k = key_of(SRTP_PROFILE_AES_CM_128_HMAC_SHA1_80);
    struct desk d;
    open_comedia(&d, &k, true);
    struct browser *clear = world_plain(&d.w, 0, 7001, NULL);
    say(clear, 4000, PT_OPUS, 1);
    world_after(&d.w, 20000);
    assert_null(world_last(&d.w, ENGINE_TUPLE, 30));
    talk(&d, 1, 11);
    assert_int_equal(d.b->n_rtp, 10);
    assert_int_equal(d.tool->n_rtp, 10);
    assert_int_equal(clear->n_rtp, 0);
    world_close(&d.w);
}

static void rtcp_on_its_own_port(void **state)
{
    (void)state;
    struct desk d;
    open_comedia(&d, NULL, false);
    struct browser *control = world_plain(&d.w, 0, 7001, NULL);
    talk(&d, 1, 60);
    assert_int_equal(d.tool->n_rtp, 59);
    assert_int_equal(d.tool->n_rtcp, 0); /* it is not known where to */
    browser_rtcp(control, "\x80\xc9\0\x01\0\0\x0f\xa0", 8);
    world_run(&d.w);
    talk(&d, 60, 160);
    assert_int_equal(d.tool->n_rtp, 159);
    assert_int_equal(d.tool->n_rtcp, 0);
    assert_true(control->n_rtcp > 0);
    world_close(&d.w);
}

static void an_ssrc_is_expected_once(void **state)
{
    (void)state;
    struct desk d;
    open_comedia(&d, NULL, true);
    struct params_plain p = params(31, NULL);
    p.comedia = true;
    assert_int_equal(plain_create(d.w.engine, &p, d.w.now_us), 0);
    struct params_producer pr = audio_producer(d.tool, 8);
    pr.transport = 31;
    pr.media.mid[0] = '\0';
    pr.encodings[0].ssrc = 4000;
    assert_int_equal(producer_create(d.w.engine, &pr, d.w.now_us), -EEXIST);
    talk(&d, 1, 2); /* the first has found its sender: the SSRC is free again */
    assert_int_equal(producer_create(d.w.engine, &pr, d.w.now_us), 0);
    transport_close(d.w.engine, 31, d.w.now_us);
    world_close(&d.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fixed_address),
        cmocka_unit_test(requests_that_contradict_themselves),
        cmocka_unit_test(comedia_learns_and_stays),
        cmocka_unit_test(comedia_lets_go_of_the_silent),
        cmocka_unit_test(comedia_with_keys_believes_nothing_else),
        cmocka_unit_test(rtcp_on_its_own_port),
        cmocka_unit_test(an_ssrc_is_expected_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
