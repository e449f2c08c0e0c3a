#include "worker/secure/srtp.h"

#include <stdbool.h>

size_t srtp_key_len(enum srtp_profile profile)
{
    switch (profile) {
    case SRTP_PROFILE_AES_CM_128_HMAC_SHA1_80:
    case SRTP_PROFILE_AES_CM_128_HMAC_SHA1_32:
    case SRTP_PROFILE_AEAD_AES_128_GCM:
        return 16;
    case SRTP_PROFILE_AEAD_AES_256_GCM:
        return 32;
    }
    return 0;
}

static bool counter_mode(enum srtp_profile profile)
{
    return profile == SRTP_PROFILE_AES_CM_128_HMAC_SHA1_80 ||
           profile == SRTP_PROFILE_AES_CM_128_HMAC_SHA1_32;
}

size_t srtp_salt_len(enum srtp_profile profile)
{
    return counter_mode(profile) ? 14 : 12;
}

size_t srtp_tag_len(enum srtp_profile profile)
{
    if (counter_mode(profile))
        return profile == SRTP_PROFILE_AES_CM_128_HMAC_SHA1_80 ? 10 : 4;
    return 16;
}
