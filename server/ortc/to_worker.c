#include "server/ortc/to_worker.h"
#include "lib/mem.h"
#include "server/ortc/codec.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static Althing__CodecType codec_type(const char *mime)
{
    static const struct {
        const char *mime;
        Althing__CodecType type;
    } types[] = {
        {"audio/opus", ALTHING__CODEC_TYPE__CODEC_OPUS},
        {"audio/red", ALTHING__CODEC_TYPE__CODEC_RED},
        {"video/VP8", ALTHING__CODEC_TYPE__CODEC_VP8},
        {"video/VP9", ALTHING__CODEC_TYPE__CODEC_VP9},
        {"video/H264", ALTHING__CODEC_TYPE__CODEC_H264},
        {"video/AV1", ALTHING__CODEC_TYPE__CODEC_AV1},
        {"video/H265", ALTHING__CODEC_TYPE__CODEC_H265},
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcasecmp(mime, types[i].mime) == 0)
            return types[i].type;
    }
    return ALTHING__CODEC_TYPE__CODEC_OTHER;
}

static bool number_is_one(const json_t *v)
{
    if (json_is_string(v))
        return strcmp(json_string_value(v), "1") == 0;
    return json_is_integer(v) && json_integer_value(v) == 1;
}

static void set_feedback(Althing__Codec *c, const json_t *codec)
{
    size_t i;
    const json_t *fb;
    json_array_foreach(json_object_get(codec, "rtcpFeedback"), i, fb)
    {
        const char *type = ortc_string(fb, "type"), *parameter = ortc_string(fb, "parameter");
        if (strcmp(type, "nack") == 0 && !*parameter)
            c->nack = 1;
        else if (strcmp(type, "nack") == 0 && strcmp(parameter, "pli") == 0)
            c->pli = 1;
        else if (strcmp(type, "ccm") == 0 && strcmp(parameter, "fir") == 0)
            c->fir = 1;
        else if (strcmp(type, "goog-remb") == 0)
            c->remb = 1;
        else if (strcmp(type, "transport-cc") == 0)
            c->transport_cc = 1;
    }
}

static void set_codec(Althing__Codec *c, const json_t *codec, const json_t *all)
{
    const char *mime = ortc_string(codec, "mimeType");
    const char *slash = strchr(mime, '/');
    const json_t *rtx = ortc_find_rtx(all, ortc_integer(codec, "payloadType"));
    althing__codec__init(c);
    c->type = codec_type(mime);
    c->payload_type = (uint32_t)ortc_integer(codec, "payloadType");
    c->clock_rate = (uint32_t)ortc_integer(codec, "clockRate");
    if (rtx) {
        c->has_rtx = 1;
        c->rtx_payload_type = (uint32_t)ortc_integer(rtx, "payloadType");
    }
    set_feedback(c, codec);
    c->use_dtx = number_is_one(ortc_parameter(codec, "usedtx"));
    c->mime_subtype = (char *)(uintptr_t)(slash ? slash + 1 : "");
}

static int set_codecs(struct ortc_codecs *out, const json_t *params, struct ortc_error *error)
{
    const json_t *all = json_object_get(params, "codecs");
    size_t i;
    const json_t *codec;
    json_array_foreach(all, i, codec)
    {
        if (ortc_is_rtx(codec))
            continue;
        if (out->n == ORTC_WORKER_CODECS_MAX)
            return ortc_fail(error, "more than %d media codecs", ORTC_WORKER_CODECS_MAX);
        set_codec(&out->codec[out->n++], codec, all);
    }
    return out->n ? 0 : ortc_fail(error, "no media codec");
}

