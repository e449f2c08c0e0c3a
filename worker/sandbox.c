#include "worker/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define MACHINE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define MACHINE AUDIT_ARCH_AARCH64
#endif

#define X32_BIT 0x40000000u /* system calls of another ABI on the same machine */

static const uint32_t allowed[] = {
    /* the sockets, the channel, standard error */
    SYS_read, SYS_readv, SYS_write, SYS_writev, SYS_recvfrom, SYS_recvmsg, SYS_recvmmsg, SYS_sendto,
    SYS_sendmsg, SYS_sendmmsg, SYS_accept4, SYS_close, SYS_shutdown, SYS_getsockname,
    SYS_getpeername, SYS_getsockopt, SYS_setsockopt, SYS_fcntl, SYS_ioctl, SYS_fstat,
    /* waiting and the time */
    SYS_epoll_ctl, SYS_epoll_pwait, SYS_ppoll, SYS_timerfd_settime, SYS_clock_gettime,
    SYS_gettimeofday, SYS_clock_nanosleep, SYS_nanosleep, SYS_restart_syscall, SYS_sched_yield,
#ifdef SYS_epoll_wait
    SYS_epoll_wait, SYS_poll,
#endif
    /* what the process takes */
    SYS_getrusage, SYS_pread64,
    /* memory and randomness */
    SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_futex, SYS_getrandom,
    /* how a library's thread begins that was made before */
    SYS_rseq, SYS_set_robust_list,
    /* signals and the end */
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sigaltstack, SYS_getpid, SYS_gettid,
    SYS_tgkill, SYS_exit, SYS_exit_group};

#define ALLOWED   (sizeof(allowed) / sizeof(allowed[0]))
#define START     6 /* instructions before the list */
#define END       7 /* and behind it */
#define LOAD(at)  BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (at))
#define ANSWER(a) BPF_STMT(BPF_RET | BPF_K, (a))

#if defined(MACHINE)

/* The third argument of mmap and mprotect; its lower half, which both machines keep first. */
#define PROT_AT (offsetof(struct seccomp_data, args) + 2 * sizeof(uint64_t))

static size_t compose(struct sock_filter *f)
{
    const uint32_t yes = SECCOMP_RET_ALLOW, no = SECCOMP_RET_ERRNO | EPERM;
    size_t n = 0;
    f[n++] = (struct sock_filter)LOAD(offsetof(struct seccomp_data, arch));
    f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MACHINE, 1, 0);
    f[n++] = (struct sock_filter)ANSWER(SECCOMP_RET_KILL_PROCESS);
    f[n++] = (struct sock_filter)LOAD(offsetof(struct seccomp_data, nr));
    f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
    f[n++] = (struct sock_filter)ANSWER(no);
    for (size_t i = 0; i < ALLOWED; i++) {
        f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i], 0, 1);
        f[n++] = (struct sock_filter)ANSWER(yes);
    }
    /* mmap and mprotect, but nothing executable */
    f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 2, 0);
    f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 1, 0);
    f[n++] = (struct sock_filter)ANSWER(no);
    f[n++] = (struct sock_filter)LOAD(PROT_AT);
    f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1);
    f[n++] = (struct sock_filter)ANSWER(no);
    f[n++] = (struct sock_filter)ANSWER(yes);
    return n;
}

int sandbox_enter(void)
{
    struct sock_filter filter[START + 2 * ALLOWED + END];
    struct sock_fprog program = {.filter = filter};
    program.len = (unsigned short)compose(filter);
    long ret = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program);
    if (ret > 0)
        return -EBUSY; /* that thread has a filter of its own */
    return ret < 0 ? -errno : 0;
}

#else

int sandbox_enter(void)
{
    return -ENOSYS;
}

#endif
