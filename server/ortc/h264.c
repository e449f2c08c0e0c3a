#include "server/ortc/h264.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define LEVEL_11         11
#define CONSTRAINT_SET_3 0x10

/* Which profile profile_idc and the constraint_set flags in profile_iop mean (RFC 6184, table 5). */
static const struct {
    uint8_t idc, iop_mask, iop;
    enum h264_profile profile;
} profiles[] = {
    {0x42, 0x4f, 0x40, H264_CONSTRAINED_BASELINE},
    {0x4d, 0x8f, 0x80, H264_CONSTRAINED_BASELINE},
    {0x58, 0xcf, 0xc0, H264_CONSTRAINED_BASELINE},
    {0x42, 0x4f, 0x00, H264_BASELINE},
    {0x58, 0xcf, 0x80, H264_BASELINE},
    {0x4d, 0xaf, 0x00, H264_MAIN},
    {0x64, 0xff, 0x00, H264_HIGH},
    {0x64, 0xff, 0x0c, H264_CONSTRAINED_HIGH},
    {0xf4, 0xff, 0x00, H264_PREDICTIVE_HIGH_444},
};

/* The first two bytes that we write for a profile. */
static const char *const prefixes[] = {
    [H264_CONSTRAINED_BASELINE] = "42e0",
    [H264_BASELINE] = "4200",
    [H264_MAIN] = "4d00",
    [H264_CONSTRAINED_HIGH] = "640c",
    [H264_HIGH] = "6400",
    [H264_PREDICTIVE_HIGH_444] = "f400",
};

static bool level_exists(uint32_t idc)
{
    static const uint8_t levels[] = {10, 11, 12, 13, 20, 21, 22, 30,
                                     31, 32, 40, 41, 42, 50, 51, 52};
    for (size_t i = 0; i < sizeof(levels); i++) {
        if (levels[i] == idc)
            return true;
    }
    return false;
}

static bool parse_hex(const char *s, uint32_t *out)
{
    uint32_t v = 0;
    for (; *s; s++) {
        if (*s >= '0' && *s <= '9')
            v = v << 4 | (uint32_t)(*s - '0');
        else if (*s >= 'a' && *s <= 'f')
            v = v << 4 | (uint32_t)(*s - 'a' + 10);
        else if (*s >= 'A' && *s <= 'F')
            v = v << 4 | (uint32_t)(*s - 'A' + 10);
        else
            return false;
    }
    *out = v;
    return true;
}

bool h264_parse(const char *id, struct h264_profile_level *out)
{
    uint32_t v;
    if (strlen(id) != H264_ID_SIZE - 1 || !parse_hex(id, &v) || !level_exists(v & 0xff))
        return false;
    uint32_t idc = v >> 16, iop = v >> 8 & 0xff;
    out->level = (int)(v & 0xff);
    if (out->level == LEVEL_11 && iop & CONSTRAINT_SET_3)
        out->level = H264_LEVEL_1B;
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        if (profiles[i].idc == idc && (iop & profiles[i].iop_mask) == profiles[i].iop) {
            out->profile = profiles[i].profile;
            return true;
        }
    }
    return false;
}

bool h264_format(const struct h264_profile_level *pl, char out[static H264_ID_SIZE])
{
    if (pl->level != H264_LEVEL_1B) {
        snprintf(out, H264_ID_SIZE, "%s%02x", prefixes[pl->profile], (unsigned)pl->level & 0xff);
        return true;
    }
    const char *id = pl->profile == H264_CONSTRAINED_BASELINE ? "42f00b"
                     : pl->profile == H264_BASELINE           ? "42100b"
                     : pl->profile == H264_MAIN               ? "4d100b"
                                                              : NULL;
    if (id)
        memcpy(out, id, H264_ID_SIZE);
    return id != NULL;
}

/* 1b lies between 1 and 1.1. */
static int rank(int level)
{
    return level == H264_LEVEL_1B ? 105 : level * 10;
}

int h264_lower_level(int a, int b)
{
    return rank(a) < rank(b) ? a : b;
}
