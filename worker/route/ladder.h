/* ladder.h - what the layers of a video cost now, as cc/alloc wants it: step 4 s + t is spatial layer s, temporal layer t.
 *
 * Nothing above what the consumer prefers; but when only higher streams come, the lowest of them. A layer is there when its
 * stream is active and its rate was measured; the lowest stream that is active also before that, and costs nothing then.
 */
#ifndef ALTHING_WORKER_ROUTE_LADDER_H
#define ALTHING_WORKER_ROUTE_LADDER_H

#include "worker/cc/alloc.h"

struct consumer;

void ladder_make(struct alloc_item *it, struct consumer *c);
bool ladder_comes(const struct alloc_item *it); /* it has a step */
uint32_t ladder_spatial(int step);
uint32_t ladder_temporal(int step);

#endif
