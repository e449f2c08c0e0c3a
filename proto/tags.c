#include "proto/tags.h"

#include <string.h>

static const char *const names[TAGS] = {"info", "ice", "dtls",  "rtp",       "srtp", "rtcp",
                                        "rtx",  "bwe", "score", "simulcast", "svc",  "sctp"};

const char *tag_name(enum tag tag)
{
    return names[tag];
}

int tag_of(const char *name)
{
    for (int i = 0; i < TAGS; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    return -1;
}
