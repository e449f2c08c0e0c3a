/* target.h - the address of a room that the user names: ws[s]://host[:port]/room, http and https meaning the same. Pure. */
#ifndef ALTHING_LOAD_TARGET_H
#define ALTHING_LOAD_TARGET_H

#include <stdbool.h>
#include <stdint.h>

#define TARGET_HOST_MAX 254
#define TARGET_ROOM_MAX 100 /* bytes; what is added to it for several rooms still fits (proto/signalling.md) */

struct target {
    bool tls;
    uint16_t port; /* 443 or 80 when not said */
    char host[TARGET_HOST_MAX];      /* without the brackets of an IPv6 address */
    char authority[TARGET_HOST_MAX + 8]; /* as it stands in a Host header */
    char room[TARGET_ROOM_MAX + 1]; /* of letters, digits, '-', '_', '.', so that it needs no encoding */
};

/* NULL, or a sentence of what is wrong. */
const char *target_parse(struct target *t, const char *url);

#endif
