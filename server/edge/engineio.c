#include "server/edge/engineio.h"

#include <errno.h>
#include <string.h>

int engineio_parse(struct engineio_packet *p, const char *text, size_t len)
{
    if (len < 1 || text[0] < '0' || text[0] > '6')
        return -EBADMSG;
    *p = (struct engineio_packet){(enum engineio_type)(text[0] - '0'), text + 1, len - 1};
    return 0;
}

int engineio_next(struct engineio_packet *p, const char **text, size_t *len)
{
    if (!*text)
        return 0;
    const char *sep = *len ? memchr(*text, ENGINEIO_SEPARATOR, *len) : NULL;
    size_t n = sep ? (size_t)(sep - *text) : *len;
    int err = engineio_parse(p, *text, n);
    if (err)
        return err;
    *text = sep ? sep + 1 : NULL;
    *len = sep ? *len - n - 1 : 0;
    return 1;
}

bool engineio_is_probe(const struct engineio_packet *p)
{
    return p->type == ENGINEIO_PING && p->len == 5 && memcmp(p->data, "probe", 5) == 0;
}
