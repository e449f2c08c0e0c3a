/* supervisor_open.c - all that is opened before root is given up. */
#include "lib/log.h"
#include "lib/mem.h"
#include "server/supervisor/privilege.h"
#include "server/supervisor/supervisor_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int fail(char *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int fail(char *err, int code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err, SUPERVISOR_ERROR_MAX, fmt, ap);
    va_end(ap);
    return code;
}

static int open_tcp(struct supervisor *s, char *err)
{
    const struct conf *c = s->conf;
    const struct {
        struct listen_fds *fds;
        const char *host;
        uint16_t port;
        const char *key;
        bool wanted;
    } rows[] = {
        {&s->https, c->listening_host, c->listening_port, "listeningPort", true},
        {&s->redirect, c->listening_host, c->listening_redirect_port, "listeningRedirectPort",
         c->listening_redirect_port != 0 && !c->http_only},
        {&s->metrics, c->prometheus_listen, c->prometheus_port, "prometheus.port",
         c->prometheus_enabled},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char why[LISTEN_ERROR_MAX];
        int rc = rows[i].wanted ? listen_tcp(rows[i].fds, rows[i].host, rows[i].port, why) : 0;
        if (rc < 0)
            return fail(err, rc, "%s: %s", rows[i].key, why);
    }
    return 0;
}

static int open_places(struct supervisor *s, char *err)
{
    uint32_t n = s->conf->num_workers;
    s->places = mem_calloc(n, sizeof(*s->places));
    for (uint32_t i = 0; i < n; i++) {
        char why[LISTEN_ERROR_MAX];
        /* Counted first: what it has opened is closed with it. */
        s->n_places = i + 1;
        int rc = place_open(&s->places[i], s, i, why);
        if (rc < 0)
            return fail(err, rc, "mediasoup.worker.rtcMinPort: %s", why);
    }
    return s->conf->listen_ips.n ? 0 : fail(err, -EADDRNOTAVAIL, "this machine has no address");
}

static int open_observer(struct supervisor *s, char *err)
{
    char why[LISTEN_ERROR_MAX];
    if (!s->conf->observer_path)
        return 0;
    int rc = listen_unix(&s->observer_fd, s->conf->observer_path, why);
    if (rc < 0) {
        s->observer_fd = -1;
        return fail(err, rc, "observer.path: %s", why);
    }
    return 0;
}

/* The life pipe: its write end is never handed to anybody. */
static int open_inner(struct supervisor *s, char *err)
{
    int life[2];
    if (pipe2(life, O_CLOEXEC) < 0)
        return fail(err, -errno, "pipe: %s", strerror(errno));
    s->life_r = life[0];
    s->life_w = life[1];
    int rc = reload_write_conf(s);
    return rc < 0 ? fail(err, rc, "memfd: %s", strerror(-rc)) : 0;
}

static int find_programs(struct supervisor *s, char *err)
{
    int rc = spawn_find("althing-server", s->server_file);
    if (rc < 0)
        return fail(err, rc, "althing-server is not installed");
    rc = spawn_find("althing-worker", s->worker_file);
    return rc < 0 ? fail(err, rc, "althing-worker is not installed") : 0;
}

static int give_up_root(struct supervisor *s, char *err)
{
    struct privilege p;
    const char *user = s->conf->user;
    if (!user)
        return 0;
    int rc = privilege_find(&p, user);
    if (rc < 0)
        return fail(err, rc, "user: there is no user \"%.64s\"", user);
    if (s->observer_fd >= 0 && geteuid() == 0 && chown(s->conf->observer_path, p.uid, p.gid) < 0)
        return fail(err, -errno, "observer.path: cannot be given to %.64s: %s", user,
                    strerror(errno));
    rc = privilege_drop(&p, user);
    return rc < 0 ? fail(err, rc, "user: cannot become %.64s: %s", user, strerror(-rc)) : 0;
}

int supervisor_new(struct supervisor **sp, struct conf *conf, const char *conf_path,
                   char err[static SUPERVISOR_ERROR_MAX])
{
    struct supervisor *s = mem_zalloc(sizeof(*s));
    s->conf = conf;
    s->conf_path = conf_path;
    s->observer_fd = s->conf_fd = s->life_r = s->life_w = -1;
    supervisor_init_loop(s);
    privilege_raise_limits();
    int (*const steps[])(struct supervisor *, char *) = {
        find_programs, open_inner, open_tcp, open_places, open_observer, give_up_root};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        int rc = steps[i](s, err);
        if (rc < 0) {
            supervisor_free(s);
            return rc;
        }
    }
    *sp = s;
    return 0;
}
