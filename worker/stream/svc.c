#include "worker/stream/svc.h"

#include "lib/mem.h"
#include "worker/stream/pool.h"

#include <stdlib.h>
#include <string.h>

#define ALL_LAYERS 0xff

void svc_init(struct svc *v, uint32_t spatial_layers, uint32_t temporal_layers, bool chains)
{
    v->spatial_said = spatial_layers > 1;
    v->temporal_said = temporal_layers > 1;
    if (chains && v->spatial_said)
        v->frames = mem_calloc(SVC_FRAMES, sizeof(*v->frames));
}

void svc_clear(struct svc *v)
{
    free(v->frames);
    v->frames = NULL;
}

/* ---- the goal ---- */

static bool sent(const struct svc *v, unsigned spatial)
{
    return v->active >> spatial * FRAME_TEMPORAL_MAX & ((1u << FRAME_TEMPORAL_MAX) - 1);
}

static bool idle(const struct svc *v, unsigned spatial)
{
    int64_t last_us = 0;
    for (unsigned s = 0; s < FRAME_SPATIAL_MAX; s++)
        if (v->seen_us[s] > last_us)
            last_us = v->seen_us[s];
    return v->seen_us[spatial] && last_us - v->seen_us[spatial] > SVC_IDLE_US;
}

static bool has_spatial(const struct svc *v, unsigned spatial)
{
    return (!v->active || sent(v, spatial)) && !idle(v, spatial);
}

/* The highest that is sent up to the wanted one, else the lowest above it. */
static unsigned goal_spatial(const struct svc *v, unsigned wanted)
{
    if (wanted >= FRAME_SPATIAL_MAX)
        wanted = FRAME_SPATIAL_MAX - 1;
    for (unsigned s = wanted + 1; s-- > 0;)
        if (has_spatial(v, s))
            return s;
    for (unsigned s = wanted + 1; s < FRAME_SPATIAL_MAX; s++)
        if (has_spatial(v, s))
            return s;
    return wanted;
}

static unsigned goal_temporal(const struct svc *v, unsigned spatial, unsigned wanted)
{
    if (wanted >= FRAME_TEMPORAL_MAX)
        wanted = FRAME_TEMPORAL_MAX - 1;
    if (!v->active)
        return wanted;
    for (unsigned t = wanted + 1; t-- > 0;)
        if (v->active & FRAME_CELL(spatial, t))
            return t;
    return wanted;
}

/* A sender that told of no layers may have some: then nobody can have chosen among them. */
static struct svc_level goal_of(const struct svc *v, uint32_t spatial, uint32_t temporal)
{
    unsigned s = goal_spatial(v, v->spatial_said ? spatial : ALL_LAYERS);
    return (struct svc_level){
        (uint8_t)s, (uint8_t)goal_temporal(v, s, v->temporal_said ? temporal : ALL_LAYERS)};
}

/* ---- chains ---- */

/* By spatial layer: whether what this frame's chains refer to was forwarded. */
static uint8_t chains_at(const struct svc *v, const struct frame_info *f)
{
    uint8_t intact = 0;
    for (unsigned s = 0; s < FRAME_SPATIAL_MAX; s++) {
        uint16_t number = (uint16_t)(f->number - f->chain[s]);
        const struct svc_frame *at = &v->frames[number % SVC_FRAMES];
        bool held = at->forwarded && at->number == number && at->intact >> s & 1;
        if (f->chain[s] == 0 || held)
            intact |= (uint8_t)(1u << s);
    }
    return intact;
}

static void note_chained(struct svc *v, const struct frame_info *f, bool forwarded)
{
    struct svc_frame *at = &v->frames[f->number % SVC_FRAMES];
    if (at->forwarded && at->number == f->number)
        return;
    *at = (struct svc_frame){f->number, chains_at(v, f), forwarded};
}

/* Without chains: a frame of the lowest rate that was left out is missed by its own layer, and by those above that refer to it. */
static void note_unchained(struct svc *v, const struct frame_info *f, bool forwarded)
{
    if (forwarded || !f->start || f->temporal > 0)
        return;
    for (unsigned s = f->spatial; s < FRAME_SPATIAL_MAX; s++)
        if (s == f->spatial || !f->known || f->needs & FRAME_CELL(s, FRAME_TEMPORAL_MAX - 1))
            v->intact &= (uint8_t) ~(1u << s);
}

static void note(struct svc *v, const struct frame_info *f, bool newest, bool forwarded)
{
    if (f->chained && v->frames)
        note_chained(v, f, forwarded);
    else if (newest)
        note_unchained(v, f, forwarded);
}

/* ---- the level ---- */

