/* runs.c - which runs there are. */
#include "tests/sim/run.h"

#include "lib/clock.h"

#include <string.h>

#define KB(n) ((n)*1000u)
#define MB(n) ((uint32_t)((n)*1000000u))

/* 50 ms there and back, and a queue of 600 ms at most: a bad access line, but a usual one. */
#define PATH(bps, ...)                                                                             \
    .there = {.rate_bps = (bps), .queue_us = MS_US(600), .delay_us = MS_US(25), __VA_ARGS__},      \
    .back = {.delay_us = MS_US(25)}

static const struct run_conf runs[] = {
    {"converge-300k", "A bottleneck of 300 kbit/s", 30, 1, PATH(KB(300)), .flows = 1,
     .flow = {{FLOW_FRAMES}}},
    {"converge-1m", "A bottleneck of 1 Mbit/s", 30, 2, PATH(MB(1)), .flows = 1,
     .flow = {{FLOW_FRAMES}}},
    {"converge-3m", "A bottleneck of 3 Mbit/s", 30, 3, PATH(MB(3)), .flows = 1,
     .flow = {{FLOW_FRAMES}}},
    {"smooth-1m", "Packets at even distances over 1 Mbit/s", 30, 4, PATH(MB(1)), .flows = 1,
     .flow = {{FLOW_SMOOTH}}},
    {"jitter-2m", "2 Mbit/s with up to 20 ms of jitter", 30, 5, PATH(MB(2), .jitter_us = MS_US(20)),
     .flows = 1, .flow = {{FLOW_FRAMES}}},
    {"drop", "3 Mbit/s, then 1 Mbit/s, then 3 Mbit/s again", 45, 6, PATH(MB(3)),
     .steps = {{15, MB(1)}, {30, MB(3)}}, .flows = 1, .flow = {{FLOW_FRAMES}}},
    {"drop-smooth", "The same, with packets at even distances", 45, 18, PATH(MB(3)),
     .steps = {{15, MB(1)}, {30, MB(3)}}, .flows = 1, .flow = {{FLOW_SMOOTH}}},
    {"drop-low", "900 kbit/s, then 300 kbit/s, then 900 kbit/s again", 45, 7, PATH(KB(900)),
     .steps = {{15, KB(300)}, {30, KB(900)}}, .flows = 1, .flow = {{FLOW_FRAMES}}},
    {"two", "Two flows over 2 Mbit/s, the second one ten seconds later", 60, 8, PATH(MB(2)),
     .flows = 2, .flow = {{FLOW_FRAMES}, {FLOW_FRAMES, .start_us = S_US(10)}}},
    {"loss-10", "One packet in ten lost at random, on 2 Mbit/s", 60, 9, PATH(MB(2), .loss = 0.1),
     .flows = 1, .flow = {{FLOW_FRAMES}}},
    {"bursts", "Bursts of loss, on 2 Mbit/s", 60, 10,
     PATH(MB(2), .burst_begin = 0.002, .burst_end = 0.1), .flows = 1, .flow = {{FLOW_FRAMES}}},
    {"shallow", "1 Mbit/s that queues no more than 20 ms", 30, 11,
     .there = {.rate_bps = MB(1), .queue_us = MS_US(20), .delay_us = MS_US(25)},
     .back = {.delay_us = MS_US(25)}, .flows = 1, .flow = {{FLOW_FRAMES}}},
    {"limited", "An application that sends 200 kbit/s over 3 Mbit/s", 60, 12, PATH(MB(3)),
     .flows = 1, .flow = {{FLOW_FRAMES, .most_bps = KB(200)}}},
    {"reorder", "One packet in twenty overtaken, one in fifty twice, feedback twice, on 2 Mbit/s",
     30, 13, PATH(MB(2), .reorder = 0.05, .reorder_us = MS_US(15), .duplicate = 0.02), .flows = 1,
     .flow = {{FLOW_FRAMES, .repeats_feedback = true}}},
    {"reorder-back", "Feedback overtaken, on 2 Mbit/s", 30, 14,
     .there = {.rate_bps = MB(2), .queue_us = MS_US(600), .delay_us = MS_US(25)},
     .back = {.delay_us = MS_US(25), .reorder = 0.2, .reorder_us = MS_US(80), .duplicate = 0.1},
     .flows = 1, .flow = {{FLOW_FRAMES}}},
    {"feedback-loss", "One feedback in five lost, on 2 Mbit/s", 30, 15,
     .there = {.rate_bps = MB(2), .queue_us = MS_US(600), .delay_us = MS_US(25)},
     .back = {.delay_us = MS_US(25), .loss = 0.2}, .flows = 1, .flow = {{FLOW_FRAMES}}},
    {"tcp", "Beside a download from second 10 to 40, on 3 Mbit/s", 60, 16,
     .there = {.rate_bps = MB(3), .queue_us = MS_US(200), .delay_us = MS_US(25)},
     .back = {.delay_us = MS_US(25)}, .flows = 1, .flow = {{FLOW_FRAMES}}, .tcp_from_s = 10,
     .tcp_to_s = 40},
    {"layers", "Layers of 150, 500, 1,500 and 3,000 kbit/s over 2, 0.7 and 5 Mbit/s", 60, 17,
     PATH(MB(2)), .steps = {{20, KB(700)}, {40, MB(5)}}, .flows = 1,
     .flow = {{FLOW_FRAMES, .layers_bps = {KB(150), KB(500), KB(1500), MB(3)}}}},
};

const struct run_conf *run_at(size_t i)
{
    return i < sizeof(runs) / sizeof(runs[0]) ? &runs[i] : NULL;
}

const struct run_conf *run_find(const char *name)
{
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
        if (strcmp(runs[i].name, name) == 0)
            return &runs[i];
    return NULL;
}
