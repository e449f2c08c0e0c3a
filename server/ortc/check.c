#include "server/ortc/codec.h"

#include <string.h>
#include <strings.h>

#define TRY(x)                                                                                     \
    do {                                                                                           \
        int try_error = (x);                                                                       \
        if (try_error)                                                                             \
            return try_error;                                                                      \
    } while (0)

/* ---- any JSON ------------------------------------------------------------------------------------------------------------------- */

static int check_bounds(const json_t *v, unsigned depth, size_t *nodes, struct ortc_error *error)
{
    size_t i;
    json_t *e;
    const char *key;
    if (++*nodes > ORTC_NODES_MAX || depth > ORTC_DEPTH_MAX)
        return ortc_fail(error, "too many or too deeply nested values");
    if (json_is_string(v) && json_string_length(v) > ORTC_STRING_MAX)
        return ortc_fail(error, "a string is longer than %d bytes", ORTC_STRING_MAX);
    json_array_foreach((json_t *)(uintptr_t)v, i, e)
    {
        TRY(check_bounds(e, depth + 1, nodes, error));
    }
    json_object_foreach((json_t *)(uintptr_t)v, key, e)
    {
        if (strlen(key) > ORTC_STRING_MAX)
            return ortc_fail(error, "a name is longer than %d bytes", ORTC_STRING_MAX);
        TRY(check_bounds(e, depth + 1, nodes, error));
    }
    return 0;
}

/* True for what counts as absent: null, false, 0, "" or really absent; it is then removed. */
static bool absent(json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    bool nothing = !v || json_is_null(v) || json_is_false(v) ||
                   (json_is_integer(v) && json_integer_value(v) == 0) ||
                   (json_is_string(v) && json_string_length(v) == 0);
    if (v && nothing)
        json_object_del(object, key);
    return nothing;
}

/* Member `key` is a list of at most `max` objects; absent: an empty one is put there. */
static int check_list(json_t *object, const char *key, size_t max, struct ortc_error *error)
{
    if (absent(object, key)) {
        json_object_set_new(object, key, json_array());
        return 0;
    }
    const json_t *list = json_object_get(object, key);
    if (!json_is_array(list))
        return ortc_fail(error, "%s is not an array", key);
    if (json_array_size(list) > max)
        return ortc_fail(error, "%s has more than %zu elements", key, max);
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!json_is_object(json_array_get(list, i)))
            return ortc_fail(error, "%s has an element that is not an object", key);
    }
    return 0;
}

/* Member `key` is an object; anything else that is not a list becomes an empty one. */
static int check_object(json_t *object, const char *key, struct ortc_error *error)
{
    const json_t *v = json_object_get(object, key);
    if (json_is_array(v))
        return ortc_fail(error, "%s is an array", key);
    if (!json_is_object(v))
        json_object_set_new(object, key, json_object());
    return 0;
}

/* Member `key` is a whole number in a range, also if it is written as 1.0. */
static int check_integer(json_t *object, const char *key, int64_t min, int64_t max,
                         struct ortc_error *error)
{
    const json_t *v = json_object_get(object, key);
    if (!json_is_number(v))
        return ortc_fail(error, "%s is missing or not a number", key);
    double d = json_number_value(v);
    if (!(d >= (double)min && d <= (double)max))
        return ortc_fail(error, "%s is out of range", key);
    int64_t whole = (int64_t)d;
    if (json_is_real(v)) {
        if ((double)whole < d || (double)whole > d)
            return ortc_fail(error, "%s is not a whole number", key);
        json_object_set_new(object, key, json_integer(whole));
    }
    return 0;
}

static int check_string(json_t *object, const char *key, size_t max, struct ortc_error *error)
{
    const json_t *v = json_object_get(object, key);
    if (!json_is_string(v) || json_string_length(v) == 0)
        return ortc_fail(error, "%s is missing or not a string", key);
    if (json_string_length(v) > max)
        return ortc_fail(error, "%s is longer than %zu bytes", key, max);
    for (const char *p = json_string_value(v); *p; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return ortc_fail(error, "%s has a control character", key);
    }
    return 0;
}

