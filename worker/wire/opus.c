#include "worker/wire/opus.h"

bool opus_is_dtx(const uint8_t *payload, size_t len)
{
    (void)payload;
    return len > 0 && len <= 2;
}
