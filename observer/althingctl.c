/* althingctl - asks a running server what happens, over its observer socket. */
#include "observer/ctl_print.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define DEFAULT_SOCKET "/run/althing/observer.sock"
#define TIMEOUT_S      15
#define ANSWER_MAX     ((size_t)1 << 30)

enum { EXIT_ANSWER = 1, EXIT_USAGE = 2, EXIT_CONNECT = 3 };

static const char usage[] =
    "Usage: althingctl [--socket PATH] [--json] stats|snapshot|help\n"
    "\n"
    "Asks a running Althing server what happens.\n"
    "\n"
    "  stats            how many rooms and peers there are\n"
    "  snapshot         workers, rooms, peers, transports and streams\n"
    "  help             what the server's observer understands\n"
    "\n"
    "  --socket PATH    the observer's socket (default: " DEFAULT_SOCKET ")\n"
    "  --json           print JSON\n"
    "  --help           this\n"
    "  --version        the version\n"
    "\n"
    "Exit status: 0, 1 the answer is an error or broken, 2 wrong usage, 3 no server there.\n";

static int connect_to(const char *path)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(un.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(un.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    const struct timeval timeout = {.tv_sec = TIMEOUT_S};
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 ||
        connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* The whole answer with a NUL, to be freed; NULL with errno: something went wrong. */
static char *ask(int fd, const char *command)
{
    char line[64];
    int n = snprintf(line, sizeof(line), "%s\n", command);
    if (send(fd, line, (size_t)n, MSG_NOSIGNAL) != n || shutdown(fd, SHUT_WR) < 0)
        return NULL;
    char *text = NULL;
    size_t len = 0, cap = 0;
    for (;;) {
        if (len + 1 >= cap) {
            cap = cap ? cap * 2 : 65536;
            char *more = cap > ANSWER_MAX ? NULL : realloc(text, cap);
            if (!more) {
                free(text);
                errno = ENOMEM;
                return NULL;
            }
            text = more;
        }
        ssize_t got = recv(fd, text + len, cap - len - 1, 0);
        if (got == 0)
            break;
        if (got > 0) {
            len += (size_t)got;
        } else if (errno != EINTR) {
            free(text);
            return NULL;
        }
    }
    text[len] = 0;
    return text;
}

static int broken(const char *what)
{
    fprintf(stderr, "althingctl: the answer is broken: %s\n", what);
    return EXIT_ANSWER;
}

static int print_stats(const char *text, bool as_json)
{
    unsigned long rooms, peers;
    if (sscanf(text, "rooms:%lu\npeers:%lu\n", &rooms, &peers) != 2)
        return broken("no numbers");
    if (as_json)
        printf("{\"rooms\":%lu,\"peers\":%lu}\n", rooms, peers);
    else
        printf("rooms:%lu\npeers:%lu\n", rooms, peers);
    return 0;
}

static int print_snapshot(const char *text, bool as_json)
{
    json_error_t error;
    json_t *snapshot = json_loads(text, 0, &error);
    if (!snapshot)
        return broken(error.text);
    if (as_json)
        puts(text);
    else
        ctl_print_snapshot(stdout, snapshot);
    json_decref(snapshot);
    return 0;
}

static int print_answer(const char *command, char *text, bool as_json)
{
    size_t n = strlen(text);
    while (n && text[n - 1] == '\n')
        text[--n] = 0;
    if (strncmp(text, "ERROR: ", 7) == 0) {
        fprintf(stderr, "althingctl: %s\n", text + 7);
        return EXIT_ANSWER;
    }
    if (strcmp(command, "stats") == 0)
        return print_stats(text, as_json);
    if (strcmp(command, "snapshot") == 0)
        return print_snapshot(text, as_json);
    puts(text);
    return 0;
}

static int run(const char *path, const char *command, bool as_json)
{
    int fd = connect_to(path);
    if (fd < 0) {
        fprintf(stderr, "althingctl: cannot connect to %s: %s\n", path, strerror(errno));
        return EXIT_CONNECT;
    }
    char *text = ask(fd, command);
    int error = errno;
    close(fd);
    if (!text)
        return broken(error == EAGAIN ? "it does not end" : strerror(error));
    int status = print_answer(command, text, as_json);
    free(text);
    if (fflush(stdout) != 0)
        return broken("cannot write it");
    return status;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"socket", required_argument, NULL, 's'},
        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    const char *path = DEFAULT_SOCKET;
    bool as_json = false;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 's':
            path = optarg;
            break;
        case 'j':
            as_json = true;
            break;
        case 'h':
            fputs(usage, stdout);
            return 0;
        case 'V':
            puts("althingctl " ALTHING_VERSION);
            return 0;
        default:
            return EXIT_USAGE;
        }
    }
    const char *command = argc - optind == 1 ? argv[optind] : "";
    if (strcmp(command, "stats") != 0 && strcmp(command, "snapshot") != 0 &&
        strcmp(command, "help") != 0) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    return run(path, command, as_json);
}
