#include "load/describe.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ABS_SEND_TIME "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
#define TRANSPORT_CC  "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

static const struct {
    const char *uri;
    enum rtp_ext_type type;
} uris[] = {
    {"urn:ietf:params:rtp-hdrext:sdes:mid", RTP_EXT_MID},
    {ABS_SEND_TIME, RTP_EXT_ABS_SEND_TIME},
    {TRANSPORT_CC, RTP_EXT_TRANSPORT_CC},
    {"urn:ietf:params:rtp-hdrext:ssrc-audio-level", RTP_EXT_AUDIO_LEVEL},
};

static const char *const kinds[] = {"audio", "video"};
static const char *const mimes[] = {"audio/opus", "video/VP8"};

static const char *string_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static bool copy_string(const json_t *o, const char *key, char *out, size_t cap)
{
    const char *s = string_of(o, key);
    size_t n = strlen(s);
    if (n == 0 || n >= cap)
        return false;
    memcpy(out, s, n + 1);
    return true;
}

/* 0: none, or out of range; nothing that we ask for may be 0. */
static uint32_t number_of(const json_t *o, const char *key, uint32_t max)
{
    json_int_t v = json_integer_value(json_object_get(o, key));
    return v > 0 && v <= (json_int_t)max ? (uint32_t)v : 0;
}

bool describe_id(const json_t *o, const char *key, char out[static DESCRIBE_ID_MAX])
{
    return copy_string(o, key, out, DESCRIBE_ID_MAX);
}

static enum rtp_ext_type extension_type(const char *uri)
{
    for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++)
        if (strcmp(uri, uris[i].uri) == 0)
            return uris[i].type;
    return RTP_EXT_NONE;
}

/* ---- a transport ---- */

static bool take_candidate(const json_t *list, struct addr *out)
{
    size_t i;
    const json_t *c;
    json_array_foreach(list, i, c)
    {
        uint32_t port = number_of(c, "port", 65535);
        const char *ip = string_of(c, *string_of(c, "ip") ? "ip" : "address");
        if (strcasecmp(string_of(c, "protocol"), "udp") == 0 && port &&
            addr_parse(out, ip, (uint16_t)port) == 0)
            return true;
    }
    return false;
}

static void take_fingerprints(const json_t *list, struct link_remote *out)
{
    size_t i;
    const json_t *f;
    json_array_foreach(list, i, f)
    {
        struct dtls_fingerprint *to = &out->fingerprints[out->n_fingerprints];
        if (out->n_fingerprints < DTLS_FINGERPRINTS_MAX &&
            copy_string(f, "algorithm", to->algorithm, sizeof(to->algorithm)) &&
            copy_string(f, "value", to->value, sizeof(to->value)))
            out->n_fingerprints++;
    }
}

const char *describe_transport(const json_t *answer, char id[static DESCRIBE_ID_MAX],
                               struct link_remote *out)
{
    const json_t *ice = json_object_get(answer, "iceParameters");
    *out = (struct link_remote){0};
    if (!describe_id(answer, "id", id))
        return "the transport has no id";
    if (!copy_string(ice, "usernameFragment", out->ufrag, sizeof(out->ufrag)) ||
        !copy_string(ice, "password", out->password, sizeof(out->password)))
        return "the transport has no ICE credentials";
    if (!take_candidate(json_object_get(answer, "iceCandidates"), &out->addr))
        return "the transport has no UDP candidate";
    take_fingerprints(json_object_get(json_object_get(answer, "dtlsParameters"), "fingerprints"),
                      out);
    return out->n_fingerprints ? NULL : "the transport has no fingerprint";
}

/* ---- what the router has ---- */

static const json_t *router_codec(const json_t *router, const char *mime)
{
    size_t i;
    const json_t *c;
    json_array_foreach(json_object_get(router, "codecs"), i, c)
    {
        if (strcasecmp(string_of(c, "mimeType"), mime) == 0)
            return c;
    }
    return NULL;
}

static const json_t *router_rtx(const json_t *router, json_int_t payload_type)
{
    size_t i;
    const json_t *c;
    json_array_foreach(json_object_get(router, "codecs"), i, c)
    {
        const json_t *apt = json_object_get(json_object_get(c, "parameters"), "apt");
        if (strcasecmp(string_of(c, "mimeType"), "video/rtx") == 0 &&
            json_integer_value(apt) == payload_type)
            return c;
    }
    return NULL;
}

/* The elements of a list whose string under that key is none of the two. */
static json_t *list_without(const json_t *list, const char *key, const char *a, const char *b)
{
    json_t *out = json_array(), *e;
    size_t i;
    json_array_foreach(list, i, e)
    {
        const char *s = string_of(e, key);
        if (strcmp(s, a) != 0 && strcmp(s, b) != 0)
            json_array_append(out, e);
    }
    return out;
}

static void drop_congestion(json_t *caps)
{
    size_t i;
    json_t *c;
    json_array_foreach(json_object_get(caps, "codecs"), i, c) json_object_set_new(
        c, "rtcpFeedback",
        list_without(json_object_get(c, "rtcpFeedback"), "type", "transport-cc", "goog-remb"));
    json_object_set_new(caps, "headerExtensions",
                        list_without(json_object_get(caps, "headerExtensions"), "uri", TRANSPORT_CC,
                                     ABS_SEND_TIME));
}

