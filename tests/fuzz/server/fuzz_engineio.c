#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "server/edge/engineio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct engineio_packet p;
    const char *text = (const char *)data;
    if (engineio_parse(&p, text, size) == 0 && (p.data != text + 1 || p.len != size - 1))
        abort();
    return 0;
}
