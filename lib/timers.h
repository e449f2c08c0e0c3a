/* timers.h - deadlines of a loop in virtual or real time: a binary heap, pure (no clock, no I/O).
 *
 * A timer is a member of its owner and must be stopped before the owner is freed. A callback may start or stop any timer, itself
 * included. Times are absolute, in microseconds.
 */
#ifndef ALTHING_LIB_TIMERS_H
#define ALTHING_LIB_TIMERS_H

#include <stddef.h>
#include <stdint.h>

struct timer;
typedef void timer_f(struct timer *t, int64_t now_us, void *arg);

struct timer {
    int64_t due_us;
    timer_f *fn;
    void *arg;
    size_t pos; /* place in the heap plus one; 0: not running */
};

struct timers {
    struct timer **heap;
    size_t count, cap;
};

void timers_init(struct timers *ts);
void timers_free(struct timers *ts);                    /* forgets all timers; owns none */
void timer_init(struct timer *t, timer_f *fn, void *arg);
void timer_start(struct timers *ts, struct timer *t, int64_t due_us); /* or moves it */
void timer_stop(struct timers *ts, struct timer *t);    /* not running: fine */
int64_t timers_next_us(const struct timers *ts);        /* TIME_NEVER_US when none runs */
void timers_run(struct timers *ts, int64_t now_us);     /* fires what is due, each at most once a call */

#endif
