/* perm.h - the sixteen permissions of a peer, and who starts with which. Pure. */
#ifndef ALTHING_SERVER_ROOM_PERM_H
#define ALTHING_SERVER_ROOM_PERM_H

#include <stdbool.h>
#include <stdint.h>

enum perm {
    PERM_BYPASS_ROOM_LOCK,
    PERM_CHANGE_ROOM_LOCK,
    PERM_PROMOTE_PEER,
    PERM_MODIFY_ROLE,
    PERM_SEND_CHAT,
    PERM_MODERATE_CHAT,
    PERM_SHARE_AUDIO,
    PERM_SHARE_VIDEO,
    PERM_SHARE_SCREEN,
    PERM_SHARE_EXTRA_VIDEO,
    PERM_SHARE_FILE,
    PERM_MODERATE_FILES,
    PERM_MODERATE_ROOM,
    PERM_LOCAL_RECORD_ROOM,
    PERM_CREATE_ROOM,
    PERM_CHANGE_ROOM,
    PERM_COUNT,
    PERM_NONE = PERM_COUNT, /* "needs no permission" */
};

/* A set of permissions is a uint32_t: bit p is enum perm p. */

#define PERM_BIT(p)   (UINT32_C(1) << (p))
#define PERM_ALL      (PERM_BIT(PERM_COUNT) - 1)
#define PERM_DEFAULT  (PERM_ALL & ~(PERM_BIT(PERM_BYPASS_ROOM_LOCK) | PERM_BIT(PERM_MODIFY_ROLE))) /* everybody's */
#define PERM_FIRST    (PERM_ALL & ~PERM_BIT(PERM_BYPASS_ROOM_LOCK)) /* of the first peer of a room */

static inline bool perm_has(uint32_t set, enum perm p)
{
    return p == PERM_NONE || (set & PERM_BIT(p)) != 0;
}

const char *perm_name(enum perm p);      /* "SEND_CHAT" */
enum perm perm_from_name(const char *s); /* PERM_NONE: not one */

#endif
