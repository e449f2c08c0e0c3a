/* H.265 in SDP: profile, tier, level and transmission mode (RFC 7798 7.1, 7.2.2). */
#include "server/ortc/codec.h"

#include <string.h>
#include <strings.h>

struct profile {
    int space, profile, tier, level;
};

/* What is not said is Main profile, Main tier, level 3.1. False: not numbers, or out of range. */
static bool read_profile(const json_t *codec, struct profile *out)
{
    out->space = ortc_parameter_number(codec, "profile-space", 0);
    out->profile = ortc_parameter_number(codec, "profile-id", 1);
    out->tier = ortc_parameter_number(codec, "tier-flag", 0);
    out->level = ortc_parameter_number(codec, "level-id", 93);
    return out->space >= 0 && out->space <= 3 && out->profile >= 0 && out->profile <= 31 &&
           (out->tier == 0 || out->tier == 1) && out->level >= 0 && out->level <= 255;
}

static const char *tx_mode(const json_t *codec)
{
    const char *mode = ortc_string(json_object_get(codec, "parameters"), "tx-mode");
    return *mode ? mode : "SRST";
}

/* Levels are thirty times their number, so the lower number is the lower level. Unsaid on both sides it stays so. */
static void answer_level(json_t *a, const json_t *b, int mine, int theirs)
{
    if (ortc_parameter(a, "level-id") || ortc_parameter(b, "level-id"))
        json_object_set_new(json_object_get(a, "parameters"), "level-id",
                            json_integer(mine < theirs ? mine : theirs));
}

bool ortc_h265_matches(json_t *a, const json_t *b, enum ortc_match how)
{
    struct profile x, y;
    if (!read_profile(a, &x) || !read_profile(b, &y) || x.space != y.space ||
        x.profile != y.profile || x.tier != y.tier || strcasecmp(tx_mode(a), tx_mode(b)) != 0)
        return false;
    if (how == ORTC_MATCH_ANSWER)
        answer_level(a, b, x.level, y.level);
    return true;
}
