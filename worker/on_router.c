#include "worker/on_methods.h"
#include "worker/route/audio.h"
#include "worker/route/router.h"

#include <errno.h>

int on_create_router(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    (void)now_us;
    const Althing__CreateRouter *m = r->create_router;
    return m->router ? router_create(e, m->router, m->room) : -EINVAL;
}

int on_close_router(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    router_close(e, r->close_router->router, now_us);
    return 0;
}

#define VOLUMES_MS_MIN 250
#define SPEAKER_MS_MIN 100
#define OBSERVE_MS_MAX 5000

static bool interval_is_right(uint32_t ms, uint32_t min)
{
    return ms == 0 || (ms >= min && ms <= OBSERVE_MS_MAX);
}

int on_observe_audio(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    const Althing__ObserveAudio *m = r->observe_audio;
    if (!interval_is_right(m->volumes_interval_ms, VOLUMES_MS_MIN) ||
        !interval_is_right(m->speaker_interval_ms, SPEAKER_MS_MIN) || m->threshold > 0 ||
        m->threshold < -127 ||
        (m->volumes_interval_ms && (m->max_volumes == 0 || m->max_volumes > AUDIO_VOLUMES_MAX)))
        return -EINVAL;
    struct audio_conf conf = {
        .volumes_us = INT64_C(1000) * m->volumes_interval_ms,
        .speaker_us = INT64_C(1000) * m->speaker_interval_ms,
        .max_volumes = m->max_volumes,
        .threshold = m->threshold,
    };
    return audio_observe(e, m->router, &conf, now_us);
}
