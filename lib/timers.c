#include "lib/timers.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <stdlib.h>

void timers_init(struct timers *ts)
{
    *ts = (struct timers){0};
}

void timers_free(struct timers *ts)
{
    for (size_t i = 0; i < ts->count; i++)
        ts->heap[i]->pos = 0;
    free(ts->heap);
    *ts = (struct timers){0};
}

void timer_init(struct timer *t, timer_f *fn, void *arg)
{
    *t = (struct timer){.due_us = TIME_NEVER_US, .fn = fn, .arg = arg};
}

static void place(struct timers *ts, size_t i, struct timer *t)
{
    ts->heap[i] = t;
    t->pos = i + 1;
}

static void sift_up(struct timers *ts, size_t i)
{
    struct timer *t = ts->heap[i];
    while (i > 0) {
        size_t parent = (i - 1) / 2;
        if (ts->heap[parent]->due_us <= t->due_us)
            break;
        place(ts, i, ts->heap[parent]);
        i = parent;
    }
    place(ts, i, t);
}

static void sift_down(struct timers *ts, size_t i)
{
    struct timer *t = ts->heap[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= ts->count)
            break;
        if (child + 1 < ts->count && ts->heap[child + 1]->due_us < ts->heap[child]->due_us)
            child++;
        if (t->due_us <= ts->heap[child]->due_us)
            break;
        place(ts, i, ts->heap[child]);
        i = child;
    }
    place(ts, i, t);
}

void timer_stop(struct timers *ts, struct timer *t)
{
    if (!t->pos)
        return;
    size_t i = t->pos - 1;
    t->pos = 0;
    struct timer *last = ts->heap[--ts->count];
    if (last == t)
        return;
    place(ts, i, last);
    sift_up(ts, i);
    sift_down(ts, last->pos - 1);
}

void timer_start(struct timers *ts, struct timer *t, int64_t due_us)
{
    timer_stop(ts, t);
    if (ts->count == ts->cap) {
        ts->cap = ts->cap ? ts->cap * 2 : 64;
        ts->heap = mem_realloc(ts->heap, ts->cap, sizeof(ts->heap[0]));
    }
    t->due_us = due_us;
    place(ts, ts->count++, t);
    sift_up(ts, t->pos - 1);
}

int64_t timers_next_us(const struct timers *ts)
{
    return ts->count ? ts->heap[0]->due_us : TIME_NEVER_US;
}

void timers_run(struct timers *ts, int64_t now_us)
{
    /* A callback that starts its timer again in the past must not hold the loop: at most as many firings as timers run now. */
    size_t budget = ts->count;
    while (budget-- && ts->count && ts->heap[0]->due_us <= now_us) {
        struct timer *t = ts->heap[0];
        timer_stop(ts, t);
        t->fn(t, now_us, t->arg);
    }
}
