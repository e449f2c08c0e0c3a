/* stand_in.c - plays the supervisor and one worker for the real althing-server: stand_in PROGRAM. Prints `port N`, `ready`, `bad`, `exit N`.
 * Commands on stdin: `kill` (the worker dies and another comes), `garbage` (the worker breaks the contract), `report` (how many requests of
 * each method the workers got: `report METHOD:COUNT ...`), `stop`. The end of stdin is `stop` too.
 */
#include "lib/chan.h"
#include "proto/counters.h"
#include "proto/handoff.h"
#include "tests/unit/check.h"
#include "tests/unit/server/media/fake_worker.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct fake_worker worker;
static struct chan *control;
static uint64_t generation;
static unsigned counts[32];

static void count_requests(void)
{
    for (size_t i = 0; i < worker.n_got; i++)
        counts[worker.got[i]->request->method_case % 32]++;
    fake_forget(&worker);
}

static void say(uint32_t kind, const int *fds, size_t n_fds)
{
    struct handoff h = {HANDOFF_VERSION, kind, 0, getpid(), generation, 1, 2};
    for (int i = 0; i < 2; i++) {
        strcpy(h.candidates[i].address, "127.0.0.1");
        h.candidates[i].port = 40000;
        h.candidates[i].tcp = (uint8_t)i;
    }
    chan_send_fds(control, &h, sizeof(h), fds, n_fds);
}

static void worker_up(void)
{
    int fds[2];
    fake_init(&worker, &fds[0]);
    fds[1] = counters_create();
    generation++;
    say(HANDOFF_WORKER_UP, fds, 2);
    close(fds[0]);
    close(fds[1]);
}

static void worker_down(void)
{
    count_requests();
    fake_free(&worker);
    say(HANDOFF_WORKER_DOWN, NULL, 0);
}

static int listen_somewhere(int type)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, type, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) || listen(fd, 64) ||
        getsockname(fd, (struct sockaddr *)&a, &len))
        exit(2);
    printf("port %u\n", ntohs(a.sin_port));
    return fd;
}

static pid_t start(const char *program)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds))
        exit(2);
    int config = memfd_create("config", 0), https = listen_somewhere(SOCK_STREAM),
        metrics = listen_somewhere(SOCK_STREAM);
    static const char text[] = "{\"httpOnly\": true, \"clientPath\": null, \"allowedOrigins\": "
                               "[\"*\"], \"maxUsersPerRoom\": 5,"
                               " \"prometheus\": {\"numeric\": true}}";
    if (write(config, text, sizeof(text) - 1) < 0)
        exit(2);
    pid_t pid = fork();
    if (pid == 0) {
        char args[4][64];
        snprintf(args[0], 64, "--control=%d", fds[1]);
        snprintf(args[1], 64, "--config=%d", config);
        snprintf(args[2], 64, "--listen=https:%d", https);
        snprintf(args[3], 64, "--listen=metrics:%d", metrics);
        close(fds[0]);
        execl(program, program, args[0], args[1], "--epoch=4", args[2], args[3], NULL);
        _exit(127);
    }
    close(fds[1]);
    close(config);
    close(https);
    close(metrics);
    chan_new(&control, fds[0], 65536);
    return pid;
}

static void from_server(void)
{
    struct handoff h;
    while (chan_recv(control, &h, sizeof(h), NULL, NULL) > 0) {
        if (h.kind == HANDOFF_READY)
            puts("ready");
        if (h.kind == HANDOFF_WORKER_BAD) {
            puts("bad");
            worker_down();
            worker_up();
        }
    }
}

/* false: stop. */
static bool command(void)
{
    char line[64];
    if (!fgets(line, sizeof(line), stdin) || !strcmp(line, "stop\n"))
        return false;
    if (!strcmp(line, "kill\n")) {
        worker_down();
        worker_up();
    } else if (!strcmp(line, "garbage\n")) {
        fake_bytes(&worker, "\xff\xff\xff", 3);
    } else if (!strcmp(line, "report\n")) {
        count_requests();
        printf("report");
        for (unsigned i = 0; i < 32; i++)
            printf(" %u:%u", i, counts[i]);
        puts("");
    }
    return true;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    setvbuf(stdin, NULL, _IONBF, 0);
    pid_t pid = start(argv[1]);
    worker_up();
    for (bool go_on = true; go_on;) {
        struct pollfd p[3] = {
            {0, POLLIN, 0}, {chan_fd(control), POLLIN, 0}, {worker.fd, POLLIN, 0}};
        poll(p, 3, -1);
        if (p[1].revents & (POLLHUP | POLLERR))
            break;
        if (p[1].revents)
            from_server();
        if (p[2].revents && worker.fd >= 0) {
            fake_turn(&worker);
            count_requests();
        }
        if (p[0].revents)
            go_on = command();
    }
    say(HANDOFF_STOP, NULL, 0);
    int status = 0;
    waitpid(pid, &status, 0);
    printf("exit %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    chan_free(control);
    fake_free(&worker);
    return 0;
}