static void set_level(struct svc *v, struct svc_level level, int64_t from)
{
    if (from != v->from)
        v->before = v->level;
    v->level = level;
    v->from = from;
}

static void adapt_temporal(struct svc *v, const struct packet *pk, struct svc_level goal)
{
    const struct frame_info *f = &pk->frame;
    uint8_t level = v->level.temporal;
    struct svc_level next = goal;
    if (level == goal.temporal)
        return;
    if (level > goal.temporal)
        set_level(v, goal, pk->ext_seq);
    for (; next.temporal > level; next.temporal--) {
        if (!(f->switches & FRAME_CELL(next.spatial, next.temporal)))
            continue;
        set_level(v, next, pk->ext_seq);
        return;
    }
    next.temporal = f->temporal;
    if (f->sync && f->temporal > level && f->temporal <= goal.temporal)
        set_level(v, next, pk->ext_seq);
    else if (f->sync_above && f->temporal <= level + 1 && level < goal.temporal)
        set_level(v, goal, pk->ext_seq + (f->temporal <= level));
}

static void adapt_spatial(struct svc *v, const struct packet *pk, struct svc_level goal)
{
    const struct frame_info *f = &pk->frame;
    if (!(v->intact >> goal.spatial & 1))
        return;
    if (!f->chained) {
        /* Down, where a picture starts: the layer was forwarded all along. */
        if (f->spatial == 0 && goal.spatial < v->level.spatial) {
            struct svc_level next = {goal.spatial, v->level.temporal};
            set_level(v, next, pk->ext_seq);
        }
        return;
    }
    for (struct svc_level next = goal;; next.temporal--) {
        if (f->switches & FRAME_CELL(next.spatial, next.temporal)) {
            set_level(v, next, pk->ext_seq);
            return;
        }
        if (next.temporal == 0)
            return;
    }
}

static void at_frame(struct svc *v, const struct packet *pk, uint32_t spatial, uint32_t temporal)
{
    const struct frame_info *f = &pk->frame;
    if (f->known)
        v->active = f->active;
    if (f->spatial < FRAME_SPATIAL_MAX)
        v->seen_us[f->spatial] = pk->rx_us + 1;
    if (f->chained && v->frames)
        v->intact = chains_at(v, f);
    struct svc_level goal = goal_of(v, spatial, temporal);
    if (f->keyframe) {
        v->intact = ALL_LAYERS;
        set_level(v, goal, pk->ext_seq);
        return;
    }
    if (goal.spatial != v->level.spatial)
        adapt_spatial(v, pk, goal);
    goal.spatial = v->level.spatial;
    goal.temporal =
        (uint8_t)goal_temporal(v, goal.spatial, v->temporal_said ? temporal : ALL_LAYERS);
    adapt_temporal(v, pk, goal);
}

static bool needed(const struct packet *pk, struct svc_level level)
{
    const struct frame_info *f = &pk->frame;
    uint32_t cell = FRAME_CELL(level.spatial, level.temporal);
    if (f->known & cell)
        return f->needs & cell;
    return f->spatial <= level.spatial && f->temporal <= level.temporal;
}

void svc_start(struct svc *v, const struct packet *pk, uint32_t spatial, uint32_t temporal)
{
    const struct frame_info *f = &pk->frame;
    v->active = f->known ? f->active : 0;
    memset(v->seen_us, 0, sizeof(v->seen_us));
    if (v->frames)
        memset(v->frames, 0, SVC_FRAMES * sizeof(*v->frames));
    v->intact = ALL_LAYERS;
    v->newest = pk->ext_seq;
    v->from = pk->ext_seq;
    v->level = v->before = goal_of(v, spatial, temporal);
}

bool svc_packet(struct svc *v, const struct packet *pk, uint32_t spatial, uint32_t temporal)
{
    const struct frame_info *f = &pk->frame;
    bool newest = pk->ext_seq >= v->newest;
    if (newest) {
        v->newest = pk->ext_seq;
        if (f->start)
            at_frame(v, pk, spatial, temporal);
    }
    bool forward = needed(pk, pk->ext_seq >= v->from ? v->level : v->before);
    note(v, f, newest, forward);
    return forward;
}

bool svc_ends_picture(const struct svc *v, const struct frame_info *f)
{
    return v->spatial_said && f->end && f->spatial == v->level.spatial;
}

bool svc_wants_key(const struct svc *v, uint32_t spatial, uint32_t temporal)
{
    unsigned goal = goal_of(v, spatial, temporal).spatial;
    return goal != v->level.spatial && (goal > v->level.spatial || !(v->intact >> goal & 1));
}
