/* fake_server.c - an althing-server that only says what it is told. It asks each worker's channel for a sign of life.
 *
 * SIGUSR1: refuses worker 0. SIGUSR2: breaks the contract. FAKE_SERVER_STATUS: ends with that status at once, with
 * FAKE_SERVER_SLOW half a second after its sockets. FAKE_SERVER_DEAF: ignores STOP.
 */
#include "lib/chan.h"
#include "proto/handoff.h"
#include "server/conf/conf.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct chan *control;
static volatile sig_atomic_t refuse, misbehave;
static uint64_t generation_of_0;

static void on_signal(int sig)
{
    if (sig == SIGUSR1)
        refuse = 1;
    else
        misbehave = 1;
}

static const char *value_of(const char *arg, const char *option)
{
    size_t n = strlen(option);
    return strncmp(arg, option, n) == 0 ? arg + n : NULL;
}

static void ask_worker(const struct handoff *h, const int *fds, size_t n)
{
    struct chan *c;
    char answer[16] = "-";
    if (n != 2 || chan_new(&c, fds[0], 1024) < 0)
        return;
    chan_send(c, "ping", 4);
    struct pollfd p = {.fd = fds[0], .events = POLLIN};
    if (poll(&p, 1, 2000) == 1)
        chan_recv(c, answer, sizeof(answer) - 1, NULL, NULL);
    printf("up index=%u of=%u generation=%llu pid=%d candidates=%u first=%s:%u answer=%.4s\n",
           h->index, h->n_workers, (unsigned long long)h->generation, h->pid, h->n_candidates,
           h->candidates[0].address, h->candidates[0].port, answer);
    if (h->index == 0)
        generation_of_0 = h->generation;
    chan_free(c);
    close(fds[1]);
}

static void say(uint32_t kind)
{
    struct handoff h = {.version = HANDOFF_VERSION, .kind = kind, .generation = generation_of_0};
    chan_send(control, &h, sizeof(h));
}

/* False: the end. */
static bool on_frame(void)
{
    struct handoff h;
    int fds[CHAN_FDS_MAX];
    size_t n;
    ssize_t got = chan_recv(control, &h, sizeof(h), fds, &n);
    if (got == -EPIPE)
        return false;
    if (got != sizeof(h))
        return true;
    if (h.kind == HANDOFF_WORKER_UP)
        ask_worker(&h, fds, n);
    if (h.kind == HANDOFF_WORKER_UP && h.index == h.n_workers - 1)
        say(HANDOFF_READY);
    if (h.kind == HANDOFF_WORKER_DOWN)
        printf("down index=%u generation=%llu\n", h.index, (unsigned long long)h.generation);
    if (h.kind == HANDOFF_STOP)
        printf("stop\n");
    return h.kind != HANDOFF_STOP || getenv("FAKE_SERVER_DEAF");
}

static void read_options(int argc, char **argv)
{
    char err[CONF_ERROR_MAX];
    for (int i = 1; i < argc; i++) {
        const char *v;
        struct conf *c = NULL;
        if ((v = value_of(argv[i], "--control=")) && chan_new(&control, atoi(v), 1024) < 0)
            exit(1);
        if ((v = value_of(argv[i], "--config="))) {
            if (conf_from_fd(&c, atoi(v), err) < 0)
                exit(1);
            printf("config port=%u workers=%u\n", c->listening_port, c->num_workers);
        }
        if ((v = value_of(argv[i], "--listen="))) {
            int listening = 0;
            socklen_t len = sizeof(listening);
            getsockopt(atoi(strchr(v, ':') + 1), SOL_SOCKET, SO_ACCEPTCONN, &listening, &len);
            printf("listen role=%.*s listening=%d\n", (int)strcspn(v, ":"), v, listening);
        }
        if ((v = value_of(argv[i], "--epoch=")))
            printf("epoch=%s pid=%d\n", v, (int)getpid());
        conf_free(c);
    }
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    const char *status = getenv("FAKE_SERVER_STATUS");
    if (status && getenv("FAKE_SERVER_SLOW")) { /* lets go of its socket, and ends only then */
        for (int fd = STDERR_FILENO + 1; fd < 64; fd++)
            close(fd);
        usleep(500000);
    }
    if (status)
        return atoi(status);
    signal(SIGUSR1, on_signal);
    signal(SIGUSR2, on_signal);
    read_options(argc, argv);
    bool go_on = control != NULL;
    while (go_on) {
        struct pollfd p = {.fd = chan_fd(control), .events = POLLIN};
        int n = poll(&p, 1, 50);
        if (refuse) {
            say(HANDOFF_WORKER_BAD);
            refuse = 0;
        }
        if (misbehave) {
            chan_send(control, "?", 1);
            misbehave = 0;
        }
        go_on = n <= 0 || on_frame();
    }
    chan_free(control);
    return 0;
}
