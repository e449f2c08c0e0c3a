/* Whatever JSON a server may send as an answer, as a consumer, as a router's capabilities. */
#include "load/describe.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *j = json_loadb((const char *)data, size, JSON_DECODE_ANY, NULL);
    struct describe_consumer c;
    struct link_remote r;
    char id[DESCRIBE_ID_MAX];
    if (!describe_transport(j, id, &r) && (!r.n_fingerprints || strlen(r.ufrag) > LINK_UFRAG_MAX))
        abort();
    if (!describe_consumer(j, &c) && (!c.ssrc || !*c.id || c.payload_type > 127))
        abort();
    for (int media = 0; media < MEDIA_COUNT; media++) {
        struct describe_sending s = {.media = (enum media)media, .mid = "0", .ssrcs = {1}, .n = 1};
        json_decref(describe_sending(&s, j));
    }
    json_decref(describe_capabilities(j, size & 1));
    json_decref(j);
    return 0;
}
