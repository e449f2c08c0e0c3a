#include "server/supervisor/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define EXIT_NO_EXEC 127

/* Signals may be ignored or blocked here (libuv, SIGPIPE); the child starts without that. */
static void reset_signals(void)
{
    for (int sig = 1; sig < NSIG; sig++)
        signal(sig, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Two steps, because a number that one descriptor is to get may be another one's now. */
static int place_fds(const int *fds, size_t n)
{
    int above[SPAWN_FDS_MAX];
    int first_free = SPAWN_FD_FIRST + (int)n;
    for (size_t i = 0; i < n; i++) {
        above[i] = fcntl(fds[i], F_DUPFD, first_free);
        if (above[i] < 0)
            return -errno;
    }
    for (size_t i = 0; i < n; i++) {
        if (dup2(above[i], SPAWN_FD_FIRST + (int)i) < 0)
            return -errno;
    }
    return close_range((unsigned)first_free, ~0u, 0) < 0 ? -errno : 0;
}

static void child(const char *file, char *const argv[], const int *fds, size_t n_fds, pid_t parent)
{
    setpgid(0, 0);
    reset_signals();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_NO_EXEC);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || place_fds(fds, n_fds) < 0)
        _exit(EXIT_NO_EXEC);
    execv(file, argv);
    _exit(EXIT_NO_EXEC);
}

pid_t spawn(const char *file, char *const argv[], const int *fds, size_t n_fds)
{
    if (n_fds > SPAWN_FDS_MAX)
        return -E2BIG;
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0)
        return -errno;
    if (pid == 0)
        child(file, argv, fds, n_fds, parent);
    return pid;
}

int spawn_find(const char *name, char path[static SPAWN_PATH_MAX])
{
    char self[1024];
    ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (n < 0)
        return -ENOENT;
    self[n] = '\0';
    const char *folder = dirname(self);
    snprintf(path, SPAWN_PATH_MAX, "%s/%s", folder, name);
    if (access(path, X_OK) == 0)
        return 0;
    snprintf(path, SPAWN_PATH_MAX, "%s/../libexec/althing/%s", folder, name);
    if (access(path, X_OK) == 0)
        return 0;
    snprintf(path, SPAWN_PATH_MAX, "%s/%s", ALTHING_LIBEXECDIR, name);
    return access(path, X_OK) == 0 ? 0 : -ENOENT;
}
