/* query.h - the parameters of a request's URL. Pure but for its own memory.
 *
 * libwebsockets splits the query at `&` and percent-decodes each piece once; here pieces become names and values. Bounds: QUERY_MAX
 * parameters, QUERY_BYTES_MAX bytes of names and values in all; what exceeds them, and what is not UTF-8 or has a control
 * character, is refused. Of two parameters of one name the first counts.
 */
#ifndef ALTHING_SERVER_EDGE_QUERY_H
#define ALTHING_SERVER_EDGE_QUERY_H

#include <stddef.h>

#define QUERY_MAX       32
#define QUERY_BYTES_MAX 8192

struct edge_query {
    size_t count;
    size_t used;
    struct {
        size_t name, value; /* where they start in bytes */
    } params[QUERY_MAX];
    char bytes[QUERY_BYTES_MAX];
};

void query_init(struct edge_query *q);
/* One decoded piece: "name=value", "name", "". 0, -ENOSPC (a bound), or -EBADMSG. */
int query_add(struct edge_query *q, const char *piece, size_t len);
/* A percent-encoded query without its `?`, as from a URL. 0, -ENOSPC, or -EBADMSG. */
int query_parse(struct edge_query *q, const char *text, size_t len);
const char *query_get(const struct edge_query *q, const char *name); /* NULL if absent */

#endif
