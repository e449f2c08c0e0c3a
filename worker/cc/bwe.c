#include "worker/cc/bwe.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/seq.h"
#include "worker/cc/bwe_acked.h"
#include "worker/cc/bwe_aimd.h"
#include "worker/cc/bwe_limited.h"
#include "worker/cc/bwe_loss.h"
#include "worker/cc/bwe_prober.h"
#include "worker/cc/bwe_queue.h"
#include "worker/cc/bwe_trend.h"
#include "worker/stream/rate.h"

#include <math.h>
#include <stdlib.h>

#define PACING           2.5
#define PROBE_SETTLES_US MS_US(300) /* and a round trip */
#define PROBE_QUEUE_US   MS_US(30)  /* when more queues, more would only make it longer */
#define ASSUMED_PIECES   8          /* into which unreported bytes are spread */
#define RTT_US           MS_US(200) /* until one is known */
#define RTT_MAX_US       S_US(10)
#define SILENCE_STEP_US  MS_US(500)
#define SILENCE_FALL     0.8
#define ARRIVAL_WRAP_US  (INT64_C(64000) << 24)
#define CLOCK_JUMP_US                                                                              \
    S_US(3) /* an arrival so far from where it would be: the receiver's clock was set */
#define FIRST_SEQ    (1 << 20) /* extended numbers stay positive */
#define FIRST_FALL   0.5       /* the first probe may take away so much of the start rate */
#define REMB_MAX_BPS UINT32_MAX

/* FATE_ASSUMED: later ones were told of and this one was not; the feedback is likely to be lost,
 * not the packet. */
enum fate { FATE_NONE, FATE_OUT, FATE_ASSUMED, FATE_LOST, FATE_ARRIVED };

struct sent {
    int64_t sent_us;
    uint16_t bytes;
    uint8_t cluster;
    uint8_t fate;
};

struct bwe {
    double min_bps, max_bps;
    bool feedback_known; /* transport-cc feedback came: the delay part is there */
    bool settled;        /* the start rate was confirmed or corrected */
    int64_t rtt_us;      /* from reports; 0: not known */
    int64_t loop_us;     /* from feedback, with the time it was held back; 0: not known */
    double remb_bps;     /* 0: never told */

    int64_t newest; /* extended number; 0: none sent */
    int64_t first;  /* of the first one sent */
    struct sent sent[BWE_HISTORY];

    int64_t told;          /* newest number that any feedback covered; 0: none */
    int64_t arrival_us;    /* newest, unwrapped; 0: none */
    int64_t arrival_at_us; /* when it was told */

    /* When the target falls next for want of feedback; TIME_NEVER_US: there are no packets out. */
    int64_t silence_us;
    double silence_bps; /* 0: no limit */
    double before_silence_bps;

    struct bwe_trend trend;
    struct bwe_queue queue;
    struct bwe_acked acked;
    struct bwe_aimd aimd;
    struct bwe_loss loss;
    struct bwe_limited limited;
    struct bwe_prober prober;
    struct rate sent_rate;
    int64_t last_us; /* of what was told last */
    uint64_t feedbacks, unknown, silences;
};

/* ---- beginning ------------------------------------------------------------------------------- */

static double or_default(uint32_t bps, uint32_t otherwise)
{
    return bps ? bps : otherwise;
}

int bwe_new(struct bwe **bp, const struct bwe_conf *conf, int64_t now_us)
{
    struct bwe *b = mem_zalloc(sizeof(*b));
    struct bwe_conf none = {0};
    const struct bwe_conf *c = conf ? conf : &none;
    b->silence_us = TIME_NEVER_US;
    b->last_us = now_us;
    bwe_trend_init(&b->trend);
    bwe_aimd_init(&b->aimd, c->start_bps ? c->start_bps : BWE_START_BPS, 0, UINT32_MAX);
    bwe_set_limits(b, c->min_bps, c->max_bps);
    b->loss.bps = b->aimd.bps;
    *bp = b;
    return 0;
}

void bwe_free(struct bwe *b)
{
    free(b);
}

void bwe_set_limits(struct bwe *b, uint32_t min_bps, uint32_t max_bps)
{
    b->min_bps = or_default(min_bps, BWE_MIN_BPS);
    b->max_bps = fmax(or_default(max_bps, BWE_MAX_BPS), b->min_bps);
    bwe_aimd_set_limits(&b->aimd, (uint32_t)b->min_bps, (uint32_t)b->max_bps);
}

/* ---- the target ------------------------------------------------------------------------------ */

static double least(double a, double b_or_0)
{
    return b_or_0 > 0 ? fmin(a, b_or_0) : a;
}

static double target(const struct bwe *b)
{
    double bps = b->feedback_known ? least(b->aimd.bps, b->loss.bps) : b->loss.bps;
    bps = least(least(bps, b->remb_bps), b->silence_bps);
    return fmax(fmin(bps, b->max_bps), b->min_bps);
}

