/* usage.h - what the worker's process takes of the machine, written into its counters at most once in USAGE_US.
 *
 * Opened before the sandbox is entered; afterwards it reads only what it holds. An idle worker writes nothing: it takes nothing.
 */
#ifndef ALTHING_WORKER_USAGE_H
#define ALTHING_WORKER_USAGE_H

#include <stdint.h>

#define USAGE_US 1000000

struct counters_worker;

struct usage {
    int fd; /* of /proc/self/statm; -1: memory is not known */
    int64_t next_us;
};

void usage_open(struct usage *u);
void usage_close(struct usage *u);
void usage_write(struct usage *u, struct counters_worker *counters, int64_t now_us);

#endif