static Althing__ExtensionType extension_type(const char *uri)
{
    static const struct {
        const char *uri;
        Althing__ExtensionType type;
    } types[] = {
        {"urn:ietf:params:rtp-hdrext:sdes:mid", ALTHING__EXTENSION_TYPE__EXTENSION_MID},
        {"urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", ALTHING__EXTENSION_TYPE__EXTENSION_RID},
        {"urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
         ALTHING__EXTENSION_TYPE__EXTENSION_REPAIRED_RID},
        {"http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
         ALTHING__EXTENSION_TYPE__EXTENSION_ABS_SEND_TIME},
        {"http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
         ALTHING__EXTENSION_TYPE__EXTENSION_TRANSPORT_CC},
        {"urn:ietf:params:rtp-hdrext:ssrc-audio-level",
         ALTHING__EXTENSION_TYPE__EXTENSION_AUDIO_LEVEL},
        {"https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
         ALTHING__EXTENSION_TYPE__EXTENSION_DEPENDENCY_DESCRIPTOR},
        {"urn:3gpp:video-orientation", ALTHING__EXTENSION_TYPE__EXTENSION_VIDEO_ORIENTATION},
        {"urn:ietf:params:rtp-hdrext:toffset", ALTHING__EXTENSION_TYPE__EXTENSION_TOFFSET},
        {"http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time",
         ALTHING__EXTENSION_TYPE__EXTENSION_ABS_CAPTURE_TIME},
        {"http://www.webrtc.org/experiments/rtp-hdrext/playout-delay",
         ALTHING__EXTENSION_TYPE__EXTENSION_PLAYOUT_DELAY},
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(uri, types[i].uri) == 0)
            return types[i].type;
    }
    return ALTHING__EXTENSION_TYPE__EXTENSION_UNSPECIFIED;
}

/* The first id of a type counts: a sender that has two of one kind is not told apart by it. */
static void set_extensions(struct ortc_extensions *out, const json_t *params)
{
    size_t i;
    const json_t *e;
    uint32_t seen = 0;
    json_array_foreach(json_object_get(params, "headerExtensions"), i, e)
    {
        Althing__ExtensionType type = extension_type(ortc_string(e, "uri"));
        if (type == ALTHING__EXTENSION_TYPE__EXTENSION_UNSPECIFIED || seen & UINT32_C(1) << type ||
            out->n == ORTC_WORKER_EXTENSIONS_MAX)
            continue;
        seen |= UINT32_C(1) << type;
        Althing__Extension *x = &out->extension[out->n];
        althing__extension__init(x);
        x->type = type;
        x->id = (uint32_t)ortc_integer(e, "id");
        out->list[out->n++] = x;
    }
}

static uint32_t ssrc_of(const json_t *object)
{
    int64_t ssrc = ortc_integer(object, "ssrc");
    return ssrc < 0 || ssrc > UINT32_MAX ? 0 : (uint32_t)ssrc;
}

static uint32_t bitrate_of(const json_t *encoding)
{
    double d = json_number_value(json_object_get(encoding, "maxBitrate"));
    return d >= UINT32_MAX ? UINT32_MAX : (uint32_t)d;
}

static char *borrow(const json_t *object, const char *key)
{
    return (char *)(uintptr_t)ortc_string(object, key);
}

static void set_encoding(Althing__Encoding *out, const json_t *encoding)
{
    althing__encoding__init(out);
    out->ssrc = ssrc_of(encoding);
    out->rtx_ssrc = ssrc_of(json_object_get(encoding, "rtx"));
    out->rid = borrow(encoding, "rid");
    ortc_scalability(ortc_string(encoding, "scalabilityMode"), &out->spatial_layers,
                     &out->temporal_layers);
    out->max_bitrate = bitrate_of(encoding);
}

static int set_encodings(struct ortc_create_producer *p, const json_t *params,
                         struct ortc_error *error)
{
    const json_t *list = json_object_get(params, "encodings");
    size_t n = json_array_size(list);
    if (n == 0 || n > ORTC_ENCODINGS_MAX)
        return ortc_fail(error, "%zu encodings, which is not 1 to %d", n, ORTC_ENCODINGS_MAX);
    for (size_t i = 0; i < n; i++) {
        set_encoding(&p->encoding[i], json_array_get(list, i));
        p->encoding_list[i] = &p->encoding[i];
        bool named = p->encoding[i].ssrc || *p->encoding[i].rid;
        if (!named && (n > 1 || !*p->msg.mid))
            return ortc_fail(error, "an encoding has neither ssrc nor rid");
    }
    p->msg.encodings = p->encoding_list;
    p->msg.n_encodings = n;
    return 0;
}

