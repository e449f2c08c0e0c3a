#include "tests/sim/run.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <stdlib.h>

#define MEAN_OF 10 /* samples, in arrived_bps */

struct going {
    struct run *run;
    struct sim *sim;
    struct sim_link *there, *back;
    struct flow *flow[RUN_FLOWS];
    struct tcp *tcp;
    uint64_t before[RUN_FLOWS + 1][MEAN_OF]; /* bytes arrived by then */
    int64_t end_us;
};

static uint32_t arrived_bps(struct going *g, size_t of, uint64_t bytes)
{
    uint64_t *before = &g->before[of][g->run->n % MEAN_OF];
    uint64_t bits = (bytes - *before) * 8;
    *before = bytes;
    return (uint32_t)(bits * 1000000 / (MEAN_OF * RUN_SAMPLE_US));
}

static void sample(int64_t now_us, void *arg)
{
    struct going *g = arg;
    struct run *r = g->run;
    struct run_sample *s = &r->s[r->n];
    *s = (struct run_sample){.rate_bps = sim_link_conf(g->there)->rate_bps,
                             .queue_us = sim_link_queue_us(g->there)};
    for (size_t i = 0; i < r->conf.flows; i++) {
        if (!flow_bwe(g->flow[i]))
            continue;
        s->target_bps[i] = bwe_target_bps(flow_bwe(g->flow[i]));
        s->arrived_bps[i] = arrived_bps(g, i, flow_arrived_bytes(g->flow[i]));
    }
    if (g->tcp)
        s->tcp_bps = arrived_bps(g, RUN_FLOWS, tcp_arrived_bytes(g->tcp));
    r->n++;
    if (now_us + RUN_SAMPLE_US < g->end_us)
        sim_at(g->sim, now_us + RUN_SAMPLE_US, sample, g);
}

static void prepare(struct going *g)
{
    const struct run_conf *c = &g->run->conf;
    int64_t start_us = sim_now_us(g->sim);
    g->there = sim_link_new(g->sim, &c->there);
    g->back = sim_link_new(g->sim, &c->back);
    for (size_t i = 0; i < sizeof(c->steps) / sizeof(c->steps[0]) && c->steps[i].at_s > 0; i++)
        sim_link_set_rate_at(g->there, start_us + (int64_t)(c->steps[i].at_s * 1e6),
                             c->steps[i].rate_bps);
    for (size_t i = 0; i < c->flows; i++)
        g->flow[i] = flow_new(g->sim, &c->flow[i], g->there, g->back);
    if (c->tcp_to_s > 0) {
        g->tcp = tcp_new(g->sim, g->there, g->back);
        tcp_run(g->tcp, start_us + (int64_t)(c->tcp_from_s * 1e6),
                start_us + (int64_t)(c->tcp_to_s * 1e6));
    }
    g->end_us = start_us + S_US(c->seconds);
    sim_at(g->sim, start_us, sample, g);
}

struct run *run_do(const struct run_conf *conf)
{
    struct run *r = mem_zalloc(sizeof(*r));
    struct going g = {.run = r, .sim = sim_new(conf->seed)};
    r->conf = *conf;
    prepare(&g);
    sim_run(g.sim, g.end_us);
    for (size_t i = 0; i < conf->flows; i++) {
        bwe_stats(flow_bwe(g.flow[i]), &r->stats[i]);
        r->padding_bytes[i] = flow_padding_bytes(g.flow[i]);
        flow_free(g.flow[i]);
    }
    tcp_free(g.tcp);
    sim_free(g.sim);
    return r;
}

/* ---- what it was like ------------------------------------------------------------------------ */

static size_t index_of(const struct run *r, double s)
{
    size_t i = (size_t)(s * 1e6 / RUN_SAMPLE_US);
    return i < r->n ? i : r->n;
}

double run_target(const struct run *r, size_t flow, double from_s, double to_s)
{
    double sum = 0;
    size_t from = index_of(r, from_s), to = index_of(r, to_s);
    for (size_t i = from; i < to; i++)
        sum += r->s[i].target_bps[flow];
    return sum / (double)(to - from);
}

double run_arrived(const struct run *r, size_t flow, double from_s, double to_s)
{
    double sum = 0;
    size_t from = index_of(r, from_s), to = index_of(r, to_s);
    for (size_t i = from; i < to; i++)
        sum += r->s[i].arrived_bps[flow];
    return sum / (double)(to - from);
}

double run_tcp(const struct run *r, double from_s, double to_s)
{
    double sum = 0;
    size_t from = index_of(r, from_s), to = index_of(r, to_s);
    for (size_t i = from; i < to; i++)
        sum += r->s[i].tcp_bps;
    return sum / (double)(to - from);
}

double run_least_target(const struct run *r, size_t flow, double from_s, double to_s)
{
    uint32_t least = UINT32_MAX;
    for (size_t i = index_of(r, from_s); i < index_of(r, to_s); i++)
        least = r->s[i].target_bps[flow] < least ? r->s[i].target_bps[flow] : least;
    return least;
}

double run_most_target(const struct run *r, size_t flow, double from_s, double to_s)
{
    uint32_t most = 0;
    for (size_t i = index_of(r, from_s); i < index_of(r, to_s); i++)
        most = r->s[i].target_bps[flow] > most ? r->s[i].target_bps[flow] : most;
    return most;
}

int64_t run_most_queue_us(const struct run *r, double from_s, double to_s)
{
    int64_t most = 0;
    for (size_t i = index_of(r, from_s); i < index_of(r, to_s); i++)
        most = r->s[i].queue_us > most ? r->s[i].queue_us : most;
    return most;
}
