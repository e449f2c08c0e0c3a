#include "worker/ice/stun.h"

#include "lib/cursor.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define HEADER         20
#define COOKIE         0x2112a442u
#define BINDING        0x0001
#define ATTRIBUTES_MAX 64
#define HMAC_LEN       20
#define MESSAGE_MAX    2048

static bool read_header(struct reader *r)
{
    uint16_t type = reader_u16(r), body = reader_u16(r);
    uint32_t cookie = reader_u32(r);
    reader_take(r, HEADER - 8);
    return !r->bad && type == BINDING && cookie == COOKIE && body == reader_left(r) &&
           body % 4 == 0;
}

const uint8_t *stun_attribute(const uint8_t *msg, size_t len, uint16_t type, size_t *value_len)
{
    struct reader r = reader_of(msg, len);
    if (!read_header(&r))
        return NULL;
    for (unsigned i = 0; i < ATTRIBUTES_MAX && reader_left(&r); i++) {
        uint16_t attribute = reader_u16(&r), n = reader_u16(&r);
        const uint8_t *value = reader_take(&r, n);
        reader_take(&r, (4u - n % 4u) % 4u);
        if (r.bad)
            return NULL;
        if (attribute == type) {
            *value_len = n;
            return value;
        }
    }
    return NULL;
}

/* The HMAC is over all before the attribute, with a length in the header that ends behind it. */
bool stun_authentic(const uint8_t *msg, size_t len, const char *password)
{
    uint8_t covered[MESSAGE_MAX], mac[EVP_MAX_MD_SIZE];
    size_t n;
    unsigned mac_len;
    const uint8_t *value = stun_attribute(msg, len, STUN_INTEGRITY_TYPE, &n);
    if (!value || n != HMAC_LEN)
        return false;
    size_t before = (size_t)(value - msg) - 4, end = before + 4 + HMAC_LEN - HEADER;
    if (before > sizeof(covered))
        return false;
    memcpy(covered, msg, before);
    covered[2] = (uint8_t)(end >> 8);
    covered[3] = (uint8_t)end;
    return HMAC(EVP_sha1(), password, (int)strlen(password), covered, before, mac, &mac_len) &&
           CRYPTO_memcmp(mac, value, HMAC_LEN) == 0;
}
