#include "lib/clock.h"
#include "tests/unit/check.h"
#include "worker/secure/dtls.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

/* Two of our sessions, or one of ours and one of plain OpenSSL's, with a wire between them that the test holds in its hands. */
#define WIRE_MAX 64

struct wire {
    struct {
        uint8_t data[DTLS_DATA_MAX + 100];
        size_t len;
    } dgrams[WIRE_MAX];
    size_t n;
};

struct end {
    struct dtls *dtls;
    struct wire out;
    char reason[32];
    bool longer; /* application data */
    size_t n_got, got_len;
    uint8_t got[DTLS_DATA_MAX];
};

static void on_send(const uint8_t *data, size_t len, void *arg)
{
    struct end *e = arg;
    assert_true(len <= (e->longer ? sizeof(e->out.dgrams[0].data) : DTLS_MTU));
    assert_true(e->out.n < WIRE_MAX);
    memcpy(e->out.dgrams[e->out.n].data, data, len);
    e->out.dgrams[e->out.n++].len = len;
}

static void on_state(enum dtls_state from, enum dtls_state to, const char *reason, void *arg)
{
    struct end *e = arg;
    assert_int_not_equal(from, to);
    snprintf(e->reason, sizeof(e->reason), "%s", reason);
}

/* Answers what is short. */
static void on_data(const uint8_t *data, size_t len, void *arg)
{
    struct end *e = arg;
    assert_true(len <= sizeof(e->got));
    memcpy(e->got, data, len);
    e->got_len = len;
    e->n_got++;
    if (len == 4)
        assert_int_equal(dtls_write(e->dtls, (const uint8_t *)"answer", 6), 0);
}

static const struct dtls_handlers handlers = {on_send, on_state, on_data};
static struct dtls_cert *cert_a, *cert_b;
static struct dtls_fingerprint prints_a[3], prints_b[3];

static int setup(void **state)
{
    (void)state;
    assert_int_equal(dtls_cert_new(&cert_a), 0);
    assert_int_equal(dtls_cert_new(&cert_b), 0);
    assert_int_equal(dtls_cert_fingerprints(cert_a, prints_a, 3), 3);
    assert_int_equal(dtls_cert_fingerprints(cert_b, prints_b, 3), 3);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dtls_cert_free(cert_a);
    dtls_cert_free(cert_b);
    return 0;
}

static void deliver(struct end *from, struct end *to)
{
    struct wire w = from->out;
    from->out.n = 0;
    for (size_t i = 0; i < w.n; i++)
        dtls_input(to->dtls, w.dgrams[i].data, w.dgrams[i].len, 1);
}

static void run(struct end *a, struct end *b)
{
    for (unsigned i = 0; i < 20 && (a->out.n || b->out.n); i++) {
        deliver(a, b);
        deliver(b, a);
    }
}

static void open_pair(struct end *server, struct end *client)
{
    memset(server, 0, sizeof(*server));
    memset(client, 0, sizeof(*client));
    assert_int_equal(dtls_new(&server->dtls, cert_a, &handlers, server), 0);
    assert_int_equal(dtls_new(&client->dtls, cert_b, &handlers, client), 0);
}

static void close_pair(struct end *server, struct end *client)
{
    dtls_free(server->dtls);
    dtls_free(client->dtls);
}

static void assert_same_keys(struct end *server, struct end *client)
{
    struct srtp_key sr = {0}, sl = {0}, cr = {0}, cl = {0};
    assert_int_equal(dtls_srtp_keys(server->dtls, &sr, &sl), 0);
    assert_int_equal(dtls_srtp_keys(client->dtls, &cr, &cl), 0);
    assert_memory_equal(&sr, &cl, sizeof(sr));
    assert_memory_equal(&sl, &cr, sizeof(sl));
    assert_memory_not_equal(&sl, &sr, sizeof(sl));
    assert_int_equal(sr.profile, SRTP_PROFILE_AEAD_AES_128_GCM);
}

