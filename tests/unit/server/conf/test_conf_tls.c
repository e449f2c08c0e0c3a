#include "tests/unit/check.h"

#include "server/conf/conf_int.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[] = "/tmp/althing-conf-XXXXXX";

static void at(char path[64], const char *name)
{
    snprintf(path, 64, "%s/%s", dir, name);
}

static FILE *create(const char *name)
{
    char path[64];
    at(path, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    return f;
}

static void write_pair(const char *cert_name, const char *key_name, const char *locked_name)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_set_pubkey(cert, key);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_sign(cert, key, EVP_sha256());
    FILE *f = create(cert_name);
    PEM_write_X509(f, cert);
    fclose(f);
    f = create(key_name);
    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    f = create(locked_name);
    PEM_write_PrivateKey(f, key, EVP_aes_128_cbc(), (const unsigned char *)"x", 1, NULL, NULL);
    fclose(f);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static int make_files(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    write_pair("a.cert", "a.key", "a.locked");
    write_pair("b.cert", "b.key", "b.locked");
    fclose(create("empty"));
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    static const char *const names[] = {"a.cert", "a.key",    "a.locked", "b.cert",
                                        "b.key",  "b.locked", "empty"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char path[64];
        at(path, names[i]);
        unlink(path);
    }
    return rmdir(dir);
}

static void certificate_and_key(void **state)
{
    (void)state;
    static const struct {
        const char *cert, *key, *says; /* NULL: taken */
    } rows[] = {
        {"a.cert", "a.key", NULL},
        {"b.cert", "b.key", NULL},
        {"a.cert", "b.key", "f: tls.key: %s/b.key is not the key of the certificate in %s/a.cert"},
        {"a.key", "a.key", "f: tls.cert: %s/a.key holds no certificate in PEM form"},
        {"a.cert", "a.cert",
         "f: tls.key: %s/a.cert holds no private key in PEM form without a passphrase"},
        {"a.cert", "a.locked",
         "f: tls.key: %s/a.locked holds no private key in PEM form without a passphrase"},
        {"empty", "a.key", "f: tls.cert: %s/empty holds no certificate in PEM form"},
        {"none", "a.key", "f: tls.cert: cannot read %s/none: No such file or directory"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char text[256], err[CONF_ERROR_MAX] = "";
        int len =
            snprintf(text, sizeof(text),
                     "{\"clientPath\": null, \"tls\": {\"cert\": \"%s/%s\", \"key\": \"%s/%s\"}}",
                     dir, rows[i].cert, dir, rows[i].key);
        struct conf *c = NULL;
        assert_int_equal(conf_parse(&c, text, (size_t)len, "f", err), 0);
        int rc = conf_complete(c, "f", err);
        assert_int_equal(rc < 0, rows[i].says != NULL);
        if (rows[i].says) {
            char says[CONF_ERROR_MAX];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            snprintf(says, sizeof(says), rows[i].says, dir, dir);
#pragma GCC diagnostic pop
            assert_string_equal(err, says);
        } else {
            assert_non_null(strstr(c->tls_cert_pem, "BEGIN CERTIFICATE"));
            assert_non_null(strstr(c->tls_key_pem, "PRIVATE KEY"));
        }
        conf_free(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(certificate_and_key, make_files, remove_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
