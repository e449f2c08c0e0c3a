/* traces_event.c - a record of a packet trace as JSON. */
#include "server/traces.h"

#include <string.h>

static void number(json_t *o, const char *key, uint64_t n)
{
    json_object_set_new(o, key, json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n));
}

static void rtp(json_t *o, const struct trace_record *r)
{
    number(o, "ssrc", r->ssrc);
    number(o, "payloadType", r->pt);
    number(o, "sequenceNumber", r->seq);
    number(o, "timestamp", r->rtp_ts);
    json_object_set_new(o, "marker", json_boolean(r->flags & TRACE_MARKER));
    number(o, "size", r->size);
    number(o, "payloadSize", r->payload_size);
    number(o, "spatialLayer", r->spatial);
    number(o, "temporalLayer", r->temporal);
    json_object_set_new(o, "isKeyFrame", json_boolean(r->flags & TRACE_START));
    json_object_set_new(o, "isRtx", json_boolean(r->flags & TRACE_RTX));
    if (r->mid[0])
        json_object_set_new(o, "mid", json_string(r->mid));
    if (r->rid[0])
        json_object_set_new(o, "rid", json_string(r->rid));
    if (r->flags & TRACE_TWCC)
        number(o, "wideSequenceNumber", r->twcc);
}

static void nack(json_t *o, const struct trace_record *r)
{
    json_t *list = json_array();
    number(o, "ssrc", r->ssrc);
    number(o, "count", r->count);
    for (size_t i = 0; i + 1 < r->data_len; i += 2) {
        uint16_t seq;
        memcpy(&seq, r->data + i, sizeof(seq));
        json_array_append_new(list, json_integer(seq));
    }
    json_object_set_new(o, "sequenceNumbers", list);
}

static void fir(json_t *o, const struct trace_record *r)
{
    number(o, "ssrc", r->ssrc);
    number(o, "command", r->seq);
}

static void pli(json_t *o, const struct trace_record *r)
{
    number(o, "ssrc", r->ssrc);
}

static void sr(json_t *o, const struct trace_record *r)
{
    number(o, "ssrc", r->ssrc);
    number(o, "ntpSec", r->values[0] >> 32);
    number(o, "ntpFrac", r->values[0] & 0xffffffff);
    number(o, "rtpTs", r->rtp_ts);
    number(o, "packetCount", r->values[1]);
    number(o, "octetCount", r->values[2]);
}

static void layers(json_t *o, const struct trace_record *r)
{
    bool none = r->spatial == TRACE_NO_LAYER;
    json_object_set_new(o, "spatialLayer", none ? json_null() : json_integer(r->spatial));
    json_object_set_new(o, "temporalLayer", none ? json_null() : json_integer(r->temporal));
}

static void bwe(json_t *o, const struct trace_record *r)
{
    json_object_set_new(o, "type", json_string(r->flags & TRACE_TWCC ? "transport-cc" : "remb"));
    number(o, "availableBitrate", r->values[0]);
    number(o, "desiredBitrate", r->values[1]);
}

static void packet(json_t *o, const struct trace_record *r)
{
    static const char digits[] = "0123456789abcdef";
    char hex[2 * TRACE_DATA_MAX + 1];
    for (size_t i = 0; i < r->data_len; i++) {
        hex[2 * i] = digits[r->data[i] >> 4];
        hex[2 * i + 1] = digits[r->data[i] & 15];
    }
    hex[2 * (size_t)r->data_len] = 0;
    json_object_set_new(o, "rtcp", json_boolean(r->flags & TRACE_RTCP));
    number(o, "size", r->size);
    json_object_set_new(o, "data", json_string(hex));
}

static void (*const infos[TRACE_KINDS])(json_t *o, const struct trace_record *r) = {
    [TRACE_RTP] = rtp,       [TRACE_KEYFRAME] = rtp, [TRACE_NACK] = nack,
    [TRACE_PLI] = pli,       [TRACE_FIR] = fir,      [TRACE_SR] = sr,
    [TRACE_LAYERS] = layers, [TRACE_BWE] = bwe,      [TRACE_PACKET] = packet};

json_t *traces_event(const struct trace_record *r)
{
    json_t *info = json_object();
    infos[r->kind](info, r);
    return json_pack("{ss, ss, so}", "type", trace_kind_name((enum trace_kind)r->kind), "direction",
                     r->flags & TRACE_OUT ? "out" : "in", "info", info);
}
