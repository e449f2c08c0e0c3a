#include "server/options.h"

#include "exporter/metrics.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void usage(FILE *out)
{
    fputs("Usage: althing-server --control=FD --config=FD --epoch=N --listen=ROLE:FD ...\n"
          "Serves browsers. Started by althing(8), which gives it its descriptors.\n\n"
          "  --control=FD      socket to the supervisor\n"
          "  --config=FD       the configuration, as JSON\n"
          "  --epoch=N         grows with every start\n"
          "  --listen=ROLE:FD  a bound socket; ROLE is https, redirect, metrics or observer\n"
          "  --help-metrics    writes what is exported, as Markdown\n"
          "  --help, --version\n",
          out);
}

static bool read_number(const char *s, uint64_t max, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long v = strtoull(s, &end, 10);
    if (errno || *s < '0' || *s > '9' || *end || v > max)
        return false;
    *out = v;
    return true;
}

static bool read_fd(const char *s, int *fd)
{
    uint64_t v;
    if (!read_number(s, 1 << 20, &v))
        return false;
    *fd = (int)v;
    return true;
}

static bool read_listen(struct listeners *l, const char *s)
{
    const char *colon = strchr(s, ':');
    struct {
        const char *role;
        int *fds;
        size_t *n;
    } rows[] = {
        {"https", l->https, &l->n_https},
        {"redirect", l->redirect, &l->n_redirect},
        {"metrics", l->metrics, &l->n_metrics},
        {"observer", l->observer, &l->n_observer},
    };
    for (size_t i = 0; colon && i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strlen(rows[i].role) == (size_t)(colon - s) &&
            !strncmp(rows[i].role, s, (size_t)(colon - s)) && *rows[i].n < LISTEN_MAX)
            return read_fd(colon + 1, &rows[i].fds[(*rows[i].n)++]);
    }
    return false;
}

int options_read(struct options *o, int argc, char **argv)
{
    static const struct option longs[] = {
        {"control", required_argument, NULL, 'c'}, {"config", required_argument, NULL, 'f'},
        {"epoch", required_argument, NULL, 'e'},   {"listen", required_argument, NULL, 'l'},
        {"help", no_argument, NULL, 'h'},          {"help-metrics", no_argument, NULL, 'm'},
        {"version", no_argument, NULL, 'v'},       {NULL, 0, NULL, 0},
    };
    *o = (struct options){.control_fd = -1, .config_fd = -1};
    int c;
    bool ok = true;
    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (c == 'h') {
            usage(stdout);
            return 1;
        }
        if (c == 'm') {
            metrics_print(stdout);
            return 1;
        }
        if (c == 'v') {
            printf("althing-server %s\n", ALTHING_VERSION);
            return 1;
        }
        ok = ok && (c == 'c'   ? read_fd(optarg, &o->control_fd)
                    : c == 'f' ? read_fd(optarg, &o->config_fd)
                    : c == 'e' ? read_number(optarg, UINT64_MAX, &o->epoch)
                    : c == 'l' ? read_listen(&o->listen, optarg)
                               : false);
    }
    if (ok && optind == argc && o->control_fd >= 0 && o->config_fd >= 0 && o->epoch &&
        o->listen.n_https)
        return 0;
    usage(stderr);
    return 3;
}
