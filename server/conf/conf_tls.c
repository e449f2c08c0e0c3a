/* conf_tls.c - reads the certificate and its key, and checks that they fit, so that the server cannot fail on them later. */
#include "server/conf/conf_int.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define PEM_BYTES_MAX (256 * 1024)

/* Nobody is there to type a passphrase. */
static int no_passphrase(char *buf, int size, int writing, void *arg)
{
    (void)buf;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

static int read_pem(const char *path, char **pem, const struct conf_place *p)
{
    size_t len;
    int err = conf_read_file(path, PEM_BYTES_MAX, pem, &len);
    if (err < 0)
        return conf_fail(p, "cannot read %.200s: %s", path, strerror(-err));
    return 0;
}

static X509 *parse_cert(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    return cert;
}

static EVP_PKEY *parse_key(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    return key;
}

static int check_pair(const struct conf *c, const struct conf_place *cert_at,
                      const struct conf_place *key_at)
{
    X509 *cert = parse_cert(c->tls_cert_pem);
    EVP_PKEY *key = parse_key(c->tls_key_pem);
    int err = 0;
    if (!cert)
        err = conf_fail(cert_at, "%.200s holds no certificate in PEM form", c->tls_cert);
    else if (!key)
        err = conf_fail(key_at, "%.200s holds no private key in PEM form without a passphrase",
                        c->tls_key);
    else if (X509_check_private_key(cert, key) != 1)
        err = conf_fail(key_at, "%.100s is not the key of the certificate in %.100s", c->tls_key,
                        c->tls_cert);
    X509_free(cert);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return err;
}

int conf_tls_load(struct conf *c, const char *name, char err[static CONF_ERROR_MAX])
{
    if (c->http_only || c->tls_cert_pem)
        return 0;
    struct conf_place cert_at = {name, "tls.cert", err};
    struct conf_place key_at = {name, "tls.key", err};
    if (read_pem(c->tls_cert, &c->tls_cert_pem, &cert_at) < 0 ||
        read_pem(c->tls_key, &c->tls_key_pem, &key_at) < 0)
        return -EINVAL;
    return check_pair(c, &cert_at, &key_at);
}
