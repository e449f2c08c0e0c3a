#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "observer/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A line of an observer's client: as it is, and what is given back of it is plain JSON. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > OBSERVER_LINE_MAX)
        return 0;
    struct observer_request r;
    observer_request_parse(&r, (const char *)data, size);
    if (r.command >= OBSERVER_COMMANDS || (r.command == OBSERVER_BAD) != (r.error_code != NULL))
        abort();
    if (r.kinds & ~OBSERVER_ALL)
        abort();
    if ((r.command == OBSERVER_KICK && (!r.room || !r.peer)) ||
        (r.command == OBSERVER_GET && (!r.key || r.kind >= OBSERVER_LOG)) ||
        (r.command == OBSERVER_LOG_TAGS && !r.tags))
        abort();
    json_t *id = json_loads(r.id, JSON_DECODE_ANY, NULL);
    if (!id || strchr(r.id, '\n'))
        abort();
    json_decref(id);
    observer_request_clear(&r);
    return 0;
}
