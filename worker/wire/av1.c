#include "worker/wire/av1.h"

#include "lib/cursor.h"

#include <errno.h>

enum { Z = 0x80, Y = 0x40, N = 0x08 };
#define OBU_SEQUENCE_HEADER 1
#define ELEMENTS_MAX        64 /* looked at in one packet; a sane one has under ten */

/* LEB128, at most 8 bytes and 32 bits of value (AV1 specification 4.10.5). */
static size_t read_leb128(struct reader *r)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint8_t b = reader_u8(r);
        v |= (uint64_t)(b & 0x7f) << (7 * i);
        if (!(b & 0x80)) {
            r->bad |= v > UINT32_MAX;
            return (size_t)v;
        }
    }
    r->bad = true;
    return 0;
}

static void look_at_obu(struct av1 *a, struct reader obu)
{
    uint8_t header = reader_u8(&obu);
    if ((header >> 3 & 0x0f) == OBU_SEQUENCE_HEADER)
        a->has_sequence = true;
    a->n_elements++;
    if (!(header & 0x04) || a->has_layers)
        return;
    uint8_t ext = reader_u8(&obu);
    if (obu.bad)
        return;
    a->has_layers = true;
    a->tid = ext >> 5;
    a->sid = ext >> 3 & 3;
}

int av1_parse(const uint8_t *payload, size_t len, struct av1 *out)
{
    struct reader r = reader_of(payload, len);
    uint8_t header = reader_u8(&r);
    unsigned w = header >> 4 & 3;
    struct av1 a = {.continues = header & Z, .continued = header & Y, .new_sequence = header & N};
    /* A coded video sequence cannot begin with the rest of an OBU (AV1 RTP specification 4.4). */
    if (r.bad || reader_left(&r) == 0 || (a.continues && a.new_sequence))
        return -EBADMSG;
    for (unsigned i = 0; reader_left(&r) && i < ELEMENTS_MAX; i++) {
        /* With a count of W the last element has no length. */
        bool last = w && i == w - 1;
        size_t n = last ? reader_left(&r) : read_leb128(&r);
        struct reader obu = reader_sub(&r, n);
        if (r.bad)
            return -EBADMSG;
        if (n && !(i == 0 && a.continues))
            look_at_obu(&a, obu);
    }
    a.keyframe = a.new_sequence || a.has_sequence;
    *out = a;
    return 0;
}
