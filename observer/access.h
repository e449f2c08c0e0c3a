/* access.h - who is at the other end of a Unix socket, as the kernel says (SO_PEERCRED, SO_PEERGROUPS), and what that may do. */
#ifndef ALTHING_OBSERVER_ACCESS_H
#define ALTHING_OBSERVER_ACCESS_H

#include "observer/observer.h"

enum observer_access {
    OBSERVER_NO_ACCESS,
    OBSERVER_MAY_SEE,   /* its owner, and those in its group */
    OBSERVER_MAY_ORDER, /* root, our own user, and those in the admin group */
};

/* The group of a socket's file, or who owns it; (uid_t)-1: it has none (a test's socketpair). */
struct observer_file {
    uid_t uid;
    gid_t gid;
};

/* listen_fd's file as it is now. */
struct observer_file observer_file_of(int listen_fd);
enum observer_access observer_access(int fd, const struct observer_file *file, gid_t admin_group, struct observer_who *who);
/* The decision alone. `groups`: all of the client's, its own one too. */
enum observer_access observer_access_for(uid_t uid, const gid_t *groups, size_t n, const struct observer_file *file,
                                         gid_t admin_group, uid_t own);

#endif
