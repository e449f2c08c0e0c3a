#include "observer/access.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define GROUPS_MAX 1024 /* who is in more is taken for a member of the first one alone */

struct observer_file observer_file_of(int listen_fd)
{
    struct sockaddr_un un = {0};
    socklen_t len = sizeof(un);
    char path[sizeof(un.sun_path) + 1] = "";
    struct stat st;
    if (getsockname(listen_fd, (struct sockaddr *)&un, &len) < 0 || un.sun_family != AF_UNIX)
        return (struct observer_file){(uid_t)-1, (gid_t)-1};
    memcpy(path, un.sun_path, sizeof(un.sun_path));
    if (!path[0] || stat(path, &st) < 0)
        return (struct observer_file){(uid_t)-1, (gid_t)-1};
    return (struct observer_file){st.st_uid, st.st_gid};
}

static bool is_in(gid_t group, const gid_t *groups, size_t n)
{
    for (size_t i = 0; group != (gid_t)-1 && i < n; i++) {
        if (groups[i] == group)
            return true;
    }
    return false;
}

enum observer_access observer_access_for(uid_t uid, const gid_t *groups, size_t n,
                                         const struct observer_file *file, gid_t admin_group,
                                         uid_t own)
{
    if (uid == 0 || uid == own || is_in(admin_group, groups, n))
        return OBSERVER_MAY_ORDER;
    return uid == file->uid || is_in(file->gid, groups, n) ? OBSERVER_MAY_SEE : OBSERVER_NO_ACCESS;
}

enum observer_access observer_access(int fd, const struct observer_file *file, gid_t admin_group,
                                     struct observer_who *who)
{
    struct ucred cred;
    socklen_t len = sizeof(cred);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
        return OBSERVER_NO_ACCESS;
    *who = (struct observer_who){cred.uid, cred.pid};
    gid_t groups[1 + GROUPS_MAX] = {cred.gid};
    socklen_t more = sizeof(groups) - sizeof(groups[0]);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups + 1, &more) < 0)
        more = 0;
    return observer_access_for(cred.uid, groups, 1 + more / sizeof(gid_t), file, admin_group,
                               geteuid());
}
