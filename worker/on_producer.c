#include "worker/on_methods.h"
#include "worker/route/producer.h"

#include <errno.h>
#include <string.h>

static int decode_codecs(struct params_media *out, const Althing__CreateProducer *m)
{
    if (m->n_codecs == 0 || m->n_codecs > LIMIT_CODECS)
        return -EINVAL;
    bool taken[128] = {false};
    for (size_t i = 0; i < m->n_codecs; i++) {
        struct params_codec *c = &out->codecs[i];
        int err = on_media_codec(c, m->codecs[i]);
        if (err)
            return err;
        if (taken[c->payload_type] || (c->has_rtx && taken[c->rtx_payload_type]))
            return -EINVAL;
        taken[c->payload_type] = true;
        if (c->has_rtx)
            taken[c->rtx_payload_type] = true;
    }
    out->n_codecs = m->n_codecs;
    return 0;
}

static int decode_encoding(struct params_encoding *out, const Althing__Encoding *in)
{
    if (in->spatial_layers > 8 || in->temporal_layers > 8)
        return -EINVAL;
    out->ssrc = in->ssrc;
    out->rtx_ssrc = in->rtx_ssrc;
    out->spatial_layers = in->spatial_layers ? (uint8_t)in->spatial_layers : 1;
    out->temporal_layers = in->temporal_layers ? (uint8_t)in->temporal_layers : 1;
    out->max_bitrate = in->max_bitrate;
    return on_media_string(out->rid, sizeof(out->rid), in->rid);
}

/* SSRCs and RIDs tell encodings apart: none twice. */
static bool encodings_differ(const struct params_encoding *enc, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (enc[i].ssrc && enc[i].ssrc == enc[i].rtx_ssrc)
            return false;
        for (size_t j = 0; j < i; j++) {
            const struct params_encoding *a = &enc[i], *b = &enc[j];
            if ((a->ssrc && (a->ssrc == b->ssrc || a->ssrc == b->rtx_ssrc)) ||
                (a->rtx_ssrc && (a->rtx_ssrc == b->ssrc || a->rtx_ssrc == b->rtx_ssrc)) ||
                (a->rid[0] && strcmp(a->rid, b->rid) == 0))
                return false;
            if (!a->ssrc && !a->rid[0]) /* could not be told from the others */
                return false;
        }
    }
    return n == 1 || enc[0].ssrc || enc[0].rid[0];
}

static int decode_encodings(struct params_producer *p, const Althing__CreateProducer *m)
{
    if (m->n_encodings == 0 || m->n_encodings > LIMIT_ENCODINGS)
        return -EINVAL;
    for (size_t i = 0; i < m->n_encodings; i++) {
        int err = decode_encoding(&p->encodings[i], m->encodings[i]);
        if (err)
            return err;
    }
    p->n_encodings = m->n_encodings;
    return encodings_differ(p->encodings, p->n_encodings) ? 0 : -EINVAL;
}

int on_create_producer(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    const Althing__CreateProducer *m = r->create_producer;
    if (!m->producer ||
        (m->kind != ALTHING__KIND__KIND_AUDIO && m->kind != ALTHING__KIND__KIND_VIDEO))
        return -EINVAL;
    struct params_producer p = {
        .transport = m->transport,
        .producer = m->producer,
        .kind = m->kind == ALTHING__KIND__KIND_AUDIO ? PARAMS_AUDIO : PARAMS_VIDEO,
        .paused = m->paused,
        .unheard = m->unheard,
    };
    int err = on_media_string(p.media.mid, sizeof(p.media.mid), m->mid);
    if (!err)
        err = on_media_string(p.media.cname, sizeof(p.media.cname), m->cname);
    if (!err)
        err = on_media_extensions(&p.media.ext, m->extensions, m->n_extensions);
    if (!err)
        err = decode_codecs(&p.media, m);
    if (!err)
        err = decode_encodings(&p, m);
    return err ? err : producer_create(e, &p, now_us);
}

int on_pause_producer(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    return producer_pause(e, r->pause_producer->producer, r->pause_producer->paused, now_us);
}

int on_close_producer(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    producer_close(e, r->close_producer->producer, now_us);
    return 0;
}
