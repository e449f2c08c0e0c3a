/* The input once as a message, and once as the attributes of a check that is authentic: strangers do not get further than the first,
 * those who know the password do. */
#include "worker/ice/ice.h"

#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#define UFRAG          "evtj"
#define PASSWORD       "VOkJxbRl1RmTxUk/WvJxBt"
#define HEADER         20
#define ATTRIBUTES_MAX 1500
#define INTEGRITY      24 /* attributes with their headers */
#define FINGERPRINT    8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put(uint8_t *p, size_t n, uint32_t v)
{
    while (n--) {
        p[n] = (uint8_t)v;
        v >>= 8;
    }
}

static uint32_t crc(const uint8_t *p, size_t n)
{
    uint32_t c = ~0u;
    while (n--) {
        c ^= *p++;
        for (unsigned i = 0; i < 8; i++)
            c = c >> 1 ^ (c & 1 ? 0xedb88320u : 0);
    }
    return ~c;
}

static size_t make_check(const uint8_t *attributes, size_t size, uint8_t *out)
{
    static const uint8_t start[] = {0, 1, 0,   0,   0x21, 0x12, 0xa4, 0x42, 1,  2, 3,
                                    4, 5, 6,   7,   8,    9,    10,   11,   12, 0, 6,
                                    0, 6, 'e', 'v', 't',  'j',  ':',  'x',  0,  0};
    size_t n = sizeof(start) + size;
    memcpy(out, start, sizeof(start));
    memcpy(out + sizeof(start), attributes, size);
    put(out + 2, 2, (uint32_t)(n + INTEGRITY - HEADER));
    put(out + n, 4, 0x00080014);
    HMAC(EVP_sha1(), PASSWORD, sizeof(PASSWORD) - 1, out, n, out + n + 4, NULL);
    n += INTEGRITY;
    put(out + 2, 2, (uint32_t)(n + FINGERPRINT - HEADER));
    put(out + n, 4, 0x80280004);
    put(out + n + 4, 4, crc(out, n) ^ 0x5354554e);
    return n + FINGERPRINT;
}

static void take(const uint8_t *msg, size_t len)
{
    static const struct ice_handlers none;
    struct tuple from = {.proto = NET_UDP};
    uint8_t reply[ICE_REPLY_MAX];
    struct ice *ice;
    addr_parse(&from.remote, "192.0.2.1", 5000);
    if (ice_new(&ice, UFRAG, PASSWORD, ICE_CONSENT_US, &none, NULL))
        abort();
    size_t n = ice_input(ice, &from, msg, len, 1, reply);
    if (n > ICE_REPLY_MAX)
        abort();
    if (n == 0 && ice_state(ice) != ICE_NEW)
        abort();
    ice_free(ice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t check[HEADER + 12 + ATTRIBUTES_MAX + INTEGRITY + FINGERPRINT];
    char ufrag[ICE_UFRAG_MAX + 1];
    ice_peek_ufrag(data, size, ufrag, sizeof(ufrag));
    take(data, size);
    if (size <= ATTRIBUTES_MAX)
        take(check, make_check(data, size - size % 4, check));
    return 0;
}
