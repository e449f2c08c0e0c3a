/* params.h - what the server says of objects, checked and flat. Filled by on_*.c, which refuses what is out of range: here
 * everything fits, strings end with NUL, payload types are below 128. */
#ifndef ALTHING_WORKER_ROUTE_PARAMS_H
#define ALTHING_WORKER_ROUTE_PARAMS_H

#include "lib/addr.h"
#include "worker/route/limits.h"
#include "worker/sctp/association.h"
#include "worker/secure/srtp.h"
#include "worker/wire/frame.h"
#include "worker/wire/rtp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum params_kind { PARAMS_AUDIO = 1, PARAMS_VIDEO = 2 };

struct params_codec {
    enum frame_codec type;
    uint8_t payload_type;
    uint8_t
        producer_payload_type; /* of a consumer: what the producer sends; of a producer: payload_type */
    bool has_rtx;
    uint8_t rtx_payload_type;
    uint32_t clock_rate; /* never 0 */
    bool nack, pli, fir, remb, transport_cc, use_dtx;
    char subtype[16];
};

struct params_media {
    size_t n_codecs; /* at least 1 */
    struct params_codec codecs[LIMIT_CODECS];
    struct rtp_ext_map ext;
    char mid[LIMIT_MID + 1]; /* "": none */
    char cname[LIMIT_CNAME + 1];
};

struct params_encoding {
    uint32_t ssrc;     /* 0: learnt */
    uint32_t rtx_ssrc; /* 0: none, or learnt */
    char rid[LIMIT_RID + 1];
    uint8_t spatial_layers, temporal_layers; /* at least 1 */
    uint32_t max_bitrate;
};

struct params_producer {
    uint64_t transport, producer;
    enum params_kind kind;
    struct params_media media;
    size_t n_encodings; /* 1..LIMIT_ENCODINGS, lowest first */
    struct params_encoding encodings[LIMIT_ENCODINGS];
    bool paused;
    bool unheard; /* audio that is nobody's voice: audio.h passes it over */
};

struct params_consumer {
    uint64_t transport, consumer, producer;
    struct params_media media;
    uint32_t ssrc;          /* never 0 */
    uint32_t rtx_ssrc;      /* 0: resend on ssrc */
    uint32_t only_encoding; /* 1, 2, ..: that one, whole; 0: what the receiver chooses of all */
    bool paused;
    uint32_t preferred_spatial, preferred_temporal; /* LAYERS_ALL: the highest */
    unsigned priority;                              /* 1..255; 0 means 1 */
};

struct params_sctp {
    uint16_t streams;     /* each way; 0: the transport has no data channels */
    uint32_t max_message; /* bytes */
    uint32_t send_buffer; /* bytes */
};

struct params_stream {
    uint16_t id;
    bool unordered;
    enum association_reliability reliability;
    uint16_t parameter; /* retransmissions, or milliseconds */
};

struct params_data_producer {
    uint64_t transport, data_producer;
    struct params_stream stream;
    bool paused;
};

struct params_data_consumer {
    uint64_t transport, data_consumer, data_producer;
    struct params_stream stream;
    bool paused;
};

struct params_fingerprint {
    const char *algorithm, *value;
};

struct params_transport {
    uint64_t router, transport;
    const char *ufrag, *password; /* lengths are in the range of RFC 8445 5.3 */
    const char *peer;
    uint32_t max_incoming_bitrate;
    struct params_sctp sctp;
    uint32_t initial_outgoing_bitrate, min_outgoing_bitrate, max_outgoing_bitrate; /* 0: default */
};

/* Of a plain transport or a pipe. */
struct params_plain {
    uint64_t router, transport;
    const char *peer;
    uint32_t sock; /* which of our UDP sockets */
    bool comedia;  /* not of a pipe */
    bool rtcp_mux; /* a pipe always does */
    bool has_key, clear;
    struct srtp_key key; /* what we send with */
    uint32_t rtcp_ssrc;  /* of our reports; a pipe's alone */
    uint32_t max_incoming_bitrate;
};

/* The other side of it. */
struct params_remote {
    struct addr addr;   /* port 0: none */
    uint16_t rtcp_port; /* 0: the same */
    bool has_key;
    struct srtp_key key; /* what it sends with */
    uint32_t rtcp_ssrc;  /* of its reports; 0: not known */
};

#endif
