/* webrtc.h - a transport to a browser: ICE, DTLS and SRTP on one tuple at a time.
 *
 * It is found by its tuples (those that ICE has validated) and, for STUN from elsewhere, by its ICE user name fragments. Media goes
 * out only while ICE has a selected tuple and DTLS is connected.
 */
#ifndef ALTHING_WORKER_ROUTE_WEBRTC_H
#define ALTHING_WORKER_ROUTE_WEBRTC_H

#include "worker/route/params.h"

#include <stdbool.h>
#include <stdint.h>

struct engine;
struct transport;

/* 0, -EINVAL, -ENOENT (the router), -EEXIST (handle or fragment), -ENOSPC. */
int webrtc_create(struct engine *e, const struct params_transport *p, int64_t now_us);
/* remote_server: the browser is the DTLS server, so the worker connects. The same again: 0; other than before: -EEXIST;
 * -EINVAL, also for a transport of another kind. */
int webrtc_connect(struct engine *e, uint64_t id, bool remote_server,
                   const struct params_fingerprint *prints, size_t n, int64_t now_us);
int webrtc_restart_ice(struct engine *e, uint64_t id, const char *ufrag, const char *password,
                       int64_t now_us);
/* Whose user name fragment that is; or NULL. */
struct transport *webrtc_find(const struct engine *e, const char *ufrag);

#endif