static void agrees_on_keys_in_both_roles(void **state)
{
    (void)state;
    struct end server, client;
    open_pair(&server, &client);
    assert_int_equal(dtls_connect(server.dtls, false, prints_b, 3, 0), 0);
    assert_int_equal(dtls_connect(client.dtls, true, prints_a, 1, 0), 0);
    assert_int_equal(client.out.n, 0); /* nothing before ICE */
    dtls_start(server.dtls, 0);
    dtls_start(client.dtls, 0);
    assert_int_equal(server.out.n, 0);
    assert_true(client.out.n > 0);
    run(&client, &server);
    assert_int_equal(dtls_state(server.dtls), DTLS_CONNECTED);
    assert_int_equal(dtls_state(client.dtls), DTLS_CONNECTED);
    assert_same_keys(&server, &client);
    assert_true(dtls_next_us(server.dtls) == TIME_NEVER_US);
    /* The same parameters again are fine, others are not. */
    assert_int_equal(dtls_connect(server.dtls, false, prints_b, 3, 0), 0);
    assert_int_equal(dtls_connect(server.dtls, false, prints_a, 3, 0), -EALREADY);
    assert_int_equal(dtls_connect(server.dtls, true, prints_b, 3, 0), -EALREADY);
    close_pair(&server, &client);
}

static void fingerprints_may_come_last(void **state)
{
    (void)state;
    struct end server, client;
    open_pair(&server, &client);
    assert_int_equal(dtls_connect(client.dtls, true, prints_a, 3, 0), 0);
    dtls_start(client.dtls, 0);
    run(&client, &server);
    assert_int_equal(dtls_state(server.dtls), DTLS_CONNECTING);
    struct srtp_key k;
    assert_int_equal(dtls_srtp_keys(server.dtls, &k, &k), -EAGAIN);
    assert_int_equal(dtls_connect(server.dtls, false, prints_b, 3, 0), 0);
    assert_int_equal(dtls_state(server.dtls), DTLS_CONNECTED);
    assert_same_keys(&server, &client);
    close_pair(&server, &client);
}

static void carries_data_once_connected(void **state)
{
    (void)state;
    static const uint8_t big[DTLS_DATA_MAX + 1] = {1, 2, 3};
    struct end server, client;
    open_pair(&server, &client);
    server.longer = client.longer = true;
    assert_int_equal(dtls_connect(client.dtls, true, prints_a, 3, 0), 0);
    assert_int_equal(dtls_write(client.dtls, big, 4), -ENOTCONN);
    dtls_start(client.dtls, 0);
    run(&client, &server);
    /* The client is connected; the server does not know yet who it is. */
    assert_int_equal(dtls_write(client.dtls, big, 4), 0);
    run(&client, &server);
    assert_int_equal(server.n_got, 0);
    assert_int_equal(dtls_write(server.dtls, big, 4), -ENOTCONN);
    assert_int_equal(dtls_connect(server.dtls, false, prints_b, 3, 0), 0);
    assert_int_equal(dtls_write(client.dtls, (const uint8_t *)"ping", 4), 0);
    run(&client, &server);
    assert_int_equal(server.n_got, 1);
    assert_memory_equal(server.got, "ping", 4);
    assert_int_equal(client.got_len, 6);
    assert_memory_equal(client.got, "answer", 6);
    assert_int_equal(dtls_write(server.dtls, big, DTLS_DATA_MAX), 0);
    run(&server, &client);
    assert_int_equal(client.got_len, DTLS_DATA_MAX);
    assert_memory_equal(client.got, big, DTLS_DATA_MAX);
    assert_int_equal(dtls_write(server.dtls, big, DTLS_DATA_MAX + 1), -EMSGSIZE);
    assert_int_equal(dtls_write(server.dtls, big, 0), -EMSGSIZE);
    close_pair(&server, &client);
}

static void wrong_fingerprints_fail(void **state)
{
    (void)state;
    /* The server is told what the client's certificate must be. */
    struct dtls_fingerprint wrong = prints_a[0], sha1 = {"sha-1", "AB:CD"};
    struct dtls_fingerprint mixed[] = {prints_b[0], prints_a[2]}; /* right SHA-256, wrong SHA-512 */
    struct dtls_fingerprint two[] = {prints_a[0], prints_b[0]};   /* one of two matches */
    const struct {
        const struct dtls_fingerprint *prints;
        size_t n;
        int err;
        enum dtls_state ends;
    } rows[] = {
        {&wrong, 1, 0, DTLS_FAILED},
        {&sha1, 1, -EINVAL, DTLS_CONNECTING},
        {prints_b, 0, -EINVAL, DTLS_CONNECTING},
        {mixed, 2, 0, DTLS_FAILED},
        {two, 2, 0, DTLS_CONNECTED},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct end server, client;
        open_pair(&server, &client);
        assert_int_equal(dtls_connect(server.dtls, false, rows[i].prints, rows[i].n, 0),
                         rows[i].err);
        assert_int_equal(dtls_connect(client.dtls, true, prints_a, 3, 0), 0);
        dtls_start(client.dtls, 0);
        run(&client, &server);
        assert_int_equal(dtls_state(server.dtls), rows[i].ends);
        if (rows[i].ends == DTLS_FAILED)
            assert_string_equal(server.reason, "fingerprint");
        close_pair(&server, &client);
    }
}

