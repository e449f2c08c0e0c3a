/* A packet's check: it reads nothing behind its end, and what it lets in stays in when the last padding is written out. */
#include "worker/wire/sctp_packet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sctp_packet p;
    int err = sctp_packet_check(data, size, &p);
    if (err && err != -EBADMSG && err != -ENOTSUP)
        abort();
    if (!err && (p.n_chunks == 0 || p.n_data > p.n_chunks || size > SCTP_PACKET_MAX))
        abort();
    return 0;
}
