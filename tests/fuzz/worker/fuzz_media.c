/* What a browser in a call may send, as if SRTP had just opened it: records of {kind, length (2), bytes}: RTP of the sender, RTCP of
 * the sender or of the receiver, or time that passes. The first byte says what the sender produces. */
#include "lib/cursor.h"
#include "tests/unit/worker/route/world.h"
#include "worker/route/consumer.h"
#include "worker/route/producer.h"
#include "worker/route/rtcp_in.h"
#include "worker/route/state.h"
#include "worker/route/transport.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct world w;
static struct browser *a, *b;

static void set_up(uint8_t kind)
{
    if (!w.engine) {
        world_open(&w);
        a = world_join(&w, 10);
        b = world_join(&w, 20);
    }
    struct params_producer p = kind % 3 == 0   ? video_producer(a, 2)
                               : kind % 3 == 1 ? simulcast_producer(a, 2)
                                               : audio_producer(a, 2);
    p.media.codecs[0].type = (enum frame_codec)(kind / 3 % 7);
    p.encodings[0].spatial_layers = kind % 3 ? 1 : 3;
    p.encodings[0].temporal_layers = 3;
    rtp_ext_map_set(&p.media.ext, RTP_EXT_DEPENDENCY_DESCRIPTOR, 12);
    struct params_consumer c = consumer_of(b, 3, &p);
    c.media.codecs[0].type = p.media.codecs[0].type;
    if (kind & 0x80)
        c.rtx_ssrc = 0;
    if (producer_create(w.engine, &p, w.now_us) || consumer_create(w.engine, &c, w.now_us))
        abort();
}

/* The next input uses the same SSRCs with other packets, which a receiver would take for replays: this one starts afresh. */
static void renew_receiver(void)
{
    struct srtp_key remote, local;
    srtp_rx_free(b->rx);
    b->rx = NULL;
    if (dtls_srtp_keys(b->dtls, &remote, &local) || srtp_rx_new(&b->rx, &remote, SRTP_BACKEND_EVP))
        abort();
}

static void give_rtp(const uint8_t *data, size_t len)
{
    struct packet *pk = pool_get(w.engine->pool);
    if (!pk)
        abort();
    pk->len = (uint32_t)(len < sizeof(pk->data) ? len : sizeof(pk->data));
    if (pk->len)
        memcpy(pk->data, data, pk->len);
    pk->rx_us = w.now_us;
    transport_opened_rtp(transport_find(w.engine, 10), pk, w.now_us);
}

/* A number that comes again is the same packet to the bit: other bytes under it would betray the key. */
static void check_numbers(void)
{
    for (size_t i = 0; i < b->n_rtp; i++) {
        const struct got_rtp *g = &b->rtp[i];
        size_t j = 0;
        while (g->replay && j < i &&
               (b->rtp[j].wire_len != g->wire_len ||
                memcmp(b->rtp[j].wire, g->wire, g->wire_len) != 0))
            j++;
        if (g->replay && j == i)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reader r = reader_of(data, size);
    set_up(reader_u8(&r));
    while (reader_left(&r) >= 3) {
        uint8_t kind = reader_u8(&r);
        size_t len = reader_u16(&r);
        if (kind % 4 == 3) {
            world_after(&w, (int64_t)len * 50);
            continue;
        }
        if (len > reader_left(&r))
            len = reader_left(&r);
        const uint8_t *bytes = reader_take(&r, len);
        if (kind % 4 == 0)
            give_rtp(bytes, len);
        else
            rtcp_in(transport_find(w.engine, kind % 4 == 1 ? 10 : 20), bytes, len, w.now_us);
        if (kind & 4)
            world_run(&w);
    }
    world_run(&w);
    check_numbers();
    producer_close(w.engine, 2, w.now_us);
    /* for the next input; the numbers of the consumer start at random, the keys are of no use to anybody */
    struct transport *t = transport_find(w.engine, 20);
    ssrcs_clear(&t->used);
    transport_find(w.engine, 10)->listener.learnt = 0;
    w.n_events = 0;
    browser_forget(a);
    browser_forget(b);
    renew_receiver();
    return 0;
}
