#include "worker/wire/dd.h"

#include <errno.h>
#include <string.h>

#define MANDATORY_LEN 3
#define SPATIAL_MAX   4
#define TEMPORAL_MAX  8

struct bits {
    const uint8_t *data;
    size_t pos, end; /* in bits */
    bool bad;        /* sticky */
};

static uint32_t take(struct bits *b, unsigned n)
{
    if (b->bad || b->end - b->pos < n) {
        b->bad = true;
        return 0;
    }
    uint32_t v = 0;
    for (; n; n--, b->pos++)
        v = v << 1 | (b->data[b->pos / 8] >> (7 - b->pos % 8) & 1);
    return v;
}

/* A number below n, in as few bits as that takes: ns(n) of the AV1 specification 4.10.7. */
static uint32_t take_below(struct bits *b, uint32_t n)
{
    unsigned w = 0;
    for (uint32_t x = n; x; x >>= 1)
        w++;
    uint32_t m = (1u << w) - n;
    uint32_t v = take(b, w - 1);
    return v < m ? v : (v << 1) - m + take(b, 1);
}

static void read_layers(struct bits *b, struct dd_structure *s)
{
    enum { SAME, NEXT_TEMPORAL, NEXT_SPATIAL, NO_MORE } next = SAME;
    unsigned spatial = 0, temporal = 0;
    do {
        if (s->n_templates == DD_TEMPLATES || spatial >= SPATIAL_MAX || temporal >= TEMPORAL_MAX) {
            b->bad = true;
            return;
        }
        s->templates[s->n_templates++] =
            (struct dd_template){.spatial = (uint8_t)spatial, .temporal = (uint8_t)temporal};
        next = take(b, 2);
        if (next == NEXT_TEMPORAL) {
            temporal++;
        } else if (next == NEXT_SPATIAL) {
            temporal = 0;
            spatial++;
        }
    } while (next != NO_MORE && !b->bad);
}

static uint64_t read_dtis(struct bits *b, unsigned n_targets)
{
    uint64_t dti = 0;
    for (unsigned i = 0; i < n_targets; i++)
        dti |= (uint64_t)take(b, 2) << (2 * i);
    return dti;
}

static void skip_fdiffs(struct bits *b, const struct dd_structure *s)
{
    for (unsigned i = 0; i < s->n_templates; i++)
        while (take(b, 1))
            take(b, 4);
}

static void read_chain_diffs(struct bits *b, unsigned n_chains, unsigned n_bits, uint8_t *diff)
{
    for (unsigned i = 0; i < n_chains; i++) {
        uint8_t v = (uint8_t)take(b, n_bits);
        if (i < DD_CHAINS)
            diff[i] = v;
    }
}

static void read_chains(struct bits *b, struct dd_structure *s)
{
    s->n_chains = (uint8_t)take_below(b, s->n_targets + 1u);
    if (s->n_chains == 0)
        return;
    for (unsigned i = 0; i < s->n_targets; i++)
        s->target_chain[i] = (uint8_t)take_below(b, s->n_chains);
    for (unsigned i = 0; i < s->n_templates; i++)
        read_chain_diffs(b, s->n_chains, 4, s->templates[i].chain_diff);
}

static void find_target_layers(struct dd_structure *s)
{
    for (unsigned t = 0; t < s->n_targets; t++) {
        for (unsigned i = 0; i < s->n_templates; i++) {
            const struct dd_template *tp = &s->templates[i];
            if (dd_dti_of(tp->dti, t) == DD_NOT_PRESENT)
                continue;
            if (tp->spatial > s->target_spatial[t])
                s->target_spatial[t] = tp->spatial;
            if (tp->temporal > s->target_temporal[t])
                s->target_temporal[t] = tp->temporal;
        }
    }
}

static void read_structure(struct bits *b, struct dd_structure *s)
{
    *s = (struct dd_structure){.known = true};
    s->id_offset = (uint8_t)take(b, 6);
    s->n_targets = (uint8_t)(take(b, 5) + 1);
    read_layers(b, s);
    for (unsigned i = 0; i < s->n_templates; i++)
        s->templates[i].dti = read_dtis(b, s->n_targets);
    skip_fdiffs(b, s);
    read_chains(b, s);
    find_target_layers(s);
    if (take(b, 1))
        for (unsigned i = 0; i <= s->templates[s->n_templates - 1].spatial; i++)
            take(b, 32);
}

struct flags {
    bool custom_dtis, custom_fdiffs, custom_chains;
};

static struct flags read_extended(struct bits *b, struct dd_structure *s, struct dd *d)
{
    d->has_structure = take(b, 1);
    d->has_active = take(b, 1);
    struct flags f = {.custom_dtis = take(b, 1)};
    f.custom_fdiffs = take(b, 1);
    f.custom_chains = take(b, 1);
    if (d->has_structure)
        read_structure(b, s);
    if (d->has_active)
        d->active_targets = take(b, s->n_targets);
    return f;
}

static void read_frame(struct bits *b, const struct dd_structure *s, struct flags f, struct dd *d)
{
    if (f.custom_dtis)
        d->dti = read_dtis(b, s->n_targets);
    if (f.custom_fdiffs)
        for (unsigned n = take(b, 2); n && !b->bad; n = take(b, 2))
            take(b, 4 * n);
    if (f.custom_chains)
        read_chain_diffs(b, s->n_chains, 8, d->chain_diff);
}

int dd_parse(const uint8_t *data, size_t len, struct dd_structure *s, struct dd *out)
{
    struct bits b = {data, 0, len * 8, false};
    struct dd_structure next;
    struct dd d = {0};
    struct flags f = {0};
    d.start = take(&b, 1);
    d.end = take(&b, 1);
    d.template_id = (uint8_t)take(&b, 6);
    d.frame_number = (uint16_t)take(&b, 16);
    if (b.bad)
        return -EBADMSG;
    *out = d;
    bool structure = len > MANDATORY_LEN && data[MANDATORY_LEN] & 0x80;
    /* Without a structure the rest cannot be read. */
    if (!s->known && !structure)
        return -ENOENT;
    const struct dd_structure *use = s;
    if (structure) {
        next = (struct dd_structure){0};
        f = read_extended(&b, &next, &d);
        use = &next;
    } else if (len > MANDATORY_LEN) {
        f = read_extended(&b, s, &d);
    }
    unsigned i = (d.template_id + 64u - use->id_offset) % 64;
    if (b.bad)
        return -EBADMSG;
    if (i >= use->n_templates)
        return structure ? -EBADMSG : -ENOENT;
    d.spatial = use->templates[i].spatial;
    d.temporal = use->templates[i].temporal;
    d.dti = use->templates[i].dti;
    memcpy(d.chain_diff, use->templates[i].chain_diff, sizeof(d.chain_diff));
    read_frame(&b, use, f, &d);
    if (b.bad)
        return -EBADMSG;
    if (structure)
        *s = next;
    *out = d;
    return 0;
}
