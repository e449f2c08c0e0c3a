#include "worker/wire/vp8.h"

#include "lib/cursor.h"

#include <errno.h>

/* The first byte's bits, and those of the extension byte. */
enum { X = 0x80, N = 0x20, S = 0x10, PID = 0x07 };
enum { I = 0x80, L = 0x40, T = 0x20, K = 0x10 };

static void read_extension(struct vp8 *d, struct reader *r)
{
    uint8_t bits = reader_u8(r);
    d->has_picture_id = bits & I;
    d->has_tl0picidx = bits & L;
    d->has_tid = bits & T;
    d->has_keyidx = bits & K;
    if (d->has_picture_id) {
        d->picture_id = reader_u8(r);
        d->wide_picture_id = d->picture_id & 0x80;
        if (d->wide_picture_id)
            d->picture_id = (uint16_t)((d->picture_id & 0x7f) << 8 | reader_u8(r));
    }
    if (d->has_tl0picidx)
        d->tl0picidx = reader_u8(r);
    if (d->has_tid || d->has_keyidx) {
        uint8_t tk = reader_u8(r);
        /* Without its bit a field is to be ignored (RFC 7741 4.2). */
        d->tid = d->has_tid ? tk >> 6 : 0;
        d->sync = d->has_tid && tk & 0x20;
        d->keyidx = d->has_keyidx ? tk & 0x1f : 0;
    }
}

int vp8_parse(const uint8_t *payload, size_t len, struct vp8 *out)
{
    struct reader r = reader_of(payload, len);
    struct vp8 d = {0};
    uint8_t first = reader_u8(&r);
    d.non_reference = first & N;
    d.partition_start = first & S;
    d.partition = first & PID;
    if (first & X)
        read_extension(&d, &r);
    if (r.bad || reader_left(&r) == 0)
        return -EBADMSG;
    d.len = (uint8_t)(len - reader_left(&r));
    d.start = d.partition_start && d.partition == 0;
    d.keyframe = d.start && !(reader_u8(&r) & 0x01);
    *out = d;
    return 0;
}

size_t vp8_compose(uint8_t out[static VP8_DESCRIPTOR_MAX], const struct vp8 *d, uint16_t picture_id,
                   uint8_t tl0picidx)
{
    struct writer w = writer_of(out, VP8_DESCRIPTOR_MAX);
    uint8_t bits = (uint8_t)((d->has_picture_id ? I : 0) | (d->has_tl0picidx ? L : 0) |
                             (d->has_tid ? T : 0) | (d->has_keyidx ? K : 0));
    writer_u8(&w, (uint8_t)((bits ? X : 0) | (d->non_reference ? N : 0) |
                            (d->partition_start ? S : 0) | (d->partition & PID)));
    if (bits)
        writer_u8(&w, bits);
    if (d->has_picture_id)
        writer_u16(&w, 0x8000 | picture_id);
    if (d->has_tl0picidx)
        writer_u8(&w, tl0picidx);
    if (d->has_tid || d->has_keyidx)
        writer_u8(&w, (uint8_t)(d->tid << 6 | d->sync << 5 | d->keyidx));
    return writer_len(&w);
}
