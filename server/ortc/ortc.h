/* ortc.h - who can send and receive what: the negotiation between browsers and routers, as pure functions on JSON.
 *
 * The shapes are mediasoup-client's RtpCapabilities, RtpParameters and RtpCodecCapability (ORTC, W3C WebRTC 5.2), the answers
 * those of mediasoup's, so that its client works with us unmodified:
 *
 *   router     ortc_router_capabilities(codecs)                        what a router can take
 *   produce    ortc_check_parameters(params), ortc_complete_parameters(params)
 *              ortc_producer_mapping(params, router)                   the sender's payload types to the router's
 *              ortc_consumable(kind, params, router, mapping)          what every consumer of it may get
 *   consume    ortc_check_capabilities(caps)                           once a browser
 *              ortc_can_consume(consumable, caps), ortc_consumer_parameters(consumable, caps)
 *   to_worker.h turns params, mapping and a consumer's parameters into messages for the worker.
 *
 * Everything but the router's codecs comes from the network. What passes a check is well-formed and within the bounds below; all
 * other functions want checked input, and refuse (never crash on) what is not. json_t arguments are borrowed, results are new
 * references. Optional members that are given as null, false, 0 or "" count as absent.
 *
 * Where we answer otherwise than mediasoup 3.27, on purpose:
 *  - bounds: those below; payload types are integers 0..127, extension ids 1..255, SSRCs 0..2^32-1 (0: absent), clock rates
 *    1..2^31-1, channels 1..255, maxBitrate a number >= 0; a MIME subtype is a token (RFC 6838 4.2); mid and cname are
 *    printable, rid is RFC 8852's
 *  - members that JSON has no business with are refused: codec or extension parameters that are an array, elements that are no
 *    objects, feedback parameters that are no strings
 *  - payload types, extension ids, SSRCs and RIDs that appear twice in parameters are refused; a consumable of one kind with a
 *    codec of the other too
 *  - profile-level-id must be six hexadecimal digits; of two levels the lower one is taken also if it is 1b
 *  - the extension urn:mediasoup:params:rtp-hdrext:packet-id is not offered: the worker does not write it
 *  - audio/red (RFC 2198) and H265 (RFC 7798) are supported: H265 by profile, tier and tx-mode, and the answer has the lower level;
 *    the payload types in RED's parameter ("111/111") become the router's
 *  - AV1 of another profile is another codec
 *  - a receiver with other ids for the header extensions gets its own ids
 */
#ifndef ALTHING_SERVER_ORTC_ORTC_H
#define ALTHING_SERVER_ORTC_ORTC_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define ORTC_CODECS_MAX     128  /* of capabilities and of parameters */
#define ORTC_EXTENSIONS_MAX 128
#define ORTC_ENCODINGS_MAX  4
#define ORTC_FEEDBACK_MAX   32   /* of a codec */
#define ORTC_PARAMETERS_MAX 32   /* of a codec or extension */
#define ORTC_NODES_MAX      8192 /* JSON values in all */
#define ORTC_DEPTH_MAX      8
#define ORTC_STRING_MAX     1024 /* bytes of any string or key */
#define ORTC_RID_MAX        16   /* characters */
#define ORTC_MID_MAX        32   /* characters */
#define ORTC_CNAME_MAX      255  /* bytes (RFC 3550 6.5) */

/* One sentence for the log and the client; what came from the network is in it only if it is printable and short. */
struct ortc_error {
    char text[192];
};

/* Check, and fill the defaults in, in place. 0; or -EINVAL (wrong shape, out of bounds), with the reason. */
int ortc_check_capabilities(json_t *caps, struct ortc_error *error);
int ortc_check_parameters(json_t *params, struct ortc_error *error);

/* After ortc_check_parameters(): one empty encoding when there is none; rtcp.cname is set (NULL: left). */
void ortc_complete_parameters(json_t *params, const char *cname);

/* The media codecs that a router has unless it is told otherwise. Their order gives the payload types, so it stays. */
#define ORTC_DEFAULT_CODECS \
    "[{\"mimeType\": \"audio/opus\", \"clockRate\": 48000, \"channels\": 2}, " \
    "{\"mimeType\": \"video/VP8\", \"clockRate\": 90000}, " \
    "{\"mimeType\": \"video/VP9\", \"clockRate\": 90000, \"parameters\": {\"profile-id\": 0}}, " \
    "{\"mimeType\": \"video/VP9\", \"clockRate\": 90000, \"parameters\": {\"profile-id\": 2}}, " \
    "{\"mimeType\": \"video/H264\", \"clockRate\": 90000, \"parameters\": {\"packetization-mode\": 1, " \
    "\"profile-level-id\": \"42e01f\", \"level-asymmetry-allowed\": 1}}, " \
    "{\"mimeType\": \"video/H264\", \"clockRate\": 90000, \"parameters\": {\"packetization-mode\": 1, " \
    "\"profile-level-id\": \"4d0032\", \"level-asymmetry-allowed\": 1}}, " \
    "{\"mimeType\": \"video/AV1\", \"clockRate\": 90000}]"
json_t *ortc_default_codecs(void);

/* What a router with these media codecs can take: payload types given out, RTX added, all header extensions. NULL: a codec is
 * malformed or unsupported, or there are too many. */
json_t *ortc_router_capabilities(const json_t *media_codecs, struct ortc_error *error);

/* {codecs: [{payloadType, mappedPayloadType}], encodings: [{ssrc?, rid?, mappedSsrc}]}; mappedSsrc counts up from first_ssrc.
 * Writes the answered H264 profile-level-id into params. NULL: the router has no such codec, or an RTX codec points nowhere. */
json_t *ortc_producer_mapping(json_t *params, const json_t *router_caps, uint32_t first_ssrc,
                              struct ortc_error *error);

/* RtpParameters with the router's payload types. NULL: the arguments do not belong together. */
json_t *ortc_consumable(const char *kind, const json_t *params, const json_t *router_caps,
                        const json_t *mapping, struct ortc_error *error);

/* `caps` passed ortc_check_capabilities(). */
bool ortc_can_consume(const json_t *consumable, const json_t *caps);

struct ortc_consumer_options {
    uint32_t ssrc;     /* of the consumer's (first) encoding: unique in its transport */
    uint32_t rtx_ssrc; /* likewise; used only if RTX was negotiated */
    bool enable_rtx;   /* RTX and NACK: usual for video, not for audio */
    bool pipe;         /* keep all encodings (their SSRCs count up from ssrc, rtx_ssrc) */
};

/* RtpParameters for the receiver, without mid. NULL: no codec in common. */
json_t *ortc_consumer_parameters(const json_t *consumable, const json_t *caps,
                                 const struct ortc_consumer_options *options,
                                 struct ortc_error *error);
/* The same to another router of ours: everything it has but MID and bandwidth estimation; options->pipe is implied. */
json_t *ortc_pipe_parameters(const json_t *consumable, const struct ortc_consumer_options *options);

/* Spatial and temporal layers of "L3T3_KEY", "S2T1" (W3C WebRTC-SVC 5); anything else, also NULL: 1 and 1. */
void ortc_scalability(const char *mode, uint32_t *spatial, uint32_t *temporal);

#endif
