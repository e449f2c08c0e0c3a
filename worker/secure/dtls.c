/* OpenSSL reads and writes through one BIO of ours: a read gives the datagram that dtls_input() holds, whole and once; a write is a
 * datagram out. OpenSSL fills datagrams up to the MTU by itself. Its retransmission timer runs on the real clock; we only ask how long
 * it still has, and look in again when our own clock says so. */
#include "worker/secure/dtls.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "worker/secure/dtls_cert.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#define RETRANSMIT_FIRST_US 100000
#define RETRANSMIT_MAX_US   4000000
#define HANDSHAKE_CONTENT   22 /* RFC 6347 4.1: the record's content type */

struct dtls {
    SSL *ssl;
    const struct dtls_handlers *handlers;
    void *arg;
    enum dtls_state state;
    bool role_known, we_are_client; /* said by dtls_connect() */
    bool can_send;                  /* dtls_start() was called */
    bool shaken;                    /* the handshake is done; CONNECTED awaits the fingerprints */
    struct dtls_fingerprint remote[DTLS_FINGERPRINTS_MAX];
    size_t n_remote;
    const uint8_t *in; /* the datagram being read; NULL: read already */
    size_t in_len;
    int64_t deadline_us;   /* of the handshake */
    int64_t retransmit_us; /* when OpenSSL wants to be asked */
};

/* ---- the BIO ---- */

static int bio_write(BIO *bio, const char *data, int len)
{
    struct dtls *d = BIO_get_data(bio);
    if (len > 0)
        d->handlers->send((const uint8_t *)data, (size_t)len, d->arg);
    return len;
}

static int bio_read(BIO *bio, char *out, int cap)
{
    struct dtls *d = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (!d->in) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t n = d->in_len < (size_t)cap ? d->in_len : (size_t)cap;
    memcpy(out, d->in, n);
    d->in = NULL; /* what did not fit is lost, as with a socket */
    return (int)n;
}

static long bio_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
    (void)bio;
    (void)num;
    (void)ptr;
    switch (cmd) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
        return DTLS_MTU;
    default:
        return 0;
    }
}

static BIO_METHOD *bio_method(void)
{
    static BIO_METHOD *method;
    if (method)
        return method;
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "althing datagrams");
    if (!m)
        return NULL;
    BIO_meth_set_write(m, bio_write);
    BIO_meth_set_read(m, bio_read);
    BIO_meth_set_ctrl(m, bio_ctrl);
    method = m;
    return method;
}

/* ---- life ---- */

static unsigned int next_retransmit(SSL *ssl, unsigned int last_us)
{
    (void)ssl;
    if (!last_us)
        return RETRANSMIT_FIRST_US;
    return last_us * 2 < RETRANSMIT_MAX_US ? last_us * 2 : RETRANSMIT_MAX_US;
}

void dtls_free(struct dtls *d)
{
    if (!d)
        return;
    SSL_free(d->ssl);
    free(d);
}

int dtls_new(struct dtls **dp, const struct dtls_cert *cert, const struct dtls_handlers *handlers,
             void *arg)
{
    struct dtls *d = mem_zalloc(sizeof(*d));
    BIO_METHOD *method = bio_method();
    BIO *bio = method ? BIO_new(method) : NULL;
    d->ssl = SSL_new(dtls_cert_ctx(cert));
    if (!bio || !d->ssl) {
        ERR_clear_error();
        BIO_free(bio);
        dtls_free(d);
        return -EIO;
    }
    BIO_set_data(bio, d);
    BIO_set_init(bio, 1);
    SSL_set_bio(d->ssl, bio, bio); /* one reference serves both directions */
    SSL_set_mtu(d->ssl, DTLS_MTU);
    DTLS_set_timer_cb(d->ssl, next_retransmit);
    d->handlers = handlers;
    d->arg = arg;
    d->deadline_us = d->retransmit_us = TIME_NEVER_US;
    *dp = d;
    return 0;
}