static int check_kind(const char *kind, const json_t *params, struct ortc_error *error)
{
    size_t i, n = strlen(kind);
    const json_t *codec;
    if (strcmp(kind, "audio") != 0 && strcmp(kind, "video") != 0)
        return ortc_fail(error, "kind is neither audio nor video");
    json_array_foreach(json_object_get(params, "codecs"), i, codec)
    {
        const char *mime = ortc_string(codec, "mimeType");
        if (strncasecmp(mime, kind, n) != 0 || mime[n] != '/')
            return ortc_fail(error, "codec %.60s is not of kind %s", mime, kind);
    }
    return 0;
}

struct ortc_create_producer *ortc_create_producer(const char *kind, const json_t *params,
                                                  struct ortc_error *error)
{
    struct ortc_create_producer *p = mem_zalloc(sizeof(*p));
    Althing__CreateProducer *m = &p->msg;
    althing__create_producer__init(m);
    m->mid = borrow(params, "mid");
    m->cname = borrow(json_object_get(params, "rtcp"), "cname");
    if (check_kind(kind, params, error) < 0 || set_codecs(&p->codecs, params, error) < 0 ||
        set_encodings(p, params, error) < 0) {
        free(p);
        return NULL;
    }
    m->kind = *kind == 'a' ? ALTHING__KIND__KIND_AUDIO : ALTHING__KIND__KIND_VIDEO;
    for (size_t i = 0; i < p->codecs.n; i++)
        p->codec_list[i] = &p->codecs.codec[i];
    m->codecs = p->codec_list;
    m->n_codecs = p->codecs.n;
    set_extensions(&p->extensions, params);
    m->extensions = p->extensions.list;
    m->n_extensions = p->extensions.n;
    return p;
}

void ortc_create_producer_free(struct ortc_create_producer *p)
{
    free(p);
}

/* Each of the producer's payload types whose router codec the receiver has. */
static size_t set_mapping(struct ortc_create_consumer *c, const json_t *mapping)
{
    size_t i, n = 0;
    const json_t *pair;
    json_array_foreach(json_object_get(mapping, "codecs"), i, pair)
    {
        int64_t mapped = ortc_integer(pair, "mappedPayloadType");
        for (size_t k = 0; k < c->codecs.n && n < ORTC_WORKER_CODECS_MAX; k++) {
            if (c->codecs.codec[k].payload_type != mapped)
                continue;
            Althing__CodecMapping *m = &c->mapping[n];
            althing__codec_mapping__init(m);
            m->producer_payload_type = (uint32_t)ortc_integer(pair, "payloadType");
            m->codec = &c->codecs.codec[k];
            c->mapping_list[n++] = m;
            break;
        }
    }
    return n;
}

struct ortc_create_consumer *ortc_create_consumer(const json_t *params, const json_t *mapping,
                                                  struct ortc_error *error)
{
    const json_t *encoding = json_array_get(json_object_get(params, "encodings"), 0);
    struct ortc_create_consumer *c = mem_zalloc(sizeof(*c));
    Althing__CreateConsumer *m = &c->msg;
    althing__create_consumer__init(m);
    if (set_codecs(&c->codecs, params, error) < 0) {
        free(c);
        return NULL;
    }
    m->n_codecs = set_mapping(c, mapping);
    m->codecs = c->mapping_list;
    if (m->n_codecs == 0 || ssrc_of(encoding) == 0) {
        ortc_fail(error, "no codec of the producer, or no SSRC");
        free(c);
        return NULL;
    }
    set_extensions(&c->extensions, params);
    m->extensions = c->extensions.list;
    m->n_extensions = c->extensions.n;
    m->ssrc = ssrc_of(encoding);
    m->rtx_ssrc = ssrc_of(json_object_get(encoding, "rtx"));
    m->mid = borrow(params, "mid");
    m->cname = borrow(json_object_get(params, "rtcp"), "cname");
    return c;
}

void ortc_create_consumer_free(struct ortc_create_consumer *c)
{
    free(c);
}