static int check_optional_string(json_t *object, const char *key, size_t max,
                                 struct ortc_error *error)
{
    return absent(object, key) ? 0 : check_string(object, key, max, error);
}

static int check_boolean(json_t *object, const char *key, struct ortc_error *error)
{
    if (absent(object, key))
        json_object_set_new(object, key, json_false());
    else if (!json_is_boolean(json_object_get(object, key)))
        return ortc_fail(error, "%s is not a boolean", key);
    return 0;
}

/* No two elements of a list have the same integer there; -1, which is absent, may repeat. */
static int check_distinct(const json_t *list, const char *key, struct ortc_error *error)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        int64_t v = ortc_integer(json_array_get(list, i), key);
        for (size_t k = 0; k < i && v >= 0; k++) {
            if (ortc_integer(json_array_get(list, k), key) == v)
                return ortc_fail(error, "%s %lld is there twice", key, (long long)v);
        }
    }
    return 0;
}

/* ---- codecs --------------------------------------------------------------------------------------------------------------------- */

/* RFC 6838 4.2 */
static bool is_token(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&-^_.+");
    return n > 0 && n <= 127 && s[n] == 0;
}

/* "audio" or "video", or NULL. */
static const char *kind_of_mime(const char *mime)
{
    if (strncasecmp(mime, "audio/", 6) == 0 && is_token(mime + 6))
        return "audio";
    if (strncasecmp(mime, "video/", 6) == 0 && is_token(mime + 6))
        return "video";
    return NULL;
}

static int check_parameter_values(const json_t *object, struct ortc_error *error)
{
    json_t *parameters = json_object_get(object, "parameters");
    const char *key;
    const json_t *v;
    if (json_object_size(parameters) > ORTC_PARAMETERS_MAX)
        return ortc_fail(error, "more than %d parameters", ORTC_PARAMETERS_MAX);
    json_object_foreach(parameters, key, v)
    {
        if (!json_is_string(v) && !json_is_number(v))
            return ortc_fail(error, "a parameter is neither a string nor a number");
    }
    return 0;
}

static int check_feedback(json_t *codec, struct ortc_error *error)
{
    if (!json_is_array(json_object_get(codec, "rtcpFeedback")))
        json_object_set_new(codec, "rtcpFeedback", json_array());
    TRY(check_list(codec, "rtcpFeedback", ORTC_FEEDBACK_MAX, error));
    size_t i;
    json_t *fb;
    json_array_foreach(json_object_get(codec, "rtcpFeedback"), i, fb)
    {
        TRY(check_string(fb, "type", 64, error));
        if (absent(fb, "parameter"))
            json_object_set_new(fb, "parameter", json_string(""));
        else
            TRY(check_string(fb, "parameter", 64, error));
    }
    return 0;
}

/* What a codec of capabilities and one of parameters have in common. */
static int check_codec(json_t *codec, struct ortc_error *error)
{
    TRY(check_string(codec, "mimeType", ORTC_STRING_MAX, error));
    const char *kind = kind_of_mime(ortc_string(codec, "mimeType"));
    if (!kind)
        return ortc_fail(error, "mimeType is neither audio/ nor video/");
    TRY(check_integer(codec, "clockRate", 1, INT32_MAX, error));
    if (strcmp(kind, "video") == 0)
        json_object_del(codec, "channels");
    else if (!json_is_number(json_object_get(codec, "channels")))
        json_object_set_new(codec, "channels", json_integer(1));
    else
        TRY(check_integer(codec, "channels", 1, 255, error));
    TRY(check_object(codec, "parameters", error));
    TRY(check_parameter_values(codec, error));
    if (ortc_parameter(codec, "apt"))
        TRY(check_integer(json_object_get(codec, "parameters"), "apt", 0, 127, error));
    return check_feedback(codec, error);
}