/* The one place where the state changes. */
static void set_state(struct dtls *d, enum dtls_state to, const char *reason)
{
    enum dtls_state from = d->state;
    if (from == to || from == DTLS_FAILED || from == DTLS_CLOSED)
        return;
    d->state = to;
    if (to != DTLS_CONNECTING)
        d->deadline_us = TIME_NEVER_US;
    if (to == DTLS_FAILED || to == DTLS_CLOSED)
        d->retransmit_us = TIME_NEVER_US;
    if (d->handlers->state)
        d->handlers->state(from, to, reason, d->arg);
}

static bool over(const struct dtls *d)
{
    return d->state == DTLS_FAILED || d->state == DTLS_CLOSED;
}

/* ---- the handshake ---- */

static void update_retransmit(struct dtls *d, int64_t now_us)
{
    struct timeval left;
    d->retransmit_us = TIME_NEVER_US;
    if (!over(d) && DTLSv1_get_timeout(d->ssl, &left))
        d->retransmit_us = now_us + (int64_t)left.tv_sec * 1000000 + left.tv_usec;
}

/* Once the handshake is done and the fingerprints are known, whichever comes last. */
static void verify(struct dtls *d)
{
    if (!d->shaken || !d->n_remote)
        return;
    X509 *cert = SSL_get1_peer_certificate(d->ssl);
    bool same = cert && dtls_fingerprint_match(cert, d->remote, d->n_remote);
    X509_free(cert);
    if (!same)
        set_state(d, DTLS_FAILED, "fingerprint");
    else if (!SSL_get_selected_srtp_profile(d->ssl))
        set_state(d, DTLS_FAILED, "no-srtp-profile");
    else
        set_state(d, DTLS_CONNECTED, "");
}

/* The remote side's alerts have numbers above SSL_AD_REASON_OFFSET. */
static const char *error_reason(void)
{
    unsigned long e = ERR_peek_error();
    return ERR_GET_REASON(e) >= SSL_AD_REASON_OFFSET ? "alert" : "handshake";
}

static void shake(struct dtls *d)
{
    ERR_clear_error();
    int ret = SSL_do_handshake(d->ssl);
    if (ret == 1) {
        d->shaken = true;
        verify(d);
        return;
    }
    int why = SSL_get_error(d->ssl, ret);
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
        set_state(d, DTLS_FAILED, error_reason());
    ERR_clear_error();
}

static void begin(struct dtls *d, bool as_client, int64_t now_us)
{
    if (as_client)
        SSL_set_connect_state(d->ssl);
    else
        SSL_set_accept_state(d->ssl);
    d->deadline_us = now_us + DTLS_TIMEOUT_US;
    set_state(d, DTLS_CONNECTING, "");
    if (as_client) {
        shake(d);
        update_retransmit(d, now_us);
    }
}

static void begin_as_client(struct dtls *d, int64_t now_us)
{
    if (d->state == DTLS_NEW && d->role_known && d->we_are_client && d->can_send)
        begin(d, true, now_us);
}

static bool same_prints(const struct dtls *d, const struct dtls_fingerprint *prints, size_t n)
{
    if (n != d->n_remote)
        return false;
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(prints[i].algorithm, d->remote[i].algorithm) != 0 ||
            strcasecmp(prints[i].value, d->remote[i].value) != 0)
            return false;
    return true;
}

int dtls_connect(struct dtls *d, bool we_are_client, const struct dtls_fingerprint *remote,
                 size_t n, int64_t now_us)
{
    struct dtls_fingerprint known[DTLS_FINGERPRINTS_MAX];
    size_t n_known = 0;
    for (size_t i = 0; i < n && n_known < DTLS_FINGERPRINTS_MAX; i++)
        if (dtls_algorithm_known(remote[i].algorithm))
            known[n_known++] = remote[i];
    if (!n_known)
        return -EINVAL;
    if (d->role_known)
        return we_are_client == d->we_are_client && same_prints(d, known, n_known) ? 0 : -EALREADY;
    if (d->state != DTLS_NEW && we_are_client)
        return -EALREADY; /* the browser has begun as the client */
    memcpy(d->remote, known, n_known * sizeof(known[0]));
    d->n_remote = n_known;
    d->we_are_client = we_are_client;
    d->role_known = true;
    verify(d);
    begin_as_client(d, now_us);
    return 0;
}

