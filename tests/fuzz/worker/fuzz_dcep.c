/* What parses is composed again to the same bytes, but for the type's and the reliability's spare bits. */
#include "worker/wire/dcep.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t out[1 << 18];
    struct dcep d;
    if (dcep_parse(data, size, &d))
        return 0;
    size_t len = dcep_compose(out, sizeof(out), &d);
    if (len != size || memcmp(out, data, len) != 0)
        abort();
    return 0;
}
