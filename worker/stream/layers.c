/* layers.c - design note.
 *
 * A layer is one of the producer's streams (simulcast) or one within its only stream (SVC). `current` and `target` are streams,
 * -1 for none; `spatial` and `temporal` are the highest layers forwarded of the current stream.
 *
 * Timestamps: what is sent is the packet's plus `shift`. At a switch the shift is chosen so that the first frame comes where
 * its capture time puts it, on the line of the stream before; but always after the last one sent. What it had to be put later
 * than it should be is kept in `surplus` and given back at the next switch, so that it does not add up.
 */
#include "worker/stream/layers.h"

#include "lib/mem.h"
#include "lib/seq.h"
#include "worker/stream/pool.h"

#include <errno.h>
#include <stdlib.h>

#define US            1000000
#define PLAUSIBLE_US  500000 /* how far a capture time may be from what arrivals say */
#define LEAST_STEP_US 1000   /* between the last frame before a switch and the first after it */

/* Which temporal layers are forwarded: those up to `level` from packet `from` on, before it (in packets that come late)
 * `before`. */
struct temporal {
    uint32_t level, before;
    int64_t from;
};

struct told {
    bool none;
    uint32_t spatial, temporal;
};

struct layers {
    struct layers_conf conf;
    uint32_t preferred_spatial, preferred_temporal;
    uint32_t allowed_spatial, allowed_temporal;
    bool barred;                              /* nothing is allowed */
    uint32_t wanted_spatial, wanted_temporal; /* preferred, as far as it is allowed */
    bool active[LAYERS_STREAMS_MAX];
    int current, target;
    int before;       /* the stream that `shift` belongs to, also while current is -1 */
    uint32_t spatial; /* SVC: within the stream */
    struct temporal temporal;
    int64_t first;      /* of the current stream: nothing before it is sent */
    int64_t newest;     /* highest ext_seq seen of it */
    bool sent;          /* anything ever */
    bool last_marker;   /* of the newest packet sent */
    int64_t last_seq;   /* ext_seq of that */
    uint32_t last_ts;   /* highest timestamp sent */
    int64_t last_rx_us; /* arrival of the packet that had it */
    uint32_t shift, surplus;
    struct told told;
};

int layers_new(struct layers **lp, const struct layers_conf *conf)
{
    if (conf->n_streams == 0 || conf->n_streams > LAYERS_STREAMS_MAX || conf->clock_rate == 0 ||
        conf->spatial_layers == 0 || conf->temporal_layers == 0)
        return -EINVAL;
    struct layers *l = mem_zalloc(sizeof(*l));
    l->conf = *conf;
    l->current = l->before = -1;
    l->target = conf->n_streams == 1 ? 0 : -1;
    l->told.none = true;
    l->allowed_spatial = l->allowed_temporal = LAYERS_ALL;
    layers_prefer(l, LAYERS_ALL, LAYERS_ALL);
    *lp = l;
    return 0;
}

void layers_free(struct layers *l)
{
    free(l);
}

static uint32_t at_most(uint32_t v, uint32_t max)
{
    return v < max ? v : max;
}

/* The highest active stream that is not above the wanted one, else the lowest active above it. None: as before. */
static void choose_target(struct layers *l)
{
    if (l->conf.n_streams == 1 || l->barred) {
        l->target = l->barred ? -1 : 0;
        return;
    }
    int n = (int)l->conf.n_streams;
    int wanted = (int)l->wanted_spatial;
    for (int i = wanted; i >= 0; i--) {
        if (l->active[i]) {
            l->target = i;
            return;
        }
    }
    for (int i = wanted + 1; i < n; i++) {
        if (l->active[i]) {
            l->target = i;
            return;
        }
    }
}

static void want(struct layers *l)
{
    l->wanted_spatial = at_most(l->preferred_spatial, l->allowed_spatial);
    l->wanted_temporal = at_most(l->preferred_temporal, l->allowed_temporal);
    choose_target(l);
}