void dtls_start(struct dtls *d, int64_t now_us)
{
    d->can_send = true;
    begin_as_client(d, now_us);
}

static void hand_over(struct dtls *d, const uint8_t *data, size_t len)
{
    if (d->state == DTLS_CONNECTED && d->handlers->data)
        d->handlers->data(data, len, d->arg);
    ERR_clear_error();
}

static void read_rest(struct dtls *d)
{
    uint8_t buf[2048];
    ERR_clear_error();
    for (;;) {
        int n = SSL_read(d->ssl, buf, sizeof(buf));
        if (n > 0) {
            hand_over(d, buf, (size_t)n);
            continue;
        }
        int why = SSL_get_error(d->ssl, n);
        if (why == SSL_ERROR_ZERO_RETURN)
            set_state(d, DTLS_CLOSED, "");
        else if (why == SSL_ERROR_SSL)
            set_state(d, DTLS_FAILED, error_reason());
        break;
    }
    ERR_clear_error();
}

void dtls_input(struct dtls *d, const uint8_t *data, size_t len, int64_t now_us)
{
    if (over(d) || !len)
        return;
    if (d->state == DTLS_NEW) {
        /* Only a handshake record begins a session, and only when we are not to be the client. */
        if (data[0] != HANDSHAKE_CONTENT || (d->role_known && d->we_are_client))
            return;
        begin(d, false, now_us);
    }
    d->in = data;
    d->in_len = len;
    if (!d->shaken)
        shake(d);
    if (d->shaken && !over(d))
        read_rest(d);
    d->in = NULL;
    update_retransmit(d, now_us);
}

int dtls_write(struct dtls *d, const uint8_t *data, size_t len)
{
    if (d->state != DTLS_CONNECTED)
        return -ENOTCONN;
    if (len == 0 || len > DTLS_DATA_MAX)
        return -EMSGSIZE;
    ERR_clear_error();
    int n = SSL_write(d->ssl, data, (int)len);
    ERR_clear_error();
    return n > 0 ? 0 : -ENOTCONN;
}

enum dtls_state dtls_state(const struct dtls *d)
{
    return d->state;
}

int64_t dtls_next_us(const struct dtls *d)
{
    return time_min_us(d->deadline_us, d->retransmit_us);
}

void dtls_timer(struct dtls *d, int64_t now_us)
{
    if (over(d))
        return;
    if (now_us >= d->deadline_us) {
        set_state(d, DTLS_FAILED, "timeout");
        return;
    }
    if (now_us < d->retransmit_us)
        return;
    ERR_clear_error();
    if (DTLSv1_handle_timeout(d->ssl) < 0)
        set_state(d, DTLS_FAILED, "timeout");
    ERR_clear_error();
    update_retransmit(d, now_us);
}

/* ---- the keys (RFC 5764 4.2) ---- */

int dtls_srtp_keys(const struct dtls *d, struct srtp_key *remote, struct srtp_key *local)
{
    static const char label[] = "EXTRACTOR-dtls_srtp";
    if (d->state != DTLS_CONNECTED)
        return -EAGAIN;
    enum srtp_profile profile = (enum srtp_profile)SSL_get_selected_srtp_profile(d->ssl)->id;
    size_t k = srtp_key_len(profile), s = srtp_salt_len(profile);
    uint8_t m[2 * (32 + 14)];
    if (!k ||
        !SSL_export_keying_material(d->ssl, m, 2 * (k + s), label, sizeof(label) - 1, NULL, 0, 0)) {
        ERR_clear_error();
        return -EAGAIN;
    }
    struct srtp_key *client = SSL_is_server(d->ssl) ? remote : local;
    struct srtp_key *server = SSL_is_server(d->ssl) ? local : remote;
    client->profile = server->profile = profile;
    memcpy(client->key, m, k);
    memcpy(server->key, m + k, k);
    memcpy(client->salt, m + 2 * k, s);
    memcpy(server->salt, m + 2 * k + s, s);
    OPENSSL_cleanse(m, sizeof(m));
    return 0;
}
