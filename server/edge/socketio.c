#include "server/edge/socketio.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/cursor.h"

static void namespace_of(struct socketio_packet *p, struct reader *r)
{
    if (!reader_left(r) || *r->p != '/')
        return;
    const uint8_t *comma = memchr(r->p, ',', reader_left(r));
    const uint8_t *end = comma ? comma : r->end;
    p->nsp = (const char *)r->p;
    p->nsp_len = (size_t)(end - r->p);
    r->p = comma ? comma + 1 : r->end;
    if (p->nsp_len == 1)
        p->nsp = NULL, p->nsp_len = 0;
}

static int ack_of(struct socketio_packet *p, struct reader *r)
{
    while (reader_left(r) && *r->p >= '0' && *r->p <= '9') {
        p->ack = p->ack * 10 + (uint64_t)(*r->p++ - '0');
        p->has_ack = true;
        if (p->ack > SOCKETIO_ACK_MAX)
            return -EBADMSG;
    }
    return 0;
}

int socketio_parse(struct socketio_packet *p, const char *text, size_t len)
{
    struct reader r = reader_of(text, len);
    uint8_t type = reader_u8(&r);
    if (r.bad || type < '0' || type > '4')
        return -EBADMSG;
    *p = (struct socketio_packet){.type = (enum socketio_type)(type - '0')};
    namespace_of(p, &r);
    if (ack_of(p, &r))
        return -EBADMSG;
    p->json = (const char *)r.p;
    p->json_len = reader_left(&r);

    bool is_call = p->type == SOCKETIO_EVENT || p->type == SOCKETIO_ACK;
    if (is_call && (p->json_len < 2 || p->json[0] != '['))
        return -EBADMSG;
    if (p->type == SOCKETIO_ACK ? !p->has_ack : p->has_ack && p->type != SOCKETIO_EVENT)
        return -EBADMSG;
    return 0;
}

size_t socketio_head(char out[static SOCKETIO_HEAD_MAX], enum socketio_type type,
                     const uint64_t *ack)
{
    int n = ack ? snprintf(out, SOCKETIO_HEAD_MAX, "4%d%" PRIu64, (int)type, *ack)
                : snprintf(out, SOCKETIO_HEAD_MAX, "4%d", (int)type);
    return (size_t)n;
}