uint32_t bwe_target_bps(const struct bwe *b)
{
    return (uint32_t)target(b);
}

uint32_t bwe_pacing_bps(const struct bwe *b)
{
    return (uint32_t)fmin(PACING * target(b), UINT32_MAX);
}

bool bwe_app_limited(const struct bwe *b)
{
    return b->limited.limited;
}

static int64_t rtt_or_guess(const struct bwe *b)
{
    return b->rtt_us ? b->rtt_us : b->loop_us ? b->loop_us : RTT_US;
}

/* ---- sending --------------------------------------------------------------------------------- */

static struct sent *place(struct bwe *b, int64_t ext)
{
    return &b->sent[ext % BWE_HISTORY];
}

void bwe_sent_other(struct bwe *b, size_t bytes, int64_t now_us)
{
    rate_add(&b->sent_rate, bytes, now_us);
    bwe_limited_sent(&b->limited, bytes, target(b), now_us);
    b->last_us = now_us;
}

void bwe_sent(struct bwe *b, uint16_t seq, size_t bytes, uint8_t cluster, int64_t now_us)
{
    bwe_sent_other(b, bytes, now_us);
    int64_t ext = b->newest ? seq16_extend(seq, b->newest) : FIRST_SEQ + seq;
    if (b->newest == 0) {
        b->first = ext;
        b->newest = ext - 1;
    }
    if (ext <= b->newest)
        return; /* the same packet, once more */
    int64_t skipped = ext - b->newest > BWE_HISTORY ? ext - BWE_HISTORY : b->newest;
    while (++skipped < ext)
        *place(b, skipped) = (struct sent){0};
    b->newest = ext;
    *place(b, ext) = (struct sent){
        .sent_us = now_us,
        .bytes = bytes > UINT16_MAX ? UINT16_MAX : (uint16_t)bytes,
        .cluster = bwe_prober_sent(&b->prober, cluster, bytes, now_us),
        .fate = FATE_OUT,
    };
    if (b->silence_us == TIME_NEVER_US)
        b->silence_us = now_us + BWE_SILENCE_US;
}

/* ---- feedback -------------------------------------------------------------------------------- */

/* The receiver's clock was set, or it is another receiver: what is known of its times is void. */
static void forget_times(struct bwe *b)
{
    double threshold_ms = b->trend.threshold_ms;
    bwe_trend_init(&b->trend);
    b->trend.threshold_ms = threshold_ms;
    b->acked = (struct bwe_acked){0};
    b->queue = (struct bwe_queue){0};
    b->arrival_us = 0;
}

/* The arrival on a clock that does not wrap; always over 0. */
static int64_t unwrap(struct bwe *b, int64_t arrival_us, int64_t now_us)
{
    arrival_us %= ARRIVAL_WRAP_US;
    if (b->arrival_us) {
        int64_t d = (arrival_us - b->arrival_us) % ARRIVAL_WRAP_US;
        d += d < -ARRIVAL_WRAP_US / 2  ? ARRIVAL_WRAP_US
             : d > ARRIVAL_WRAP_US / 2 ? -ARRIVAL_WRAP_US
                                       : 0;
        int64_t off = d - (now_us - b->arrival_at_us);
        if (off < CLOCK_JUMP_US && off > -CLOCK_JUMP_US)
            return b->arrival_us + d;
        forget_times(b);
    }
    return 2 * ARRIVAL_WRAP_US + arrival_us;
}

static void arrived(struct bwe *b, struct sent *s, int64_t arrival_us)
{
    if (s->fate != FATE_ASSUMED)
        bwe_acked_packet(&b->acked, arrival_us, s->bytes);
    bwe_queue_packet(&b->queue, s->sent_us, arrival_us);
    bwe_trend_packet(&b->trend, s->sent_us, arrival_us);
    if (s->cluster)
        bwe_prober_arrived(&b->prober, s->cluster, s->bytes, s->sent_us, arrival_us);
    if (s->fate == FATE_LOST)
        bwe_loss_take(&b->loss, -1, 0);
    else
        bwe_loss_take(&b->loss, 0, 1);
    s->fate = FATE_ARRIVED;
}

/* The packet that a status is about, if it is known and not yet known to have arrived. */
static struct sent *find(struct bwe *b, uint16_t seq, int64_t *ext)
{
    *ext = seq16_extend(seq, b->newest);
    if (b->newest == 0 || *ext > b->newest || *ext <= b->newest - BWE_HISTORY || *ext < b->first ||
        place(b, *ext)->fate == FATE_NONE) {
        b->unknown++;
        return NULL;
    }
    struct sent *s = place(b, *ext);
    return s->fate == FATE_ARRIVED ? NULL : s;
}

