/* What a peer may send to an association, and through our check to the SCTP library, whose checksums are switched off here.
 *
 * Records of {how, length (2), bytes}. Bits of how: 1, the verification tag is put right; 2, the number behind the first chunk's header
 * (a TSN, a request's number, or in RE-CONFIG that of the parameter) counts from the peer's first TSN; 4, a tenth of a second passes; 8,
 * we send a message; 16, we reset a stream. Whatever it is, the library frees all of it. */
#include "lib/cursor.h"
#include "worker/sctp/association.h"
#include "worker/sctp/stack.h"

#include <stdlib.h>
#include <string.h>

#include <usrsctp.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct side {
    struct side *peer;
    struct association *a;
    bool open;         /* it hears its peer */
    uint32_t tag, tsn; /* of what it sends: the tag its peer wants, its first TSN */
    uint8_t queue[64][1500];
    size_t lens[64], head, tail;
};

static uint32_t u32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static void on_send(const uint8_t *packet, size_t len, void *arg)
{
    struct side *s = arg;
    if (len < 16 || len > ASSOCIATION_MTU)
        abort();
    if (u32(packet + 4))
        s->tag = u32(packet + 4);
    if ((packet[12] == 1 || packet[12] == 2) && len >= 32)
        s->tsn = u32(packet + 28);
    if (!s->open || s->tail - s->head >= 64)
        return;
    memcpy(s->queue[s->tail % 64], packet, len);
    s->lens[s->tail++ % 64] = len;
}

static void on_message(const struct association_message *m, void *arg)
{
    (void)arg;
    volatile uint8_t sum = 0;
    if (!m->len || m->len > 4096 || m->stream >= 64)
        abort();
    for (size_t i = 0; i < m->len; i++)
        sum = (uint8_t)(sum + m->data[i]);
}

static const struct association_handlers handlers = {.send = on_send, .message = on_message};

static void deliver(struct side *from)
{
    while (from->head < from->tail) {
        size_t i = from->head++ % 64;
        association_input(from->peer->a, from->queue[i], from->lens[i]);
    }
}

static void exchange(struct side *s)
{
    while (s[0].head < s[0].tail || s[1].head < s[1].tail) {
        deliver(&s[0]);
        deliver(&s[1]);
    }
}

static void record(struct side *victim, uint8_t how, const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    if (!copy)
        abort();
    memcpy(copy, bytes, len);
    if (how & 1 && len >= 8)
        put(copy + 4, victim->peer->tag);
    size_t at = len > 12 && copy[12] == 130 ? 20 : 16;
    if (how & 2 && len >= at + 4)
        put(copy + at, u32(copy + at) + (copy[12] == 3 ? victim->tsn : victim->peer->tsn));
    association_input(victim->a, copy, len);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct association_config conf = {
        .streams = 64, .max_message = 4096, .send_buffer = 16384};
    static struct side s[2];
    static int64_t now_us = 1000000;
    stack_open();
    usrsctp_enable_crc32c_offload();
    memset(s, 0, sizeof(s));
    for (int i = 0; i < 2; i++) {
        s[i].peer = &s[1 - i];
        s[i].open = true;
        if (association_new(&s[i].a, &conf, &handlers, &s[i]))
            abort();
    }
    struct reader r = reader_of(data, size);
    if (reader_u8(&r) & 1) {
        association_connect(s[0].a);
        exchange(s);
        if (association_state(s[0].a) != ASSOCIATION_CONNECTED)
            abort();
    }
    s[0].open = s[1].open = false;
    while (reader_left(&r) >= 3) {
        uint8_t how = reader_u8(&r);
        size_t len = reader_u16(&r);
        len = len < reader_left(&r) ? len : reader_left(&r);
        const uint8_t *bytes = reader_take(&r, len);
        record(&s[0], how, bytes, len);
        if (how & 8)
            association_send(s[0].a, &(struct association_message){.stream = how >> 4,
                                                                   .ppid = 53,
                                                                   .data = (const uint8_t *)"ab",
                                                                   .len = 2});
        if (how & 16)
            association_reset(s[0].a, how >> 5);
        if (how & 4)
            stack_timer(now_us += 100000);
    }
    association_free(s[0].a);
    association_free(s[1].a);
    stack_close();
    return 0;
}
