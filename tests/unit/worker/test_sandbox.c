#include "tests/unit/check.h"
#include "worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* What a worker that is not itself any more might try. Returns the number of the first try that the kernel let pass, or 0. */
static int try_all(void)
{
    static char *const argv[] = {NULL};
    if (open("/etc/shadow", O_RDONLY) >= 0 || errno != EPERM)
        return 1;
    if (open("/tmp", O_TMPFILE | O_RDWR, 0600) >= 0 || errno != EPERM)
        return 2;
    if (socket(AF_INET, SOCK_DGRAM, 0) >= 0 || errno != EPERM)
        return 3;
    if (socket(AF_PACKET, SOCK_RAW, 0) >= 0 || errno != EPERM)
        return 4;
    if (execv("/bin/true", argv) == 0 || errno != EPERM)
        return 5;
    if (fork() >= 0 || errno != EPERM)
        return 6;
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 || errno != EPERM)
        return 7;
    if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
        return 8;
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return 9;
    if (mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0)
        return 10;
    if (mprotect(p, 4096, PROT_READ) != 0 || munmap(p, 4096) != 0)
        return 11;
    if (prctl(PR_SET_DUMPABLE, 1) == 0)
        return 12;
    return 0;
}

static int ends[2];

/* A library's thread that was there before. Returns NULL: it can do no more. */
static void *other_thread(void *arg)
{
    char byte;
    (void)arg;
    if (recv(ends[0], &byte, 1, 0) != 1)
        return ends;
    return try_all() ? ends : NULL;
}

static void nothing_new_can_be_had(void **state)
{
    (void)state;
    int status;
    char byte = 0;
    assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        pthread_t thread;
        void *answer = NULL;
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        int err = pthread_create(&thread, NULL, other_thread, NULL);
        err = err ? err : sandbox_enter();
        int failed = err ? 100 : try_all();
        if (send(ends[1], "y", 1, 0) != 1 || pthread_join(thread, &answer) || answer)
            failed = 102;
        void *big = malloc(10 << 20); /* memory and what is open still work */
        if (!big || send(ends[1], "x", 1, 0) != 1)
            failed = 101;
        free(big);
        _exit(failed);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(recv(ends[0], &byte, 1, MSG_DONTWAIT), 1);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_new_can_be_had)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
