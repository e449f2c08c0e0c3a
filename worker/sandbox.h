/* sandbox.h - what the worker may ask of the kernel once it runs: a seccomp filter (seccomp(2)).
 *
 * It may use the descriptors that it has, take memory and tell the time. It may not open or make anything: no file, no socket, no
 * process, no executable memory; such a call answers EPERM. So everything that loads or opens something must have happened before.
 */
#ifndef ALTHING_WORKER_SANDBOX_H
#define ALTHING_WORKER_SANDBOX_H

/* For all threads of the calling process, for good. Wants PR_SET_NO_NEW_PRIVS. 0 or -errno (-ENOSYS: not on this kind of
 * machine). */
int sandbox_enter(void);

#endif
