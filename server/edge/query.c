#include "server/edge/query.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "server/edge/text.h"

void query_init(struct edge_query *q)
{
    q->count = 0;
    q->used = 0;
}

static size_t keep(struct edge_query *q, const char *text, size_t len)
{
    size_t at = q->used;
    memcpy(q->bytes + at, text, len);
    q->bytes[at + len] = '\0';
    q->used += len + 1;
    return at;
}

int query_add(struct edge_query *q, const char *piece, size_t len)
{
    if (len == 0)
        return 0;
    if (q->count == QUERY_MAX || QUERY_BYTES_MAX - q->used < len + 2)
        return -ENOSPC;
    if (!text_is_clean(piece, len))
        return -EBADMSG;
    const char *equal = memchr(piece, '=', len);
    size_t name_len = equal ? (size_t)(equal - piece) : len;
    size_t value_len = equal ? len - name_len - 1 : 0;
    q->params[q->count].name = keep(q, piece, name_len);
    q->params[q->count].value = keep(q, equal ? equal + 1 : "", value_len);
    q->count++;
    return 0;
}

int query_parse(struct edge_query *q, const char *text, size_t len)
{
    char piece[QUERY_BYTES_MAX];
    query_init(q);
    while (len > 0) {
        const char *amp = memchr(text, '&', len);
        size_t n = amp ? (size_t)(amp - text) : len;
        size_t out = 0;
        if (n > sizeof(piece))
            return -ENOSPC;
        int err = text_percent_decode(piece, &out, text, n);
        if (!err)
            err = query_add(q, piece, out);
        if (err)
            return err;
        text += amp ? n + 1 : n;
        len -= amp ? n + 1 : n;
    }
    return 0;
}

const char *query_get(const struct edge_query *q, const char *name)
{
    for (size_t i = 0; i < q->count; i++)
        if (strcmp(q->bytes + q->params[i].name, name) == 0)
            return q->bytes + q->params[i].value;
    return NULL;
}
