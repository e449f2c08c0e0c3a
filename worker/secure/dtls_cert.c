#include "worker/secure/dtls_cert.h"

#include "lib/mem.h"
#include "lib/rand.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#define VALID_DAYS 3650

struct dtls_cert {
    SSL_CTX *ctx;
    X509 *x509;
};

/* Strongest first. SHA-1 is not among them: RFC 8122 5 asks for SHA-256 at least. */
static const struct {
    const char *name;
    const EVP_MD *(*md)(void);
} algorithms[] = {{"sha-512", EVP_sha512}, {"sha-384", EVP_sha384}, {"sha-256", EVP_sha256}};

#define ALGORITHMS (sizeof(algorithms) / sizeof(algorithms[0]))

void dtls_cert_free(struct dtls_cert *c)
{
    if (!c)
        return;
    SSL_CTX_free(c->ctx);
    X509_free(c->x509);
    free(c);
}

/* Nobody looks at the names: the fingerprint is what counts. */
static X509 *make_x509(EVP_PKEY *key)
{
    X509 *x = X509_new();
    if (!x)
        return NULL;
    X509_NAME *name = X509_get_subject_name(x);
    bool ok = X509_set_version(x, X509_VERSION_3) &&
              ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), (uint64_t)rand_u32() + 1) &&
              X509_gmtime_adj(X509_getm_notBefore(x), -24L * 3600) &&
              X509_gmtime_adj(X509_getm_notAfter(x), VALID_DAYS * 24L * 3600) &&
              X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"althing",
                                         -1, -1, 0) &&
              X509_set_issuer_name(x, name) && X509_set_pubkey(x, key) &&
              X509_sign(x, key, EVP_sha256());
    if (ok)
        return x;
    X509_free(x);
    return NULL;
}

/* Any certificate passes here; its fingerprint is compared afterwards. */
static int accept_any(int preverified, X509_STORE_CTX *store)
{
    (void)preverified;
    (void)store;
    return 1;
}

static SSL_CTX *make_ctx(EVP_PKEY *key, X509 *x509)
{
    SSL_CTX *ctx = SSL_CTX_new(DTLS_method());
    if (!ctx)
        return NULL;
    SSL_CTX_set_options(ctx, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, accept_any);
    SSL_CTX_set_read_ahead(ctx, 1);
    /* SSL_CTX_set_tlsext_use_srtp() alone answers 0 for success. */
    bool ok = SSL_CTX_set_min_proto_version(ctx, DTLS1_2_VERSION) &&
              SSL_CTX_set_max_proto_version(ctx, DTLS1_2_VERSION) &&
              SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") &&
              SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") &&
              !SSL_CTX_set_tlsext_use_srtp(
                  ctx, "SRTP_AEAD_AES_128_GCM:SRTP_AEAD_AES_256_GCM:SRTP_AES128_CM_SHA1_80") &&
              SSL_CTX_use_certificate(ctx, x509) && SSL_CTX_use_PrivateKey(ctx, key);
    if (ok)
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

int dtls_cert_new(struct dtls_cert **cp)
{
    struct dtls_cert *c = mem_zalloc(sizeof(*c));
    EVP_PKEY *key = EVP_EC_gen("P-256");
    if (key) {
        c->x509 = make_x509(key);
        if (c->x509)
            c->ctx = make_ctx(key, c->x509);
        EVP_PKEY_free(key);
    }
    if (!c->ctx) {
        ERR_clear_error();
        dtls_cert_free(c);
        return -EIO;
    }
    *cp = c;
    return 0;
}

SSL_CTX *dtls_cert_ctx(const struct dtls_cert *c)
{
    return c->ctx;
}

static bool digest(const X509 *cert, const EVP_MD *md, char out[static DTLS_FINGERPRINT_MAX])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int n;
    if (!X509_digest(cert, md, bytes, &n))
        return false;
    for (unsigned int i = 0; i < n; i++)
        snprintf(out + 3 * i, DTLS_FINGERPRINT_MAX - 3 * i, i + 1 < n ? "%02X:" : "%02X", bytes[i]);
    return true;
}

size_t dtls_cert_fingerprints(const struct dtls_cert *c, struct dtls_fingerprint *out, size_t max)
{
    size_t n = 0;
    for (size_t i = ALGORITHMS; i-- > 0 && n < max;) {
        if (!digest(c->x509, algorithms[i].md(), out[n].value))
            continue;
        snprintf(out[n].algorithm, sizeof(out[n].algorithm), "%s", algorithms[i].name);
        n++;
    }
    return n;
}

bool dtls_algorithm_known(const char *algorithm)
{
    for (size_t i = 0; i < ALGORITHMS; i++)
        if (strcasecmp(algorithm, algorithms[i].name) == 0)
            return true;
    return false;
}

bool dtls_fingerprint_match(const X509 *cert, const struct dtls_fingerprint *prints, size_t n)
{
    for (size_t i = 0; i < ALGORITHMS; i++) {
        char ours[DTLS_FINGERPRINT_MAX];
        bool offered = false;
        for (size_t j = 0; j < n; j++) {
            if (strcasecmp(prints[j].algorithm, algorithms[i].name) != 0)
                continue;
            offered = true;
            if (digest(cert, algorithms[i].md(), ours) && strcasecmp(ours, prints[j].value) == 0)
                return true;
        }
        if (offered)
            return false;
    }
    return false;
}