int ortc_check_codec_capability(json_t *codec, struct ortc_error *error)
{
    if (!json_is_object(codec))
        return ortc_fail(error, "a codec is not an object");
    TRY(check_codec(codec, error));
    const char *kind = kind_of_mime(ortc_string(codec, "mimeType"));
    json_object_set_new(codec, "kind", json_string(kind));
    if (json_is_number(json_object_get(codec, "preferredPayloadType")))
        return check_integer(codec, "preferredPayloadType", 0, 127, error);
    if (!absent(codec, "preferredPayloadType"))
        return ortc_fail(error, "preferredPayloadType is not a number");
    return 0;
}

/* ---- capabilities --------------------------------------------------------------------------------------------------------------- */

static int check_extension_capability(json_t *ext, struct ortc_error *error)
{
    const char *kind = ortc_string(ext, "kind");
    if (strcmp(kind, "audio") != 0 && strcmp(kind, "video") != 0)
        return ortc_fail(error, "kind of a header extension is neither audio nor video");
    TRY(check_string(ext, "uri", ORTC_STRING_MAX, error));
    TRY(check_integer(ext, "preferredId", 1, 255, error));
    TRY(check_boolean(ext, "preferredEncrypt", error));
    if (absent(ext, "direction"))
        json_object_set_new(ext, "direction", json_string("sendrecv"));
    return check_string(ext, "direction", 16, error);
}

int ortc_check_capabilities(json_t *caps, struct ortc_error *error)
{
    size_t i, nodes = 0;
    json_t *e;
    if (!json_is_object(caps))
        return ortc_fail(error, "capabilities are not an object");
    TRY(check_bounds(caps, 0, &nodes, error));
    TRY(check_list(caps, "codecs", ORTC_CODECS_MAX, error));
    json_array_foreach(json_object_get(caps, "codecs"), i, e)
    {
        TRY(ortc_check_codec_capability(e, error));
    }
    TRY(check_list(caps, "headerExtensions", ORTC_EXTENSIONS_MAX, error));
    json_array_foreach(json_object_get(caps, "headerExtensions"), i, e)
    {
        TRY(check_extension_capability(e, error));
    }
    return 0;
}

/* ---- parameters ----------------------------------------------------------------------------------------------------------------- */

static int check_extension_parameters(json_t *ext, struct ortc_error *error)
{
    TRY(check_string(ext, "uri", ORTC_STRING_MAX, error));
    TRY(check_integer(ext, "id", 1, 255, error));
    TRY(check_boolean(ext, "encrypt", error));
    TRY(check_object(ext, "parameters", error));
    return check_parameter_values(ext, error);
}

static int check_ssrc(json_t *object, struct ortc_error *error)
{
    return absent(object, "ssrc") ? 0 : check_integer(object, "ssrc", 1, UINT32_MAX, error);
}

