/* audio.h - what is told of a router's voices: who is how loud, and who speaks most (stream/volume.h, stream/speaker.h).
 *
 * A router has one observer, at rest until audio_observe(). Every audio producer whose sender puts its level in the packets is
 * heard from its making to its closing, while it is not paused. Events: ENGINE_VOLUMES once an interval while anybody is loud
 * enough, and once without volumes after that; ENGINE_SPEAKER when another one speaks most, or the one who did has gone.
 */
#ifndef ALTHING_WORKER_ROUTE_AUDIO_H
#define ALTHING_WORKER_ROUTE_AUDIO_H

#include "lib/timers.h"
#include "worker/stream/speaker.h"
#include "worker/stream/volume.h"

#include <stdbool.h>
#include <stdint.h>

#define AUDIO_VOLUMES_MAX 16

struct engine;
struct producer;
struct router;
struct rtp_exts;

struct audio_conf {
    int64_t volumes_us;   /* interval; 0: no volumes */
    int64_t speaker_us;   /* interval; 0: no speaker */
    unsigned max_volumes; /* 1..AUDIO_VOLUMES_MAX */
    int threshold;        /* dBov; quieter ones are not told of */
};

struct audio_observer {
    struct engine *engine;
    struct router *router;
    struct audio_conf conf;
    struct timer volumes_timer, speaker_timer;
    struct speakers speakers;
    bool loud; /* volumes were told of last */
};

/* Of one producer. */
struct audio_source {
    struct speaker speaker; /* first: stands in speakers.list */
    struct volume volume;
    const struct producer *producer;
};

void audio_init(struct audio_observer *a, struct engine *e, struct router *r);
void audio_stop(struct audio_observer *a); /* the router goes; no source is left */
int audio_observe(struct engine *e, uint64_t router, const struct audio_conf *conf,
                  int64_t now_us); /* 0, -ENOENT */

/* A producer comes, goes, is (un)paused, sends a packet. Those that tell no level are passed over. */
void audio_added(struct producer *p);
void audio_removed(struct producer *p);
void audio_paused(struct producer *p);
void audio_packet(struct producer *p, const struct rtp_exts *x, int64_t now_us);

#endif
