/* What a receiver's numbers must survive: one number is one packet, and none is so far ahead that its roll-over counter is lost. */
#include "lib/clock.h"
#include "tests/unit/worker/route/world.h"
#include "worker/route/consumer.h"
#include "worker/route/limits.h"
#include "worker/route/producer.h"

#include <string.h>

static void in_a_row(const struct browser *b)
{
    for (size_t i = 0; i < b->n_rtp; i++) {
        assert_false(b->rtp[i].replay);
        assert_int_equal(b->rtp[i].h.seq, (uint16_t)(b->rtp[0].h.seq + i));
    }
}

/* The key frame's first packet is the last that the batch has room for: what follows it is in the history, but not yet in a batch. */
static void a_batch_ends_in_a_key_frame(void **state)
{
    (void)state;
    for (size_t before = LIMIT_BATCH - 3; before <= LIMIT_BATCH; before++) {
        struct stage s;
        stage_open(&s);
        for (size_t i = 0; i < before; i++)
            camera_send(&s.cam, false, 1);
        camera_send(&s.cam, true, 4);
        world_run(&s.w);
        assert_int_equal(s.b->n_rtp, 4);
        in_a_row(s.b);
        world_close(&s.w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_ends_in_a_key_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
