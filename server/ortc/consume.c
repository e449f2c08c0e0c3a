/* The receiver's side: what of a consumable it can get. */
#include "server/ortc/codec.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ABS_SEND_TIME "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
#define TRANSPORT_CC  "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
#define MID           "urn:ietf:params:rtp-hdrext:sdes:mid"
#define DEPENDENCY_DESCRIPTOR                                                                      \
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"

/* ---- codecs --------------------------------------------------------------------------------------------------------------------- */

static const json_t *find_capability(const json_t *codec, const json_t *caps)
{
    size_t i;
    const json_t *e;
    json_array_foreach(json_object_get(caps, "codecs"), i, e)
    {
        if (ortc_codec_same(e, codec))
            return e;
    }
    return NULL;
}

/* RTX alone, or first, is nothing to look at. */
bool ortc_can_consume(const json_t *consumable, const json_t *caps)
{
    size_t i;
    const json_t *codec;
    json_array_foreach(json_object_get(consumable, "codecs"), i, codec)
    {
        if (find_capability(codec, caps))
            return !ortc_is_rtx(codec);
    }
    return false;
}

/* NULL for "" and for what is not there. */
static const char *feedback_parameter(const json_t *fb)
{
    const char *p = ortc_string(fb, "parameter");
    return *p ? p : NULL;
}

static bool is_feedback(const json_t *fb, const char *type, const char *parameter)
{
    const char *p = feedback_parameter(fb);
    return strcmp(ortc_string(fb, "type"), type) == 0 &&
           (parameter ? p && strcmp(p, parameter) == 0 : !p);
}

static void remove_feedback(json_t *codecs, const char *type)
{
    size_t i;
    const json_t *codec;
    json_array_foreach(codecs, i, codec)
    {
        json_t *list = json_object_get(codec, "rtcpFeedback");
        for (size_t k = json_array_size(list); k-- > 0;) {
            if (strcmp(ortc_string(json_array_get(list, k), "type"), type) == 0)
                json_array_remove(list, k);
        }
    }
}

/* The receiver's feedback; without RTX also without plain NACK. */
static json_t *copy_feedback(const json_t *capability, bool nack)
{
    json_t *list = json_array();
    size_t i;
    const json_t *fb;
    json_array_foreach(json_object_get(capability, "rtcpFeedback"), i, fb)
    {
        if (nack || !is_feedback(fb, "nack", NULL))
            json_array_append_new(list, json_deep_copy(fb));
    }
    return list;
}

/* Removes the RTX codecs whose media codec is not there. Returns whether any is left. */
static bool prune_rtx(json_t *codecs)
{
    bool any = false;
    for (size_t i = json_array_size(codecs); i-- > 0;) {
        const json_t *codec = json_array_get(codecs, i);
        if (!ortc_is_rtx(codec))
            continue;
        if (ortc_find_integer(codecs, "payloadType", ortc_apt(codec)))
            any = true;
        else
            json_array_remove(codecs, i);
    }
    return any;
}

static json_t *common_codecs(const json_t *consumable, const json_t *caps, bool enable_rtx)
{
    json_t *list = json_array();
    size_t i;
    const json_t *e;
    json_array_foreach(json_object_get(consumable, "codecs"), i, e)
    {
        const json_t *capability = find_capability(e, caps);
        if (!capability || (!enable_rtx && ortc_is_rtx(e)))
            continue;
        json_t *codec = json_deep_copy(e);
        json_object_set_new(codec, "rtcpFeedback", copy_feedback(capability, enable_rtx));
        json_array_append_new(list, codec);
    }
    return list;
}

/* ---- header extensions ---------------------------------------------------------------------------------------------------------- */

/* The receiver's id for an extension: the router's if it has that, else its own for this kind; -1: it has none. */
static int64_t id_of_extension(const json_t *caps, const json_t *ext, const char *kind)
{
    size_t i;
    const json_t *e;
    int64_t own = -1;
    json_array_foreach(json_object_get(caps, "headerExtensions"), i, e)
    {
        if (strcmp(ortc_string(e, "uri"), ortc_string(ext, "uri")) != 0)
            continue;
        int64_t id = ortc_integer(e, "preferredId");
        if (id == ortc_integer(ext, "id"))
            return id;
        if (own < 0 && strcmp(ortc_string(e, "kind"), kind) == 0)
            own = id;
    }
    return own;
}

