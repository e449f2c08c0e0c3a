#include "worker/cc/alloc.h"

#include "lib/clock.h"

#define HEADROOM  8 /* an eighth to spare for a climb */
#define TOLERANCE 4 /* a quarter more for a lowest step that is being sent */

void alloc_init(struct alloc *a)
{
    *a = (struct alloc){.hold_us = ALLOC_HOLD_US};
}

/* ---- one ladder ---- */

/* The next step above `step` there is; item->n: none. */
static int next_step(const struct alloc_item *it, int step)
{
    for (step++; step < it->n && it->cost[step] == ALLOC_ABSENT;)
        step++;
    return step;
}

/* The highest step there is that is not above `step`; ALLOC_NONE: none. */
static int floor_step(const struct alloc_item *it, int step)
{
    if (step >= it->n)
        step = it->n - 1;
    while (step >= 0 && it->cost[step] == ALLOC_ABSENT)
        step--;
    return step;
}

/* A step costs no less than those below it, whatever was measured. */
static uint64_t cost_of(const struct alloc_item *it, int step)
{
    uint32_t most = 0;
    for (int i = 0; i <= step; i++) {
        if (it->cost[i] != ALLOC_ABSENT && it->cost[i] > most)
            most = it->cost[i];
    }
    return most;
}

static bool sending(const struct alloc_item *it)
{
    return it->state->step != ALLOC_NONE;
}

/* ---- filling ---- */

struct budget {
    int first; /* item, -1: none */
    uint64_t available, used;
    bool keep_lowest; /* of all that are being sent */
    bool learning;
};

static bool lowest_fits(const struct budget *b, const struct alloc_item *it, uint64_t cost)
{
    uint64_t sum = b->used + cost;
    if (b->learning)
        return true;
    if (sending(it))
        return b->keep_lowest || sum <= b->available + b->available / TOLERANCE;
    return sum <= b->available - b->available / HEADROOM;
}

static void give_lowest(struct budget *b, struct alloc_item *it)
{
    int step = next_step(it, ALLOC_NONE);
    uint64_t cost = step < it->n ? cost_of(it, step) : 0;
    it->given = ALLOC_NONE;
    it->done = step >= it->n || step > it->max || !lowest_fits(b, it, cost);
    if (it->done)
        return;
    it->given = step;
    b->used += cost;
}

/* One step up; false: it does not fit, and never will, since what is used only grows. */
static bool climb(struct budget *b, struct alloc_item *it)
{
    int step = next_step(it, it->given);
    if (step >= it->n || step > it->max)
        return false;
    uint64_t more = cost_of(it, step) - cost_of(it, it->given);
    uint64_t spare = step > it->state->step ? b->available / HEADROOM : 0;
    if (b->used + more + spare > b->available)
        return false;
    it->given = step;
    b->used += more;
    return true;
}

/* Sets `given` of all, none above its `max`. */
static void fill(struct alloc_item *items, struct budget b)
{
    size_t left = 0;
    for (int i = b.first; i >= 0; i = items[i].next) {
        give_lowest(&b, &items[i]);
        left += !items[i].done;
    }
    while (left) {
        for (int i = b.first; i >= 0; i = items[i].next) {
            struct alloc_item *it = &items[i];
            for (unsigned k = 0; k < it->priority && !it->done; k++) {
                it->done = !climb(&b, it);
                left -= it->done;
            }
        }
    }
}

/* Links them by priority, those of the same as they came. */
static int link_up(struct alloc_item *items, size_t n)
{
    int first[256], last[256], head = -1;
    for (int p = 0; p < 256; p++)
        first[p] = -1;
    for (size_t i = 0; i < n; i++) {
        unsigned p = items[i].priority & 255;
        items[i].next = -1;
        if (first[p] < 0)
            first[p] = (int)i;
        else
            items[last[p]].next = (int)i;
        last[p] = (int)i;
    }
    for (int p = 0; p < 256; p++) {
        if (first[p] < 0)
            continue;
        items[last[p]].next = head;
        head = first[p];
    }
    return head;
}

/* ---- hysteresis ---- */

/* Lowest steps that are being sent, do they fit? */
static bool lowest_are_short(const struct alloc_item *items, size_t n, uint64_t available)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        int step = next_step(&items[i], ALLOC_NONE);
        if (sending(&items[i]) && step < items[i].n)
            sum += cost_of(&items[i], step);
    }
    return sum > available + available / TOLERANCE;
}

