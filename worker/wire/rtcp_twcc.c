/* rtcp_twcc.c - transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 3.1).
 *
 * After base, count and reference time come chunks that give each packet a symbol, then a delta for each one received: a byte
 * or two, in quarters of a millisecond, since the one received before it (the first: since the reference time).
 */
#include "worker/wire/rtcp.h"

#include <errno.h>

enum { LOST, SMALL, LARGE, RESERVED };

#define HEAD_LEN   20 /* common header to feedback count */
#define TICK_US    250
#define REF_US     64000
#define REF_TICKS  (REF_US / TICK_US)
#define RUN_MAX    8191
#define ONE_BIT_N  14
#define TWO_BITS_N 7

/* ---- parsing
 * ------------------------------------------------------------------------------------------------------------------ */

/* Takes one chunk's symbols into arrival_us, for the time being; returns how many. */
static size_t read_chunk(struct reader *r, struct rtcp_twcc_status *st, size_t left)
{
    uint16_t chunk = reader_u16(r);
    if (r->bad)
        return 0;
    bool run = !(chunk & 0x8000);
    bool wide = chunk & 0x4000;
    size_t n = run ? chunk & RUN_MAX : wide ? TWO_BITS_N : ONE_BIT_N;
    /* A run of none would go on for ever. */
    r->bad = n == 0;
    n = n < left ? n : left;
    for (size_t i = 0; i < n; i++) {
        unsigned symbol = run    ? chunk >> 13 & 3u
                          : wide ? chunk >> (2 * (TWO_BITS_N - 1 - i)) & 3u
                                 : chunk >> (ONE_BIT_N - 1 - i) & 1u;
        r->bad |= symbol == RESERVED;
        st[i].arrival_us = symbol;
    }
    return n;
}

static void read_deltas(struct reader *r, int64_t time_us, uint16_t seq,
                        struct rtcp_twcc_status *st, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int64_t symbol = st[i].arrival_us;
        if (symbol == SMALL)
            time_us += reader_u8(r) * TICK_US;
        else if (symbol == LARGE)
            time_us += (int16_t)reader_u16(r) * TICK_US;
        st[i] = (struct rtcp_twcc_status){.seq = (uint16_t)(seq + i), .received = symbol != LOST};
        st[i].arrival_us = st[i].received ? time_us : 0;
    }
}

int rtcp_parse_twcc(const struct rtcp_packet *p, struct rtcp_twcc *out, struct rtcp_twcc_status *st,
                    size_t max, size_t *n)
{
    struct reader r = reader_of(p->body, p->len);
    *n = 0;
    reader_u32(&r);
    out->media_ssrc = reader_u32(&r);
    out->base_seq = reader_u16(&r);
    size_t count = reader_u16(&r);
    uint32_t ref = reader_u24(&r);
    out->count = reader_u8(&r);
    if (r.bad || p->pt != RTCP_RTPFB || p->count != RTCP_RTPFB_TWCC || count == 0)
        return -EBADMSG;
    if (count > max)
        return -EMSGSIZE;
    for (size_t i = 0; i < count && !r.bad;)
        i += read_chunk(&r, st + i, count - i);
    if (r.bad)
        return -EBADMSG;
    int64_t ref_units = ref & 0x800000 ? (int64_t)ref - 0x1000000 : (int64_t)ref;
    read_deltas(&r, ref_units * REF_US, out->base_seq, st, count);
    if (r.bad)
        return -EBADMSG;
    *n = count;
    return 0;
}

/* ---- composing
 * ---------------------------------------------------------------------------------------------------------------- */

struct plan {
    uint8_t symbol[RTCP_TWCC_MAX];
    int16_t delta[RTCP_TWCC_MAX]; /* ticks */
    uint32_t ref;                 /* 24 bits */
    size_t n;                     /* statuses that deltas can be given for */
};

/* Deltas between times already rounded to ticks, so that the error does not add up. */
static void plan_deltas(struct plan *p, const struct rtcp_twcc_status *st, size_t n)
{
    bool any = false;
    int64_t last = 0;
    for (p->n = 0; p->n < n && p->n < RTCP_TWCC_MAX; p->n++) {
        const struct rtcp_twcc_status *s = &st[p->n];
        p->symbol[p->n] = LOST;
        if (!s->received)
            continue;
        int64_t ticks = s->arrival_us / TICK_US;
        if (!any) {
            last = ticks / REF_TICKS * REF_TICKS;
            p->ref = (uint32_t)(ticks / REF_TICKS) & 0xffffff;
            any = true;
        }
        int64_t d = ticks - last;
        if (d < INT16_MIN || d > INT16_MAX)
            return;
        p->symbol[p->n] = d >= 0 && d <= UINT8_MAX ? SMALL : LARGE;
        p->delta[p->n] = (int16_t)d;
        last = ticks;
    }
    if (!any)
        p->n = 0;
}

