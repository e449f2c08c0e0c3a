#include "lib/cursor.h"
#include "tests/unit/worker/route/world.h"
#include "worker/route/consumer.h"
#include "worker/route/direct.h"
#include "worker/route/producer.h"
#include "worker/route/transport.h"

#include <errno.h>
#include <string.h>

struct recorder {
    size_t n_rtp, n_rtcp;
    struct rtp last;
    uint8_t payload[1500];
};

static void record(uint64_t transport, const uint8_t *data, size_t len, bool rtcp, void *arg)
{
    struct recorder *r = arg;
    assert_int_equal(transport, 40);
    if (rtcp) {
        r->n_rtcp++;
        return;
    }
    r->n_rtp++;
    assert_int_equal(rtp_parse(data, len, &r->last), 0);
    memcpy(r->payload, data + r->last.payload_off, r->last.payload_len);
}

static void a_recorder_gets_plain_packets(void **state)
{
    (void)state;
    struct stage s;
    struct recorder r = {0};
    stage_open(&s);
    struct engine *e = s.w.engine;
    assert_int_equal(direct_create(e, 9, 40, record, &r, s.w.now_us), -ENOENT);
    assert_int_equal(direct_create(e, WORLD_ROUTER, 40, record, &r, s.w.now_us), 0);
    assert_int_equal(direct_create(e, WORLD_ROUTER, 40, record, &r, s.w.now_us), -EEXIST);
    struct params_producer camera = video_producer(s.a, 2);
    struct browser file = {.transport = 40};
    rtp_ext_map_init(&file.recv_ext);
    struct params_consumer c = consumer_of(&file, 8, &camera);
    assert_int_equal(consumer_create(e, &c, s.w.now_us), 0);
    camera_frame(&s.cam, true, 3);
    camera_frame(&s.cam, true, 3);
    uint8_t report[28];
    struct writer w = writer_of(report, sizeof(report));
    struct rtcp_sr sr = {.ssrc = 2000, .ntp = (uint64_t)5000 << 32, .rtp_ts = s.cam.ts};
    rtcp_write_sr(&w, &sr, NULL, 0);
    browser_rtcp(s.a, report, writer_len(&w));
    for (int i = 0; i < 60; i++)
        camera_frame(&s.cam, false, 2);
    assert_true(r.n_rtp >= 123);
    assert_true(r.n_rtcp > 0);
    assert_int_equal(r.last.ssrc, 7008);
    assert_int_equal(r.last.payload_len, 500);
    assert_int_equal(r.payload[499], 0xa5);
    transport_close(e, 40, s.w.now_us);
    size_t before = r.n_rtp;
    camera_frame(&s.cam, true, 3);
    assert_int_equal(r.n_rtp, before);
    world_close(&s.w);
}

static void a_player_is_heard(void **state)
{
    (void)state;
    struct world w;
    struct recorder r = {0};
    world_open(&w);
    struct browser *b = world_join(&w, 20);
    assert_int_equal(direct_create(w.engine, WORLD_ROUTER, 40, record, &r, w.now_us), 0);
    struct browser file = {.transport = 40};
    struct params_producer p = audio_producer(&file, 4);
    p.media.mid[0] = '\0';
    struct params_consumer c = consumer_of(b, 5, &p);
    assert_int_equal(producer_create(w.engine, &p, w.now_us), 0);
    assert_int_equal(consumer_create(w.engine, &c, w.now_us), 0);
    uint8_t pkt[52] = {0x80, PT_OPUS, 0, 0, 0, 0, 0, 0, 0, 0, 0x0f, 0xa0, 0xf8};
    for (uint8_t n = 0; n < 50; n++) {
        pkt[3] = n;
        pkt[6] = n;
        assert_int_equal(direct_send(w.engine, 40, pkt, sizeof(pkt), w.now_us), 0);
        world_after(&w, 20000);
    }
    assert_int_equal(b->n_rtp, 50);
    assert_int_equal(direct_send(w.engine, 40, pkt, 12, w.now_us), 0);
    assert_int_equal(direct_send(w.engine, 40, (const uint8_t *)"\x16\0\0", 3, w.now_us), -EBADMSG);
    assert_int_equal(direct_send(w.engine, 40, NULL, 0, w.now_us), -EBADMSG);
    assert_int_equal(direct_send(w.engine, 20, pkt, sizeof(pkt), w.now_us), -EINVAL);
    assert_int_equal(direct_send(w.engine, 41, pkt, sizeof(pkt), w.now_us), -ENOENT);
    uint8_t large[DIRECT_PACKET_MAX + 1] = {0x80};
    assert_int_equal(direct_send(w.engine, 40, large, sizeof(large), w.now_us), -EMSGSIZE);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recorder_gets_plain_packets),
        cmocka_unit_test(a_player_is_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
