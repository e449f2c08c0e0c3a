#include "server/supervisor/privilege.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/resource.h>
#include <unistd.h>

int privilege_find(struct privilege *p, const char *user)
{
    const struct passwd *pw = getpwnam(user);
    if (!pw)
        return -ENOENT;
    *p = (struct privilege){pw->pw_uid, pw->pw_gid};
    return 0;
}

int privilege_drop(const struct privilege *p, const char *user)
{
    if (geteuid() != 0)
        return geteuid() == p->uid ? 0 : -EPERM;
    if (initgroups(user, p->gid) < 0 || setresgid(p->gid, p->gid, p->gid) < 0 ||
        setresuid(p->uid, p->uid, p->uid) < 0)
        return -errno;
    /* There must be no way back. */
    return p->uid != 0 && setuid(0) == 0 ? -EPERM : 0;
}

void privilege_raise_limits(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
}
