#include "exporter/accept.h"
#include "lib/mem.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A header is a string; the same header gives the same answer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_calloc(size + 1, 1);
    if (size)
        memcpy(text, data, size);
    if (accept_format(text) != accept_format(text) || accept_gzip(text) != accept_gzip(text))
        abort();
    free(text);
    return 0;
}
