/* The router's side: what it can take, how a producer maps to it, and what can be consumed of that. */
#include "server/ortc/codec.h"

#include <string.h>

#define ABS_CAPTURE_TIME "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
#define PAYLOAD_TYPES    128

/* ---- router --------------------------------------------------------------------------------------------------------------------- */

/* The next dynamic payload type that nobody has, or -1: from 100 up, then 96 to 99. */
static int next_payload_type(bool taken[static PAYLOAD_TYPES])
{
    for (int i = 0; i < 32; i++) {
        int pt = i < 28 ? 100 + i : 96 + (i - 28);
        if (!taken[pt]) {
            taken[pt] = true;
            return pt;
        }
    }
    return -1;
}

static const json_t *find_supported(json_t *wanted)
{
    size_t i;
    const json_t *e;
    json_array_foreach(ortc_supported_codecs(), i, e)
    {
        if (ortc_codec_matches(wanted, e, ORTC_MATCH_LOOSE))
            return e;
    }
    return NULL;
}

static int append_rtx(json_t *list, const json_t *codec, bool *taken, struct ortc_error *error)
{
    int pt = next_payload_type(taken);
    if (pt < 0)
        return ortc_fail(error, "more codecs than dynamic payload types");
    json_array_append_new(
        list, json_pack("{s:s, s:s, s:i, s:O, s:{s:O}, s:[]}", "kind", "video", "mimeType",
                        "video/rtx", "preferredPayloadType", pt, "clockRate",
                        json_object_get(codec, "clockRate"), "parameters", "apt",
                        json_object_get(codec, "preferredPayloadType"), "rtcpFeedback"));
    return 0;
}

/* The payload type of a codec: the application's, else the codec's fixed one, else the next dynamic one; or -1. */
static int choose_payload_type(const json_t *wanted, const json_t *supported, bool *taken)
{
    int64_t pt = ortc_integer(wanted, "preferredPayloadType");
    if (pt < 0)
        pt = ortc_integer(supported, "preferredPayloadType");
    if (pt < 0)
        pt = next_payload_type(taken);
    if (pt >= 0)
        taken[pt] = true;
    return (int)pt;
}

static int append_codec(json_t *list, json_t *wanted, bool *taken, struct ortc_error *error)
{
    const json_t *supported = find_supported(wanted);
    if (!supported)
        return ortc_fail(error, "codec %.60s is not supported", ortc_string(wanted, "mimeType"));
    int pt = choose_payload_type(wanted, supported, taken);
    if (pt < 0)
        return ortc_fail(error, "more codecs than dynamic payload types");
    if (ortc_find_integer(list, "preferredPayloadType", pt))
        return ortc_fail(error, "payload type %d is there twice", pt);
    json_t *codec = json_deep_copy(supported);
    json_object_set_new(codec, "preferredPayloadType", json_integer(pt));
    json_t *parameters = json_deep_copy(json_object_get(wanted, "parameters"));
    json_object_update_new(json_object_get(codec, "parameters"), parameters);
    json_array_append_new(list, codec);
    if (strcmp(ortc_string(codec, "kind"), "video") == 0)
        return append_rtx(list, codec, taken, error);
    return 0;
}

static int append_codecs(json_t *list, json_t *wanted, struct ortc_error *error)
{
    bool taken[PAYLOAD_TYPES] = {false};
    size_t i;
    json_t *e;
    if (!json_is_array(wanted) || json_array_size(wanted) > ORTC_CODECS_MAX)
        return ortc_fail(error, "media codecs are not an array of at most %d", ORTC_CODECS_MAX);
    json_array_foreach(wanted, i, e)
    {
        if (ortc_check_codec_capability(e, error) < 0 || append_codec(list, e, taken, error) < 0)
            return -1;
    }
    return 0;
}

json_t *ortc_router_capabilities(const json_t *media_codecs, struct ortc_error *error)
{
    json_t *wanted = json_deep_copy(media_codecs);
    json_t *list = json_array();
    int failed = append_codecs(list, wanted, error);
    json_decref(wanted);
    if (failed) {
        json_decref(list);
        return NULL;
    }
    return json_pack("{s:o, s:o}", "codecs", list, "headerExtensions", ortc_supported_extensions());
}

/* ---- producer ------------------------------------------------------------------------------------------------------------------- */

