/* fuzz_dd.c - dependency descriptors, one after the other: each behind its length. */
#include "worker/wire/dd.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dd_structure s = {0};
    while (size > 1) {
        size_t n = data[0] < size - 1 ? data[0] : size - 1;
        struct dd d;
        if (dd_parse(data + 1, n, &s, &d) == 0 && (!s.known || d.spatial > 3 || d.temporal > 7))
            abort();
        data += n + 1;
        size -= n + 1;
    }
    return 0;
}
