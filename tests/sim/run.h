/* run.h - the named runs: a bottleneck, flows over it, and a sample of everything each RUN_SAMPLE_US. test_bwe.c asserts on them,
 * trace.c writes them out for the figures in docs/. */
#ifndef ALTHING_TESTS_SIM_RUN_H
#define ALTHING_TESTS_SIM_RUN_H

#include "tests/sim/flow.h"
#include "tests/sim/tcp.h"

#define RUN_SAMPLE_US 50000
#define RUN_FLOWS     3
#define RUN_SECONDS   60

struct run_step {
    double at_s;
    uint32_t rate_bps;
};

struct run_conf {
    const char *name;
    const char *title;
    unsigned seconds;
    uint64_t seed;
    struct sim_link_conf there, back;
    struct run_step steps[6]; /* of the bottleneck's rate; at_s 0 ends them */
    size_t flows;
    struct flow_conf flow[RUN_FLOWS];
    double tcp_from_s, tcp_to_s; /* a competitor that knows loss only; 0, 0: none */
};

struct run_sample {
    uint32_t target_bps[RUN_FLOWS];
    uint32_t arrived_bps[RUN_FLOWS]; /* over the last ten samples */
    uint32_t tcp_bps;
    uint32_t rate_bps;
    int64_t queue_us;
    enum bwe_usage usage;
};

struct run {
    struct run_conf conf;
    size_t n;
    struct run_sample s[RUN_SECONDS * 1000000 / RUN_SAMPLE_US + 1];
    struct bwe_stats stats[RUN_FLOWS]; /* at the end */
    uint64_t padding_bytes[RUN_FLOWS];
};

const struct run_conf *run_find(const char *name); /* NULL: there is none of that name */
const struct run_conf *run_at(size_t i);           /* NULL: no more */
struct run *run_do(const struct run_conf *conf);   /* free() it */
/* Means over [from_s, to_s). */
double run_target(const struct run *r, size_t flow, double from_s, double to_s);
double run_arrived(const struct run *r, size_t flow, double from_s, double to_s);
double run_tcp(const struct run *r, double from_s, double to_s);
double run_least_target(const struct run *r, size_t flow, double from_s, double to_s);
double run_most_target(const struct run *r, size_t flow, double from_s, double to_s);
int64_t run_most_queue_us(const struct run *r, double from_s, double to_s);

#endif
