/* run.h - the course of it: people come, settle, are measured, and more of them come or all leave.
 *
 *     RAMP -> SETTLE -> MEASURE -> DRAIN -> RAMP (--until-loss) | LEAVE -> over
 *
 * SETTLE lasts until everybody who came has all streams, or RUN_SETTLE_US, and a second more. What is measured is what is sent in
 * MEASURE; in DRAIN the last of it arrives. All runs in one thread, which wakes up each millisecond.
 */
#ifndef ALTHING_LOAD_RUN_H
#define ALTHING_LOAD_RUN_H

#include "load/options.h"

#define RUN_SETTLE_US 20000000

/* Runs until it is over or a signal ends it. An exit status: 0, EX_UNAVAILABLE: nobody came in, EX_OSERR, EX_NOHOST; 1: not all of
 * them came in and stayed, or not all that was offered came. `token` is NULL or borrowed. */
int run(const struct options *o, const char *token);

#endif