static const json_t *find_answer(json_t *codec, const json_t *router_codecs)
{
    size_t i;
    const json_t *e;
    json_array_foreach(router_codecs, i, e)
    {
        if (ortc_codec_matches(codec, e, ORTC_MATCH_ANSWER))
            return e;
    }
    return NULL;
}

static void append_pair(json_t *pairs, const json_t *codec, const json_t *router_codec)
{
    json_array_append_new(
        pairs, json_pack("{s:I, s:I}", "payloadType",
                         (json_int_t)ortc_integer(codec, "payloadType"), "mappedPayloadType",
                         (json_int_t)ortc_integer(router_codec, "preferredPayloadType")));
}

static int map_media(json_t *pairs, json_t *codecs, const json_t *router_codecs,
                     struct ortc_error *error)
{
    size_t i;
    json_t *codec;
    json_array_foreach(codecs, i, codec)
    {
        if (ortc_is_rtx(codec))
            continue;
        const json_t *answer = find_answer(codec, router_codecs);
        if (!answer)
            return ortc_fail(error, "codec %.60s with payload type %d is not supported",
                             ortc_string(codec, "mimeType"),
                             (int)ortc_integer(codec, "payloadType"));
        append_pair(pairs, codec, answer);
    }
    return 0;
}

static int map_rtx(json_t *pairs, const json_t *codecs, const json_t *router_codecs,
                   struct ortc_error *error)
{
    size_t i;
    const json_t *codec;
    json_array_foreach(codecs, i, codec)
    {
        if (!ortc_is_rtx(codec))
            continue;
        int pt = (int)ortc_integer(codec, "payloadType");
        const json_t *media = ortc_find_integer(codecs, "payloadType", ortc_apt(codec));
        if (!media || ortc_is_rtx(media))
            return ortc_fail(error, "RTX payload type %d belongs to no media codec", pt);
        const json_t *pair = ortc_find_integer(pairs, "payloadType", ortc_apt(codec));
        const json_t *rtx = ortc_find_rtx(router_codecs, ortc_integer(pair, "mappedPayloadType"));
        if (!rtx)
            return ortc_fail(error, "the router has no RTX for payload type %d", pt);
        append_pair(pairs, codec, rtx);
    }
    return 0;
}

static void map_encodings(json_t *list, const json_t *encodings, uint32_t first_ssrc)
{
    size_t i;
    const json_t *e;
    json_array_foreach(encodings, i, e)
    {
        json_t *entry =
            json_pack("{s:I}", "mappedSsrc", (json_int_t)(uint32_t)(first_ssrc + (uint32_t)i));
        json_t *ssrc = json_object_get(e, "ssrc"), *rid = json_object_get(e, "rid");
        if (ssrc)
            json_object_set(entry, "ssrc", ssrc);
        if (rid)
            json_object_set(entry, "rid", rid);
        json_array_append_new(list, entry);
    }
}

json_t *ortc_producer_mapping(json_t *params, const json_t *router_caps, uint32_t first_ssrc,
                              struct ortc_error *error)
{
    json_t *codecs = json_object_get(params, "codecs");
    const json_t *router_codecs = json_object_get(router_caps, "codecs");
    json_t *pairs = json_array(), *encodings = json_array();
    if (map_media(pairs, codecs, router_codecs, error) < 0 ||
        map_rtx(pairs, codecs, router_codecs, error) < 0) {
        json_decref(pairs);
        json_decref(encodings);
        return NULL;
    }
    map_encodings(encodings, json_object_get(params, "encodings"), first_ssrc);
    return json_pack("{s:o, s:o}", "codecs", pairs, "encodings", encodings);
}

/* ---- consumable ----------------------------------------------------------------------------------------------------------------- */

/* A router's codec as RtpCodecParameters, with these parameters (stolen). */
static json_t *codec_parameters(const json_t *router_codec, json_t *parameters)
{
    json_t *codec = json_pack(
        "{s:O, s:O, s:O, s:o, s:o}", "mimeType", json_object_get(router_codec, "mimeType"),
        "payloadType", json_object_get(router_codec, "preferredPayloadType"), "clockRate",
        json_object_get(router_codec, "clockRate"), "parameters", parameters, "rtcpFeedback",
        json_deep_copy(json_object_get(router_codec, "rtcpFeedback")));
    json_t *channels = json_object_get(router_codec, "channels");
    if (channels)
        json_object_set(codec, "channels", channels);
    return codec;
}

