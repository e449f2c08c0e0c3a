/* gather.h - adds up what peers did into a result. What a receiver was to get is known where its sender is one of ours and sends
 * one layer; elsewhere the gaps in its sequence numbers tell. */
#ifndef ALTHING_LOAD_GATHER_H
#define ALTHING_LOAD_GATHER_H

#include "load/peer.h"
#include "load/result.h"

/* Fills peers, up, failed, reason, media and bad. */
void gather(struct result *r, struct peer *const *peers, size_t n);

#endif