static void the_handshake_gives_up(void **state)
{
    (void)state;
    struct end server, client;
    open_pair(&server, &client);
    assert_int_equal(dtls_connect(client.dtls, true, prints_a, 3, 1000), 0);
    dtls_start(client.dtls, 1000);
    assert_true(dtls_next_us(client.dtls) <= 1000 + 200000);
    dtls_timer(client.dtls, 999 + DTLS_TIMEOUT_US);
    assert_int_equal(dtls_state(client.dtls), DTLS_CONNECTING);
    dtls_timer(client.dtls, 1000 + DTLS_TIMEOUT_US);
    assert_int_equal(dtls_state(client.dtls), DTLS_FAILED);
    assert_string_equal(client.reason, "timeout");
    assert_true(dtls_next_us(client.dtls) == TIME_NEVER_US);
    close_pair(&server, &client);
}

/* A ClientHello cut in `pieces` handshake fragments, as RFC 6347 4.2.3 has it. */
static void fragment_hello(const uint8_t *record, size_t len, unsigned pieces, struct wire *out)
{
    assert_int_equal(record[0], 22);
    const uint8_t *body = record + 13 + 12;
    size_t n = len - 13 - 12, at = 0;
    out->n = 0;
    for (unsigned i = 0; i < pieces; i++) {
        size_t part = i + 1 < pieces ? n / pieces : n - at;
        uint8_t *d = out->dgrams[out->n].data;
        memcpy(d, record, 25);
        d[10] = (uint8_t)(40 + i); /* record sequence number: ones that the client will not use */
        d[11] = (uint8_t)((part + 12) >> 8);
        d[12] = (uint8_t)(part + 12);
        d[13 + 7] = (uint8_t)(at >> 8);
        d[13 + 8] = (uint8_t)at;
        d[13 + 10] = (uint8_t)(part >> 8);
        d[13 + 11] = (uint8_t)part;
        d[13 + 6] = d[13 + 9] = 0;
        memcpy(d + 25, body + at, part);
        out->dgrams[out->n++].len = 25 + part;
        at += part;
    }
}

static void takes_a_hello_in_pieces_in_any_order(void **state)
{
    (void)state;
    srand(5);
    for (unsigned pieces = 2; pieces <= 20; pieces++) {
        struct end server, client;
        static struct wire parts;
        open_pair(&server, &client);
        dtls_connect(server.dtls, false, prints_b, 3, 0);
        dtls_connect(client.dtls, true, prints_a, 3, 0);
        dtls_start(client.dtls, 0);
        assert_int_equal(client.out.n, 1);
        fragment_hello(client.out.dgrams[0].data, client.out.dgrams[0].len, pieces, &parts);
        client.out.n = 0;
        for (size_t i = parts.n - 1; i > 0; i--) { /* shuffled */
            size_t j = (size_t)rand() % (i + 1);
            memcpy(&parts.dgrams[parts.n], &parts.dgrams[i], sizeof(parts.dgrams[0]));
            memcpy(&parts.dgrams[i], &parts.dgrams[j], sizeof(parts.dgrams[0]));
            memcpy(&parts.dgrams[j], &parts.dgrams[parts.n], sizeof(parts.dgrams[0]));
        }
        for (size_t i = 0; i < parts.n; i++) {
            dtls_input(server.dtls, parts.dgrams[i].data, parts.dgrams[i].len, 1);
            if (i % 3 == 0) /* and some twice */
                dtls_input(server.dtls, parts.dgrams[i].data, parts.dgrams[i].len, 1);
        }
        run(&server, &client);
        assert_int_equal(dtls_state(server.dtls), DTLS_CONNECTED);
        assert_same_keys(&server, &client);
        close_pair(&server, &client);
    }
}

