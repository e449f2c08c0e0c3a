#include "tests/interop/worker/peer_dtls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#define MTU            1200
#define RECORD_HEADER  13 /* RFC 6347 4.1 */
#define MESSAGE_HEADER 12 /* RFC 6347 4.2.2 */

struct peer_dtls {
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *in, *out; /* owned by ssl */
    peer_dtls_send_f *send;
    void *arg;
    bool started, done, failed;
    unsigned hello_pieces;
    uint64_t record; /* of epoch 0; OpenSSL does not know of pieces, so these are numbered here */
    char fingerprint[3 * EVP_MAX_MD_SIZE];
};

static void hex(const X509 *x, char *out, size_t cap)
{
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    X509_digest(x, EVP_sha256(), md, &n);
    for (unsigned i = 0; i < n; i++)
        snprintf(out + 3 * i, cap - 3 * i, i + 1 < n ? "%02X:" : "%02X", md[i]);
}

static int any(int ok, X509_STORE_CTX *store)
{
    (void)ok;
    (void)store;
    return 1;
}

static void make_cert(struct peer_dtls *d)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    X509_NAME *name = X509_get_subject_name(x);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"peer", -1, -1, 0);
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -60);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_set_issuer_name(x, name);
    X509_set_pubkey(x, key);
    X509_sign(x, key, EVP_sha256());
    SSL_CTX_use_certificate(d->ctx, x);
    SSL_CTX_use_PrivateKey(d->ctx, key);
    hex(x, d->fingerprint, sizeof(d->fingerprint));
    X509_free(x);
    EVP_PKEY_free(key);
}

struct peer_dtls *peer_dtls_new(const char *profiles, bool server, unsigned hello_pieces,
                                peer_dtls_send_f *send, void *arg)
{
    struct peer_dtls *d = calloc(1, sizeof(*d));
    d->ctx = SSL_CTX_new(DTLS_method());
    d->send = send;
    d->arg = arg;
    d->hello_pieces = hello_pieces;
    SSL_CTX_set_verify(d->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, any);
    if (SSL_CTX_set_tlsext_use_srtp(d->ctx, profiles))
        abort();
    make_cert(d);
    d->ssl = SSL_new(d->ctx);
    d->in = BIO_new(BIO_s_mem());
    d->out = BIO_new(BIO_s_mem());
    BIO_set_mem_eof_return(d->in, -1);
    SSL_set_bio(d->ssl, d->in, d->out);
    SSL_set_options(d->ssl, SSL_OP_NO_QUERY_MTU);
    SSL_set_mtu(d->ssl, MTU);
    if (server)
        SSL_set_accept_state(d->ssl);
    else
        SSL_set_connect_state(d->ssl);
    return d;
}

void peer_dtls_free(struct peer_dtls *d)
{
    if (!d)
        return;
    SSL_free(d->ssl);
    SSL_CTX_free(d->ctx);
    free(d);
}

static void put(uint8_t *p, size_t n, uint64_t v)
{
    while (n--) {
        p[n] = (uint8_t)v;
        v >>= 8;
    }
}

/* A ClientHello record leaves in pieces: a handshake message may be cut anywhere (RFC 6347 4.2.3), and come in any order. */
static void send_in_pieces(struct peer_dtls *d, const uint8_t *record, size_t len)
{
    const uint8_t *body = record + RECORD_HEADER + MESSAGE_HEADER;
    size_t n = len - RECORD_HEADER - MESSAGE_HEADER, piece = n / d->hello_pieces + 1;
    for (unsigned round = 0; round < 2; round++)
        for (unsigned i = d->hello_pieces; i-- > 0;) {
            uint8_t out[MTU + 100];
            size_t at = i * piece, size = at >= n ? 0 : n - at < piece ? n - at : piece;
            if (!size)
                continue;
            memcpy(out, record, RECORD_HEADER + MESSAGE_HEADER);
            put(out + 5, 6, d->record++);
            put(out + 11, 2, MESSAGE_HEADER + size);
            put(out + RECORD_HEADER + 6, 3, at);
            put(out + RECORD_HEADER + 9, 3, size);
            memcpy(out + RECORD_HEADER + MESSAGE_HEADER, body + at, size);
            d->send(out, RECORD_HEADER + MESSAGE_HEADER + size, d->arg);
        }
}

