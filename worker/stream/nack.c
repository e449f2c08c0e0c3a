#include "worker/stream/nack.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct item {
    int64_t seq;
    int64_t due_us;
    uint8_t tries;
};

struct nack {
    int64_t newest; /* highest number received */
    int64_t key;    /* of the last key frame; -1: none */
    int64_t next_us;
    int64_t rtt_us;
    bool started, needs_key;
    size_t max, n;
    struct item missing[]; /* ascending */
};

int nack_new(struct nack **np, size_t max)
{
    if (max == 0 || max > NACK_MAX)
        return -EINVAL;
    struct nack *n = mem_zalloc(sizeof(*n) + max * sizeof(struct item));
    n->max = max;
    n->rtt_us = NACK_DEFAULT_RTT_US;
    nack_reset(n);
    *np = n;
    return 0;
}

void nack_free(struct nack *n)
{
    free(n);
}

void nack_reset(struct nack *n)
{
    n->started = n->needs_key = false;
    n->n = 0;
    n->key = -1;
    n->next_us = TIME_NEVER_US;
}

/* The first place whose number is not below seq. */
static size_t find(const struct nack *n, int64_t seq)
{
    size_t lo = 0, hi = n->n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (n->missing[mid].seq < seq)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void remove_items(struct nack *n, size_t from, size_t to)
{
    memmove(&n->missing[from], &n->missing[to], (n->n - to) * sizeof(n->missing[0]));
    n->n -= to - from;
    if (n->n == 0)
        n->next_us = TIME_NEVER_US;
}

static void came_late(struct nack *n, int64_t seq)
{
    size_t i = find(n, seq);
    if (i < n->n && n->missing[i].seq == seq)
        remove_items(n, i, i + 1);
}

static void add_gap(struct nack *n, int64_t from, int64_t to, int64_t now_us)
{
    size_t count = (size_t)(to - from);
    if (n->n + count > n->max)
        remove_items(n, 0, find(n, n->key));
    if (n->n + count > n->max) {
        remove_items(n, 0, n->n);
        n->needs_key = true;
        return;
    }
    for (int64_t seq = from; seq < to; seq++)
        n->missing[n->n++] = (struct item){seq, now_us + NACK_DELAY_US, 0};
    if (count)
        n->next_us = time_min_us(n->next_us, now_us + NACK_DELAY_US);
}

void nack_received(struct nack *n, int64_t ext_seq, bool keyframe, int64_t now_us)
{
    if (keyframe && ext_seq > n->key)
        n->key = ext_seq;
    if (!n->started) {
        n->started = true;
        n->newest = ext_seq;
        return;
    }
    if (ext_seq <= n->newest) {
        came_late(n, ext_seq);
        return;
    }
    int64_t from = n->newest + 1;
    n->newest = ext_seq;
    remove_items(n, 0, find(n, ext_seq - NACK_MAX_AGE));
    /* What precedes a key frame is not worth more than the list has room for. */
    if (n->n + (size_t)(ext_seq - from) > n->max && keyframe)
        remove_items(n, 0, n->n);
    else
        add_gap(n, from, ext_seq, now_us);
}

size_t nack_due(struct nack *n, int64_t now_us, uint16_t *seqs, size_t max)
{
    if (now_us < n->next_us)
        return 0;
    int64_t spacing = n->rtt_us > NACK_MIN_SPACING_US ? n->rtt_us : NACK_MIN_SPACING_US;
    int64_t next = TIME_NEVER_US;
    size_t kept = 0, given = 0;
    for (size_t i = 0; i < n->n; i++) {
        struct item it = n->missing[i];
        if (it.due_us <= now_us && it.tries == NACK_RETRIES)
            continue;
        if (it.due_us <= now_us && given < max) {
            seqs[given++] = (uint16_t)it.seq;
            it.tries++;
            it.due_us = now_us + spacing;
        }
        next = time_min_us(next, it.due_us);
        n->missing[kept++] = it;
    }
    n->n = kept;
    n->next_us = next;
    return given;
}

int64_t nack_next_us(const struct nack *n)
{
    return n->next_us;
}

void nack_set_rtt(struct nack *n, int64_t rtt_us)
{
    n->rtt_us = rtt_us < S_US(1) ? rtt_us : S_US(1);
}

bool nack_needs_key(struct nack *n)
{
    bool needs = n->needs_key;
    n->needs_key = false;
    return needs;
}

size_t nack_missing(const struct nack *n)
{
    return n->n;
}
