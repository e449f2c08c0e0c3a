/* transport.h - one remote side's media in this worker: the producers and consumers on it, their reports, and the way they take.
 *
 * A router owns its transports; a transport owns everything below it. What way its datagrams take and what secures them is its
 * kind's: webrtc.h, and so on. A kind makes the transport, is asked where media goes, and is handed the datagrams that only it
 * understands. Media goes out only while the kind says so (transport_set_writable()).
 *
 * What is to be sent is marked, never sent at once: `due` says which feedback, `ready` holds the consumers with packets, and
 * the engine's list holds the marked transports. engine_send() composes it all.
 */
#ifndef ALTHING_WORKER_ROUTE_TRANSPORT_H
#define ALTHING_WORKER_ROUTE_TRANSPORT_H

#include "worker/route/params.h"

#include <stdbool.h>
#include <stdint.h>

struct dgram;
struct engine;
struct packet;
struct producer;
struct rtp_ext_map;
struct transport;
struct tuple;

int transport_set_max_incoming(struct engine *e, uint64_t id, uint32_t bitrate, int64_t now_us);
int transport_set_outgoing(struct engine *e, uint64_t id, uint32_t min, uint32_t max);
void transport_close(struct engine *e, uint64_t id, int64_t now_us);   /* unknown: fine */
struct transport *transport_find(const struct engine *e, uint64_t id); /* or NULL */

/* ---- for its kinds ---- */

struct transport_way {
    /* Where media (or RTCP) goes; asked only while it is writable. NULL: nowhere yet, which only RTCP may meet. */
    const struct tuple *(*to)(const struct transport *t, bool rtcp);
    /* Datagrams that are no media. NULL: this kind has none, they are dropped. */
    void (*stun)(struct transport *t, const struct dgram *d, int64_t now_us);
    void (*dtls)(struct transport *t, const struct dgram *d, int64_t now_us);
    /* Media in it was authentic. False: it is dropped all the same. */
    bool (*heard)(struct transport *t, const struct dgram *d, bool rtcp, int64_t now_us);
    /* May media come from there, of an SSRC of its expect_list? NULL: never. */
    bool (*expects)(const struct transport *t, const struct dgram *d);
    /* NULL: through the network. */
    void (*deliver)(const struct transport *t, const uint8_t *data, size_t len, bool rtcp);
    /* Of its producers. Added: 0, or -EEXIST and there will be none. NULL: fine. */
    int (*producer_added)(struct transport *t, const struct producer *p);
    void (*producer_removed)(struct transport *t);
    void (*tcp_gone)(struct transport *t, const struct tuple *gone, int64_t now_us);
    void (*tell)(const struct transport *t); /* its states to the server, again. NULL: it has none */
    /* Sends an SCTP packet. NULL: this kind has no data channels. It is not called while the transport is not writable. */
    void (*sctp)(struct transport *t, const uint8_t *packet, size_t len);
    void (*free)(struct transport *t); /* of a started or a new one; also what it is found by */
};

/* One that nobody finds yet, to be started or freed. 0, -ENOENT (the router), -EEXIST, -ENOSPC. */
int transport_new(struct transport **tp, struct engine *e, const struct transport_way *way,
                  uint64_t router, uint64_t id, const char *peer);
void transport_start(struct transport *t, uint32_t max_incoming_bitrate, int64_t now_us);
void transport_free(struct transport *t); /* never started, or closed */
void transport_set_writable(struct transport *t, bool writable, int64_t now_us);
void transport_tuple_changed(const struct transport *t, const struct tuple *tuple); /* tells the server */
void transport_count_received(struct transport *t, const struct dgram *d, int64_t now_us);

/* ---- for the other files of route/ ---- */

/* An RTP or RTCP datagram from one of its paths. receive.c. */
void transport_rtp(struct transport *t, const struct dgram *d, int64_t now_us);
void transport_rtcp(struct transport *t, const struct dgram *d, int64_t now_us);
/* The same, opened: the fuzzers and tests come in here. pk has data, len, rx_us; its reference is taken over. */
void transport_opened_rtp(struct transport *t, struct packet *pk, int64_t now_us);

bool transport_writable(const struct transport *t);
const struct tuple *transport_to(const struct transport *t, bool rtcp); /* while writable */
void transport_due(struct transport *t, unsigned due);                  /* enum transport_due */
void transport_send(struct transport *t, int64_t now_us); /* composes all that is due */
void transport_send_rtcp(struct transport *t, const uint8_t *data, size_t len,
                         int64_t now_us); /* plain */
void transport_count_sent(struct transport *t, size_t bytes, int64_t now_us);
void transport_rtt(struct transport *t, int64_t rtt_us);
void transport_arm_cc(struct transport *t);

/* False: an id means something else in this transport. */
bool transport_ext_fits(const struct transport *t, const struct rtp_ext_map *ext);
/* One was added with these parameters, or (NULL) removed. */
void transport_producers_changed(struct transport *t, const struct params_media *media,
                                 int64_t now_us);

#endif