struct chunk {
    size_t n;
    bool run, wide;
};

/* The chunk that tells the most symbols from i on. */
static struct chunk next_chunk(const struct plan *p, size_t i)
{
    size_t left = p->n - i;
    size_t run = 1;
    while (run < left && run < RUN_MAX && p->symbol[i + run] == p->symbol[i])
        run++;
    size_t narrow = 0;
    while (narrow < left && narrow < ONE_BIT_N && p->symbol[i + narrow] != LARGE)
        narrow++;
    size_t wide = left < TWO_BITS_N ? left : TWO_BITS_N;
    if (run >= narrow && run >= wide)
        return (struct chunk){run, true, false};
    /* Only the last vector may have empty places: they would be taken for lost packets. */
    if (narrow == left || narrow == ONE_BIT_N)
        return (struct chunk){narrow, false, false};
    return (struct chunk){wide, false, true};
}

static uint16_t encode_chunk(const struct plan *p, size_t i, struct chunk c)
{
    if (c.run)
        return (uint16_t)(p->symbol[i] << 13 | (int)c.n);
    unsigned bits = c.wide ? 2 : 1;
    unsigned v = c.wide ? 0xc000 : 0x8000;
    for (size_t k = 0; k < c.n; k++)
        v |= (unsigned)p->symbol[i + k] << (14 - bits * (k + 1));
    return (uint16_t)v;
}

/* How many of the chunk's symbols have room, with their deltas; *bytes is what those take. */
static size_t fitting(const struct plan *p, size_t i, size_t n, size_t room, size_t *bytes)
{
    *bytes = 2;
    if (room < 2)
        return 0;
    for (size_t k = 0; k < n; k++) {
        size_t more = p->symbol[i + k]; /* LOST 0, SMALL 1, LARGE 2 bytes */
        if (*bytes + more > room)
            return k;
        *bytes += more;
    }
    return n;
}

static size_t plan_bytes(const struct plan *p)
{
    size_t sum = 0;
    for (size_t i = 0; i < p->n;) {
        struct chunk c = next_chunk(p, i);
        size_t bytes;
        fitting(p, i, c.n, SIZE_MAX, &bytes);
        sum += bytes;
        i += c.n;
    }
    return sum;
}

/* Cuts p->n down to what has room. */
static void plan_room(struct plan *p, size_t room)
{
    size_t i = 0;
    size_t left = room;
    while (i < p->n) {
        struct chunk c = next_chunk(p, i);
        size_t bytes;
        size_t n = fitting(p, i, c.n, left, &bytes);
        i += n;
        left -= bytes <= left ? bytes : left;
        if (n < c.n)
            break;
    }
    p->n = i;
    /* A shorter list may be cut into other chunks, in rare cases one more. */
    while (p->n && plan_bytes(p) > room)
        p->n--;
    /* What is not received at the end is told with what comes after it. */
    while (p->n && p->symbol[p->n - 1] == LOST)
        p->n--;
}

static void write_plan(struct writer *w, const struct plan *p)
{
    for (size_t i = 0; i < p->n;) {
        struct chunk c = next_chunk(p, i);
        writer_u16(w, encode_chunk(p, i, c));
        i += c.n;
    }
    for (size_t i = 0; i < p->n; i++) {
        if (p->symbol[i] == SMALL)
            writer_u8(w, (uint8_t)p->delta[i]);
        else if (p->symbol[i] == LARGE)
            writer_u16(w, (uint16_t)p->delta[i]);
    }
}

size_t rtcp_write_twcc(struct writer *w, uint32_t sender, uint32_t media, uint8_t count,
                       const struct rtcp_twcc_status *st, size_t n)
{
    struct plan p;
    size_t left = (size_t)(w->end - w->p) & ~(size_t)3;
    if (w->bad || left < HEAD_LEN + 4)
        return 0;
    plan_deltas(&p, st, n);
    plan_room(&p, left - HEAD_LEN);
    if (p.n == 0)
        return 0;
    size_t start = writer_len(w);
    writer_u32(w, (uint32_t)(0x80 | RTCP_RTPFB_TWCC) << 24 | RTCP_RTPFB << 16);
    writer_u32(w, sender);
    writer_u32(w, media);
    writer_u16(w, st[0].seq);
    writer_u16(w, (uint16_t)p.n);
    writer_u24(w, p.ref);
    writer_u8(w, count);
    write_plan(w, &p);
    while ((writer_len(w) - start) % 4)
        writer_u8(w, 0);
    size_t words = (writer_len(w) - start) / 4 - 1;
    w->start[start + 2] = (uint8_t)(words >> 8);
    w->start[start + 3] = (uint8_t)words;
    return p.n;
}