/* Of two with one id the first is kept. */
static json_t *common_extensions(const json_t *consumable, const json_t *caps)
{
    json_t *list = json_array();
    const json_t *first = json_array_get(json_object_get(consumable, "codecs"), 0);
    const char *kind = strncasecmp(ortc_string(first, "mimeType"), "audio/", 6) ? "video" : "audio";
    size_t i;
    const json_t *e;
    json_array_foreach(json_object_get(consumable, "headerExtensions"), i, e)
    {
        int64_t id = id_of_extension(caps, e, kind);
        if (id < 0 || ortc_find_integer(list, "id", id))
            continue;
        json_t *ext = json_deep_copy(e);
        json_object_set_new(ext, "id", json_integer(id));
        json_array_append_new(list, ext);
    }
    return list;
}

static bool has_uri(const json_t *extensions, const char *uri)
{
    size_t i;
    const json_t *e;
    json_array_foreach(extensions, i, e)
    {
        if (strcmp(ortc_string(e, "uri"), uri) == 0)
            return true;
    }
    return false;
}

/* One bandwidth estimate: transport-cc if its extension is there, else REMB if abs-send-time is, else none. */
static void choose_estimate(json_t *codecs, const json_t *extensions)
{
    bool tcc = has_uri(extensions, TRANSPORT_CC);
    if (!tcc)
        remove_feedback(codecs, "transport-cc");
    if (tcc || !has_uri(extensions, ABS_SEND_TIME))
        remove_feedback(codecs, "goog-remb");
}

/* ---- encodings ------------------------------------------------------------------------------------------------------------------ */

/* How the one stream that the receiver gets is layered: as the sender's, each simulcast stream being a spatial layer. "": not at all. */
static void single_scalability(const json_t *encodings, char out[static 32])
{
    const char *mode = "";
    size_t i, n = json_array_size(encodings);
    const json_t *e;
    uint32_t spatial, temporal;
    json_array_foreach(encodings, i, e)
    {
        if (!*mode)
            mode = ortc_string(e, "scalabilityMode");
    }
    if (n > 1) {
        ortc_scalability(mode, &spatial, &temporal);
        snprintf(out, 32, "L%zuT%u", n, temporal);
    } else {
        snprintf(out, 32, "%s", mode);
    }
}

static json_t *rtx_of(uint32_t ssrc)
{
    return json_pack("{s:I}", "ssrc", (json_int_t)ssrc);
}

static json_t *single_encoding(const json_t *encodings, bool rtx,
                               const struct ortc_consumer_options *options)
{
    json_t *out = json_pack("{s:I}", "ssrc", (json_int_t)options->ssrc);
    if (rtx)
        json_object_set_new(out, "rtx", rtx_of(options->rtx_ssrc));
    char mode[32];
    single_scalability(encodings, mode);
    if (*mode)
        json_object_set_new(out, "scalabilityMode", json_string(mode));
    json_t *highest = NULL;
    size_t i;
    const json_t *e;
    json_array_foreach(encodings, i, e)
    {
        json_t *max = json_object_get(e, "maxBitrate");
        if (json_number_value(max) > json_number_value(highest))
            highest = max;
    }
    if (highest)
        json_object_set(out, "maxBitrate", highest);
    json_t *list = json_array();
    json_array_append_new(list, out);
    return list;
}

