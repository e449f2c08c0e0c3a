#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "server/edge/json_in.h"
#include "server/edge/socketio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct socketio_packet p;
    const char *text = (const char *)data;
    if (socketio_parse(&p, text, size))
        return 0;
    if (p.json + p.json_len != text + size || (p.has_ack && p.ack > SOCKETIO_ACK_MAX))
        abort();
    json_decref(json_in(p.json, p.json_len, 32, NULL));
    return 0;
}