json_t *describe_capabilities(const json_t *router, bool congestion)
{
    json_t *codecs = json_array();
    json_t *exts = json_deep_copy(json_object_get(router, "headerExtensions"));
    for (size_t i = 0; i < MEDIA_COUNT; i++) {
        const json_t *c = router_codec(router, mimes[i]);
        const json_t *rtx =
            router_rtx(router, json_integer_value(json_object_get(c, "preferredPayloadType")));
        if (c)
            json_array_append_new(codecs, json_deep_copy(c));
        if (c && i == MEDIA_VIDEO && rtx)
            json_array_append_new(codecs, json_deep_copy(rtx));
    }
    json_t *caps =
        json_pack("{s:o, s:o}", "codecs", codecs, "headerExtensions", exts ? exts : json_array());
    if (!congestion)
        drop_congestion(caps);
    return caps;
}

/* ---- sending ---- */

static json_t *sending_extensions(struct describe_sending *s, const json_t *router)
{
    json_t *list = json_array();
    size_t i;
    const json_t *e;
    rtp_ext_map_init(&s->exts);
    json_array_foreach(json_object_get(router, "headerExtensions"), i, e)
    {
        enum rtp_ext_type type = extension_type(string_of(e, "uri"));
        uint32_t id = number_of(e, "preferredId", 14);
        if (type == RTP_EXT_NONE || !id || strcmp(string_of(e, "kind"), kinds[s->media]) != 0 ||
            rtp_ext_map_set(&s->exts, type, id) != 0)
            continue;
        json_array_append_new(list, json_pack("{s:s, s:i, s:b, s:{}}", "uri", string_of(e, "uri"),
                                              "id", (int)id, "encrypt", 0, "parameters"));
    }
    return list;
}

static json_t *sending_codec(const struct describe_sending *s, const json_t *router_codec)
{
    json_t *parameters = json_deep_copy(json_object_get(router_codec, "parameters"));
    json_t *feedback = json_deep_copy(json_object_get(router_codec, "rtcpFeedback"));
    json_t *c =
        json_pack("{s:s, s:i, s:O, s:o, s:o}", "mimeType", mimes[s->media], "payloadType",
                  (int)s->payload_type, "clockRate", json_object_get(router_codec, "clockRate"),
                  "parameters", parameters ? parameters : json_object(), "rtcpFeedback",
                  feedback ? feedback : json_array());
    if (c && s->media == MEDIA_AUDIO)
        json_object_set(c, "channels", json_object_get(router_codec, "channels"));
    return c;
}

json_t *describe_sending(struct describe_sending *s, const json_t *router)
{
    const json_t *codec = router_codec(router, mimes[s->media]);
    json_t *encodings = json_array();
    char cname[32];
    s->payload_type = (uint8_t)number_of(codec, "preferredPayloadType", 127);
    json_t *described = s->payload_type ? sending_codec(s, codec) : NULL;
    if (!described) {
        json_decref(encodings);
        return NULL;
    }
    for (size_t i = 0; i < s->n; i++)
        json_array_append_new(encodings, json_pack("{s:I, s:s}", "ssrc", (json_int_t)s->ssrcs[i],
                                                   "scalabilityMode", "L1T1"));
    snprintf(cname, sizeof(cname), "load-%08x", s->ssrcs[0]);
    return json_pack("{s:s, s:[o], s:o, s:o, s:{s:s, s:b}}", "mid", s->mid, "codecs", described,
                     "headerExtensions", sending_extensions(s, router), "encodings", encodings,
                     "rtcp", "cname", cname, "reducedSize", 1);
}

/* ---- a consumer ---- */

static void consumer_extensions(const json_t *list, struct rtp_ext_map *out)
{
    size_t i;
    const json_t *e;
    rtp_ext_map_init(out);
    json_array_foreach(list, i, e)
    {
        enum rtp_ext_type type = extension_type(string_of(e, "uri"));
        uint32_t id = number_of(e, "id", 255);
        if (type != RTP_EXT_NONE && id)
            (void)rtp_ext_map_set(out, type, id);
    }
}

const char *describe_consumer(const json_t *data, struct describe_consumer *out)
{
    const json_t *params = json_object_get(data, "rtpParameters");
    const json_t *encoding = json_array_get(json_object_get(params, "encodings"), 0);
    const json_t *codec = json_array_get(json_object_get(params, "codecs"), 0);
    const char *kind = string_of(data, "kind");
    *out = (struct describe_consumer){0};
    if (!describe_id(data, "id", out->id) || !describe_id(data, "producerId", out->producer_id))
        return "a consumer has no id";
    if (strcmp(kind, kinds[MEDIA_AUDIO]) != 0 && strcmp(kind, kinds[MEDIA_VIDEO]) != 0)
        return "a consumer is neither audio nor video";
    out->media = strcmp(kind, kinds[MEDIA_VIDEO]) == 0 ? MEDIA_VIDEO : MEDIA_AUDIO;
    out->ssrc = number_of(encoding, "ssrc", UINT32_MAX);
    out->rtx_ssrc = number_of(json_object_get(encoding, "rtx"), "ssrc", UINT32_MAX);
    out->payload_type = (uint8_t)number_of(codec, "payloadType", 127);
    consumer_extensions(json_object_get(params, "headerExtensions"), &out->exts);
    return out->ssrc ? NULL : "a consumer has no SSRC";
}
