/* listen.h - opens the sockets that the other programs get: bound, listening (TCP), non-blocking, close-on-exec.
 *
 * IPv6 sockets take IPv6 only. All functions return 0 or -errno, and then err says in one line what could not be bound and why.
 * Descriptors are the caller's.
 */
#ifndef ALTHING_SERVER_SUPERVISOR_LISTEN_H
#define ALTHING_SERVER_SUPERVISOR_LISTEN_H

#include "server/conf/conf.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LISTEN_FDS_MAX   16
#define LISTEN_ERROR_MAX 320
#define LISTEN_UDP_BYTES (8 * 1024 * 1024) /* asked for as buffer, each way; the kernel may give less */

struct listen_fds {
    int fd[LISTEN_FDS_MAX];
    size_t n;
};

/* Every address of host, or all addresses (NULL). A family that the machine does not have is left out if another one worked. */
int listen_tcp(struct listen_fds *out, const char *host, uint16_t port, char err[static LISTEN_ERROR_MAX]);
/* A literal address: one UDP socket and one TCP socket on the same port. */
int listen_media(int *udp, int *tcp, const char *ip, uint16_t port, char err[static LISTEN_ERROR_MAX]);
/* A stream socket, mode 0660. What a dead process left is replaced; what somebody still serves is not (-EADDRINUSE). The folder is
 * made if it is missing. */
int listen_unix(int *fd, const char *path, char err[static LISTEN_ERROR_MAX]);

#endif
