/* h264.h - profile-level-id of H.264 in SDP (RFC 6184 8.1, 8.2.2), pure. */
#ifndef ALTHING_SERVER_ORTC_H264_H
#define ALTHING_SERVER_ORTC_H264_H

#include <stdbool.h>

enum h264_profile {
    H264_CONSTRAINED_BASELINE,
    H264_BASELINE,
    H264_MAIN,
    H264_CONSTRAINED_HIGH,
    H264_HIGH,
    H264_PREDICTIVE_HIGH_444,
};

#define H264_LEVEL_1B 0 /* other levels: level_idc, ten times the level */

struct h264_profile_level {
    enum h264_profile profile;
    int level;
};

#define H264_ID_SIZE 7 /* six hexadecimal digits and a NUL */

bool h264_parse(const char *id, struct h264_profile_level *out); /* false: not an id, or an unknown profile or level */
bool h264_format(const struct h264_profile_level *pl, char out[static H264_ID_SIZE]); /* false: there is no such id */
int h264_lower_level(int a, int b);

#endif
