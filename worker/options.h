/* options.h - the command line of althing-worker: the descriptors that the supervisor gives it (proto/handoff.h). */
#ifndef ALTHING_WORKER_OPTIONS_H
#define ALTHING_WORKER_OPTIONS_H

#include <stddef.h>

#define OPTIONS_SOCKETS_MAX 16 /* of each kind */

struct options {
    int channel, counters, life;
    int udp[OPTIONS_SOCKETS_MAX], tcp[OPTIONS_SOCKETS_MAX];
    size_t n_udp, n_tcp;
};

/* `version` is the program's. -1: go on; else the exit code, and what there was to say is said (help, version, a mistake). */
int options_parse(struct options *o, int argc, char **argv, const char *version);

#endif
