#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/edge/host.h"
#include "server/edge/query.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A query string; and the same bytes as a host and a forwarded address. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct edge_query q;
    char ip[80], name[HOST_MAX], text[1024];
    if (query_parse(&q, (const char *)data, size) == 0) {
        if (q.count > QUERY_MAX || q.used > QUERY_BYTES_MAX)
            abort();
        for (size_t i = 0; i < q.count; i++)
            if (!query_get(&q, q.bytes + q.params[i].name))
                abort();
    }
    size_t n = size < sizeof(text) - 1 ? size : sizeof(text) - 1;
    memcpy(text, data, n);
    text[n] = '\0';
    host_forwarded_for(text, ip);
    if (host_name(text, name) && strpbrk(name, "/@?#\\ \r\n"))
        abort();
    host_is_local_or_ip(text);
    host_is_origin("example.org", text);
    return 0;
}
