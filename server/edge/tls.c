/* TLS 1.2 and 1.3, forward secret and authenticated suites only (RFC 9325 4.2, 4.3). */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "server/edge/edge_int.h"

#define TLS12_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!PSK"
#define TLS13_CIPHERS "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"

int tls_configure(SSL_CTX *ctx)
{
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(ctx, TLS12_CIPHERS) != 1 ||
        SSL_CTX_set_ciphersuites(ctx, TLS13_CIPHERS) != 1 ||
        SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384") != 1)
        return -EINVAL;
    return 0;
}

static int no_passphrase(char *buf, int size, int writing, void *arg)
{
    (void)buf, (void)size, (void)writing, (void)arg;
    return 0;
}

/* The certificate, then its chain. */
static int use_chain(SSL_CTX *ctx, BIO *bio)
{
    X509 *cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
    int ok = cert && SSL_CTX_use_certificate(ctx, cert) == 1 && SSL_CTX_clear_chain_certs(ctx) == 1;
    X509_free(cert);
    while (ok && (cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) != NULL) {
        ok = SSL_CTX_add0_chain_cert(ctx, cert) == 1;
        if (!ok)
            X509_free(cert);
    }
    ERR_clear_error(); /* the end of the text is one */
    return ok ? 0 : -EINVAL;
}

static int use_pair(SSL_CTX *ctx, const char *cert, const char *key)
{
    BIO *cert_bio = BIO_new_mem_buf(cert, -1), *key_bio = BIO_new_mem_buf(key, -1);
    EVP_PKEY *pkey = PEM_read_bio_PrivateKey(key_bio, NULL, no_passphrase, NULL);
    int err = pkey ? use_chain(ctx, cert_bio) : -EINVAL;
    if (!err && (SSL_CTX_use_PrivateKey(ctx, pkey) != 1 || SSL_CTX_check_private_key(ctx) != 1))
        err = -EINVAL;
    EVP_PKEY_free(pkey);
    BIO_free(cert_bio);
    BIO_free(key_bio);
    ERR_clear_error();
    return err;
}

int tls_certificate(SSL_CTX *ctx, const char *cert, const char *key)
{
    /* Tried apart first, so that what does not fit leaves the one in use alone. */
    SSL_CTX *trial = SSL_CTX_new(TLS_server_method());
    int err = trial ? use_pair(trial, cert, key) : -ENOMEM;
    SSL_CTX_free(trial);
    return err ? err : use_pair(ctx, cert, key);
}
