/* tcp.h - a competitor that fills the queue until it loses: one packet more each round trip, half after a loss (as RFC 5681). */
#ifndef ALTHING_TESTS_SIM_TCP_H
#define ALTHING_TESTS_SIM_TCP_H

#include "tests/sim/sim.h"

struct tcp;

struct tcp *tcp_new(struct sim *s, struct sim_link *there, struct sim_link *back);
void tcp_free(struct tcp *t);
void tcp_run(struct tcp *t, int64_t from_us, int64_t to_us);
uint64_t tcp_arrived_bytes(const struct tcp *t);

#endif
