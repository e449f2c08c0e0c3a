#include "tests/unit/worker/route/world.h"
#include "worker/route/consumer.h"
#include "worker/route/pipe.h"
#include "worker/route/producer.h"
#include "worker/route/router.h"
#include "worker/route/transport.h"
#include "worker/route/webrtc.h"
#include "worker/stream/layers.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Router 1 has the sender a (transport 10), router 2 the viewer b (20). Pipe 50 is in router 1, 60 in router 2; what one sends to port
 * 2 comes to the other from port 1. */
#define FAR_ROUTER 2
#define LATE       3 /* a datagram in so many is lost when `lossy` */

static bool lossy;
static unsigned passed;

static void loop_back(struct world *w, const struct out_slot *slot)
{
    struct tuple from = slot->to;
    from.remote.port = slot->to.remote.port == 1 ? 2 : 1;
    if (lossy && ++passed % LATE == 0)
        return;
    world_push(w, &from, slot->data, slot->len);
}

struct hall {
    struct world w;
    struct browser *a, *b;
    struct params_producer camera, piped;
};

static struct srtp_key key_of(uint8_t byte)
{
    struct srtp_key k = {.profile = SRTP_PROFILE_AEAD_AES_128_GCM};
    memset(k.key, byte, sizeof(k.key));
    return k;
}

static void open_pipe(struct world *w, bool clear)
{
    for (uint32_t i = 0; i < 2; i++) {
        struct params_plain p = {.router = WORLD_ROUTER + i,
                                 .transport = 50 + 10 * i,
                                 .peer = "",
                                 .has_key = !clear,
                                 .clear = clear,
                                 .key = key_of((uint8_t)i),
                                 .rtcp_ssrc = 500 + i};
        assert_int_equal(pipe_create(w->engine, &p, w->now_us), 0);
        struct params_remote r = {
            .has_key = !clear, .key = key_of((uint8_t)!i), .rtcp_ssrc = 500 + !i};
        addr_parse(&r.addr, "127.0.0.1", i ? 1 : 2);
        assert_int_equal(pipe_connect(w->engine, 50 + 10 * i, &r, w->now_us), 0);
        assert_int_equal(pipe_connect(w->engine, 50 + 10 * i, &r, w->now_us), -EEXIST);
    }
}

/* b's transport is made again, in the other router. */
static void move_to_far_router(struct world *w, struct browser *b)
{
    transport_close(w->engine, b->transport, w->now_us);
    assert_int_equal(router_create(w->engine, FAR_ROUTER, "room"), 0);
    struct params_transport p = {.router = FAR_ROUTER,
                                 .transport = b->transport,
                                 .ufrag = b->ufrag,
                                 .password = b->password,
                                 .peer = "peer"};
    assert_int_equal(webrtc_create(w->engine, &p, w->now_us), 0);
    struct dtls_fingerprint ours;
    assert_int_equal(dtls_cert_fingerprints(w->browser_cert, &ours, 1), 1);
    struct params_fingerprint print = {ours.algorithm, ours.value};
    assert_int_equal(webrtc_connect(w->engine, b->transport, false, &print, 1, w->now_us), 0);
    world_secure(b);
}

/* What the server makes of a producer for a pipe: SSRCs of its own, a consumer each encoding. */
static void make_piped(struct hall *h)
{
    h->piped = h->camera;
    h->piped.transport = 60;
    h->piped.producer = 102;
    h->piped.media.mid[0] = '\0';
    h->piped.media.codecs[0].transport_cc = false;
    rtp_ext_map_init(&h->piped.media.ext);
    for (uint32_t i = 0; i < h->piped.n_encodings; i++) {
        h->piped.encodings[i].ssrc = 900000 + i;
        h->piped.encodings[i].rtx_ssrc = 910000 + i;
    }
    assert_int_equal(producer_create(h->w.engine, &h->piped, h->w.now_us), 0);
    for (uint32_t i = 0; i < h->piped.n_encodings; i++) {
        struct params_consumer c = {.transport = 50,
                                    .consumer = 200 + i,
                                    .producer = h->camera.producer,
                                    .media = h->piped.media,
                                    .ssrc = 900000 + i,
                                    .rtx_ssrc = 910000 + i,
                                    .only_encoding = i + 1,
                                    .preferred_spatial = LAYERS_ALL,
                                    .preferred_temporal = LAYERS_ALL};
        assert_int_equal(consumer_create(h->w.engine, &c, h->w.now_us), 0);
    }
}

static void hall_open(struct hall *h, bool clear)
{
    lossy = false;
    world_open(&h->w);
    h->w.wire = loop_back;
    h->a = world_join(&h->w, 10);
    h->b = world_browser(&h->w, 20);
    move_to_far_router(&h->w, h->b);
    open_pipe(&h->w, clear);
    h->camera = simulcast_producer(h->a, 2);
    assert_int_equal(producer_create(h->w.engine, &h->camera, h->w.now_us), 0);
    make_piped(h);
    struct params_consumer c = consumer_of(h->b, 3, &h->piped);
    assert_int_equal(consumer_create(h->w.engine, &c, h->w.now_us), 0);
}

