/* options.h - the command line of althing-server: the descriptors that the supervisor gives it (proto/handoff.h). */
#ifndef ALTHING_SERVER_OPTIONS_H
#define ALTHING_SERVER_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#define LISTEN_MAX 16

/* What proto/handoff.h says of --listen; a role may come several times (addresses). */
struct listeners {
    int https[LISTEN_MAX], redirect[LISTEN_MAX], metrics[LISTEN_MAX], observer[LISTEN_MAX];
    size_t n_https, n_redirect, n_metrics, n_observer;
};

struct options {
    int control_fd, config_fd;
    uint64_t epoch;
    struct listeners listen;
};

/* 0: go on; else exit with that minus one: --help, --version, or something is wrong, and was said. */
int options_read(struct options *o, int argc, char **argv);

#endif
