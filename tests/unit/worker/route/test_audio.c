/* Who is loud and who speaks, as a router tells it. */
#include "lib/clock.h"
#include "tests/unit/worker/route/world.h"
#include "worker/route/audio.h"
#include "worker/route/producer.h"
#include "worker/route/router.h"

#include <errno.h>

static void open_two(struct world *w)
{
    world_open(w);
    for (uint64_t i = 1; i <= 2; i++) {
        struct browser *b = world_join(w, 10 * i);
        struct params_producer p = audio_producer(b, i);
        p.media.ext.id_of[RTP_EXT_AUDIO_LEVEL] = 6;
        p.media.ext.type_of[6] = RTP_EXT_AUDIO_LEVEL;
        assert_int_equal(producer_create(w->engine, &p, w->now_us), 0);
        assert_non_null(producer_find(w->engine, i)->audio);
    }
}

static void say(struct world *w, uint64_t producer, uint8_t minus_dbov)
{
    struct rtp_exts x = {.present = RTP_EXT_BIT(RTP_EXT_AUDIO_LEVEL), .audio_level = minus_dbov};
    audio_packet(producer_find(w->engine, producer), &x, w->now_us);
}

static void talk(struct world *w, int n, uint8_t first, uint8_t second)
{
    for (int i = 0; i < n; i++) {
        say(w, 1, first);
        say(w, 2, second);
        world_after(w, MS_US(20));
    }
}

static void tells_who_speaks(void **state)
{
    (void)state;
    static struct world w;
    struct audio_conf conf = {.speaker_us = MS_US(300)};
    open_two(&w);
    assert_int_equal(audio_observe(w.engine, 99, &conf, w.now_us), -ENOENT);
    talk(&w, 200, 10, 110);
    assert_int_equal(world_count(&w, ENGINE_SPEAKER, WORLD_ROUTER), 0);
    assert_int_equal(audio_observe(w.engine, WORLD_ROUTER, &conf, w.now_us), 0);
    talk(&w, 50, 110, 110);
    talk(&w, 100, 10, 110);
    assert_int_equal(world_last(&w, ENGINE_SPEAKER, WORLD_ROUTER)->speaker, 1);
    producer_pause(w.engine, 1, true, w.now_us);
    talk(&w, 100, 0, 15);
    assert_int_equal(world_last(&w, ENGINE_SPEAKER, WORLD_ROUTER)->speaker, 2);
    assert_int_equal(world_count(&w, ENGINE_SPEAKER, WORLD_ROUTER), 2);
    producer_close(w.engine, 2, w.now_us);
    assert_int_equal(world_last(&w, ENGINE_SPEAKER, WORLD_ROUTER)->speaker, 0);
    world_close(&w);
}

static void tells_how_loud(void **state)
{
    (void)state;
    static struct world w;
    struct audio_conf conf = {.volumes_us = S_US(1), .max_volumes = 1, .threshold = -80};
    open_two(&w);
    assert_int_equal(audio_observe(w.engine, WORLD_ROUTER, &conf, w.now_us), 0);
    talk(&w, 60, 40, 30);
    const struct engine_event *ev = world_last(&w, ENGINE_VOLUMES, WORLD_ROUTER);
    assert_non_null(ev);
    assert_int_equal(ev->n_volumes, 1);
    talk(&w, 150, 100, 90);
    ev = world_last(&w, ENGINE_VOLUMES, WORLD_ROUTER);
    assert_int_equal(ev->n_volumes, 0); /* silence, once */
    assert_true(world_count(&w, ENGINE_VOLUMES, WORLD_ROUTER) <= 3);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_who_speaks),
        cmocka_unit_test(tells_how_loud),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
