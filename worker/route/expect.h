/* expect.h - which transport a packet belongs to when its tuple does not say, by its SSRC: of a sender whose address is not known
 * yet, and of pipes, all of which share one tuple between two workers.
 *
 * The engine holds the table; a transport owns its list of entries. An SSRC is expected by one transport at most. Bounded by the
 * SSRCs of the producers there may be.
 */
#ifndef ALTHING_WORKER_ROUTE_EXPECT_H
#define ALTHING_WORKER_ROUTE_EXPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct engine;
struct expected;
struct producer;
struct transport;

struct expect_list {
    struct expected *head;
};

int expect_add(struct expect_list *l, struct transport *t, uint32_t ssrc); /* 0; -EEXIST */
/* All that a producer is known to send with. 0; -EEXIST: none of them is expected. */
int expect_producer(struct expect_list *l, struct transport *t, const struct producer *p);
void expect_clear(struct expect_list *l, struct engine *e);
/* Whose RTP or RTCP datagram that may be; or NULL. */
struct transport *expect_owner(const struct engine *e, const uint8_t *data, size_t len, bool rtcp);

#endif
