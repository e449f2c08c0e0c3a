/* spawn.h - starts a program with exactly the descriptors it is given. */
#ifndef ALTHING_SERVER_SUPERVISOR_SPAWN_H
#define ALTHING_SERVER_SUPERVISOR_SPAWN_H

#include <stddef.h>
#include <sys/types.h>

#define SPAWN_FD_FIRST 3  /* the child finds fds[i] at SPAWN_FD_FIRST + i */
#define SPAWN_FDS_MAX  64
#define SPAWN_PATH_MAX 4096

/* The child is in a process group of its own (so that Ctrl-C reaches the supervisor alone), has default signals, no ambient
 * capabilities, no new privileges, /dev/null for stdin, our stdout and stderr, and dies with the calling thread. Every other
 * descriptor is closed. The pid, or -errno; a program that cannot be executed ends with status 127. */
pid_t spawn(const char *file, char *const argv[], const int *fds, size_t n_fds);

/* Finds one of our programs: beside this one, in ../libexec/althing, or where it was to be installed. 0 or -ENOENT. */
int spawn_find(const char *name, char path[static SPAWN_PATH_MAX]);

#endif