void layers_prefer(struct layers *l, uint32_t spatial, uint32_t temporal)
{
    uint32_t n = l->conf.n_streams > 1 ? (uint32_t)l->conf.n_streams : l->conf.spatial_layers;
    l->preferred_spatial = at_most(spatial, n - 1);
    l->preferred_temporal = at_most(temporal, l->conf.temporal_layers - 1);
    want(l);
}

void layers_allow(struct layers *l, uint32_t spatial, uint32_t temporal)
{
    l->allowed_spatial = spatial;
    l->allowed_temporal = temporal;
    l->barred = false;
    want(l);
}

void layers_allow_none(struct layers *l)
{
    l->barred = true;
    l->current = -1;
    choose_target(l);
}

void layers_active(struct layers *l, size_t stream, bool active)
{
    if (stream >= l->conf.n_streams || l->active[stream] == active)
        return;
    l->active[stream] = active;
    choose_target(l);
}

void layers_restart(struct layers *l)
{
    l->current = -1;
}

static uint32_t ticks(const struct layers *l, int64_t us)
{
    return (uint32_t)(us / US * l->conf.clock_rate + us % US * l->conf.clock_rate / US);
}

/* Where the sender's clock would put the timestamp on the line of what was sent; false: unknown. */
static bool by_capture(const struct layers *l, int stream, uint32_t ts, const struct capture *c,
                       int64_t now_us, uint32_t *out)
{
    if (stream != l->before) {
        if (!c || !capture_valid(&c[stream], now_us) || !capture_valid(&c[l->before], now_us))
            return false;
        ts = capture_convert(&c[stream], &c[l->before], ts);
    }
    *out = ts + l->shift - l->surplus;
    return true;
}

static void align(struct layers *l, int stream, const struct packet *pk, const struct capture *c,
                  int64_t now_us)
{
    if (!l->sent)
        return;
    uint32_t by_arrival = l->last_ts + ticks(l, pk->rx_us - l->last_rx_us);
    uint32_t ideal;
    if (!by_capture(l, stream, pk->rtp.ts, c, now_us, &ideal) ||
        labs(seq32_diff(ideal, by_arrival)) > (long)ticks(l, PLAUSIBLE_US))
        ideal = by_arrival;
    uint32_t out = ideal;
    uint32_t least = l->last_ts + ticks(l, LEAST_STEP_US) + 1;
    if (!seq32_newer(out, least))
        out = least;
    l->surplus = out - ideal;
    l->shift = out - pk->rtp.ts;
}

static void switch_to(struct layers *l, int stream, const struct packet *pk,
                      const struct capture *c, int64_t now_us, struct layers_result *out)
{
    out->switched = true;
    out->skip_seq = l->conf.key_frames && l->sent && !l->last_marker;
    align(l, stream, pk, c, now_us);
    l->current = l->before = stream;
    l->first = l->newest = l->last_seq = pk->ext_seq;
    l->spatial = l->conf.n_streams > 1 ? 0 : l->wanted_spatial;
    l->temporal = (struct temporal){l->wanted_temporal, l->wanted_temporal, pk->ext_seq};
}

static void set_temporal(struct layers *l, uint32_t level, int64_t from)
{
    l->temporal = (struct temporal){level, l->temporal.level, from};
}

/* At the start of a frame, the newest so far. */
static void adapt_temporal(struct layers *l, const struct packet *pk)
{
    const struct frame_info *f = &pk->frame;
    uint32_t level = l->temporal.level, target = l->wanted_temporal;
    /* A stream that exceeds what is allowed goes on until the key frame of a lower one: at its lowest rate. */
    if (l->conf.n_streams > 1 && l->target >= 0 && l->target < l->current &&
        (uint32_t)l->current > l->allowed_spatial)
        target = 0;
    if (level == target)
        return;
    if (level > target || f->keyframe)
        set_temporal(l, target, pk->ext_seq);
    else if (f->sync && f->temporal > level && f->temporal <= target)
        set_temporal(l, f->temporal, pk->ext_seq);
    else if (f->sync_above && f->temporal <= level)
        set_temporal(l, target, pk->ext_seq + 1);
}

