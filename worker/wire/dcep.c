#include "worker/wire/dcep.h"

#include "lib/cursor.h"

#include <errno.h>

#define UNORDERED 0x80 /* of the channel type */

int dcep_parse(const uint8_t *data, size_t len, struct dcep *out)
{
    struct reader r = reader_of(data, len);
    *out = (struct dcep){.type = (enum dcep_type)reader_u8(&r)};
    if (out->type == DCEP_ACK)
        return r.bad || reader_left(&r) ? -EBADMSG : 0;
    if (out->type != DCEP_OPEN)
        return -EBADMSG;
    uint8_t channel = reader_u8(&r);
    out->unordered = (channel & UNORDERED) != 0;
    out->reliability = (enum dcep_reliability)(channel & ~UNORDERED);
    out->priority = reader_u16(&r);
    out->parameter = reader_u32(&r);
    out->label_len = reader_u16(&r);
    out->protocol_len = reader_u16(&r);
    out->label = reader_take(&r, out->label_len);
    out->protocol = reader_take(&r, out->protocol_len);
    if (r.bad || reader_left(&r) || out->reliability > DCEP_LIFETIME)
        return -EBADMSG;
    return 0;
}

size_t dcep_compose(uint8_t *out, size_t cap, const struct dcep *in)
{
    struct writer w = writer_of(out, cap);
    writer_u8(&w, (uint8_t)in->type);
    if (in->type == DCEP_OPEN) {
        writer_u8(&w, (uint8_t)((unsigned)in->reliability | (in->unordered ? UNORDERED : 0)));
        writer_u16(&w, in->priority);
        writer_u32(&w, in->parameter);
        writer_u16(&w, in->label_len);
        writer_u16(&w, in->protocol_len);
        writer_bytes(&w, in->label, in->label_len);
        writer_bytes(&w, in->protocol, in->protocol_len);
    }
    return w.bad ? 0 : writer_len(&w);
}
