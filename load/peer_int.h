/* peer_int.h - a peer's insides, shared by peer.c (its life), peer_join.c (signalling) and peer_media.c (RTP and RTCP). */
#ifndef ALTHING_LOAD_PEER_INT_H
#define ALTHING_LOAD_PEER_INT_H

#include "load/peer.h"
#include "worker/cc/twcc_recv.h"

#include <uthash.h>

struct received { /* a stream that comes, owned by the peer */
    struct sink *sink;
    char consumer_id[DESCRIBE_ID_MAX], producer_id[DESCRIBE_ID_MAX];
};

struct by_ssrc { /* media and RTX alike */
    uint32_t ssrc;
    struct sink *sink;
    UT_hash_handle hh;
};

struct producer { /* what we send, by the server's id */
    struct peer *peer;
    enum media media;
    char id[DESCRIBE_ID_MAX];  /* "": not answered yet */
    struct source *sources[DESCRIBE_LAYERS];
    size_t n;
};

struct peer {
    struct peer_config conf;
    const struct peer_world *world;
    enum peer_state state;
    char reason[160];
    int64_t begun_us;
    struct signalling *signalling;
    json_t *router; /* capabilities; NULL: not told yet */
    bool joined;
    struct link *send, *recv;
    char send_id[DESCRIBE_ID_MAX], recv_id[DESCRIBE_ID_MAX];
    struct producer producers[MEDIA_COUNT];
    struct received *received;
    size_t n_received;
    struct by_ssrc *streams;
    size_t shown; /* videos */
    struct rtp_ext_map recv_exts;
    struct twcc_recv *twcc;
    uint16_t transport_seq;
    uint32_t ssrc; /* with which it reports what it receives */
    struct timer media_timer, feedback_timer, second_timer;
};

void peer_fail(struct peer *p, const char *reason);
void peer_check_up(struct peer *p); /* is all there by now? */

extern const struct signalling_handlers peer_signalling_handlers;
extern const struct link_handlers peer_send_handlers, peer_recv_handlers;

void peer_media_init(struct peer *p);
void peer_media_start(struct peer *p); /* what has both a transport and an id */
source_send_f peer_send_packet; /* arg is the peer */
void peer_media_stop(struct peer *p);

#endif
