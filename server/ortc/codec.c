#include "server/ortc/codec.h"
#include "server/ortc/h264.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int ortc_fail(struct ortc_error *error, const char *fmt, ...)
{
    if (error) {
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(error->text, sizeof(error->text), fmt, ap);
        va_end(ap);
    }
    return -EINVAL;
}

const char *ortc_string(const json_t *object, const char *key)
{
    const char *s = json_string_value(json_object_get(object, key));
    return s ? s : "";
}

int64_t ortc_integer(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return json_is_integer(v) ? json_integer_value(v) : -1;
}

bool ortc_is_rtx(const json_t *codec)
{
    const char *slash = strchr(ortc_string(codec, "mimeType"), '/');
    return slash && strcasecmp(slash, "/rtx") == 0;
}

const json_t *ortc_parameter(const json_t *codec, const char *key)
{
    return json_object_get(json_object_get(codec, "parameters"), key);
}

int64_t ortc_apt(const json_t *codec)
{
    return ortc_integer(json_object_get(codec, "parameters"), "apt");
}

json_t *ortc_find_integer(const json_t *list, const char *key, int64_t value)
{
    size_t i;
    json_t *e;
    json_array_foreach(list, i, e)
    {
        if (value >= 0 && ortc_integer(e, key) == value)
            return e;
    }
    return NULL;
}

const json_t *ortc_find_rtx(const json_t *codecs, int64_t apt)
{
    size_t i;
    const json_t *e;
    json_array_foreach(codecs, i, e)
    {
        if (apt >= 0 && ortc_is_rtx(e) && ortc_apt(e) == apt)
            return e;
    }
    return NULL;
}

/* A parameter that is 0 or "" is as good as none. */
static const json_t *given(const json_t *codec, const char *key)
{
    const json_t *v = ortc_parameter(codec, key);
    if (json_is_number(v) && !(json_number_value(v) < 0) && !(json_number_value(v) > 0))
        return NULL;
    if (json_is_string(v) && json_string_length(v) == 0)
        return NULL;
    return v;
}

int ortc_parameter_number(const json_t *codec, const char *key, int fallback)
{
    const json_t *v = ortc_parameter(codec, key);
    json_int_t n = json_integer_value(v);
    if (json_is_string(v)) {
        const char *s = json_string_value(v);
        size_t len = strspn(s, "0123456789");
        if (s[len] || len > 5)
            return -1;
        if (len)
            n = strtol(s, NULL, 10);
        else
            v = NULL;
    }
    if (!v)
        return fallback;
    return json_is_real(v) || n < 0 || n > UINT16_MAX ? -1 : (int)n;
}

/* No conversion: "0" is not 0. */
static bool values_equal(const json_t *a, const json_t *b)
{
    if (!a || !b)
        return !a && !b;
    if (json_is_number(a) && json_is_number(b)) {
        double x = json_number_value(a), y = json_number_value(b);
        return !(x < y) && !(x > y);
    }
    return json_equal(a, b);
}

static bool same_parameter(const json_t *a, const json_t *b, const char *key)
{
    return values_equal(ortc_parameter(a, key), ortc_parameter(b, key));
}

static bool same_given(const json_t *a, const json_t *b, const char *key)
{
    return values_equal(given(a, key), given(b, key));
}

static bool h264_of(const json_t *codec, struct h264_profile_level *out)
{
    const json_t *id = given(codec, "profile-level-id");
    *out = (struct h264_profile_level){H264_CONSTRAINED_BASELINE, 31};
    return !id || (json_is_string(id) && h264_parse(json_string_value(id), out));
}

static bool allows_asymmetry(const json_t *codec)
{
    const json_t *v = ortc_parameter(codec, "level-asymmetry-allowed");
    if (json_is_string(v))
        return strcmp(json_string_value(v), "1") == 0;
    double d = json_number_value(v);
    return json_is_number(v) && !(d < 1) && !(d > 1);
}

/* RFC 6184 8.2.2: the answerer keeps its level only if both sides allow them to differ. */
static void answer_h264(json_t *a, const json_t *b, struct h264_profile_level mine, int theirs)
{
    json_t *parameters = json_object_get(a, "parameters");
    char id[H264_ID_SIZE];
    if (!allows_asymmetry(a) || !allows_asymmetry(b))
        mine.level = h264_lower_level(mine.level, theirs);
    bool any = given(a, "profile-level-id") || given(b, "profile-level-id");
    if (any && h264_format(&mine, id))
        json_object_set_new(parameters, "profile-level-id", json_string(id));
    else
        json_object_del(parameters, "profile-level-id");
}

static bool h264_matches(json_t *a, const json_t *b, enum ortc_match how)
{
    struct h264_profile_level x, y;
    if (!same_given(a, b, "packetization-mode") || !h264_of(a, &x) || !h264_of(b, &y) ||
        x.profile != y.profile)
        return false;
    if (how == ORTC_MATCH_ANSWER)
        answer_h264(a, b, x, y.level);
    return true;
}

bool ortc_codec_matches(json_t *a, const json_t *b, enum ortc_match how)
{
    const char *mime = ortc_string(a, "mimeType");
    if (strcasecmp(mime, ortc_string(b, "mimeType")) != 0 ||
        ortc_integer(a, "clockRate") != ortc_integer(b, "clockRate") ||
        ortc_integer(a, "channels") != ortc_integer(b, "channels"))
        return false;
    if (strcasecmp(mime, "audio/multiopus") == 0)
        return same_parameter(a, b, "num_streams") && same_parameter(a, b, "coupled_streams");
    if (how == ORTC_MATCH_LOOSE)
        return true;
    if (strcasecmp(mime, "video/H264") == 0)
        return h264_matches(a, b, how);
    if (strcasecmp(mime, "video/H265") == 0)
        return ortc_h265_matches(a, b, how);
    if (strcasecmp(mime, "video/VP9") == 0)
        return same_given(a, b, "profile-id");
    if (strcasecmp(mime, "video/AV1") == 0)
        return ortc_parameter_number(a, "profile", 0) == ortc_parameter_number(b, "profile", 0);
    return true;
}

bool ortc_codec_same(const json_t *a, const json_t *b)
{
    return ortc_codec_matches((json_t *)(uintptr_t)a, b, ORTC_MATCH_STRICT);
}

/* One or two digits, no leading zero; returns what follows them, or NULL. */
static const char *layer_count(const char *p, uint32_t *out)
{
    if (*p < '1' || *p > '9')
        return NULL;
    *out = (uint32_t)(*p++ - '0');
    if (*p >= '0' && *p <= '9')
        *out = *out * 10 + (uint32_t)(*p++ - '0');
    return p;
}

void ortc_scalability(const char *mode, uint32_t *spatial, uint32_t *temporal)
{
    uint32_t s, t;
    *spatial = *temporal = 1;
    if (!mode || (*mode != 'L' && *mode != 'S'))
        return;
    const char *p = layer_count(mode + 1, &s);
    if (!p || *p != 'T' || !layer_count(p + 1, &t))
        return;
    *spatial = s;
    *temporal = t;
}