/* RFC 8852 3 */
static int check_rid(json_t *encoding, struct ortc_error *error)
{
    if (absent(encoding, "rid"))
        return 0;
    TRY(check_string(encoding, "rid", ORTC_RID_MAX, error));
    const char *rid = ortc_string(encoding, "rid");
    if (rid[strspn(rid, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")])
        return ortc_fail(error, "rid has a character other than letters, digits, - and _");
    return 0;
}

static int check_encoding(json_t *encoding, struct ortc_error *error)
{
    TRY(check_ssrc(encoding, error));
    TRY(check_rid(encoding, error));
    if (!absent(encoding, "rtx")) {
        json_t *rtx = json_object_get(encoding, "rtx");
        if (!json_is_object(rtx))
            return ortc_fail(error, "rtx is not an object");
        if (!json_is_number(json_object_get(rtx, "ssrc")))
            return ortc_fail(error, "ssrc of rtx is missing or not a number");
        TRY(check_ssrc(rtx, error));
    }
    if (!json_is_boolean(json_object_get(encoding, "dtx")))
        json_object_set_new(encoding, "dtx", json_false());
    if (!absent(encoding, "maxBitrate")) {
        const json_t *max = json_object_get(encoding, "maxBitrate");
        if (!json_is_number(max) || json_number_value(max) < 0)
            return ortc_fail(error, "maxBitrate is not a positive number");
    }
    return check_optional_string(encoding, "scalabilityMode", 16, error);
}

static int check_distinct_rids(const json_t *encodings, struct ortc_error *error)
{
    for (size_t i = 0; i < json_array_size(encodings); i++) {
        const char *rid = ortc_string(json_array_get(encodings, i), "rid");
        for (size_t k = 0; k < i && *rid; k++) {
            if (strcmp(rid, ortc_string(json_array_get(encodings, k), "rid")) == 0)
                return ortc_fail(error, "rid %s is there twice", rid);
        }
    }
    return 0;
}

static int check_codecs(json_t *params, struct ortc_error *error)
{
    size_t i;
    json_t *e;
    if (!json_is_array(json_object_get(params, "codecs")))
        return ortc_fail(error, "codecs is missing or not an array");
    TRY(check_list(params, "codecs", ORTC_CODECS_MAX, error));
    json_array_foreach(json_object_get(params, "codecs"), i, e)
    {
        TRY(check_codec(e, error));
        TRY(check_integer(e, "payloadType", 0, 127, error));
    }
    return check_distinct(json_object_get(params, "codecs"), "payloadType", error);
}

static int check_extensions(json_t *params, struct ortc_error *error)
{
    size_t i;
    json_t *e;
    TRY(check_list(params, "headerExtensions", ORTC_EXTENSIONS_MAX, error));
    json_array_foreach(json_object_get(params, "headerExtensions"), i, e)
    {
        TRY(check_extension_parameters(e, error));
    }
    return check_distinct(json_object_get(params, "headerExtensions"), "id", error);
}

static int check_encodings(json_t *params, struct ortc_error *error)
{
    size_t i;
    json_t *e;
    TRY(check_list(params, "encodings", ORTC_ENCODINGS_MAX, error));
    json_t *encodings = json_object_get(params, "encodings");
    json_array_foreach(encodings, i, e)
    {
        TRY(check_encoding(e, error));
    }
    TRY(check_distinct(encodings, "ssrc", error));
    return check_distinct_rids(encodings, error);
}

int ortc_check_parameters(json_t *params, struct ortc_error *error)
{
    size_t nodes = 0;
    if (!json_is_object(params))
        return ortc_fail(error, "parameters are not an object");
    TRY(check_bounds(params, 0, &nodes, error));
    TRY(check_optional_string(params, "mid", ORTC_MID_MAX, error));
    TRY(check_codecs(params, error));
    TRY(check_extensions(params, error));
    TRY(check_encodings(params, error));
    if (absent(params, "rtcp"))
        json_object_set_new(params, "rtcp", json_object());
    json_t *rtcp = json_object_get(params, "rtcp");
    if (!json_is_object(rtcp))
        return ortc_fail(error, "rtcp is not an object");
    TRY(check_optional_string(rtcp, "cname", ORTC_CNAME_MAX, error));
    json_object_set_new(rtcp, "reducedSize", json_true());
    return check_optional_string(params, "msid", ORTC_STRING_MAX, error);
}

void ortc_complete_parameters(json_t *params, const char *cname)
{
    json_t *encodings = json_object_get(params, "encodings");
    if (json_array_size(encodings) == 0) {
        json_t *encoding = json_object();
        json_object_set_new(encoding, "dtx", json_false());
        json_array_append_new(encodings, encoding);
    }
    if (cname)
        json_object_set_new(json_object_get(params, "rtcp"), "cname", json_string(cname));
}
