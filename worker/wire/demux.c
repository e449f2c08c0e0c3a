#include "worker/wire/demux.h"

#include "worker/wire/rtcp.h"

enum demux_kind demux_kind(const uint8_t *data, size_t len)
{
    if (len < 2)
        return DEMUX_UNKNOWN;
    if (data[0] <= 3)
        return DEMUX_STUN;
    if (data[0] >= 20 && data[0] <= 63)
        return DEMUX_DTLS;
    if (data[0] >= 128 && data[0] <= 191)
        return rtcp_is_rtcp(data, len) ? DEMUX_RTCP : DEMUX_RTP;
    return DEMUX_UNKNOWN;
}