/* Each record is its own datagram. */
static void flush(struct peer_dtls *d)
{
    uint8_t buf[1 << 16];
    int n = BIO_read(d->out, buf, sizeof(buf));
    for (uint8_t *p = buf; n >= RECORD_HEADER;) {
        size_t len = RECORD_HEADER + ((size_t)p[11] << 8 | p[12]);
        if (len > (size_t)n)
            break;
        if (p[3] == 0 && p[4] == 0)
            put(p + 5, 6, d->record++);
        if (d->hello_pieces > 1 && p[0] == 22 && p[13] == 1 && len > RECORD_HEADER + 100)
            send_in_pieces(d, p, len);
        else
            d->send(p, len, d->arg);
        p += len;
        n -= (int)len;
    }
}

static void turn(struct peer_dtls *d)
{
    uint8_t rest[4096];
    ERR_clear_error();
    int ret = d->done ? SSL_read(d->ssl, rest, sizeof(rest)) : SSL_do_handshake(d->ssl);
    if (!d->done && ret == 1)
        d->done = true;
    else if (ret <= 0 && SSL_get_error(d->ssl, ret) != SSL_ERROR_WANT_READ)
        d->failed = true;
    flush(d);
}

void peer_dtls_start(struct peer_dtls *d)
{
    if (d->started)
        return;
    d->started = true;
    if (!SSL_is_server(d->ssl))
        turn(d);
}

void peer_dtls_input(struct peer_dtls *d, const uint8_t *data, size_t len)
{
    if (d->failed)
        return;
    BIO_write(d->in, data, (int)len);
    turn(d);
}

void peer_dtls_turn(struct peer_dtls *d)
{
    if (d->failed || d->done || !d->started)
        return;
    DTLSv1_handle_timeout(d->ssl);
    flush(d);
}

const char *peer_dtls_fingerprint(const struct peer_dtls *d)
{
    return d->fingerprint;
}

bool peer_dtls_done(const struct peer_dtls *d)
{
    return d->done;
}

bool peer_dtls_failed(const struct peer_dtls *d)
{
    return d->failed;
}

bool peer_dtls_remote_is(const struct peer_dtls *d, const char *fingerprint)
{
    char theirs[3 * EVP_MAX_MD_SIZE];
    X509 *x = SSL_get1_peer_certificate(d->ssl);
    if (!x)
        return false;
    hex(x, theirs, sizeof(theirs));
    X509_free(x);
    return strcmp(theirs, fingerprint) == 0;
}

bool peer_dtls_keys(const struct peer_dtls *d, struct peer_dtls_keys *k)
{
    static const char label[] = "EXTRACTOR-dtls_srtp";
    uint8_t m[128];
    const SRTP_PROTECTION_PROFILE *p = SSL_get_selected_srtp_profile(d->ssl);
    if (!d->done || !p)
        return false;
    bool gcm = p->id == 7 || p->id == 8;
    *k = (struct peer_dtls_keys){.profile = p->id,
                                 .name = p->name,
                                 .key_len = p->id == 8 ? 32 : 16,
                                 .salt_len = gcm ? 12 : 14};
    size_t kl = k->key_len, sl = k->salt_len;
    if (!SSL_export_keying_material(d->ssl, m, 2 * (kl + sl), label, sizeof(label) - 1, NULL, 0, 0))
        return false;
    uint8_t *client = SSL_is_server(d->ssl) ? k->remote : k->local;
    uint8_t *server = SSL_is_server(d->ssl) ? k->local : k->remote;
    memcpy(client, m, kl);
    memcpy(server, m + kl, kl);
    memcpy(client + kl, m + 2 * kl, sl);
    memcpy(server + kl, m + 2 * kl + sl, sl);
    return true;
}
