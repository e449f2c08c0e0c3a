/* The first bytes of what comes are made those of an answer to the check, so that the rest is looked at. */
#include "load/binding.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t id[BINDING_ID_LEN] = "abcdefghijk";
    static const uint8_t cookie[4] = {0x21, 0x12, 0xa4, 0x42};
    binding_answer(data, size, "password", id);
    if (size < 20)
        return 0;
    uint8_t *copy = malloc(size);
    memcpy(copy, data, size);
    copy[0] = 1;
    copy[1] = copy[1] & 1 ? 0x11 : 0x01;
    copy[2] = (uint8_t)((size - 20) >> 8);
    copy[3] = (uint8_t)(size - 20);
    memcpy(copy + 4, cookie, sizeof(cookie));
    memcpy(copy + 8, id, sizeof(id));
    binding_answer(copy, size, "password", id);
    free(copy);
    return 0;
}
