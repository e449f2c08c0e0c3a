#include "load/binding.h"

#include "lib/cursor.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <zlib.h>

#define HEADER           20
#define COOKIE           0x2112a442u
#define REQUEST          0x0001
#define SUCCESS          0x0101
#define FAILURE          0x0111
#define USERNAME         0x0006
#define INTEGRITY        0x0008
#define ERROR_CODE       0x0009
#define PRIORITY         0x0024
#define USE_CANDIDATE    0x0025
#define FINGERPRINT      0x8028
#define ICE_CONTROLLING  0x802a
#define FINGERPRINT_MASK 0x5354554eu
#define HMAC_LEN         20
#define ATTRIBUTES_MAX   32

static void set_length(uint8_t *msg, size_t end)
{
    msg[2] = (uint8_t)((end - HEADER) >> 8);
    msg[3] = (uint8_t)(end - HEADER);
}

static bool hmac(const char *password, const uint8_t *msg, size_t len, uint8_t mac[static HMAC_LEN])
{
    uint8_t full[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (!HMAC(EVP_sha1(), password, (int)strlen(password), msg, len, full, &n) || n != HMAC_LEN)
        return false;
    memcpy(mac, full, HMAC_LEN);
    return true;
}

static void write_attribute(struct writer *w, uint16_t type, const void *value, size_t len)
{
    static const uint8_t zeros[4];
    writer_u16(w, type);
    writer_u16(w, (uint16_t)len);
    writer_bytes(w, value, len);
    writer_bytes(w, zeros, (4 - len % 4) % 4);
}

static void write_u32(struct writer *w, uint16_t type, uint32_t value)
{
    const uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                              (uint8_t)value};
    write_attribute(w, type, bytes, sizeof(bytes));
}

/* MESSAGE-INTEGRITY, then FINGERPRINT; each covers what is before it, with a length that ends behind it. */
static void finish(struct writer *w, const char *password)
{
    uint8_t mac[HMAC_LEN] = {0};
    size_t before = writer_len(w);
    if (w->bad)
        return;
    set_length(w->start, before + 4 + HMAC_LEN);
    if (!hmac(password, w->start, before, mac))
        w->bad = true;
    write_attribute(w, INTEGRITY, mac, sizeof(mac));
    before = writer_len(w);
    set_length(w->start, before + 8);
    uint32_t crc = (uint32_t)crc32(0, w->start, (uInt)before) ^ FINGERPRINT_MASK;
    write_u32(w, FINGERPRINT, crc);
}

size_t binding_request(uint8_t *out, size_t cap, const struct binding_check *c)
{
    struct writer w = writer_of(out, cap);
    writer_u16(&w, REQUEST);
    writer_u16(&w, 0);
    writer_u32(&w, COOKIE);
    writer_bytes(&w, c->id, BINDING_ID_LEN);
    write_attribute(&w, USERNAME, c->username, strlen(c->username));
    write_u32(&w, PRIORITY, c->priority);
    write_attribute(&w, ICE_CONTROLLING, &c->tie_breaker, sizeof(c->tie_breaker)); /* any order */
    write_attribute(&w, USE_CANDIDATE, NULL, 0);
    finish(&w, c->password);
    return w.bad ? 0 : writer_len(&w);
}

/* ---- the answer ---- */

static bool read_header(struct reader *r, const uint8_t *id, uint16_t *type)
{
    *type = reader_u16(r);
    uint16_t body = reader_u16(r);
    uint32_t cookie = reader_u32(r);
    const uint8_t *got = reader_take(r, BINDING_ID_LEN);
    return got && (*type == SUCCESS || *type == FAILURE) && cookie == COOKIE &&
           body == reader_left(r) && memcmp(got, id, BINDING_ID_LEN) == 0;
}

static bool authentic(const uint8_t *msg, size_t before, const uint8_t *mac, const char *password)
{
    uint8_t copy[BINDING_MAX], wanted[HMAC_LEN];
    if (before + 4 + HMAC_LEN > sizeof(copy))
        return false;
    memcpy(copy, msg, before);
    set_length(copy, before + 4 + HMAC_LEN);
    return hmac(password, copy, before, wanted) && CRYPTO_memcmp(wanted, mac, HMAC_LEN) == 0;
}

struct answer {
    const uint8_t *mac; /* NULL: there is none */
    size_t mac_at;
    int error;
};

static bool read_attributes(struct reader *r, const uint8_t *msg, struct answer *a)
{
    for (unsigned i = 0; i < ATTRIBUTES_MAX && reader_left(r) && !a->mac; i++) {
        size_t at = (size_t)(r->p - msg);
        uint16_t type = reader_u16(r), n = reader_u16(r);
        const uint8_t *value = reader_take(r, n);
        reader_take(r, (4u - n % 4u) % 4u);
        if (r->bad)
            return false;
        if (type == INTEGRITY && n == HMAC_LEN) {
            a->mac = value;
            a->mac_at = at;
        }
        if (type == ERROR_CODE && n >= 4)
            a->error = (value[2] & 7) * 100 + value[3];
    }
    return true;
}

int binding_answer(const uint8_t *msg, size_t len, const char *password,
                   const uint8_t id[static BINDING_ID_LEN])
{
    struct reader r = reader_of(msg, len);
    struct answer a = {0};
    uint16_t type;
    if (!read_header(&r, id, &type) || !read_attributes(&r, msg, &a))
        return -EBADMSG;
    bool ok = a.mac && authentic(msg, a.mac_at, a.mac, password);
    if (type == SUCCESS)
        return ok ? 0 : -EBADMSG;
    if (a.error < 300 || (!ok && (a.mac || (a.error != 400 && a.error != 401))))
        return -EBADMSG;
    return -a.error;
}
