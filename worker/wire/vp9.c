#include "worker/wire/vp9.h"

#include "lib/cursor.h"

#include <errno.h>

enum { I = 0x80, P = 0x40, L = 0x20, F = 0x10, B = 0x08, E = 0x04, V = 0x02, Z = 0x01 };

static void read_picture_id(struct vp9 *d, struct reader *r)
{
    d->has_picture_id = true;
    d->picture_id = reader_u8(r);
    d->wide_picture_id = d->picture_id & 0x80;
    if (d->wide_picture_id)
        d->picture_id = (uint16_t)((d->picture_id & 0x7f) << 8 | reader_u8(r));
}

static void read_layers(struct vp9 *d, struct reader *r)
{
    uint8_t bits = reader_u8(r);
    d->has_layers = true;
    d->tid = bits >> 5;
    d->switching_up = bits & 0x10;
    d->sid = bits >> 1 & 7;
    d->inter_layer = bits & 1;
    if (!d->flexible) {
        d->has_tl0picidx = true;
        d->tl0picidx = reader_u8(r);
    }
}

static void skip_references(struct reader *r)
{
    /* At most three, each but the last with its N bit set (RFC 9628 4.2.1). */
    for (int i = 0; i < 3; i++)
        if (!(reader_u8(r) & 0x01))
            return;
    r->bad = true;
}

static void read_structure(struct vp9 *d, struct reader *r)
{
    uint8_t bits = reader_u8(r);
    d->n_spatial = (uint8_t)((bits >> 5) + 1);
    if (bits & 0x10)
        reader_take(r, (size_t)d->n_spatial * 4);
    if (!(bits & 0x08))
        return;
    uint8_t n_pictures = reader_u8(r);
    for (unsigned i = 0; i < n_pictures && !r->bad; i++)
        reader_take(r, reader_u8(r) >> 2 & 3);
}

int vp9_parse(const uint8_t *payload, size_t len, struct vp9 *out)
{
    struct reader r = reader_of(payload, len);
    struct vp9 d = {0};
    uint8_t bits = reader_u8(&r);
    d.inter = bits & P;
    d.flexible = bits & F;
    d.start = bits & B;
    d.end = bits & E;
    d.not_referenced = bits & Z;
    if (bits & I)
        read_picture_id(&d, &r);
    if (bits & L)
        read_layers(&d, &r);
    d.head_len = (uint8_t)(len - reader_left(&r));
    if (bits & F && bits & P)
        skip_references(&r);
    if (bits & V)
        read_structure(&d, &r);
    size_t desc = len - reader_left(&r);
    if (r.bad || reader_left(&r) == 0 || desc > 255)
        return -EBADMSG;
    d.len = (uint8_t)desc;
    d.keyframe = d.start && !d.inter && d.sid == 0;
    *out = d;
    return 0;
}

size_t vp9_compose(uint8_t out[static VP9_HEAD_MAX], const uint8_t *payload, const struct vp9 *d,
                   uint16_t picture_id, uint8_t tl0picidx)
{
    size_t n = 0;
    out[n++] = payload[0];
    if (d->has_picture_id) {
        out[n++] = (uint8_t)(0x80 | picture_id >> 8);
        out[n++] = (uint8_t)picture_id;
    }
    if (d->has_layers)
        out[n++] = payload[d->head_len - 1 - d->has_tl0picidx];
    if (d->has_tl0picidx)
        out[n++] = tl0picidx;
    return n;
}
