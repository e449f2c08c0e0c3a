#include "lib/cursor.h"
#include "worker/ice/ice.h"
#include "worker/ice/stun.h"

#include <errno.h>

static int copy_ufrag(struct reader *username, char *ufrag, size_t cap)
{
    size_t n = 0;
    while (reader_left(username)) {
        uint8_t c = reader_u8(username);
        if (c == ':') {
            ufrag[n] = '\0';
            return n ? 0 : -EBADMSG;
        }
        if (c <= 0x20 || c >= 0x7f || n + 1 >= cap)
            return -EBADMSG;
        ufrag[n++] = (char)c;
    }
    return -EBADMSG;
}

int ice_peek_ufrag(const uint8_t *msg, size_t len, char *ufrag, size_t cap)
{
    size_t n;
    const uint8_t *username = stun_attribute(msg, len, STUN_USERNAME_TYPE, &n);
    if (!username)
        return -EBADMSG;
    struct reader r = reader_of(username, n);
    return copy_ufrag(&r, ufrag, cap);
}
