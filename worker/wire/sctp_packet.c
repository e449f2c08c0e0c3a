#include "worker/wire/sctp_packet.h"

#include "lib/cursor.h"

#include <errno.h>

enum chunk_type {
    CHUNK_DATA = 0,
    CHUNK_INIT = 1,
    CHUNK_INIT_ACK = 2,
    CHUNK_SACK = 3,
    CHUNK_HEARTBEAT = 4,
    CHUNK_HEARTBEAT_ACK = 5,
    CHUNK_ABORT = 6,
    CHUNK_SHUTDOWN = 7,
    CHUNK_SHUTDOWN_ACK = 8,
    CHUNK_ERROR = 9,
    CHUNK_COOKIE_ECHO = 10,
    CHUNK_COOKIE_ACK = 11,
    CHUNK_SHUTDOWN_COMPLETE = 14,
    CHUNK_RECONFIG = 130,
    CHUNK_FORWARD_TSN = 192,
};

enum place {
    ANYWHERE,
    ALONE, /* RFC 9260 6.10 */
    FIRST,
};

/* A chunk's value behind its header of four bytes: at least `min`; `step`: what is beyond that comes in such pieces, 0: nothing. */
static const struct kind {
    uint8_t type;
    uint8_t min, step;
    uint8_t place;
} kinds[] = {
    {CHUNK_DATA, 13, 1, ANYWHERE},          {CHUNK_INIT, 16, 1, ALONE},
    {CHUNK_INIT_ACK, 16, 1, ALONE},         {CHUNK_SACK, 12, 4, ANYWHERE},
    {CHUNK_HEARTBEAT, 4, 1, ANYWHERE},      {CHUNK_HEARTBEAT_ACK, 4, 1, ANYWHERE},
    {CHUNK_ABORT, 0, 1, ANYWHERE},          {CHUNK_SHUTDOWN, 4, 0, ANYWHERE},
    {CHUNK_SHUTDOWN_ACK, 0, 0, ANYWHERE},   {CHUNK_ERROR, 0, 1, ANYWHERE},
    {CHUNK_COOKIE_ECHO, 1, 1, FIRST},       {CHUNK_COOKIE_ACK, 0, 0, ANYWHERE},
    {CHUNK_SHUTDOWN_COMPLETE, 0, 0, ALONE}, {CHUNK_RECONFIG, 8, 1, ANYWHERE},
    {CHUNK_FORWARD_TSN, 4, 4, ANYWHERE},
};

static const struct kind *kind_of(uint8_t type)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i].type == type)
            return &kinds[i];
    }
    return NULL;
}

/* Skips what fills a chunk or parameter up to four bytes; at the end of what holds it, it may be missing. */
static void skip_padding(struct reader *r, size_t len)
{
    size_t pad = (4 - len % 4) % 4;
    reader_take(r, pad < reader_left(r) ? pad : reader_left(r));
}

/* Header and value of the next parameter (RFC 9260 3.2.1, causes of 3.3.10 too). */
static struct reader parameter(struct reader *r, uint16_t *type)
{
    *type = reader_u16(r);
    size_t len = reader_u16(r);
    if (len < 4)
        r->bad = true;
    struct reader value = reader_sub(r, r->bad ? 0 : len - 4);
    skip_padding(r, len);
    return value;
}

/* RFC 9260 3.3.2; RFC 5061 4.2. */
static int check_init(struct reader r)
{
    reader_take(&r, 16);
    while (!r.bad && reader_left(&r)) {
        uint16_t type;
        parameter(&r, &type);
        if (type == 5 || type == 6 || type == 11) /* IPv4 and IPv6 address, host name */
            return -ENOTSUP;
        if (type >= 0xc001 && type <= 0xc005) /* changes of addresses */
            return -ENOTSUP;
    }
    return r.bad ? -EBADMSG : 0;
}

static int check_sack(struct reader r)
{
    reader_take(&r, 8);
    size_t gaps = reader_u16(&r), duplicates = reader_u16(&r);
    return reader_left(&r) == 4 * (gaps + duplicates) ? 0 : -EBADMSG;
}

/* Requests to reset streams, and answers (RFC 6525 3.1, 4). */
static int check_reconfig(struct reader r)
{
    unsigned n = 0;
    while (!r.bad && reader_left(&r)) {
        uint16_t type;
        struct reader value = parameter(&r, &type);
        size_t len = reader_left(&value);
        if (r.bad || ++n > 2)
            return -EBADMSG;
        if (type == 13 ? len < 12 || len % 2 : type == 14 ? len < 4 || len % 2 : false)
            return -EBADMSG;
        if (type == 16 && len != 8 && len != 16)
            return -EBADMSG;
        if (type != 13 && type != 14 && type != 16)
            return -ENOTSUP;
    }
    return r.bad ? -EBADMSG : 0;
}

static int check_causes(struct reader r)
{
    while (!r.bad && reader_left(&r)) {
        uint16_t code;
        parameter(&r, &code);
    }
    return r.bad ? -EBADMSG : 0;
}

static int check_heartbeat(struct reader r)
{
    uint16_t type;
    parameter(&r, &type);
    return r.bad || type != 1 || reader_left(&r) ? -EBADMSG : 0;
}

static int check_value(uint8_t type, struct reader value)
{
    switch (type) {
    case CHUNK_INIT:
    case CHUNK_INIT_ACK:
        return check_init(value);
    case CHUNK_SACK:
        return check_sack(value);
    case CHUNK_RECONFIG:
        return check_reconfig(value);
    case CHUNK_ABORT:
    case CHUNK_ERROR:
        return check_causes(value);
    case CHUNK_HEARTBEAT:
    case CHUNK_HEARTBEAT_ACK:
        return check_heartbeat(value);
    default:
        return 0;
    }
}

static int check_chunk(struct reader *r, struct sctp_packet *out)
{
    uint8_t type = reader_u8(r);
    reader_u8(r);
    size_t len = reader_u16(r);
    const struct kind *kind = kind_of(type);
    if (r->bad || len < 4)
        return -EBADMSG;
    if (!kind)
        return -ENOTSUP;
    struct reader value = reader_sub(r, len - 4);
    if (value.bad || len - 4 < kind->min)
        return -EBADMSG;
    size_t more = len - 4 - kind->min;
    if (kind->step ? more % kind->step : more)
        return -EBADMSG;
    skip_padding(r, len);
    if ((kind->place == ALONE && (out->n_chunks || reader_left(r))) ||
        (kind->place == FIRST && out->n_chunks))
        return -EBADMSG;
    out->n_chunks++;
    out->n_data += type == CHUNK_DATA;
    return check_value(type, value);
}

int sctp_packet_check(const uint8_t *data, size_t len, struct sctp_packet *out)
{
    struct reader r = reader_of(data, len);
    *out = (struct sctp_packet){.source_port = reader_u16(&r), .destination_port = reader_u16(&r)};
    out->tag = reader_u32(&r);
    reader_take(&r, 4);
    if (r.bad || len > SCTP_PACKET_MAX || reader_left(&r) == 0)
        return -EBADMSG;
    while (reader_left(&r)) {
        int err = check_chunk(&r, out);
        if (err)
            return err;
    }
    return 0;
}
