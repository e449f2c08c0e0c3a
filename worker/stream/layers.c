/* layers.c - design note.
 *
 * A layer is one of the producer's streams (simulcast) or one within its only stream (SVC). `current` and `target` are streams,
 * -1 for none; `svc` chooses among the layers of the current stream.
 *
 * Timestamps: what is sent is the packet's plus `shift`. At a switch the shift is chosen so that the first frame comes where
 * its capture time puts it, on the line of the stream before; but always after the last one sent. What it had to be put later
 * than it should be is kept in `surplus` and given back at the next switch, so that it does not add up.
 */
#include "worker/stream/layers.h"

#include "lib/mem.h"
#include "lib/seq.h"
#include "worker/stream/pool.h"
#include "worker/stream/svc.h"

#include <errno.h>
#include <stdlib.h>

#define US            1000000
#define PLAUSIBLE_US  500000 /* how far a capture time may be from what arrivals say */
#define LEAST_STEP_US 1000   /* between the last frame before a switch and the first after it */

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
    int before; /* the stream that `shift` belongs to, also while current is -1 */
    struct svc svc;
    int64_t first;      /* of the current stream: nothing before it is sent */
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
    svc_init(&l->svc, conf->spatial_layers, conf->temporal_layers, conf->described);
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
    if (l)
        svc_clear(&l->svc);
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

void layers_preferred(const struct layers *l, uint32_t *spatial, uint32_t *temporal)
{
    *spatial = l->preferred_spatial;
    *temporal = l->preferred_temporal;
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
    l->first = l->last_seq = pk->ext_seq;
    svc_start(&l->svc, pk, l->wanted_spatial, l->wanted_temporal);
}

/* A stream or layer that exceeds what is allowed goes on until the key frame of a lower one: at its lowest rate. */
static uint32_t temporal_now(const struct layers *l)
{
    bool exceeds =
        l->conf.n_streams > 1
            ? l->target >= 0 && l->target < l->current && (uint32_t)l->current > l->allowed_spatial
            : l->conf.spatial_layers > 1 && l->svc.level.spatial > l->allowed_spatial;
    return exceeds ? 0 : l->wanted_temporal;
}

static void forward(struct layers *l, const struct packet *pk, struct layers_result *out)
{
    out->forward = true;
    out->ts_shift = l->shift;
    out->marker = pk->rtp.marker || svc_ends_picture(&l->svc, &pk->frame);
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
    if (svc_packet(&l->svc, pk, l->wanted_spatial, temporal_now(l)))
        forward(l, pk, out);
}

int layers_wants_key(const struct layers *l)
{
    if (!l->conf.key_frames || l->target < 0)
        return -1;
    if (l->target != l->current)
        return l->target;
    bool svc = l->conf.n_streams == 1 && l->conf.spatial_layers > 1;
    return svc && svc_wants_key(&l->svc, l->wanted_spatial, l->wanted_temporal) ? l->target : -1;
}

bool layers_changed(struct layers *l, bool *none, uint32_t *spatial, uint32_t *temporal)
{
    struct told now = {.none = l->current < 0};
    if (!now.none) {
        now.spatial = l->conf.n_streams > 1
                          ? (uint32_t)l->current
                          : at_most(l->svc.level.spatial, l->conf.spatial_layers - 1);
        now.temporal = at_most(l->svc.level.temporal, l->conf.temporal_layers - 1);
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