static json_t *all_encodings(const json_t *encodings, bool rtx,
                             const struct ortc_consumer_options *options)
{
    json_t *list = json_deep_copy(encodings);
    size_t i;
    json_t *e;
    json_array_foreach(list, i, e)
    {
        uint32_t ssrc = options->ssrc + (uint32_t)i;
        json_object_set_new(e, "ssrc", json_integer((json_int_t)ssrc));
        if (rtx)
            json_object_set_new(e, "rtx", rtx_of(options->rtx_ssrc + (uint32_t)i));
        else
            json_object_del(e, "rtx");
    }
    return list;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------------ */

static json_t *assemble(const json_t *consumable, json_t *codecs, json_t *extensions,
                        json_t *encodings)
{
    json_t *out = json_pack("{s:o, s:o, s:o, s:o}", "codecs", codecs, "headerExtensions",
                            extensions, "encodings", encodings, "rtcp",
                            json_deep_copy(json_object_get(consumable, "rtcp")));
    json_t *msid = json_object_get(consumable, "msid");
    if (msid)
        json_object_set(out, "msid", msid);
    return out;
}

json_t *ortc_consumer_parameters(const json_t *consumable, const json_t *caps,
                                 const struct ortc_consumer_options *options,
                                 struct ortc_error *error)
{
    const json_t *encodings = json_object_get(consumable, "encodings");
    json_t *codecs = common_codecs(consumable, caps, options->enable_rtx);
    bool rtx = prune_rtx(codecs);
    if (json_array_size(codecs) == 0 || ortc_is_rtx(json_array_get(codecs, 0))) {
        json_decref(codecs);
        ortc_fail(error, "the receiver has none of the codecs");
        return NULL;
    }
    json_t *extensions = common_extensions(consumable, caps);
    choose_estimate(codecs, extensions);
    return assemble(consumable, codecs, extensions,
                    options->pipe ? all_encodings(encodings, rtx, options)
                                  : single_encoding(encodings, rtx, options));
}

static void keep_pipe_feedback(json_t *codec, bool nack)
{
    json_t *list = json_object_get(codec, "rtcpFeedback");
    for (size_t i = json_array_size(list); i-- > 0;) {
        const json_t *fb = json_array_get(list, i);
        if (!is_feedback(fb, "nack", "pli") && !is_feedback(fb, "ccm", "fir") &&
            !(nack && is_feedback(fb, "nack", NULL)))
            json_array_remove(list, i);
    }
}

static json_t *pipe_codecs(const json_t *consumable, bool enable_rtx)
{
    json_t *list = json_deep_copy(json_object_get(consumable, "codecs"));
    for (size_t i = json_array_size(list); i-- > 0;) {
        json_t *codec = json_array_get(list, i);
        if (!enable_rtx && ortc_is_rtx(codec))
            json_array_remove(list, i);
        else
            keep_pipe_feedback(codec, enable_rtx);
    }
    return list;
}

/* Without what belongs to one transport; with the dependency descriptor, which only routers read. Sorted by id. */
static json_t *pipe_extensions(const json_t *consumable)
{
    json_t *list = json_array();
    json_t *descriptor = NULL, *supported = ortc_supported_extensions();
    size_t i, at = 0;
    const json_t *e;
    json_array_foreach(supported, i, e)
    {
        if (strcmp(ortc_string(e, "uri"), DEPENDENCY_DESCRIPTOR) == 0)
            descriptor = json_pack("{s:s, s:O, s:b, s:{}}", "uri", DEPENDENCY_DESCRIPTOR, "id",
                                   json_object_get(e, "preferredId"), "encrypt", 0, "parameters");
    }
    json_decref(supported);
    json_array_foreach(json_object_get(consumable, "headerExtensions"), i, e)
    {
        const char *uri = ortc_string(e, "uri");
        if (strcmp(uri, MID) == 0 || strcmp(uri, ABS_SEND_TIME) == 0 ||
            strcmp(uri, TRANSPORT_CC) == 0)
            continue;
        json_array_append_new(list, json_deep_copy(e));
    }
    while (at < json_array_size(list) &&
           ortc_integer(json_array_get(list, at), "id") <= ortc_integer(descriptor, "id"))
        at++;
    json_array_insert_new(list, at, descriptor);
    return list;
}

json_t *ortc_pipe_parameters(const json_t *consumable, const struct ortc_consumer_options *options)
{
    return assemble(
        consumable, pipe_codecs(consumable, options->enable_rtx), pipe_extensions(consumable),
        all_encodings(json_object_get(consumable, "encodings"), options->enable_rtx, options));
}
