#include "server/supervisor/listen.h"

#include "lib/addr.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 4096

static int fail(char *err, const char *what, int code)
{
    snprintf(err, LISTEN_ERROR_MAX, "cannot bind %.200s: %s", what, strerror(-code));
    return code;
}

static void ask_for_buffers(int fd)
{
    int bytes = LISTEN_UDP_BYTES;
    /* The FORCE form goes over the kernel's limit, and needs a capability. */
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

/* The descriptor or -errno. */
static int open_bound(const struct sockaddr *sa, socklen_t len, int type)
{
    int fd = socket(sa->sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    int on = 1;
    if (sa->sa_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
    /* Of UDP this would let two processes share a port without knowing. */
    if (type == SOCK_STREAM)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    else
        ask_for_buffers(fd);
    if (bind(fd, sa, len) < 0 || (type == SOCK_STREAM && listen(fd, BACKLOG) < 0)) {
        int err = -errno;
        close(fd);
        return err;
    }
    return fd;
}

static bool family_is_missing(int err)
{
    return err == -EAFNOSUPPORT || err == -EADDRNOTAVAIL;
}

int listen_tcp(struct listen_fds *out, const char *host, uint16_t port,
               char err[static LISTEN_ERROR_MAX])
{
    char service[8], what[256];
    snprintf(service, sizeof(service), "%u", port);
    snprintf(what, sizeof(what), "%.200s port %u", host ? host : "all addresses,", port);
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM};
    struct addrinfo *all;
    int rc = getaddrinfo(host, service, &hints, &all);
    if (rc != 0) {
        snprintf(err, LISTEN_ERROR_MAX, "cannot resolve %.200s: %s", host ? host : "",
                 gai_strerror(rc));
        return -EADDRNOTAVAIL;
    }
    int failed = 0, missing = -EADDRNOTAVAIL;
    size_t had = out->n;
    for (const struct addrinfo *a = all; a && out->n < LISTEN_FDS_MAX && !failed; a = a->ai_next) {
        int fd = open_bound(a->ai_addr, a->ai_addrlen, SOCK_STREAM);
        if (fd >= 0)
            out->fd[out->n++] = fd;
        else if (family_is_missing(fd))
            missing = fd;
        else
            failed = fd;
    }
    freeaddrinfo(all);
    if (!failed && out->n == had)
        failed = missing;
    return failed ? fail(err, what, failed) : 0;
}

int listen_media(int *udp, int *tcp, const char *ip, uint16_t port,
                 char err[static LISTEN_ERROR_MAX])
{
    struct addr a;
    struct sockaddr_storage ss;
    char what[ADDR_STR_MAX + 8];
    if (addr_parse(&a, ip, port) < 0)
        return fail(err, ip, -EINVAL);
    socklen_t len = addr_to_sockaddr(&a, addr_is_ipv4(&a) ? AF_INET : AF_INET6, &ss);
    char text[ADDR_STR_MAX];
    addr_format(&a, text);
    *udp = open_bound((struct sockaddr *)&ss, len, SOCK_DGRAM);
    if (*udp < 0) {
        snprintf(what, sizeof(what), "udp %s", text);
        return fail(err, what, *udp);
    }
    *tcp = open_bound((struct sockaddr *)&ss, len, SOCK_STREAM);
    if (*tcp < 0) {
        close(*udp);
        snprintf(what, sizeof(what), "tcp %s", text);
        return fail(err, what, *tcp);
    }
    return 0;
}

static void make_folder(const char *path)
{
    char folder[sizeof(((struct sockaddr_un *)0)->sun_path)];
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return;
    snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
    mkdir(folder, 0755);
}

/* A socket that nobody serves any more. */
static bool is_stale(const struct sockaddr_un *sun)
{
    struct stat st;
    if (lstat(sun->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return false;
    bool refused =
        connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0 && errno == ECONNREFUSED;
    close(fd);
    return refused;
}

int listen_unix(int *fd, const char *path, char err[static LISTEN_ERROR_MAX])
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(sun.sun_path))
        return fail(err, path, -ENAMETOOLONG);
    memcpy(sun.sun_path, path, strlen(path) + 1);
    make_folder(path);
    mode_t before = umask(0117);
    *fd = open_bound((struct sockaddr *)&sun, sizeof(sun), SOCK_STREAM);
    if (*fd == -EADDRINUSE && is_stale(&sun) && unlink(path) == 0)
        *fd = open_bound((struct sockaddr *)&sun, sizeof(sun), SOCK_STREAM);
    umask(before);
    return *fd < 0 ? fail(err, path, *fd) : 0;
}
