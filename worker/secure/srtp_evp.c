/* HMAC-SHA1 uses OpenSSL's plain SHA-1 functions, which 3.0 calls deprecated: their context is a struct that can be copied, so the two
 * keyed states are computed once a session; EVP's would be allocated again for every packet. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "worker/secure/srtp_evp.h"

#include "lib/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#define SHA1_BLOCK   64
#define AUTH_KEY_LEN 20
#define GCM_IV_LEN   12
#define PADDING_MAX  255 /* RFC 3550 5.1: its count is a byte */

enum label { LABEL_ENCRYPTION = 0, LABEL_AUTH = 1, LABEL_SALT = 2 }; /* RFC 3711 4.3.1 */

struct srtp_evp {
    bool gcm;
    size_t tag_len;
    uint8_t salt[14];
    EVP_CIPHER_CTX *cipher;
    SHA_CTX inner, outer; /* HMAC with the key already hashed */
};

/* RFC 3711 4.3.3; RFC 7714 11: a salt of 12 bytes counts as one of 14 that ends with zeros. */
static bool derive(const struct srtp_key *key, enum label label, uint8_t *out, size_t len)
{
    static const uint8_t zeros[32];
    uint8_t iv[16] = {0};
    int n;
    memcpy(iv, key->salt, srtp_salt_len(key->profile));
    iv[7] ^= (uint8_t)label;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    const EVP_CIPHER *aes =
        srtp_key_len(key->profile) == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr();
    bool ok = ctx && EVP_EncryptInit_ex(ctx, aes, NULL, key->key, iv) &&
              EVP_EncryptUpdate(ctx, out, &n, zeros, (int)len);
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

static void hmac_init(struct srtp_evp *e, const uint8_t *auth_key)
{
    uint8_t block[SHA1_BLOCK];
    for (size_t i = 0; i < sizeof(block); i++)
        block[i] = (uint8_t)((i < AUTH_KEY_LEN ? auth_key[i] : 0) ^ 0x36);
    SHA1_Init(&e->inner);
    SHA1_Update(&e->inner, block, sizeof(block));
    for (size_t i = 0; i < sizeof(block); i++)
        block[i] ^= 0x36 ^ 0x5c;
    SHA1_Init(&e->outer);
    SHA1_Update(&e->outer, block, sizeof(block));
    OPENSSL_cleanse(block, sizeof(block));
}

void srtp_evp_free(struct srtp_evp *e)
{
    if (!e)
        return;
    EVP_CIPHER_CTX_free(e->cipher);
    OPENSSL_cleanse(e, sizeof(*e));
    free(e);
}

static const EVP_CIPHER *cipher_of(enum srtp_profile profile)
{
    switch (profile) {
    case SRTP_PROFILE_AES_CM_128_HMAC_SHA1_80:
    case SRTP_PROFILE_AES_CM_128_HMAC_SHA1_32:
        return EVP_aes_128_ctr();
    case SRTP_PROFILE_AEAD_AES_128_GCM:
        return EVP_aes_128_gcm();
    case SRTP_PROFILE_AEAD_AES_256_GCM:
        return EVP_aes_256_gcm();
    }
    return NULL;
}

static bool set_keys(struct srtp_evp *e, const struct srtp_key *key, bool seal)
{
    uint8_t enc[32], auth[AUTH_KEY_LEN];
    const EVP_CIPHER *cipher = cipher_of(key->profile);
    e->gcm = srtp_salt_len(key->profile) == GCM_IV_LEN;
    e->tag_len = srtp_tag_len(key->profile);
    e->cipher = EVP_CIPHER_CTX_new();
    bool ok = e->cipher && derive(key, LABEL_ENCRYPTION, enc, srtp_key_len(key->profile)) &&
              derive(key, LABEL_SALT, e->salt, srtp_salt_len(key->profile)) &&
              derive(key, LABEL_AUTH, auth, sizeof(auth)) &&
              EVP_CipherInit_ex(e->cipher, cipher, NULL, enc, NULL, e->gcm ? seal : 1);
    if (ok && !e->gcm)
        hmac_init(e, auth);
    OPENSSL_cleanse(enc, sizeof(enc));
    OPENSSL_cleanse(auth, sizeof(auth));
    return ok;
}

int srtp_evp_new(struct srtp_evp **ep, const struct srtp_key *key, bool seal)
{
    if (!srtp_key_len(key->profile))
        return -EINVAL;
    struct srtp_evp *e = mem_zalloc(sizeof(*e));
    if (!set_keys(e, key, seal)) {
        ERR_clear_error();
        srtp_evp_free(e);
        return -EINVAL;
    }
    *ep = e;
    return 0;
}

/* ---- a packet ---- */

static void put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

/* RFC 3711 4.1.1; RFC 7714 8.1. `header` is the RTP header: its sequence number and SSRC are bytes 2, 3 and 8 to 11. */
static void make_iv(const struct srtp_evp *e, const uint8_t *header, uint32_t roc,
                    uint8_t iv[static 16])
{
    size_t at = e->gcm ? 2 : 4; /* where the SSRC begins */
    memset(iv, 0, 16);
    memcpy(iv + at, header + 8, 4);
    put32(iv + at + 4, roc);
    memcpy(iv + at + 8, header + 2, 2);
    for (size_t i = 0; i < (e->gcm ? GCM_IV_LEN : sizeof(e->salt)); i++)
        iv[i] ^= e->salt[i];
}

static void hmac(const struct srtp_evp *e, const uint8_t *data, size_t len, uint32_t roc,
                 uint8_t out[static SHA_DIGEST_LENGTH])
{
    uint8_t tail[4], digest[SHA_DIGEST_LENGTH];
    SHA_CTX ctx = e->inner;
    put32(tail, roc);
    SHA1_Update(&ctx, data, len);
    SHA1_Update(&ctx, tail, sizeof(tail));
    SHA1_Final(digest, &ctx);
    ctx = e->outer;
    SHA1_Update(&ctx, digest, sizeof(digest));
    SHA1_Final(out, &ctx);
}

static bool update(EVP_CIPHER_CTX *ctx, uint8_t *out, const uint8_t *in, size_t len)
{
    int n;
    return !len || EVP_CipherUpdate(ctx, out, &n, in, (int)len);
}

/* Head in place, payload from its source, then padding: the plaintext in three pieces. */
static bool seal_body(struct srtp_evp *e, const struct srtp_job *job)
{
    uint8_t padding[PADDING_MAX] = {0};
    uint8_t *p = job->out + job->aad_len;
    if (job->pad_len)
        padding[job->pad_len - 1] = (uint8_t)job->pad_len;
    return update(e->cipher, p, p, job->head_len) &&
           update(e->cipher, p + job->head_len, job->payload, job->payload_len) &&
           update(e->cipher, p + job->head_len + job->payload_len, padding, job->pad_len);
}

void srtp_evp_seal(struct srtp_evp *e, struct srtp_job *job)
{
    uint8_t iv[16], tag[SHA_DIGEST_LENGTH];
    int n;
    size_t len = job->aad_len + job->head_len + job->payload_len + job->pad_len;
    job->out_len = 0;
    if (job->pad_len > PADDING_MAX)
        return;
    make_iv(e, job->out, job->roc, iv);
    if (!EVP_CipherInit_ex(e->cipher, NULL, NULL, NULL, iv, -1))
        return;
    if (e->gcm && !EVP_CipherUpdate(e->cipher, NULL, &n, job->out, (int)job->aad_len))
        return;
    if (!seal_body(e, job))
        return;
    if (!e->gcm) {
        hmac(e, job->out, len, job->roc, tag);
        memcpy(job->out + len, tag, e->tag_len);
        job->out_len = (uint32_t)(len + e->tag_len);
        return;
    }
    if (EVP_CipherFinal_ex(e->cipher, job->out + len, &n) &&
        EVP_CIPHER_CTX_ctrl(e->cipher, EVP_CTRL_AEAD_GET_TAG, 16, job->out + len))
        job->out_len = (uint32_t)len + 16;
}

static int open_gcm(struct srtp_evp *e, const uint8_t *pkt, size_t body, size_t header_len,
                    const uint8_t *iv, uint8_t *out)
{
    uint8_t tag[16];
    int n;
    memcpy(tag, pkt + body, sizeof(tag));
    if (!EVP_CipherInit_ex(e->cipher, NULL, NULL, NULL, iv, -1) ||
        !EVP_CipherUpdate(e->cipher, NULL, &n, pkt, (int)header_len) ||
        !update(e->cipher, out + header_len, pkt + header_len, body - header_len) ||
        !EVP_CIPHER_CTX_ctrl(e->cipher, EVP_CTRL_AEAD_SET_TAG, sizeof(tag), tag) ||
        EVP_CipherFinal_ex(e->cipher, out + body, &n) <= 0)
        return -EBADMSG;
    return 0;
}

static int open_cm(struct srtp_evp *e, const uint8_t *pkt, size_t body, size_t header_len,
                   uint32_t roc, const uint8_t *iv, uint8_t *out)
{
    uint8_t tag[SHA_DIGEST_LENGTH];
    hmac(e, pkt, body, roc, tag);
    if (CRYPTO_memcmp(tag, pkt + body, e->tag_len) != 0)
        return -EBADMSG;
    if (!EVP_CipherInit_ex(e->cipher, NULL, NULL, NULL, iv, -1) ||
        !update(e->cipher, out + header_len, pkt + header_len, body - header_len))
        return -EBADMSG;
    return 0;
}

int srtp_evp_open(struct srtp_evp *e, const uint8_t *pkt, size_t len, size_t header_len,
                  uint64_t index, uint8_t *out, size_t *out_len)
{
    uint8_t iv[16];
    uint32_t roc = (uint32_t)(index >> 16);
    if (header_len < 12 || len < header_len + e->tag_len)
        return -EBADMSG;
    size_t body = len - e->tag_len;
    make_iv(e, pkt, roc, iv);
    int err = e->gcm ? open_gcm(e, pkt, body, header_len, iv, out)
                     : open_cm(e, pkt, body, header_len, roc, iv, out);
    if (err)
        return err;
    memcpy(out, pkt, header_len);
    *out_len = body;
    return 0;
}
