/* ssrcs.h - the SSRCs that a transport has ever sent with, so that none is used twice in its DTLS session: with the same key, the
 * same SSRC and an index that starts again, two packets would be encrypted alike (RFC 3711 9.1, RFC 7714 8.1).
 *
 * Invariant: an SSRC that was added stays. At most SSRCS_MAX; then no consumer can be made in this transport any more.
 */
#ifndef ALTHING_WORKER_ROUTE_SSRCS_H
#define ALTHING_WORKER_ROUTE_SSRCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SSRCS_MAX 65536

struct ssrcs {
    uint32_t *table; /* open addressing; 0 is free, for 0 is no SSRC here */
    size_t count, cap;
};

int ssrcs_add(struct ssrcs *s, uint32_t ssrc); /* 0, -EEXIST, -ENOSPC; all zero is an empty set */
bool ssrcs_has(const struct ssrcs *s, uint32_t ssrc);
void ssrcs_clear(struct ssrcs *s);

#endif
