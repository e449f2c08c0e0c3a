/* process.h - CPU time and memory of a process and all that it started, as /proc has them. */
#ifndef ALTHING_LOAD_PROCESS_H
#define ALTHING_LOAD_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PROCESS_MAX 256 /* of one tree; more are not seen */

struct process_tree {
    pid_t pids[PROCESS_MAX];
    size_t n;
};

struct process_usage {
    int64_t user_us, system_us; /* in steps of the kernel's tick, 10 ms */
    uint64_t resident_bytes;    /* pages that processes share count for each */
};

/* What is there now. n is 0 when there is no such process. */
void process_find(struct process_tree *t, pid_t root);
/* Those that have ended meanwhile are left out. */
struct process_usage process_usage(const struct process_tree *t);

/* A line of /proc/PID/stat: 0, or -EBADMSG. Pure. */
struct process_stat {
    pid_t parent;
    uint64_t user_ticks, system_ticks;
    uint64_t resident_pages;
};
int process_parse_stat(const char *line, struct process_stat *out);

#endif