static struct camera stream_of(struct hall *h, uint32_t i)
{
    static const char *const rids[] = {"q", "h", "f"};
    return (struct camera){.b = h->a,
                           .ssrc = 3000 + i,
                           .seq = 100 * i,
                           .ts = 5,
                           .mid = h->camera.media.mid,
                           .rid = rids[i]};
}

static void all_frames(struct camera cams[3], bool key, size_t packets)
{
    for (size_t i = 0; i < 3; i++)
        camera_send(&cams[i], key, packets + i);
    world_after(cams[0].b->world, 33000);
}

static void all_layers_go_through(void **state)
{
    (void)state;
    for (int clear = 0; clear < 2; clear++) {
        struct hall h;
        hall_open(&h, clear);
        struct camera cams[3] = {stream_of(&h, 0), stream_of(&h, 1), stream_of(&h, 2)};
        all_frames(cams, false, 1);
        world_after(&h.w, 100000);
        /* the pipe and the viewer both want key frames, of every stream */
        assert_true(rtcp_count(h.a, RTCP_PSFB, RTCP_PSFB_PLI, NULL) >= 3);
        all_frames(cams, true, 2);
        for (int i = 0; i < 60; i++)
            all_frames(cams, i % 20 == 0, 2);
        struct packet_count {
            size_t top, n;
        } seen = {0};
        for (size_t i = 0; i < h.b->n_rtp; i++) {
            assert_int_equal(h.b->rtp[i].h.ssrc, 7003);
            if (i)
                assert_int_equal(h.b->rtp[i].h.seq, (uint16_t)(h.b->rtp[i - 1].h.seq + 1));
            seen.n++;
        }
        assert_true(seen.n > 100);
        const struct engine_event *ev = world_last(&h.w, ENGINE_LAYERS, 3);
        assert_non_null(ev);
        assert_int_equal(ev->spatial, 2);
        /* another wish, another layer */
        assert_int_equal(consumer_set_preferred(h.w.engine, 3, 0, 0, h.w.now_us), 0);
        for (int i = 0; i < 60; i++)
            all_frames(cams, i % 20 == 0, 2);
        assert_int_equal(world_last(&h.w, ENGINE_LAYERS, 3)->spatial, 0);
        world_close(&h.w);
    }
}

static void loss_in_the_pipe_is_repaired(void **state)
{
    (void)state;
    struct hall h;
    hall_open(&h, false);
    struct camera cams[3] = {stream_of(&h, 0), stream_of(&h, 1), stream_of(&h, 2)};
    all_frames(cams, true, 2);
    world_after(&h.w, 300000);
    all_frames(cams, true, 2);
    world_after(&h.w, 300000);
    size_t before = h.b->n_rtp;
    assert_true(before > 0);
    lossy = true;
    for (int i = 0; i < 10; i++)
        all_frames(cams, false, 2);
    lossy = false;
    all_frames(cams, false, 2); /* so that the last loss shows */
    world_after(&h.w, 500000);
    /* the viewer has four packets a frame of the highest stream, whatever came late */
    assert_int_equal(h.b->n_rtp - before, 44);
    world_close(&h.w);
}

static void pause_goes_through_and_ends(void **state)
{
    (void)state;
    struct hall h;
    hall_open(&h, false);
    struct camera cams[3] = {stream_of(&h, 0), stream_of(&h, 1), stream_of(&h, 2)};
    all_frames(cams, true, 2);
    world_after(&h.w, 300000);
    all_frames(cams, true, 2);
    size_t before = h.b->n_rtp;
    assert_true(before > 0);
    assert_int_equal(producer_pause(h.w.engine, 2, true, h.w.now_us), 0);
    all_frames(cams, false, 2);
    assert_int_equal(h.b->n_rtp, before);
    assert_int_equal(producer_pause(h.w.engine, 2, false, h.w.now_us), 0);
    all_frames(cams, false, 2);
    assert_int_equal(h.b->n_rtp, before); /* a key frame first */
    all_frames(cams, true, 2);
    assert_true(h.b->n_rtp > before);
    before = h.b->n_rtp;
    producer_close(h.w.engine, 2, h.w.now_us); /* its pipe consumers with it */
    producer_close(h.w.engine, 102, h.w.now_us);
    all_frames(cams, true, 2);
    assert_int_equal(h.b->n_rtp, before);
    world_close(&h.w);
}

static void strangers_are_not_heard(void **state)
{
    (void)state;
    struct hall h;
    hall_open(&h, true); /* even a clear pipe */
    struct browser *stranger = world_plain(&h.w, 0, 7000, NULL);
    uint8_t payload[100];
    for (uint32_t i = 0; i < 20; i++) {
        struct send_rtp r = {.ssrc = 900000,
                             .seq = i,
                             .pt = PT_VP8,
                             .twcc = -1,
                             .payload = payload,
                             .len = vp8_payload(payload, 100, true, true, 1, 1, 0)};
        browser_rtp(stranger, &r);
    }
    world_after(&h.w, 100000);
    assert_int_equal(h.b->n_rtp, 0);
    assert_int_equal(stranger->n_rtp + stranger->n_rtcp, 0);
    world_close(&h.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_layers_go_through),
        cmocka_unit_test(loss_in_the_pipe_is_repaired),
        cmocka_unit_test(pause_goes_through_and_ends),
        cmocka_unit_test(strangers_are_not_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