/* Feedback was lost between `told` and ext, which arrived at arrival_us: the bytes of the
 * packets between count as arrived, but for the share that is lost, evenly since the newest
 * arrival. */
static void assume(struct bwe *b, int64_t ext, int64_t arrival_us)
{
    int64_t oldest =
        b->newest - BWE_HISTORY + 1 > b->first ? b->newest - BWE_HISTORY + 1 : b->first;
    int64_t from = b->told + 1 > oldest ? b->told + 1 : oldest;
    double bytes = 0;
    for (int64_t i = from; i < ext; i++) {
        struct sent *s = place(b, i);
        if (s->fate == FATE_OUT) {
            s->fate = FATE_ASSUMED;
            bytes += s->bytes;
        }
    }
    bytes *= 1 - b->loss.share;
    int64_t span_us = arrival_us - b->arrival_us;
    for (int i = 0; i < ASSUMED_PIECES && span_us > 0; i++)
        bwe_acked_packet(&b->acked, b->arrival_us + span_us * (i + 1) / (ASSUMED_PIECES + 1),
                         (size_t)(bytes / ASSUMED_PIECES));
}

/* Takes the statuses in; returns the newest number that arrived, 0: none did that was not known
 * to. */
static int64_t take_statuses(struct bwe *b, const struct rtcp_twcc_status *st, size_t n,
                             int64_t now_us)
{
    int64_t newest = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t ext;
        struct sent *s = find(b, st[i].seq, &ext);
        if (!s)
            continue;
        if (st[i].received) {
            int64_t at_us = unwrap(b, st[i].arrival_us, now_us);
            if (b->arrival_us && b->told && ext > b->told + 1)
                assume(b, ext, at_us);
            arrived(b, s, at_us);
            if (b->arrival_us == 0 || at_us > b->arrival_us) {
                b->arrival_us = at_us;
                b->arrival_at_us = now_us;
            }
            newest = ext > newest ? ext : newest;
        } else if (s->fate < FATE_LOST) {
            s->fate = FATE_LOST;
            bwe_loss_take(&b->loss, 1, 1);
        }
        b->told = ext > b->told ? ext : b->told;
    }
    return newest;
}

/* Feedback is back, or goes on. */
static void end_silence(struct bwe *b, int64_t newest, int64_t now_us)
{
    b->silence_us = newest < b->newest ? now_us + BWE_SILENCE_US : TIME_NEVER_US;
    if (b->silence_bps <= 0)
        return;
    /* What was lost meanwhile has been answered for; a probe finds out whether the path is what
     * it was. */
    bwe_loss_forget(&b->loss);
    bwe_aimd_set(&b->aimd, b->silence_bps, now_us);
    b->silence_bps = 0;
    bwe_prober_again(&b->prober, b->before_silence_bps, now_us);
}

static void learn_loop(struct bwe *b, int64_t newest, int64_t now_us)
{
    int64_t us = now_us - place(b, newest)->sent_us;
    if (us < 0 || us > RTT_MAX_US)
        return;
    b->loop_us = b->loop_us ? b->loop_us + (us - b->loop_us) / 8 : us;
}

static void take_probe(struct bwe *b, int64_t now_us)
{
    double bps = bwe_prober_result(&b->prober, target(b), now_us);
    if (bps <= 0)
        return;
    if (bps > b->aimd.bps && b->trend.usage != BWE_OVERUSE) {
        bwe_aimd_set(&b->aimd, bps, now_us);
        bwe_loss_raise(&b->loss, bps);
    } else if (!b->settled && bps < b->aimd.bps) {
        bwe_aimd_set(&b->aimd, fmax(bps, FIRST_FALL * b->aimd.bps), now_us);
    }
    b->settled = true;
}

static void take_rates(struct bwe *b, int64_t now_us)
{
    bwe_loss_update(&b->loss, target(b), rtt_or_guess(b), now_us);
    struct bwe_aimd_input in = {
        .usage = b->trend.usage,
        .leap = bwe_queue_round(&b->queue, b->aimd.bps),
        .acked_bps = bwe_acked_bps(&b->acked, BWE_ACKED_US),
        .acked_short_bps = bwe_acked_bps(&b->acked, BWE_ACKED_SHORT_US),
        .queue_us = b->queue.queue_us,
        .standing_us = b->queue.standing_us,
        .app_limited = b->limited.limited,
        .probing =
            now_us - b->prober.asked_us < PROBE_SETTLES_US + rtt_or_guess(b) && b->prober.asked > 0,
        .rtt_us = rtt_or_guess(b),
    };
    bwe_aimd_update(&b->aimd, &in, now_us);
    b->settled |= b->aimd.falls > 0;
}

