#include "worker/usage.h"

#include "proto/counters.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

void usage_open(struct usage *u)
{
    *u = (struct usage){.fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)};
}

void usage_close(struct usage *u)
{
    if (u->fd >= 0)
        close(u->fd);
    u->fd = -1;
}

static uint64_t us_of(const struct timeval *t)
{
    return (uint64_t)t->tv_sec * 1000000 + (uint64_t)t->tv_usec;
}

/* Pages: all, then those that are resident. */
static uint64_t resident_bytes(int fd)
{
    char text[128];
    ssize_t n = fd >= 0 ? pread(fd, text, sizeof(text) - 1, 0) : -1;
    if (n <= 0)
        return 0;
    text[n] = '\0';
    const char *second = strchr(text, ' ');
    return second ? strtoull(second, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

void usage_write(struct usage *u, struct counters_worker *counters, int64_t now_us)
{
    struct rusage r;
    if (now_us < u->next_us)
        return;
    u->next_us = now_us + USAGE_US;
    if (getrusage(RUSAGE_SELF, &r) == 0) {
        counter_set(&counters->cpu_user, us_of(&r.ru_utime));
        counter_set(&counters->cpu_system, us_of(&r.ru_stime));
    }
    counter_set(&counters->resident_bytes, resident_bytes(u->fd));
}