static int consumable_codecs(json_t *list, const char *kind, const json_t *params,
                             const json_t *router_codecs, const json_t *pairs,
                             struct ortc_error *error)
{
    size_t i;
    const json_t *codec;
    json_array_foreach(json_object_get(params, "codecs"), i, codec)
    {
        if (ortc_is_rtx(codec))
            continue;
        const json_t *pair =
            ortc_find_integer(pairs, "payloadType", ortc_integer(codec, "payloadType"));
        const json_t *ours = ortc_find_integer(router_codecs, "preferredPayloadType",
                                               ortc_integer(pair, "mappedPayloadType"));
        if (!ours || strcmp(ortc_string(ours, "kind"), kind) != 0)
            return ortc_fail(error, "codec %.60s is not one of the %.10s codecs of the router",
                             ortc_string(codec, "mimeType"), kind);
        const json_t *given = json_object_get(codec, "parameters");
        json_t *copy =
            ortc_is_red(codec) ? ortc_red_parameters(given, pairs) : json_deep_copy(given);
        json_array_append_new(list, codec_parameters(ours, copy));
        const json_t *rtx =
            ortc_find_rtx(router_codecs, ortc_integer(ours, "preferredPayloadType"));
        if (rtx)
            json_array_append_new(
                list, codec_parameters(rtx, json_deep_copy(json_object_get(rtx, "parameters"))));
    }
    return 0;
}

static bool has_extension(const json_t *list, const char *uri)
{
    size_t i;
    const json_t *e;
    json_array_foreach(list, i, e)
    {
        if (strcmp(ortc_string(e, "uri"), uri) == 0)
            return true;
    }
    return false;
}

/* abs-capture-time is only passed on, so consumers get it only when the producer sends it. */
static json_t *consumable_extensions(const char *kind, const json_t *params,
                                     const json_t *router_caps)
{
    json_t *list = json_array();
    size_t i;
    const json_t *e;
    json_array_foreach(json_object_get(router_caps, "headerExtensions"), i, e)
    {
        const char *direction = ortc_string(e, "direction"), *uri = ortc_string(e, "uri");
        if (strcmp(ortc_string(e, "kind"), kind) != 0 ||
            (strcmp(direction, "sendrecv") != 0 && strcmp(direction, "sendonly") != 0))
            continue;
        if (strcmp(uri, ABS_CAPTURE_TIME) == 0 &&
            !has_extension(json_object_get(params, "headerExtensions"), uri))
            continue;
        json_array_append_new(list,
                              json_pack("{s:s, s:O, s:O, s:{}}", "uri", uri, "id",
                                        json_object_get(e, "preferredId"), "encrypt",
                                        json_object_get(e, "preferredEncrypt"), "parameters"));
    }
    return list;
}

static json_t *consumable_encodings(const json_t *params, const json_t *mapping)
{
    json_t *list = json_array();
    size_t i;
    const json_t *e;
    json_array_foreach(json_object_get(params, "encodings"), i, e)
    {
        json_t *encoding = json_deep_copy(e);
        const json_t *mapped = json_array_get(json_object_get(mapping, "encodings"), i);
        json_object_del(encoding, "rid");
        json_object_del(encoding, "rtx");
        json_object_del(encoding, "codecPayloadType");
        json_object_set(encoding, "ssrc", json_object_get(mapped, "mappedSsrc"));
        json_array_append_new(list, encoding);
    }
    return list;
}

json_t *ortc_consumable(const char *kind, const json_t *params, const json_t *router_caps,
                        const json_t *mapping, struct ortc_error *error)
{
    json_t *codecs = json_array();
    if (consumable_codecs(codecs, kind, params, json_object_get(router_caps, "codecs"),
                          json_object_get(mapping, "codecs"), error) < 0) {
        json_decref(codecs);
        return NULL;
    }
    json_t *rtcp = json_pack("{s:b}", "reducedSize", 1);
    json_t *cname = json_object_get(json_object_get(params, "rtcp"), "cname");
    if (cname)
        json_object_set(rtcp, "cname", cname);
    json_t *out = json_pack("{s:o, s:o, s:o, s:o}", "codecs", codecs, "headerExtensions",
                            consumable_extensions(kind, params, router_caps), "encodings",
                            consumable_encodings(params, mapping), "rtcp", rtcp);
    json_t *msid = json_object_get(params, "msid");
    if (msid)
        json_object_set(out, "msid", msid);
    return out;
}
