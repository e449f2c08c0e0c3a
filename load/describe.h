/* describe.h - the JSON of mediasoup-client between the server and a peer: what the server says of transports and consumers, what
 * a peer says of what it can receive and what it sends. Pure; what the server says may be anything.
 */
#ifndef ALTHING_LOAD_DESCRIBE_H
#define ALTHING_LOAD_DESCRIBE_H

#include "load/link.h"
#include "load/measure.h"
#include "worker/wire/rtp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#define DESCRIBE_ID_MAX 64 /* of the server's ids, with the NUL */
#define DESCRIBE_LAYERS 3

bool describe_id(const json_t *o, const char *key, char out[static DESCRIBE_ID_MAX]);

/* The answer to createWebRtcTransport: the first UDP candidate that is an address. NULL, or what is missing. */
const char *describe_transport(const json_t *answer, char id[static DESCRIBE_ID_MAX], struct link_remote *out);

/* What a peer can receive of what the router has: Opus, VP8 with RTX, all extensions. Without `congestion` it offers nothing
 * from which a server could estimate its bandwidth. A new reference. */
json_t *describe_capabilities(const json_t *router, bool congestion);

/* What a peer sends: its numbers, chosen from the router's, and RtpParameters. NULL: the router has no such codec. */
struct describe_sending {
    enum media media;
    char mid[16];
    uint32_t ssrcs[DESCRIBE_LAYERS]; /* lowest layer first */
    size_t n;
    uint8_t payload_type;    /* set */
    struct rtp_ext_map exts; /* set */
};
json_t *describe_sending(struct describe_sending *s, const json_t *router);

/* What newConsumer says. */
struct describe_consumer {
    char id[DESCRIBE_ID_MAX], producer_id[DESCRIBE_ID_MAX];
    enum media media;
    uint32_t ssrc, rtx_ssrc; /* rtx_ssrc 0: none */
    uint8_t payload_type;
    struct rtp_ext_map exts;
};
const char *describe_consumer(const json_t *data, struct describe_consumer *out);

#endif
