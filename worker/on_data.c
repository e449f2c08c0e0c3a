#include "worker/on_methods.h"
#include "worker/route/data_consumer.h"
#include "worker/route/data_producer.h"

#include <errno.h>

static int decode_stream(struct params_stream *out, const Althing__SctpStream *m)
{
    if (!m || m->stream_id >= ASSOCIATION_STREAMS_MAX)
        return -EINVAL;
    uint32_t parameter = 0;
    *out = (struct params_stream){.id = (uint16_t)m->stream_id, .unordered = m->unordered};
    if (m->reliability_case == ALTHING__SCTP_STREAM__RELIABILITY_MAX_PACKET_LIFE_TIME) {
        out->reliability = ASSOCIATION_LIFETIME;
        parameter = m->max_packet_life_time;
    } else if (m->reliability_case == ALTHING__SCTP_STREAM__RELIABILITY_MAX_RETRANSMITS) {
        out->reliability = ASSOCIATION_RETRANSMITS;
        parameter = m->max_retransmits;
    }
    out->parameter = (uint16_t)parameter;
    return parameter > UINT16_MAX ? -EINVAL : 0;
}

int on_create_data_producer(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    const Althing__CreateDataProducer *m = r->create_data_producer;
    struct params_data_producer p = {
        .transport = m->transport, .data_producer = m->data_producer, .paused = m->paused};
    if (!m->data_producer || decode_stream(&p.stream, m->stream))
        return -EINVAL;
    return data_producer_create(e, &p, now_us);
}

int on_pause_data_producer(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    const Althing__PauseDataProducer *m = r->pause_data_producer;
    (void)now_us;
    return data_producer_pause(e, m->data_producer, m->paused);
}

int on_close_data_producer(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    data_producer_close(e, r->close_data_producer->data_producer, now_us);
    return 0;
}

int on_create_data_consumer(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    const Althing__CreateDataConsumer *m = r->create_data_consumer;
    struct params_data_consumer p = {.transport = m->transport,
                                     .data_consumer = m->data_consumer,
                                     .data_producer = m->data_producer,
                                     .paused = m->paused};
    if (!m->data_consumer || decode_stream(&p.stream, m->stream))
        return -EINVAL;
    return data_consumer_create(e, &p, now_us);
}

int on_pause_data_consumer(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    const Althing__PauseDataConsumer *m = r->pause_data_consumer;
    (void)now_us;
    return data_consumer_pause(e, m->data_consumer, m->paused);
}

int on_close_data_consumer(struct engine *e, const Althing__Request *r, int64_t now_us)
{
    data_consumer_close(e, r->close_data_consumer->data_consumer, now_us);
    return 0;
}
