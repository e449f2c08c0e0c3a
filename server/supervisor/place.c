#include "lib/log.h"
#include "proto/counters.h"
#include "proto/handoff.h"
#include "server/supervisor/supervisor_int.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ARG_MAX_BYTES 32
#define FIXED_FDS     3 /* channel, counters, life */

_Static_assert(HANDOFF_CANDIDATES_MAX >= 2 * CONF_LISTEN_MAX, "a UDP and a TCP candidate each");
_Static_assert(FIXED_FDS + 2 * CONF_LISTEN_MAX <= SPAWN_FDS_MAX, "descriptors of a worker");

static size_t n_listen(const struct place *p)
{
    return p->keeper.s->conf->listen_ips.n;
}

/* The worker's arguments name the numbers that spawn() gives the descriptors. */
static pid_t spawn_worker(struct place *p, int channel_fd)
{
    struct supervisor *s = p->keeper.s;
    size_t n = n_listen(p), n_fds = 0;
    int fds[SPAWN_FDS_MAX];
    char args[SPAWN_FDS_MAX][ARG_MAX_BYTES];
    char *argv[SPAWN_FDS_MAX + 2] = {s->worker_file};
    const struct {
        const char *option;
        int fd;
    } fixed[FIXED_FDS] = {
        {"channel", channel_fd}, {"counters", p->counters_fd}, {"life", s->life_r}};
    for (size_t i = 0; i < FIXED_FDS + 2 * n; i++) {
        bool tcp = i >= FIXED_FDS + n;
        const char *option = i < FIXED_FDS ? fixed[i].option : tcp ? "tcp" : "udp";
        fds[i] = i < FIXED_FDS ? fixed[i].fd
                 : tcp         ? p->tcp[i - FIXED_FDS - n]
                               : p->udp[i - FIXED_FDS];
        snprintf(args[i], ARG_MAX_BYTES, "--%s=%zu", option, SPAWN_FD_FIRST + i);
        argv[i + 1] = args[i];
        n_fds++;
    }
    return spawn(s->worker_file, argv, fds, n_fds);
}

static void drop_process_fds(struct place *p)
{
    if (p->channel_fd >= 0)
        close(p->channel_fd);
    if (p->counters_fd >= 0)
        close(p->counters_fd);
    p->channel_fd = p->counters_fd = -1;
}

static void start(struct keeper *k)
{
    struct place *p = (struct place *)k;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        log_error("supervisor", "no channel for a worker error=%s", strerror(errno));
        return;
    }
    p->channel_fd = pair[0];
    p->counters_fd = counters_create();
    pid_t pid = p->counters_fd < 0 ? p->counters_fd : spawn_worker(p, pair[1]);
    close(pair[1]);
    if (pid < 0) {
        log_error("supervisor", "cannot start program=%s error=%s", k->name, strerror(-pid));
        drop_process_fds(p);
        return;
    }
    k->pid = pid;
    p->generation = ++k->s->generation;
    server_proc_sync(&k->s->server);
}

int place_open(struct place *p, struct supervisor *s, uint32_t index,
               char err[static LISTEN_ERROR_MAX])
{
    p->index = index;
    p->channel_fd = p->counters_fd = -1;
    snprintf(p->name, sizeof(p->name), "worker-%u", index);
    keeper_init(&p->keeper, s, p->name, start);
    for (size_t i = 0; i < CONF_LISTEN_MAX; i++)
        p->udp[i] = p->tcp[i] = -1;
    for (size_t i = 0; i < n_listen(p); i++) {
        uint16_t port = (uint16_t)(s->conf->rtc_min_port + index);
        int rc = listen_media(&p->udp[i], &p->tcp[i], s->conf->listen_ips.items[i].ip, port, err);
        if (rc < 0) {
            p->udp[i] = p->tcp[i] = -1;
            return rc;
        }
    }
    return 0;
}

void place_close(struct place *p)
{
    drop_process_fds(p);
    for (size_t i = 0; i < CONF_LISTEN_MAX; i++) {
        if (p->udp[i] < 0)
            continue;
        close(p->udp[i]);
        close(p->tcp[i]);
    }
}

void place_ended(struct place *p, int status)
{
    drop_process_fds(p);
    p->generation = 0;
    keeper_ended(&p->keeper, status);
    server_proc_sync(&p->keeper.s->server);
}

static void fill_candidates(const struct place *p, struct handoff *h)
{
    const struct conf *c = p->keeper.s->conf;
    for (size_t i = 0; i < c->listen_ips.n; i++) {
        const struct conf_listen *l = &c->listen_ips.items[i];
        for (uint8_t tcp = 0; tcp < 2; tcp++) {
            struct handoff_candidate *out = &h->candidates[h->n_candidates++];
            snprintf(out->address, sizeof(out->address), "%s", l->announced ? l->announced : l->ip);
            out->port = (uint16_t)(c->rtc_min_port + p->index);
            out->tcp = tcp;
        }
    }
}

int place_tell(struct place *p, struct chan *control)
{
    struct handoff h = {.version = HANDOFF_VERSION,
                        .kind = HANDOFF_WORKER_DOWN,
                        .index = p->index,
                        .n_workers = p->keeper.s->n_places};
    if (p->told && p->told != p->generation) {
        h.generation = p->told;
        int rc = chan_send_fds(control, &h, sizeof(h), NULL, 0);
        if (rc < 0)
            return rc;
        p->told = 0;
    }
    if (p->told || !p->generation)
        return 0;
    h.kind = HANDOFF_WORKER_UP;
    h.generation = p->generation;
    h.pid = p->keeper.pid;
    fill_candidates(p, &h);
    int fds[2] = {p->channel_fd, p->counters_fd};
    int rc = chan_send_fds(control, &h, sizeof(h), fds, 2);
    if (rc == 0)
        p->told = p->generation;
    return rc;
}
