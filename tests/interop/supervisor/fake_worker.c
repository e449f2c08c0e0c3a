/* fake_worker.c - an althing-worker that answers `ping` on its channel, and ends with its life pipe.
 *
 * FAKE_WORKER_STATUS: ends with that status at once. FAKE_WORKER_DEAF: ignores SIGTERM.
 */
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_socket(int fd, int type)
{
    int is = 0;
    socklen_t len = sizeof(is);
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &is, &len) == 0 && is == type;
}

static int open_fds(void)
{
    int n = 0;
    for (int fd = 0; fd < 256; fd++) {
        struct stat st;
        n += fstat(fd, &st) == 0;
    }
    return n;
}

int main(int argc, char **argv)
{
    int channel = -1, life = -1, fd, udp = 0, tcp = 0;
    const char *status = getenv("FAKE_WORKER_STATUS");
    if (status)
        return atoi(status);
    if (getenv("FAKE_WORKER_DEAF"))
        signal(SIGTERM, SIG_IGN);
    for (int i = 1; i < argc; i++) {
        if (sscanf(argv[i], "--channel=%d", &fd) == 1)
            channel = fd;
        else if (sscanf(argv[i], "--life=%d", &fd) == 1)
            life = fd;
        else if (sscanf(argv[i], "--udp=%d", &fd) == 1)
            udp += is_socket(fd, SOCK_DGRAM);
        else if (sscanf(argv[i], "--tcp=%d", &fd) == 1)
            tcp += is_socket(fd, SOCK_STREAM);
    }
    printf("worker udp=%d tcp=%d only_these=%d\n", udp, tcp, open_fds() == 3 + argc - 1);
    fflush(stdout);
    for (;;) {
        struct pollfd p[2] = {{.fd = channel, .events = POLLIN}, {.fd = life, .events = POLLIN}};
        char buf[8];
        if (poll(p, 2, -1) < 0 || p[1].revents)
            return 0;
        if (p[0].revents && recv(channel, buf, sizeof(buf), 0) > 0)
            send(channel, "pong", 4, MSG_NOSIGNAL);
    }
}
