/* on_log.h - what the worker logs of its own because somebody has asked for it while it runs (SetLog, proto/tags.h).
 *
 * Control path only: states of transports, scores, layers, refused requests, and once a second what was dropped meanwhile, from the
 * counters. At most ON_LOG_LINES lines a second; what is over that is counted and told. One set of tags a process, as with the
 * log's level. Without tags nothing is written, and nothing is done but to look at them.
 */
#ifndef ALTHING_WORKER_ON_LOG_H
#define ALTHING_WORKER_ON_LOG_H

#include "proto/counters.h"
#include "proto/tags.h"
#include "worker/route/engine.h"

#define ON_LOG_LINES 100

/* level: 0 error .. 3 debug. -EINVAL: no such level. Unknown tags are passed over. */
int on_log_set(uint32_t level, uint32_t tags);
uint32_t on_log_tags(void);

void on_log_event(const struct engine_event *e);
void on_log_refused(unsigned method, const char *why);
/* Any number of times; works once a second. */
void on_log_pass(const struct counters_worker *counts, int64_t now_us);

#endif
