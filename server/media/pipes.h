/* pipes.h - what the routers of one room have of each other: a pipe between two of them while anything goes through it.
 *
 * Made on demand: the first use of a producer on another router opens the pipe (a transport in each, joined over the workers' UDP
 * sockets, SRTP with keys made for it) and makes the producer there; the last one that ends takes both away again. One piped
 * producer a producer and router; one pipe a pair of routers and direction, and another one when that is full. Requests are
 * pipelined: nothing waits for an answer, and a use can follow at once.
 *
 * A use outlives everything: after its router, its producer or the room has gone it is there to be put, and nothing more.
 */
#ifndef ALTHING_SERVER_MEDIA_PIPES_H
#define ALTHING_SERVER_MEDIA_PIPES_H

#include "server/media/media.h"

#include <jansson.h>

struct piped;
struct pipes;

struct pipes_source {
    struct media_router *router; /* where the producer is */
    uint64_t producer;
    const char *kind;         /* "audio", "video" */
    const json_t *consumable; /* of ortc_consumable() */
    const json_t *mapping;    /* of ortc_producer_mapping() */
    bool paused;
};

void pipes_new(struct pipes **pp, struct media *m);
void pipes_close(struct pipes *p); /* tells the workers */
void pipes_free(struct pipes *p);  /* tells nobody; NULL is fine */

/* One more use of the producer on the router `to`, which is another one. NULL: it cannot be piped. */
struct piped *pipes_use(struct pipes *p, const struct pipes_source *from, struct media_router *to);
void piped_put(struct piped *u); /* a use less; NULL is fine */
uint64_t piped_handle(const struct piped *u);
/* {codecs: ...} from the piped producer's payload types to the router's, for ortc_create_consumer(); borrowed. */
const json_t *piped_mapping(const struct piped *u);

void pipes_pause(struct pipes *p, uint64_t producer, bool paused);
/* The router is gone or about to go: the other ends of its pipes are closed. */
void pipes_router_gone(struct pipes *p, const struct media_router *r);
size_t pipes_count(const struct pipes *p); /* piped producers */

#endif