static void garbage_does_not_end_a_session(void **state)
{
    (void)state;
    struct end server, client;
    open_pair(&server, &client);
    dtls_connect(server.dtls, false, prints_b, 3, 0);
    dtls_connect(client.dtls, true, prints_a, 3, 0);
    /* Before: only a handshake record begins anything. */
    static const uint8_t app[] = {23, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0};
    static const uint8_t alert[] = {21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40};
    dtls_input(server.dtls, app, sizeof(app), 1);
    assert_int_equal(dtls_state(server.dtls), DTLS_NEW);
    dtls_start(client.dtls, 0);
    run(&client, &server);
    assert_int_equal(dtls_state(server.dtls), DTLS_CONNECTED);
    srand(6);
    for (unsigned i = 0; i < 2000; i++) {
        uint8_t junk[200];
        for (size_t j = 0; j < sizeof(junk); j++)
            junk[j] = (uint8_t)rand();
        junk[0] = (uint8_t)(20 + i % 44);
        dtls_input(server.dtls, junk, 1 + (size_t)rand() % sizeof(junk), 2);
    }
    dtls_input(server.dtls, alert, sizeof(alert), 2); /* in the clear */
    assert_int_equal(dtls_state(server.dtls), DTLS_CONNECTED);
    close_pair(&server, &client);
}

/* ---- a client of plain OpenSSL ---- */

/* Talks to `server` until it is done or stuck; true: the client finished its handshake. */
static bool plain_client(struct end *server, const char *srtp, const char *ciphers, bool with_cert)
{
    SSL_CTX *ctx = SSL_CTX_new(DTLS_client_method());
    SSL_CTX_set_security_level(ctx, 0);
    if (srtp)
        assert_int_equal(SSL_CTX_set_tlsext_use_srtp(ctx, srtp), 0);
    if (ciphers)
        assert_int_equal(SSL_CTX_set_cipher_list(ctx, ciphers), 1);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_gmtime_adj(X509_getm_notBefore(x), -60);
    X509_gmtime_adj(X509_getm_notAfter(x), 3600);
    X509_set_pubkey(x, key);
    X509_sign(x, key, EVP_sha256());
    if (with_cert) {
        SSL_CTX_use_certificate(ctx, x);
        SSL_CTX_use_PrivateKey(ctx, key);
    }
    SSL *ssl = SSL_new(ctx);
    BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(ssl, in, out);
    SSL_set_connect_state(ssl);
    bool done = false;
    for (unsigned i = 0; i < 10 && !done; i++) {
        done = SSL_do_handshake(ssl) == 1;
        uint8_t buf[4096];
        int n = BIO_read(out, buf, sizeof(buf));
        if (n > 0)
            dtls_input(server->dtls, buf, (size_t)n, 1);
        for (size_t j = 0; j < server->out.n; j++)
            BIO_write(in, server->out.dgrams[j].data, (int)server->out.dgrams[j].len);
        server->out.n = 0;
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    X509_free(x);
    EVP_PKEY_free(key);
    return done;
}

static void refuses_weak_or_wrong_clients(void **state)
{
    (void)state;
    static const struct {
        const char *srtp, *ciphers;
        bool cert;
        enum dtls_state ends;
        const char *reason;
    } rows[] = {
        {"SRTP_AES128_CM_SHA1_80", "ECDHE-ECDSA-AES128-SHA", true, DTLS_FAILED, "handshake"},
        {"SRTP_AES128_CM_SHA1_80", "aNULL", true, DTLS_FAILED, "handshake"},
        {"SRTP_AES128_CM_SHA1_80", "eNULL", true, DTLS_FAILED, "handshake"},
        {"SRTP_AES128_CM_SHA1_80", NULL, false, DTLS_FAILED, "handshake"},
        {NULL, NULL, true, DTLS_FAILED, "fingerprint"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct end server = {0};
        assert_int_equal(dtls_new(&server.dtls, cert_a, &handlers, &server), 0);
        dtls_connect(server.dtls, false, prints_b, 3, 0);
        plain_client(&server, rows[i].srtp, rows[i].ciphers, rows[i].cert);
        assert_int_equal(dtls_state(server.dtls), rows[i].ends);
        assert_string_equal(server.reason, rows[i].reason);
        dtls_free(server.dtls);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_on_keys_in_both_roles),
        cmocka_unit_test(fingerprints_may_come_last),
        cmocka_unit_test(carries_data_once_connected),
        cmocka_unit_test(wrong_fingerprints_fail),
        cmocka_unit_test(the_handshake_gives_up),
        cmocka_unit_test(takes_a_hello_in_pieces_in_any_order),
        cmocka_unit_test(garbage_does_not_end_a_session),
        cmocka_unit_test(refuses_weak_or_wrong_clients),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