static bool in_grace(struct alloc *a, const struct alloc_item *items, size_t n, uint64_t available,
                     int64_t now_us)
{
    if (!lowest_are_short(items, n, available)) {
        a->is_short = false;
    } else if (!a->is_short) {
        a->is_short = true;
        a->short_since_us = now_us;
    }
    return a->is_short && now_us - a->short_since_us < ALLOC_GRACE_US;
}

/* How high it may go now, by what it could be given. */
static int ceiling(const struct alloc *a, struct alloc_item *it, int64_t now_us)
{
    struct alloc_state *s = it->state;
    if (it->given <= s->step) {
        s->waiting = false;
        return s->step;
    }
    if (!s->waiting) {
        s->waiting = true;
        s->up_since_us = now_us;
        s->up_to = it->given;
    }
    if (it->given < s->up_to)
        s->up_to = it->given;
    if (s->fresh)
        return it->given;
    return now_us - s->up_since_us >= a->hold_us ? s->up_to : s->step;
}

static void went_up(struct alloc *a, int64_t now_us)
{
    a->any_up = true;
    a->last_up_us = now_us;
}

static void went_down(struct alloc *a, int64_t now_us)
{
    if (a->any_up && now_us - a->last_up_us < ALLOC_SOON_US)
        a->hold_us = a->hold_us * 2 < ALLOC_HOLD_MAX ? a->hold_us * 2 : ALLOC_HOLD_MAX;
    a->any_up = false;
    a->any_down = true;
    a->last_down_us = now_us;
}

static void settle(struct alloc *a, struct alloc_item *items, size_t n, int64_t now_us)
{
    bool up = false, down = false;
    for (size_t i = 0; i < n; i++) {
        struct alloc_state *s = items[i].state;
        up |= items[i].given > s->step && !s->fresh;
        down |= items[i].given < s->step && items[i].given < floor_step(&items[i], s->step);
        if (items[i].given != s->step)
            s->waiting = false;
        s->step = items[i].given;
        s->fresh = s->fresh && s->step == ALLOC_NONE;
    }
    if (down)
        went_down(a, now_us);
    else if (up)
        went_up(a, now_us);
    if (a->any_down && now_us - a->last_down_us >= ALLOC_CALM_US) {
        a->any_down = false;
        a->hold_us = ALLOC_HOLD_US;
    }
}

static void add_up(const struct alloc_item *items, size_t n, struct alloc_sums *sums)
{
    *sums = (struct alloc_sums){0};
    for (size_t i = 0; i < n; i++) {
        int top = floor_step(&items[i], items[i].n - 1);
        sums->given_bps += cost_of(&items[i], items[i].given);
        sums->wanted_bps += cost_of(&items[i], top);
        sums->starved += top != ALLOC_NONE && items[i].given == ALLOC_NONE;
    }
}

void alloc_run(struct alloc *a, struct alloc_item *items, size_t n, uint64_t available_bps,
               bool learning, int64_t now_us, struct alloc_sums *sums)
{
    const struct budget b = {.first = link_up(items, n),
                             .available = available_bps,
                             .keep_lowest = in_grace(a, items, n, available_bps, now_us),
                             .learning = learning};
    for (size_t i = 0; i < n; i++)
        items[i].max = items[i].n - 1;
    fill(items, b);
    for (size_t i = 0; i < n; i++)
        items[i].max = ceiling(a, &items[i], now_us);
    fill(items, b);
    settle(a, items, n, now_us);
    add_up(items, n, sums);
}

static int64_t later(int64_t a_us, int64_t b_us, int64_t now_us)
{
    return b_us > now_us && b_us < a_us ? b_us : a_us;
}

int64_t alloc_next_us(const struct alloc *a, const struct alloc_item *items, size_t n,
                      int64_t now_us)
{
    int64_t next_us = TIME_NEVER_US;
    if (a->is_short)
        next_us = later(next_us, a->short_since_us + ALLOC_GRACE_US, now_us);
    for (size_t i = 0; i < n; i++) {
        const struct alloc_state *s = items[i].state;
        if (s->waiting)
            next_us = later(next_us, s->up_since_us + a->hold_us, now_us);
    }
    return next_us;
}
