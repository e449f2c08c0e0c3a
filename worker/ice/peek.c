#include "lib/cursor.h"
#include "worker/ice/ice.h"

#include <errno.h>

#define STUN_HEADER    20
#define STUN_COOKIE    0x2112a442u
#define STUN_BINDING   0x0001
#define STUN_USERNAME  0x0006
#define ATTRIBUTES_MAX 64

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
    struct reader r = reader_of(msg, len);
    uint16_t type = reader_u16(&r), body = reader_u16(&r);
    uint32_t cookie = reader_u32(&r);
    reader_take(&r, STUN_HEADER - 8);
    if (r.bad || type != STUN_BINDING || cookie != STUN_COOKIE || body != reader_left(&r) ||
        body % 4)
        return -EBADMSG;
    for (unsigned i = 0; i < ATTRIBUTES_MAX && reader_left(&r); i++) {
        uint16_t attribute = reader_u16(&r), n = reader_u16(&r);
        struct reader value = reader_sub(&r, n);
        reader_take(&r, (4u - n % 4u) % 4u);
        if (r.bad)
            return -EBADMSG;
        if (attribute == STUN_USERNAME)
            return copy_ufrag(&value, ufrag, cap);
    }
    return -EBADMSG;
}
