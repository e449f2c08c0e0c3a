#include "worker/stream/seqmap.h"

#define FIRST_MIN  1000
#define FIRST_SPAN 31768 /* 1000..32767 */

void seqmap_init(struct seqmap *m, uint16_t random)
{
    *m = (struct seqmap){.newest_out = FIRST_MIN + random % FIRST_SPAN - 1};
}

static struct seqmap_run *run_at(struct seqmap *m, uint32_t i)
{
    return &m->runs[i % SEQMAP_RUNS];
}

static void add_run(struct seqmap *m, int64_t from, int64_t shift)
{
    *run_at(m, m->n_runs++) = (struct seqmap_run){from, INT64_MAX, shift};
}

void seqmap_switch(struct seqmap *m, int64_t first, bool skip)
{
    int64_t out = m->newest_out + 1 + (skip ? 1 : 0);
    m->synced = true;
    m->n_runs = 0;
    m->newest_in = first - 1;
    add_run(m, first, out - first);
}

bool seqmap_map(struct seqmap *m, int64_t in, int64_t *out)
{
    uint32_t oldest = m->n_runs > SEQMAP_RUNS ? m->n_runs - SEQMAP_RUNS : 0;
    uint32_t i = m->n_runs;
    while (i > oldest && in < run_at(m, i - 1)->from)
        i--;
    if (i == oldest || in >= run_at(m, i - 1)->to)
        return false;
    *out = in + run_at(m, i - 1)->shift;
    if (in > m->newest_in)
        m->newest_in = in;
    if (*out > m->newest_out)
        m->newest_out = *out;
    return true;
}

void seqmap_drop(struct seqmap *m, int64_t in)
{
    /* Those behind one that was numbered already leave a gap: their number is spent. */
    if (!m->synced || in <= m->newest_in)
        return;
    m->newest_in = in;
    struct seqmap_run *r = run_at(m, m->n_runs - 1);
    if (in == r->from) {
        r->from++;
        r->shift--;
    } else {
        r->to = in;
        add_run(m, in + 1, r->shift - 1);
    }
}
