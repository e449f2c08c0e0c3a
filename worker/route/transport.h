/* transport.h - one browser's way to this worker: ICE, DTLS and SRTP on one tuple, and the producers and consumers on it.
 *
 * A router owns its transports; a transport owns everything below it. It is found by its tuples (those that ICE has validated)
 * and, for STUN from elsewhere, by its ICE user name fragments. Media goes out only while ICE has a selected tuple and DTLS is
 * connected.
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
struct rtp_ext_map;
struct transport;
struct tuple;

/* 0, -EINVAL, -ENOENT (the router), -EEXIST (handle or fragment), -ENOSPC. */
int transport_create(struct engine *e, const struct params_transport *p, int64_t now_us);
/* remote_server: the browser is the DTLS server, so the worker connects. The same again: 0; other than before: -EEXIST. */
int transport_connect(struct engine *e, uint64_t id, bool remote_server,
                      const struct params_fingerprint *prints, size_t n, int64_t now_us);
int transport_restart_ice(struct engine *e, uint64_t id, const char *ufrag, const char *password,
                          int64_t now_us);
int transport_set_max_incoming(struct engine *e, uint64_t id, uint32_t bitrate, int64_t now_us);
void transport_close(struct engine *e, uint64_t id, int64_t now_us);   /* unknown: fine */
struct transport *transport_find(const struct engine *e, uint64_t id); /* or NULL */
void transport_tcp_gone(struct transport *t, uint32_t sock, int64_t now_us);

/* ---- for the other files of route/ ---- */

/* A STUN, DTLS, RTP or RTCP datagram; all but STUN come from one of its paths. receive.c. */
void transport_stun(struct transport *t, const struct dgram *d, int64_t now_us);
void transport_dtls(struct transport *t, const struct dgram *d, int64_t now_us);
void transport_rtp(struct transport *t, const struct dgram *d, int64_t now_us);
void transport_rtcp(struct transport *t, const struct dgram *d, int64_t now_us);
/* The same, opened: the fuzzers and tests come in here. pk has data, len, rx_us; its reference is taken over. */
void transport_opened_rtp(struct transport *t, struct packet *pk, int64_t now_us);

bool transport_writable(const struct transport *t);
const struct tuple *transport_selected(const struct transport *t); /* while writable */
void transport_due(struct transport *t, unsigned due);             /* enum transport_due */
void transport_send(struct transport *t, int64_t now_us);          /* composes all that is due */
void transport_send_rtcp(struct transport *t, const uint8_t *data, size_t len,
                         int64_t now_us); /* plain */
void transport_count_sent(struct transport *t, size_t bytes, int64_t now_us);
void transport_rtt(struct transport *t, int64_t rtt_us);
void transport_claim(struct transport *t, const struct tuple *tuple); /* ICE has heard from it */
void transport_secured(struct transport *t, int64_t now_us); /* after anything of ICE or DTLS */
void transport_arm_cc(struct transport *t);

/* False: an id means something else in this transport. */
bool transport_ext_fits(const struct transport *t, const struct rtp_ext_map *ext);
/* One was added with these parameters, or (NULL) removed. */
void transport_producers_changed(struct transport *t, const struct params_media *media,
                                 int64_t now_us);

#endif
