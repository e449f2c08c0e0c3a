/* Datagrams to an SRTP receiver of each profile and backend: nothing is authentic by chance, nothing is read past its end. */
#include "worker/secure/srtp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const enum srtp_profile profiles[] = {SRTP_PROFILE_AES_CM_128_HMAC_SHA1_80,
                                             SRTP_PROFILE_AEAD_AES_128_GCM,
                                             SRTP_PROFILE_AEAD_AES_256_GCM};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct srtp_rx *rx[6];
    static uint8_t plain[2048], rtcp[2048];
    size_t out;
    if (size < 1 || size > sizeof(rtcp))
        return 0;
    for (size_t i = 0; i < 6; i++) {
        struct srtp_key key = {.profile = profiles[i / 2], .key = "key", .salt = "salt"};
        if (!rx[i] && srtp_rx_new(&rx[i], &key, i % 2 ? SRTP_BACKEND_LIBSRTP : SRTP_BACKEND_EVP))
            abort();
        size_t header = 12 + (size_t)(data[0] & 15) * 4;
        if (header <= size)
            srtp_rx_rtp(rx[i], data, size, header, plain, sizeof(plain), &out);
        memcpy(rtcp, data, size);
        out = size;
        srtp_rx_rtcp(rx[i], rtcp, &out);
    }
    return 0;
}
