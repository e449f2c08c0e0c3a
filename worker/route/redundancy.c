#include "worker/route/redundancy.h"

#include "worker/route/consumer.h"
#include "worker/route/producer.h"
#include "worker/route/state.h"
#include "worker/stream/pool.h"

bool redundancy_in(const struct consumer *c, const struct packet *pk)
{
    bool rtx;
    const struct params_codec *sent = producer_codec(c->producer, pk->rtp.pt, &rtx);
    return sent && sent->type == FRAME_CODEC_RED;
}

/* The receiver's payload types of all blocks. False: it does not have RED or one of them. */
static bool types(const struct consumer *c, const struct packet *pk, const struct red *d,
                  uint8_t pt[static RED_BLOCKS_MAX])
{
    bool all = consumer_codec(c, pk->rtp.pt) != NULL;
    for (unsigned i = 0; i < d->n; i++) {
        const struct params_codec *codec = consumer_codec(c, d->pt[i]);
        all &= codec && codec->type != FRAME_CODEC_RED;
        pt[i] = codec ? codec->payload_type : 0;
    }
    return all;
}

const struct params_codec *redundancy_codec(const struct consumer *c, const struct packet *pk)
{
    struct red d;
    uint8_t pt[RED_BLOCKS_MAX];
    if (red_parse(packet_payload(pk), pk->rtp.payload_len, &d) < 0)
        return NULL;
    if (types(c, pk, &d, pt))
        return consumer_codec(c, pk->rtp.pt);
    const struct params_codec *newest = consumer_codec(c, d.pt[d.n - 1]);
    return newest && newest->type != FRAME_CODEC_RED ? newest : NULL;
}

size_t redundancy_head(const struct consumer *c, const struct packet *pk,
                       uint8_t head[static RED_HEAD_MAX], size_t *old)
{
    struct red d;
    uint8_t pt[RED_BLOCKS_MAX];
    *old = 0;
    if (red_parse(packet_payload(pk), pk->rtp.payload_len, &d) < 0)
        return 0;
    if (!types(c, pk, &d, pt)) {
        *old = d.newest_off;
        return 0;
    }
    *old = d.head_len;
    return red_compose(head, packet_payload(pk), &d, pt);
}
