#include "load/ws_frame.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ws_frame f;
    int status, n = ws_answer_parse(data, size, "dGhlIHNhbXBsZSBub25jZQ==", &status);
    if (n > (int)size)
        abort();
    while (size && (n = ws_frame_parse(data, size, &f)) > 0) {
        if ((size_t)n > size || f.payload + f.len != data + n || f.len > WS_FRAME_MAX)
            abort();
        data += n;
        size -= (size_t)n;
    }
    return 0;
}