/* At the start of a picture. Up needs a key frame. Down needs none, with K-SVC neither: the lower layers were forwarded all along. */
static void adapt_spatial(struct layers *l, const struct frame_info *f)
{
    bool down = f->spatial == 0 && l->wanted_spatial < l->spatial;
    if (f->keyframe || down)
        l->spatial = l->wanted_spatial;
}

static bool wanted_layer(const struct layers *l, const struct packet *pk)
{
    const struct frame_info *f = &pk->frame;
    const struct temporal *t = &l->temporal;
    if (l->conf.n_streams == 1 && l->conf.spatial_layers > 1 && f->spatial > l->spatial)
        return false;
    /* A sender that told of no temporal layers may have some: then nobody can have chosen among them. */
    return !f->has_temporal || l->conf.temporal_layers == 1 ||
           f->temporal <= (pk->ext_seq >= t->from ? t->level : t->before);
}

static void forward(struct layers *l, const struct packet *pk, struct layers_result *out)
{
    bool svc = l->conf.n_streams == 1 && l->conf.spatial_layers > 1;
    out->forward = true;
    out->ts_shift = l->shift;
    out->marker = pk->rtp.marker || (svc && pk->frame.end && pk->frame.spatial == l->spatial);
    uint32_t ts = pk->rtp.ts + l->shift;
    if (!l->sent || seq32_newer(ts, l->last_ts)) {
        l->last_ts = ts;
        l->last_rx_us = pk->rx_us;
    }
    if (pk->ext_seq >= l->last_seq) {
        l->last_seq = pk->ext_seq;
        l->last_marker = out->marker;
    }
    l->sent = true;
}

void layers_packet(struct layers *l, size_t stream, const struct packet *pk,
                   const struct capture *captures, int64_t now_us, struct layers_result *out)
{
    int i = (int)stream;
    *out = (struct layers_result){0};
    if (stream >= l->conf.n_streams)
        return;
    layers_active(l, stream, true);
    if (i == l->target && i != l->current && (pk->frame.keyframe || !l->conf.key_frames))
        switch_to(l, i, pk, captures, now_us, out);
    if (i != l->current)
        return;
    out->current = true;
    if (pk->ext_seq < l->first)
        return;
    if (pk->ext_seq >= l->newest) {
        l->newest = pk->ext_seq;
        if (pk->frame.start) {
            adapt_temporal(l, pk);
            adapt_spatial(l, &pk->frame);
        }
    }
    if (wanted_layer(l, pk))
        forward(l, pk, out);
}

int layers_wants_key(const struct layers *l)
{
    if (!l->conf.key_frames || l->target < 0)
        return -1;
    if (l->target != l->current)
        return l->target;
    bool svc = l->conf.n_streams == 1 && l->conf.spatial_layers > 1;
    return svc && l->wanted_spatial > l->spatial ? l->target : -1;
}

bool layers_changed(struct layers *l, bool *none, uint32_t *spatial, uint32_t *temporal)
{
    struct told now = {.none = l->current < 0};
    if (!now.none) {
        now.spatial = l->conf.n_streams > 1 ? (uint32_t)l->current : l->spatial;
        now.temporal = l->temporal.level;
    }
    bool changed = now.none != l->told.none || now.spatial != l->told.spatial ||
                   now.temporal != l->told.temporal;
    l->told = now;
    *none = now.none;
    *spatial = now.spatial;
    *temporal = now.temporal;
    return changed;
}

void layers_told(const struct layers *l, bool *none, uint32_t *spatial, uint32_t *temporal)
{
    *none = l->told.none;
    *spatial = l->told.spatial;
    *temporal = l->told.temporal;
}

int layers_current_stream(const struct layers *l)
{
    return l->current;
}

int layers_target_stream(const struct layers *l)
{
    return l->target;
}

uint32_t layers_ts_shift(const struct layers *l)
{
    return l->shift;
}