void bwe_feedback(struct bwe *b, const struct rtcp_twcc_status *st, size_t n, int64_t now_us)
{
    b->feedbacks++;
    b->last_us = now_us;
    int64_t newest = take_statuses(b, st, n, now_us);
    if (newest == 0)
        return;
    if (!b->feedback_known)
        b->loss.bps = 0;
    b->feedback_known = true;
    end_silence(b, newest, now_us);
    learn_loop(b, newest, now_us);
    take_rates(b, now_us);
    take_probe(b, now_us);
}

/* ---- without transport-cc -------------------------------------------------------------------- */

void bwe_remb(struct bwe *b, uint64_t bps, int64_t now_us)
{
    b->remb_bps = (double)(bps > REMB_MAX_BPS ? REMB_MAX_BPS : bps);
    b->last_us = now_us;
}

void bwe_rtt(struct bwe *b, int64_t rtt_us)
{
    if (rtt_us > 0 && rtt_us <= RTT_MAX_US)
        b->rtt_us = rtt_us;
}

void bwe_loss(struct bwe *b, uint8_t fraction, uint32_t packets, int64_t now_us)
{
    b->last_us = now_us;
    if (b->feedback_known || packets == 0)
        return;
    packets = packets > BWE_HISTORY ? BWE_HISTORY : packets;
    bwe_loss_take(&b->loss, (int)(packets * fraction / 256), packets);
    double rate = target(b);
    double before = b->loss.bps;
    bwe_loss_update(&b->loss, rate, rtt_or_guess(b), now_us);
    if (b->loss.bps <= 0)
        b->loss.bps = rate;
    /* That little gets through does not show that more would. */
    if (b->limited.limited)
        b->loss.bps = fmin(b->loss.bps, before);
}

/* ---- probing and time ------------------------------------------------------------------------ */

void bwe_set_wanted(struct bwe *b, uint32_t allocated_bps, uint32_t max_bps, int64_t now_us)
{
    uint32_t wanted = max_bps > allocated_bps ? max_bps : allocated_bps;
    bwe_prober_want(&b->prober, wanted, target(b), now_us);
    b->last_us = now_us;
}

bool bwe_probe(struct bwe *b, int64_t now_us, struct bwe_cluster *c)
{
    return bwe_prober_take(&b->prober, now_us, c);
}

int64_t bwe_next_us(const struct bwe *b)
{
    return time_min_us(bwe_prober_next_us(&b->prober),
                       b->feedback_known ? b->silence_us : TIME_NEVER_US);
}

static void fall_silent(struct bwe *b, int64_t now_us)
{
    if (b->silence_bps <= 0) {
        b->silences++;
        b->before_silence_bps = target(b);
    }
    b->silence_bps = fmax(SILENCE_FALL * target(b), b->min_bps);
    b->silence_us = now_us + SILENCE_STEP_US;
}

/* Near a known capacity the rate grows by itself, and a burst would only fill the queue. */
static bool probe_useful(const struct bwe *b, int64_t now_us)
{
    if (b->trend.usage != BWE_NORMAL || b->silence_bps > 0 || b->queue.queue_us > PROBE_QUEUE_US)
        return false;
    return b->limited.limited || b->aimd.capped ||
           (b->aimd.capacity_bps <= 0 && now_us - b->aimd.fallen_us >= BWE_PROBE_EVERY_US);
}

void bwe_tick(struct bwe *b, int64_t now_us)
{
    b->last_us = now_us;
    if (b->feedback_known && now_us >= b->silence_us)
        fall_silent(b, now_us);
    bwe_limited_sent(&b->limited, 0, target(b), now_us);
    struct bwe_prober_view v = {.target_bps = target(b), .useful = probe_useful(b, now_us)};
    bwe_prober_look(&b->prober, &v, now_us);
}

void bwe_stats(const struct bwe *b, struct bwe_stats *out)
{
    struct rate sent = b->sent_rate;
    *out = (struct bwe_stats){
        .target_bps = bwe_target_bps(b),
        .delay_bps = b->feedback_known ? (uint32_t)b->aimd.bps : 0,
        .loss_bps = (uint32_t)fmin(b->loss.bps, UINT32_MAX),
        .remb_bps = (uint32_t)b->remb_bps,
        .acked_bps = bwe_acked_bps(&b->acked, BWE_ACKED_US),
        .sent_bps = rate_bps(&sent, b->last_us),
        .usage = b->trend.usage,
        .app_limited = b->limited.limited,
        .loss = (uint8_t)fmin(b->loss.share * 256, 255),
        .rtt_us = b->rtt_us ? b->rtt_us : b->loop_us,
        .queue_us = b->queue.queue_us,
        .feedbacks = b->feedbacks,
        .unknown = b->unknown,
        .overuses = b->aimd.falls,
        .silences = b->silences,
        .probes = b->prober.asked,
        .probes_good = b->prober.good,
    };
}
