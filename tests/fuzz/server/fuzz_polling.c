#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "server/edge/engineio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The packets of a body, and what is between them, are the whole body. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct engineio_packet p;
    const char *text = (const char *)data;
    size_t len = size, sum = 0, n = 0;
    int more;
    while ((more = engineio_next(&p, &text, &len)) == 1) {
        if (p.len > size)
            abort();
        sum += p.len + 1;
        n++;
    }
    if (more == 0 && sum + n - 1 != size)
        abort();
    return 0;
}
