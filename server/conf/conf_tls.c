/* conf_tls.c - reads certificates, their keys and the token of the metrics, and checks them, so that the server cannot fail on them later. */
#include "server/conf/conf_int.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define PEM_BYTES_MAX   (256 * 1024)
#define TOKEN_BYTES_MAX 4096

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

/* A certificate with its key, each with the key of the configuration that names its file. */
struct pair {
    struct conf_place cert_at, key_at;
    const char *cert_path, *key_path;
    char **cert_pem, **key_pem;
};

static int check_pair(const struct pair *p)
{
    X509 *cert = parse_cert(*p->cert_pem);
    EVP_PKEY *key = parse_key(*p->key_pem);
    int err = 0;
    if (!cert)
        err = conf_fail(&p->cert_at, "%.200s holds no certificate in PEM form", p->cert_path);
    else if (!key)
        err = conf_fail(&p->key_at, "%.200s holds no private key in PEM form without a passphrase",
                        p->key_path);
    else if (X509_check_private_key(cert, key) != 1)
        err = conf_fail(&p->key_at, "%.100s is not the key of the certificate in %.100s",
                        p->key_path, p->cert_path);
    X509_free(cert);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return err;
}

static int load_pair(const struct pair *p)
{
    if (read_pem(p->cert_path, p->cert_pem, &p->cert_at) < 0 ||
        read_pem(p->key_path, p->key_pem, &p->key_at) < 0)
        return -EINVAL;
    return check_pair(p);
}

/* The first line; what a header cannot carry is no token. */
static int load_token(struct conf *c, const struct conf_place *at)
{
    size_t len;
    int err = conf_read_file(c->prometheus_token_file, TOKEN_BYTES_MAX, &c->prometheus_token, &len);
    if (err < 0)
        return conf_fail(at, "cannot read %.200s: %s", c->prometheus_token_file, strerror(-err));
    c->prometheus_token[strcspn(c->prometheus_token, "\r\n")] = '\0';
    for (const char *s = c->prometheus_token; *s; s++) {
        if (*s <= ' ' || *s > '~')
            return conf_fail(at, "%.200s holds a character that no token has",
                             c->prometheus_token_file);
    }
    if (!*c->prometheus_token)
        return conf_fail(at, "%.200s holds no token", c->prometheus_token_file);
    return 0;
}

static int load_prometheus(struct conf *c, const char *name, char err[static CONF_ERROR_MAX])
{
    const struct pair pair = {{name, "prometheus.tls.cert", err},
                              {name, "prometheus.tls.key", err},
                              c->prometheus_tls_cert,
                              c->prometheus_tls_key,
                              &c->prometheus_cert_pem,
                              &c->prometheus_key_pem};
    const struct conf_place token_at = {name, "prometheus.tokenFile", err};
    if (!c->prometheus_enabled)
        return 0;
    if (!pair.cert_path != !pair.key_path)
        return conf_fail(pair.cert_path ? &pair.key_at : &pair.cert_at,
                         "a certificate and a key belong together");
    if (pair.cert_path && !c->prometheus_cert_pem && load_pair(&pair) < 0)
        return -EINVAL;
    return c->prometheus_token_file && !c->prometheus_token ? load_token(c, &token_at) : 0;
}

int conf_tls_load(struct conf *c, const char *name, char err[static CONF_ERROR_MAX])
{
    const struct pair pair = {
        {name, "tls.cert", err}, {name, "tls.key", err}, c->tls_cert, c->tls_key,
        &c->tls_cert_pem,        &c->tls_key_pem};
    if (!c->http_only && !c->tls_cert_pem && load_pair(&pair) < 0)
        return -EINVAL;
    return load_prometheus(c, name, err);
}
