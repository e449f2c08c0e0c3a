/* Datagrams to a DTLS session that waits as the server. The input is cut into datagrams: two bytes of length, then as many bytes. */
#include "lib/cursor.h"
#include "worker/secure/dtls.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_send(const uint8_t *data, size_t len, void *arg)
{
    (void)data;
    (void)arg;
    if (len > DTLS_MTU)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct dtls_handlers handlers = {.send = on_send};
    static const struct dtls_fingerprint print = {"sha-256", "AB:CD"};
    static struct dtls_cert *cert;
    struct dtls *d;
    if (!cert && dtls_cert_new(&cert))
        abort();
    if (dtls_new(&d, cert, &handlers, NULL))
        abort();
    dtls_connect(d, false, &print, 1, 0);
    dtls_start(d, 0);
    struct reader r = reader_of(data, size);
    for (int64_t now = 1; reader_left(&r) > 2; now++) {
        size_t len = reader_u16(&r) % 1500, left = reader_left(&r);
        len = len < left ? len : left;
        dtls_input(d, reader_take(&r, len), len, now);
    }
    if (dtls_state(d) == DTLS_CONNECTED) /* nobody has a certificate of that fingerprint */
        abort();
    dtls_free(d);
    return 0;
}
