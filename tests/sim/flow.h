/* flow.h - a source that sends what worker/cc/bwe lets it, over a link, to a receiver that answers with real transport-cc
 * feedback (worker/cc/twcc_recv, each FLOW_FEEDBACK_US, as browsers do), over another link. */
#ifndef ALTHING_TESTS_SIM_FLOW_H
#define ALTHING_TESTS_SIM_FLOW_H

#include "tests/sim/sim.h"
#include "worker/cc/bwe.h"

#define FLOW_FEEDBACK_US 50000
#define FLOW_LAYERS      4

enum flow_kind {
    FLOW_SMOOTH, /* packets at even distances */
    FLOW_FRAMES, /* 30 frames a second of varying size, each sent at the pacing rate */
};

struct flow_conf {
    enum flow_kind kind;
    struct bwe_conf bwe;
    uint32_t most_bps; /* what the application would send; 0: as much as it may */
    uint32_t layers_bps[FLOW_LAYERS]; /* rates it can only choose from, ascending; all 0: any */
    int64_t start_us;  /* after the sim's beginning */
    bool repeats_feedback; /* every feedback comes twice, and the last one again a second later */
};

struct flow;

struct flow *flow_new(struct sim *s, const struct flow_conf *conf, struct sim_link *there,
                      struct sim_link *back);
void flow_free(struct flow *f);
void flow_set_most(struct flow *f, uint32_t most_bps);
struct bwe *flow_bwe(struct flow *f);
uint64_t flow_arrived_bytes(const struct flow *f); /* at the receiver, so far, padding too */
uint64_t flow_padding_bytes(const struct flow *f); /* sent so far */
int64_t flow_delay_us(const struct flow *f);       /* of the last packet that arrived */

#endif
