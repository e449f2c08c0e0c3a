/* dtls_cert.h - what dtls.c needs of a certificate: its context, and comparing fingerprints. */
#ifndef ALTHING_WORKER_SECURE_DTLS_CERT_H
#define ALTHING_WORKER_SECURE_DTLS_CERT_H

#include "worker/secure/dtls.h"

#include <openssl/ssl.h>

SSL_CTX *dtls_cert_ctx(const struct dtls_cert *c); /* borrowed */
bool dtls_algorithm_known(const char *algorithm);
/* Whether a certificate matches: of the strongest algorithm among the fingerprints, any (RFC 8122 5). */
bool dtls_fingerprint_match(const X509 *cert, const struct dtls_fingerprint *prints, size_t n);

#endif
