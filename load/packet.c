#include "load/packet.h"

#define ID_MAX (INT64_C(1) << 53)

static enum packet_kind kind_of(const char *text, size_t len, size_t *skip)
{
    static const enum packet_kind socket_io[] = {PACKET_CONNECTED, PACKET_GONE, PACKET_EVENT,
                                                 PACKET_ACK, PACKET_REFUSED};
    *skip = 1;
    if (len == 0)
        return PACKET_OTHER;
    if (text[0] >= '0' && text[0] <= '2')
        return PACKET_OPEN + (enum packet_kind)(text[0] - '0');
    if (text[0] != '4' || len < 2 || text[1] < '0' || text[1] > '4')
        return PACKET_OTHER;
    *skip = 2;
    return socket_io[text[1] - '0'];
}

struct packet packet_parse(const char *text, size_t len)
{
    size_t at, digits;
    struct packet p = {.kind = kind_of(text, len, &at), .id = -1};
    if (p.kind == PACKET_OTHER)
        return p;
    digits = at;
    while (at < len && text[at] >= '0' && text[at] <= '9') {
        p.id = (p.id < 0 ? 0 : p.id) * 10 + (text[at++] - '0');
        if (p.id > ID_MAX)
            return (struct packet){.kind = PACKET_OTHER, .id = -1};
    }
    if (p.kind == PACKET_ACK && at == digits)
        return (struct packet){.kind = PACKET_OTHER, .id = -1};
    p.json = text + at;
    p.len = len - at;
    return p;
}
