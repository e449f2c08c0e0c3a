/* privilege.h - gives up root once nothing needs it any more. */
#ifndef ALTHING_SERVER_SUPERVISOR_PRIVILEGE_H
#define ALTHING_SERVER_SUPERVISOR_PRIVILEGE_H

#include <sys/types.h>

struct privilege {
    uid_t uid;
    gid_t gid;
};

int privilege_find(struct privilege *p, const char *user); /* 0 or -ENOENT */
/* Becomes that user, with its groups, for good. 0 or -errno. Not being root, and being that user already, is fine. */
int privilege_drop(const struct privilege *p, const char *user);
void privilege_raise_limits(void); /* as many descriptors as the hard limit allows */

#endif
