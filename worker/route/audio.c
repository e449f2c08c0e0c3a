#include "worker/route/audio.h"

#include "lib/mem.h"
#include "worker/route/producer.h"
#include "worker/route/router.h"
#include "worker/route/state.h"

#include <errno.h>
#include <stdlib.h>
#include <utlist.h>

static struct audio_source *source_of(struct speaker *s)
{
    return (struct audio_source *)s;
}

static struct audio_observer *observer_of(const struct producer *p)
{
    return &p->transport->router->audio;
}

/* ---- volumes ---- */

/* Keeps the loudest, in order. */
static size_t keep(struct engine_volume *list, size_t n, size_t max, struct engine_volume v)
{
    size_t at = n;
    while (at > 0 && list[at - 1].dbov < v.dbov)
        at--;
    if (at >= max)
        return n;
    if (n < max)
        n++;
    for (size_t i = n - 1; i > at; i--)
        list[i] = list[i - 1];
    list[at] = v;
    return n;
}

static void tell_volumes(struct audio_observer *a)
{
    struct engine_volume list[AUDIO_VOLUMES_MAX];
    size_t n = 0;
    struct speaker *s;
    DL_FOREACH (a->speakers.list, s) {
        struct audio_source *src = source_of(s);
        struct engine_volume v = {.producer = src->producer->id};
        if (volume_take(&src->volume, &v.dbov) && v.dbov >= a->conf.threshold)
            n = keep(list, n, a->conf.max_volumes, v);
    }
    if (n == 0 && !a->loud)
        return;
    a->loud = n > 0;
    struct engine_event ev = {
        .kind = ENGINE_VOLUMES, .object = a->router->id, .volumes = list, .n_volumes = n};
    engine_event(a->engine, &ev);
}

static void volumes_fired(struct timer *timer, int64_t now_us, void *arg)
{
    struct audio_observer *a = arg;
    tell_volumes(a);
    timer_start(&a->engine->timers, timer, now_us + a->conf.volumes_us);
}

/* ---- the dominant speaker ---- */

static void tell_speaker(const struct audio_observer *a)
{
    struct speaker *s = a->speakers.dominant;
    struct engine_event ev = {.kind = ENGINE_SPEAKER,
                              .object = a->router->id,
                              .speaker = s ? source_of(s)->producer->id : 0};
    engine_event(a->engine, &ev);
}

static void speaker_fired(struct timer *timer, int64_t now_us, void *arg)
{
    struct audio_observer *a = arg;
    if (speakers_choose(&a->speakers, now_us))
        tell_speaker(a);
    timer_start(&a->engine->timers, timer, now_us + a->conf.speaker_us);
}

/* ---- the observer ---- */

void audio_init(struct audio_observer *a, struct engine *e, struct router *r)
{
    *a = (struct audio_observer){.engine = e, .router = r};
    timer_init(&a->volumes_timer, volumes_fired, a);
    timer_init(&a->speaker_timer, speaker_fired, a);
}

void audio_stop(struct audio_observer *a)
{
    timer_stop(&a->engine->timers, &a->volumes_timer);
    timer_stop(&a->engine->timers, &a->speaker_timer);
}

int audio_observe(struct engine *e, uint64_t router, const struct audio_conf *conf, int64_t now_us)
{
    struct router *r = router_find(e, router);
    if (!r)
        return -ENOENT;
    struct audio_observer *a = &r->audio;
    if (conf->volumes_us == a->conf.volumes_us && conf->speaker_us == a->conf.speaker_us &&
        conf->max_volumes == a->conf.max_volumes && conf->threshold == a->conf.threshold)
        return 0;
    audio_stop(a);
    a->conf = *conf;
    a->loud = false;
    if (conf->volumes_us)
        timer_start(&e->timers, &a->volumes_timer, now_us + conf->volumes_us);
    if (conf->speaker_us)
        timer_start(&e->timers, &a->speaker_timer, now_us + conf->speaker_us);
    return 0;
}

/* ---- producers ---- */

void audio_added(struct producer *p)
{
    if (p->kind != PARAMS_AUDIO || !p->media.ext.id_of[RTP_EXT_AUDIO_LEVEL])
        return;
    p->audio = mem_zalloc(sizeof(*p->audio));
    p->audio->producer = p;
    p->audio->speaker.muted = p->paused;
    speakers_add(&observer_of(p)->speakers, &p->audio->speaker);
}

void audio_removed(struct producer *p)
{
    if (!p->audio)
        return;
    struct audio_observer *a = observer_of(p);
    bool dominant = speakers_remove(&a->speakers, &p->audio->speaker);
    free(p->audio);
    p->audio = NULL;
    if (dominant && a->conf.speaker_us)
        tell_speaker(a);
}

void audio_paused(struct producer *p)
{
    if (p->audio)
        p->audio->speaker.muted = p->paused;
}

void audio_packet(struct producer *p, const struct rtp_exts *x, int64_t now_us)
{
    if (!p->audio || p->paused || !(x->present & RTP_EXT_BIT(RTP_EXT_AUDIO_LEVEL)))
        return;
    volume_packet(&p->audio->volume, x->audio_level);
    speaker_level(&p->audio->speaker, (uint8_t)(127 - x->audio_level), now_us);
}
