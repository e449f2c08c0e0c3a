/* options.h - the command line of althing-worker: the descriptors that the supervisor gives it (proto/handoff.h). */
#ifndef ALTHING_WORKER_OPTIONS_H
#define ALTHING_WORKER_OPTIONS_H

#include "worker/net/net.h"

#include <stddef.h>

struct options {
    int channel, counters, life;
    int udp[NET_SOCKETS_MAX], tcp[NET_SOCKETS_MAX];
    size_t n_udp, n_tcp;
};

/* `version` is the program's. -1: go on; else the exit code, and what there was to say is said (help, version, a mistake). */
int options_parse(struct options *o, int argc, char **argv, const char *version);

#endif
