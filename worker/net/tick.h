/* tick.h - when the sockets are drained on a tick, and how often: a wake-up costs more than ten packets. Pure.
 *
 * Datagrams are counted in windows of TICK_WINDOW_US. A window at or over TICK_LOADED_PPS begins the load, TICK_QUIET_WINDOWS
 * windows in a row under TICK_QUIET_PPS end it. While it lasts the period is what brings TICK_GATHER datagrams at the last
 * window's rate, within TICK_MIN_US..TICK_MAX_US; without load sockets are drained at once.
 */
#ifndef ALTHING_WORKER_NET_TICK_H
#define ALTHING_WORKER_NET_TICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TICK_WINDOW_US     20000
#define TICK_LOADED_PPS    4000
#define TICK_QUIET_PPS     2000
#define TICK_QUIET_WINDOWS 10
#define TICK_GATHER        16
#define TICK_MIN_US        250
#define TICK_MAX_US        1000

struct tick {
    int64_t window_us; /* its start */
    uint64_t count;    /* datagrams in it */
    unsigned quiet;    /* quiet windows in a row */
    int64_t period_us; /* 0: no load */
};

/* Call once a pass with what it received. True: period_us is another one than before. */
bool tick_pass(struct tick *t, size_t received, int64_t now_us);

#endif
