#include "worker/wire/rtp.h"

#include "lib/cursor.h"

#include <errno.h>

size_t rtp_header_len(const uint8_t *data, size_t len)
{
    if (len < RTP_HEADER_LEN || data[0] >> 6 != 2)
        return 0;
    size_t at = RTP_HEADER_LEN + 4u * (data[0] & 15u);
    if (data[0] & 0x10) {
        if (len < at + 4)
            return 0;
        at += 4 + 4 * (size_t)(data[at + 2] << 8 | data[at + 3]);
    }
    return at <= len ? at : 0;
}

int rtp_parse(const uint8_t *data, size_t len, struct rtp *out)
{
    if (len > RTP_MAX_LEN)
        return -EBADMSG;
    struct reader r = reader_of(data, len);
    uint8_t first = reader_u8(&r);
    uint8_t second = reader_u8(&r);
    *out = (struct rtp){.marker = second >> 7, .pt = second & 0x7f};
    out->seq = reader_u16(&r);
    out->ts = reader_u32(&r);
    out->ssrc = reader_u32(&r);
    reader_take(&r, (size_t)(first & 0x0f) * 4);
    if (first & 0x10) {
        out->ext_profile = reader_u16(&r);
        size_t ext_len = (size_t)reader_u16(&r) * 4;
        if (ext_len > reader_left(&r))
            return -EBADMSG;
        out->ext_len = (uint16_t)ext_len;
        out->ext_off = (uint16_t)(r.p - data);
        reader_take(&r, ext_len);
    }
    if (r.bad || first >> 6 != 2)
        return -EBADMSG;
    out->payload_off = (uint16_t)(r.p - data);
    size_t rest = reader_left(&r);
    if (first & 0x20) {
        out->pad_len = rest ? data[len - 1] : 0;
        if (out->pad_len == 0 || out->pad_len > rest)
            return -EBADMSG;
    }
    out->payload_len = (uint16_t)(rest - out->pad_len);
    return 0;
}
