/* rtcp_in.h - what a browser reports and asks, each to whom it concerns. Authenticated, and believed no further than its own
 * streams: what names an SSRC that the transport does not have is passed over. A malformed rest of a compound is dropped and
 * counted. */
#ifndef ALTHING_WORKER_ROUTE_RTCP_IN_H
#define ALTHING_WORKER_ROUTE_RTCP_IN_H

#include <stddef.h>
#include <stdint.h>

struct transport;

void rtcp_in(struct transport *t, const uint8_t *data, size_t len, int64_t now_us);

#endif
