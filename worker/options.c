#include "worker/options.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define EXIT_USAGE 2

static const char help[] =
    "usage: althing-worker --channel=FD --counters=FD --life=FD --udp=FD ... [--tcp=FD ...]\n"
    "\n"
    "Routes the media of one core. It is started by althing, which gives it its descriptors:\n"
    "  --channel=FD   requests of althing-server (SOCK_SEQPACKET)\n"
    "  --counters=FD  shared memory for what it counts\n"
    "  --life=FD      a pipe; at its end the worker ends\n"
    "  --udp=FD       a bound UDP socket; at least one, at most 16\n"
    "  --tcp=FD       a listening TCP socket; at most 16\n"
    "  --help         this text\n"
    "  --version      the version\n";

enum { OPT_CHANNEL = 256, OPT_COUNTERS, OPT_LIFE, OPT_UDP, OPT_TCP, OPT_HELP, OPT_VERSION };

static const struct option long_options[] = {
    {"channel", required_argument, NULL, OPT_CHANNEL},
    {"counters", required_argument, NULL, OPT_COUNTERS},
    {"life", required_argument, NULL, OPT_LIFE},
    {"udp", required_argument, NULL, OPT_UDP},
    {"tcp", required_argument, NULL, OPT_TCP},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {0},
};

static int usage(const char *why, const char *what)
{
    fprintf(stderr, "althing-worker: %s%s%s (see --help)\n", why, what ? ": " : "",
            what ? what : "");
    return EXIT_USAGE;
}

static int parse_fd(const char *text, int *fd)
{
    char *end;
    errno = 0;
    long v = strtol(text, &end, 10);
    if (errno || end == text || *end || v <= STDERR_FILENO || v > INT_MAX)
        return -EINVAL;
    if (fcntl((int)v, F_SETFD, FD_CLOEXEC) < 0)
        return -EBADF;
    *fd = (int)v;
    return 0;
}

static int add_fd(const char *text, int *fds, size_t *n)
{
    if (*n == OPTIONS_SOCKETS_MAX)
        return -ENOSPC;
    int err = parse_fd(text, &fds[*n]);
    if (!err)
        ++*n;
    return err;
}

static int take(struct options *o, int opt, const char *text)
{
    switch (opt) {
    case OPT_CHANNEL:
        return parse_fd(text, &o->channel);
    case OPT_COUNTERS:
        return parse_fd(text, &o->counters);
    case OPT_LIFE:
        return parse_fd(text, &o->life);
    case OPT_UDP:
        return add_fd(text, o->udp, &o->n_udp);
    default:
        return add_fd(text, o->tcp, &o->n_tcp);
    }
}

int options_parse(struct options *o, int argc, char **argv, const char *version)
{
    int opt;
    optind = 0; /* getopt starts afresh */
    *o = (struct options){.channel = -1, .counters = -1, .life = -1};
    while ((opt = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (opt == OPT_HELP) {
            fputs(help, stdout);
            return EXIT_SUCCESS;
        }
        if (opt == OPT_VERSION) {
            printf("althing-worker %s\n", version);
            return EXIT_SUCCESS;
        }
        if (opt == '?')
            return EXIT_USAGE;
        if (take(o, opt, optarg))
            return usage("not a descriptor that it can use", optarg);
    }
    if (optind < argc)
        return usage("not an option", argv[optind]);
    if (o->channel < 0 || o->counters < 0 || o->life < 0 || !o->n_udp)
        return usage("--channel, --counters, --life and a --udp are needed", NULL);
    return -1;
}
