#include "server/room/perm.h"

#include <string.h>

static const char *const names[PERM_COUNT] = {
    [PERM_BYPASS_ROOM_LOCK] = "BYPASS_ROOM_LOCK",
    [PERM_CHANGE_ROOM_LOCK] = "CHANGE_ROOM_LOCK",
    [PERM_PROMOTE_PEER] = "PROMOTE_PEER",
    [PERM_MODIFY_ROLE] = "MODIFY_ROLE",
    [PERM_SEND_CHAT] = "SEND_CHAT",
    [PERM_MODERATE_CHAT] = "MODERATE_CHAT",
    [PERM_SHARE_AUDIO] = "SHARE_AUDIO",
    [PERM_SHARE_VIDEO] = "SHARE_VIDEO",
    [PERM_SHARE_SCREEN] = "SHARE_SCREEN",
    [PERM_SHARE_EXTRA_VIDEO] = "SHARE_EXTRA_VIDEO",
    [PERM_SHARE_FILE] = "SHARE_FILE",
    [PERM_MODERATE_FILES] = "MODERATE_FILES",
    [PERM_MODERATE_ROOM] = "MODERATE_ROOM",
    [PERM_LOCAL_RECORD_ROOM] = "LOCAL_RECORD_ROOM",
    [PERM_CREATE_ROOM] = "CREATE_ROOM",
    [PERM_CHANGE_ROOM] = "CHANGE_ROOM",
};

const char *perm_name(enum perm p)
{
    return p < PERM_COUNT ? names[p] : "";
}

enum perm perm_from_name(const char *s)
{
    for (unsigned p = 0; s && p < PERM_COUNT; p++) {
        if (!strcmp(names[p], s))
            return (enum perm)p;
    }
    return PERM_NONE;
}
