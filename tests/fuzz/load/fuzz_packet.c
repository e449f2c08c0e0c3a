#include "load/packet.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    struct packet p = packet_parse(text, size);
    if (p.kind != PACKET_OTHER && p.json + p.len != text + size)
        abort();
    return 0;
}
