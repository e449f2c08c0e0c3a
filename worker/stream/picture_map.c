#include "worker/stream/picture_map.h"

#define WIDE_MASK 0x7fff

static unsigned place(int64_t in)
{
    return (unsigned)(in & (PICTURE_MAP_FRAMES - 1));
}

void picture_map_init(struct picture_map *m)
{
    *m = (struct picture_map){0};
}

void picture_map_switch(struct picture_map *m)
{
    m->synced = false;
}

/* The frame's id, unwrapped from its 7 or 15 bits to the one nearest to the newest. */
static int64_t extend(const struct picture_map *m, const struct frame_info *f)
{
    int64_t size = f->wide_picture_id ? WIDE_MASK + 1 : 128;
    int64_t d = (f->picture_id - m->newest_in) & (size - 1);
    return m->newest_in + (d < size / 2 ? d : d - size);
}

static void note(struct picture_map *m, int64_t in, bool dropped)
{
    unsigned i = place(in);
    m->frames[i].in = in;
    m->frames[i].out = (uint16_t)(in + m->shift) & WIDE_MASK;
    m->frames[i].dropped = dropped;
}

static void start(struct picture_map *m, const struct frame_info *f)
{
    for (unsigned i = 0; i < PICTURE_MAP_FRAMES; i++)
        m->frames[i].in = -1;
    uint16_t out = m->started ? (uint16_t)(m->newest_out + 1) : f->picture_id;
    /* Far from 0, so that ids just before the first stay positive. */
    m->newest_in = INT64_C(0x100000000) + f->picture_id;
    m->shift = (uint16_t)(out - f->picture_id);
    m->tl0_shift = m->started ? (uint8_t)(m->newest_tl0 + 1 - f->tl0picidx) : 0;
    m->synced = m->started = true;
    note(m, m->newest_in, false);
    m->newest_out = out & WIDE_MASK;
}

/* Frames in between were not seen: they may still come, and have their numbers. */
static void advance(struct picture_map *m, int64_t in, bool dropped)
{
    int64_t gap = m->newest_in + 1;
    if (gap < in - PICTURE_MAP_FRAMES)
        gap = in - PICTURE_MAP_FRAMES;
    for (; gap < in; gap++)
        note(m, gap, false);
    note(m, in, dropped);
    m->newest_in = in;
}

static bool too_old(const struct picture_map *m, int64_t in)
{
    return in <= m->newest_in - PICTURE_MAP_FRAMES;
}

bool picture_map_frame(struct picture_map *m, const struct frame_info *f, uint16_t *picture_id,
                       uint8_t *tl0picidx)
{
    int64_t in = m->synced ? extend(m, f) : 0;
    /* A sender that starts its ids anew does so with a key frame. */
    if (!m->synced || (too_old(m, in) && f->keyframe)) {
        start(m, f);
        in = m->newest_in;
    } else if (in > m->newest_in) {
        advance(m, in, false);
        m->newest_out = m->frames[place(in)].out;
    }
    unsigned i = place(in);
    if (too_old(m, in) || m->frames[i].in != in || m->frames[i].dropped)
        return false;
    *picture_id = m->frames[i].out;
    *tl0picidx = (uint8_t)(f->tl0picidx + m->tl0_shift);
    if (in == m->newest_in)
        m->newest_tl0 = *tl0picidx;
    return true;
}

void picture_map_drop(struct picture_map *m, const struct frame_info *f)
{
    if (!m->synced || !f->has_picture_id)
        return;
    int64_t in = extend(m, f);
    if (in <= m->newest_in)
        return;
    advance(m, in, true);
    m->shift--;
}
