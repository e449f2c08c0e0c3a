#include "worker/on_methods.h"
#include "worker/route/consumer.h"
#include "worker/stream/layers.h"

#include <errno.h>

static int decode_codecs(struct params_media *out, const Althing__CreateConsumer *m)
{
    if (m->n_codecs == 0 || m->n_codecs > LIMIT_CODECS)
        return -EINVAL;
    bool taken[128] = {false};
    for (size_t i = 0; i < m->n_codecs; i++) {
        const Althing__CodecMapping *map = m->codecs[i];
        struct params_codec *c = &out->codecs[i];
        if (!map->codec || map->producer_payload_type > 127 || taken[map->producer_payload_type])
            return -EINVAL;
        int err = on_media_codec(c, map->codec);
        if (err)
            return err;
        c->producer_payload_type = (uint8_t)map->producer_payload_type;
        taken[c->producer_payload_type] = true;
    }
    out->n_codecs = m->n_codecs;
    return 0;
}

int on_create_consumer(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    const Althing__CreateConsumer *m = r->create_consumer;
    if (!m->consumer || !m->ssrc || m->ssrc == m->rtx_ssrc)
        return -EINVAL;
    struct params_consumer p = {
        .transport = m->transport,
        .consumer = m->consumer,
        .producer = m->producer,
        .ssrc = m->ssrc,
        .rtx_ssrc = m->rtx_ssrc,
        .only_encoding = m->only_encoding,
        .paused = m->paused,
        .priority = m->priority,
        .preferred_spatial = m->preferred ? m->preferred->spatial : LAYERS_ALL,
        .preferred_temporal = m->preferred ? m->preferred->temporal : LAYERS_ALL,
    };
    if (p.priority > 255)
        return -EINVAL;
    int err = on_media_string(p.media.mid, sizeof(p.media.mid), m->mid);
    if (!err)
        err = on_media_string(p.media.cname, sizeof(p.media.cname), m->cname);
    if (!err)
        err = on_media_extensions(&p.media.ext, m->extensions, m->n_extensions);
    if (!err)
        err = decode_codecs(&p.media, m);
    return err ? err : consumer_create(e, &p, now_us);
}

int on_pause_consumer(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    return consumer_pause(e, r->pause_consumer->consumer, r->pause_consumer->paused, now_us);
}

int on_set_preferred_layers(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    const Althing__SetPreferredLayers *m = r->set_preferred_layers;
    return consumer_set_preferred(e, m->consumer, m->layers ? m->layers->spatial : LAYERS_ALL,
                                  m->layers ? m->layers->temporal : LAYERS_ALL, now_us);
}

int on_set_priority(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    const Althing__SetPriority *m = r->set_priority;
    (void)now_us;
    if (m->priority == 0 || m->priority > 255)
        return -EINVAL;
    return consumer_set_priority(e, m->consumer, m->priority);
}

int on_request_key_frame(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    return consumer_request_key_frame(e, r->request_key_frame->consumer, now_us);
}

int on_close_consumer(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    consumer_close(e, r->close_consumer->consumer, now_us);
    return 0;
}
