#include "tests/unit/check.h"

#include "server/supervisor/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static uint16_t port_of(int fd)
{
    struct sockaddr_in sin;
    socklen_t len = sizeof(sin);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
    return ntohs(sin.sin_port);
}

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof(value);
    assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

static void check_flags(int fd)
{
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static void close_all(struct listen_fds *fds)
{
    for (size_t i = 0; i < fds->n; i++)
        close(fds->fd[i]);
    fds->n = 0;
}

static void all_addresses_are_separate_families(void **state)
{
    (void)state;
    char err[LISTEN_ERROR_MAX] = "";
    struct listen_fds fds = {0};
    if (listen_tcp(&fds, NULL, 0, err) < 0)
        fail_msg("%s", err);
    assert_true(fds.n == 1 || fds.n == 2);
    for (size_t i = 0; i < fds.n; i++) {
        check_flags(fds.fd[i]);
        if (option(fds.fd[i], SOL_SOCKET, SO_DOMAIN) == AF_INET6)
            assert_int_equal(option(fds.fd[i], IPPROTO_IPV6, IPV6_V6ONLY), 1);
    }
    close_all(&fds);
}

static void says_what_is_taken(void **state)
{
    (void)state;
    char err[LISTEN_ERROR_MAX] = "", expected[LISTEN_ERROR_MAX];
    struct listen_fds first = {0}, second = {0};
    assert_int_equal(listen_tcp(&first, "127.0.0.1", 0, err), 0);
    uint16_t port = port_of(first.fd[0]);
    assert_int_equal(listen_tcp(&second, "127.0.0.1", port, err), -EADDRINUSE);
    snprintf(expected, sizeof(expected), "cannot bind 127.0.0.1 port %u: Address already in use",
             port);
    assert_string_equal(err, expected);
    int udp, tcp;
    assert_int_equal(listen_media(&udp, &tcp, "127.0.0.1", port, err), -EADDRINUSE);
    snprintf(expected, sizeof(expected), "cannot bind tcp 127.0.0.1:%u: Address already in use",
             port);
    assert_string_equal(err, expected);
    close_all(&first);
    assert_true(listen_tcp(&second, "203.0.113.77", 0, err) < 0);
    assert_int_equal(second.n, 0);
}

static void media_has_both_on_one_port(void **state)
{
    (void)state;
    char err[LISTEN_ERROR_MAX] = "";
    struct listen_fds probe = {0};
    assert_int_equal(listen_tcp(&probe, "127.0.0.1", 0, err), 0);
    uint16_t port = port_of(probe.fd[0]);
    close_all(&probe);
    int udp, tcp;
    if (listen_media(&udp, &tcp, "127.0.0.1", port, err) < 0)
        fail_msg("%s", err);
    check_flags(udp);
    check_flags(tcp);
    assert_int_equal(port_of(udp), port);
    assert_int_equal(port_of(tcp), port);
    assert_int_equal(option(tcp, SOL_SOCKET, SO_ACCEPTCONN), 1);
    assert_int_equal(option(udp, SOL_SOCKET, SO_REUSEADDR), 0);
    close(udp);
    close(tcp);
}

static void unix_replaces_only_what_is_dead(void **state)
{
    (void)state;
    char err[LISTEN_ERROR_MAX] = "", dir[] = "/tmp/althing-listen-XXXXXX", path[64], file[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/sub/s", dir);
    snprintf(file, sizeof(file), "%s/file", dir);
    int fd, other;
    assert_int_equal(listen_unix(&fd, path, err), 0);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
    assert_int_equal(listen_unix(&other, path, err), -EADDRINUSE);
    close(fd);
    assert_int_equal(listen_unix(&fd, path, err), 0);
    close(fd);
    int plain = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    close(plain);
    assert_int_equal(listen_unix(&fd, file, err), -EADDRINUSE);
    assert_int_equal(access(file, F_OK), 0);
    char longer[200];
    memset(longer, 'a', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(listen_unix(&fd, longer, err), -ENAMETOOLONG);
    unlink(path);
    unlink(file);
    *strrchr(path, '/') = '\0';
    rmdir(path);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_addresses_are_separate_families),
        cmocka_unit_test(says_what_is_taken),
        cmocka_unit_test(media_has_both_on_one_port),
        cmocka_unit_test(unix_replaces_only_what_is_dead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
