/* codec.h - when two codecs are the same one, and small readers of checked JSON. For server/ortc/ alone. */
#ifndef ALTHING_SERVER_ORTC_CODEC_H
#define ALTHING_SERVER_ORTC_CODEC_H

#include "server/ortc/ortc.h"

int ortc_fail(struct ortc_error *error, const char *fmt, ...) /* -EINVAL; error may be NULL */
    __attribute__((format(printf, 2, 3)));

const char *ortc_string(const json_t *object, const char *key);   /* "" when there is none */
int64_t ortc_integer(const json_t *object, const char *key);      /* -1 when there is none */
bool ortc_is_rtx(const json_t *codec);                            /* RFC 4588 */
const json_t *ortc_parameter(const json_t *codec, const char *key); /* of codec.parameters; NULL when there is none */
int64_t ortc_apt(const json_t *codec);                            /* -1 when there is none */
/* The element of a list whose member `key` is this integer, or NULL. */
json_t *ortc_find_integer(const json_t *list, const char *key, int64_t value);
const json_t *ortc_find_rtx(const json_t *codecs, int64_t apt);   /* the RTX codec for that payload type, or NULL */

enum ortc_match {
    ORTC_MATCH_LOOSE,  /* mime type, clock rate, channels; multiopus: streams */
    ORTC_MATCH_STRICT, /* and the profiles of H264, H265, VP9 and AV1 */
    ORTC_MATCH_ANSWER, /* and the answer's level (H264, H265) is written into `a` */
};

bool ortc_codec_matches(json_t *a, const json_t *b, enum ortc_match how); /* only ORTC_MATCH_ANSWER changes a */
bool ortc_codec_same(const json_t *a, const json_t *b);                   /* ORTC_MATCH_STRICT */

/* A whole number, also if it is a string of digits as in SDP, at most 65535; absent or "": fallback; anything else: -1. */
int ortc_parameter_number(const json_t *codec, const char *key, int fallback);

/* h265.c: whether a decoder of b decodes a (RFC 7798 7.1, 7.2.2). */
bool ortc_h265_matches(json_t *a, const json_t *b, enum ortc_match how);

bool ortc_is_red(const json_t *codec); /* red.c: RFC 2198 */
/* A new set of parameters: in the names that list payload types ("111/111") those are mapped by `pairs`, as of
 * ortc_producer_mapping(); a name with one that is not mapped is left out. */
json_t *ortc_red_parameters(const json_t *parameters, const json_t *pairs);

/* Checks one element of RtpCapabilities.codecs, which is also what an application configures. */
int ortc_check_codec_capability(json_t *codec, struct ortc_error *error);

/* supported.c: what the worker can do; borrowed, made at the first call, and never changed. */
const json_t *ortc_supported_codecs(void);
json_t *ortc_supported_extensions(void); /* a new reference to a fresh list */

#endif
