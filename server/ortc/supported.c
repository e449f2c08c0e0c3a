#include "server/ortc/codec.h"

#include <stddef.h>
#include <string.h>

enum feedback { FEEDBACK_NONE, FEEDBACK_TCC, FEEDBACK_OPUS, FEEDBACK_VIDEO };

/* What the worker forwards. Codecs with a payload type of their own have it from RFC 3551. */
static const struct {
    const char *mime;
    int payload_type; /* -1: dynamic */
    int clock_rate, channels;
    enum feedback feedback;
    const char *parameters; /* JSON, or NULL */
} codecs[] = {
    {"audio/opus", -1, 48000, 2, FEEDBACK_OPUS, NULL},
    {"audio/multiopus", -1, 48000, 4, FEEDBACK_OPUS,
     "{\"channel_mapping\":\"0,1,2,3\",\"num_streams\":2,\"coupled_streams\":2}"},
    {"audio/multiopus", -1, 48000, 6, FEEDBACK_OPUS,
     "{\"channel_mapping\":\"0,4,1,2,3,5\",\"num_streams\":4,\"coupled_streams\":2}"},
    {"audio/multiopus", -1, 48000, 8, FEEDBACK_OPUS,
     "{\"channel_mapping\":\"0,6,1,2,3,4,5,7\",\"num_streams\":5,\"coupled_streams\":3}"},
    {"audio/PCMU", 0, 8000, 1, FEEDBACK_TCC, NULL},
    {"audio/PCMA", 8, 8000, 1, FEEDBACK_TCC, NULL},
    {"audio/ISAC", -1, 32000, 1, FEEDBACK_TCC, NULL},
    {"audio/ISAC", -1, 16000, 1, FEEDBACK_TCC, NULL},
    {"audio/G722", 9, 8000, 1, FEEDBACK_TCC, NULL},
    {"audio/iLBC", -1, 8000, 1, FEEDBACK_TCC, NULL},
    {"audio/SILK", -1, 24000, 1, FEEDBACK_TCC, NULL},
    {"audio/SILK", -1, 16000, 1, FEEDBACK_TCC, NULL},
    {"audio/SILK", -1, 12000, 1, FEEDBACK_TCC, NULL},
    {"audio/SILK", -1, 8000, 1, FEEDBACK_TCC, NULL},
    {"audio/CN", 13, 32000, 1, FEEDBACK_NONE, NULL},
    {"audio/CN", 13, 16000, 1, FEEDBACK_NONE, NULL},
    {"audio/CN", 13, 8000, 1, FEEDBACK_NONE, NULL},
    {"audio/telephone-event", -1, 48000, 1, FEEDBACK_NONE, NULL},
    {"audio/telephone-event", -1, 32000, 1, FEEDBACK_NONE, NULL},
    {"audio/telephone-event", -1, 16000, 1, FEEDBACK_NONE, NULL},
    {"audio/telephone-event", -1, 8000, 1, FEEDBACK_NONE, NULL},
    {"audio/red", -1, 48000, 2, FEEDBACK_OPUS, NULL},
    {"video/VP8", -1, 90000, 0, FEEDBACK_VIDEO, NULL},
    {"video/VP9", -1, 90000, 0, FEEDBACK_VIDEO, NULL},
    {"video/H264", -1, 90000, 0, FEEDBACK_VIDEO, "{\"level-asymmetry-allowed\":1}"},
    {"video/AV1", -1, 90000, 0, FEEDBACK_VIDEO, NULL},
    {"video/H265", -1, 90000, 0, FEEDBACK_VIDEO, NULL},
};

/* The ids are fixed, so that a consumer needs no mapping of them. recvonly: browsers may send it to us, we do not send it. */
static const struct {
    int id;
    const char *uri;
    const char *audio, *video; /* the router's direction; NULL: not for this kind */
} extensions[] = {
    {1, "urn:ietf:params:rtp-hdrext:sdes:mid", "sendrecv", "sendrecv"},
    {2, "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id", NULL, "recvonly"},
    {3, "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id", NULL, "recvonly"},
    {4, "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time", "sendrecv", "sendrecv"},
    {5, "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01", "recvonly",
     "sendrecv"},
    {6, "urn:ietf:params:rtp-hdrext:ssrc-audio-level", "sendrecv", NULL},
    {7, "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
     NULL, "recvonly"},
    {8, "urn:3gpp:video-orientation", NULL, "sendrecv"},
    {9, "urn:ietf:params:rtp-hdrext:toffset", NULL, "sendrecv"},
    {10, "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time", "sendrecv", "sendrecv"},
    {11, "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay", "sendrecv", "sendrecv"},
};

static void add_feedback(json_t *list, const char *type, const char *parameter)
{
    json_array_append_new(list, json_pack("{s:s, s:s}", "type", type, "parameter", parameter));
}

static json_t *feedback_list(enum feedback which)
{
    json_t *list = json_array();
    if (which == FEEDBACK_OPUS || which == FEEDBACK_VIDEO)
        add_feedback(list, "nack", "");
    if (which == FEEDBACK_VIDEO) {
        add_feedback(list, "nack", "pli");
        add_feedback(list, "ccm", "fir");
        add_feedback(list, "goog-remb", "");
    }
    if (which != FEEDBACK_NONE)
        add_feedback(list, "transport-cc", "");
    return list;
}

static json_t *codec_entry(size_t i)
{
    const char *parameters = codecs[i].parameters ? codecs[i].parameters : "{}";
    json_t *codec = json_pack("{s:s%, s:s, s:i, s:o, s:o}", "kind", codecs[i].mime, (size_t)5,
                              "mimeType", codecs[i].mime, "clockRate", codecs[i].clock_rate,
                              "parameters", json_loads(parameters, 0, NULL), "rtcpFeedback",
                              feedback_list(codecs[i].feedback));
    if (codecs[i].channels)
        json_object_set_new(codec, "channels", json_integer(codecs[i].channels));
    if (codecs[i].payload_type >= 0)
        json_object_set_new(codec, "preferredPayloadType", json_integer(codecs[i].payload_type));
    return codec;
}

const json_t *ortc_supported_codecs(void)
{
    static json_t *list;
    if (!list) {
        list = json_array();
        for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
            json_array_append_new(list, codec_entry(i));
    }
    return list;
}

static void add_extension(json_t *list, const char *kind, size_t i, const char *direction)
{
    if (direction)
        json_array_append_new(list, json_pack("{s:s, s:s, s:i, s:b, s:s}", "kind", kind, "uri",
                                              extensions[i].uri, "preferredId", extensions[i].id,
                                              "preferredEncrypt", 0, "direction", direction));
}

json_t *ortc_supported_extensions(void)
{
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
        add_extension(list, "audio", i, extensions[i].audio);
        add_extension(list, "video", i, extensions[i].video);
    }
    return list;
}

json_t *ortc_default_codecs(void)
{
    return json_loads(ORTC_DEFAULT_CODECS, 0, NULL);
}
