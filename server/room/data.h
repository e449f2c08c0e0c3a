/* data.h - a peer's data producers and data consumers. Its transports own them, and a data consumer goes with its data producer.
 * State only.
 */
#ifndef ALTHING_SERVER_ROOM_DATA_H
#define ALTHING_SERVER_ROOM_DATA_H

#include "server/room/objects.h"

/* RFC 8831 6.1: how a channel delivers, as mediasoup's sctpStreamParameters say. */
struct data_stream {
    uint16_t id;
    bool ordered;
    int life_time_ms; /* -1: not limited */
    int retransmits;  /* -1: not limited; never both limited */
};

struct data_producer {
    struct change change; /* first */
    uint64_t handle; /* its name towards the worker */
    UT_hash_handle hh;
    char id[37]; /* its name towards browsers, a uuid */
    struct transport *transport;
    bool confirmed; /* (data_producer_confirm) the worker has it */
    struct data_stream stream;
    char *label, *protocol;
    void *app_data; /* (set) JSON, or NULL; freed with app_data_free */
    void (*app_data_free)(void *);
    uint64_t acks[ACKS_MAX]; /* requests that wait until it is confirmed */
    size_t n_acks;
    struct data_consumer *consumers; /* over data_consumer.next_sibling */
    struct data_producer *prev, *next;
};

struct data_consumer {
    struct change change; /* first */
    uint64_t handle;
    UT_hash_handle hh;
    char id[37];
    struct transport *transport; /* the receiver's */
    struct data_producer *producer;
    bool confirmed;
    uint16_t stream_id; /* the rest is as the data producer has it */
    struct data_consumer *prev, *next;
    struct data_consumer *prev_sibling, *next_sibling;
};

struct data_producer *rooms_data_producer(const struct rooms *rs, uint64_t handle); /* or NULL */
struct data_consumer *rooms_data_consumer(const struct rooms *rs, uint64_t handle); /* or NULL */

/* NULL: PEER_DATA_PRODUCERS_MAX, or the stream is taken. The strings are copied. */
struct data_producer *data_producer_new(struct transport *t, uint64_t handle, const struct data_stream *s, const char *label,
                                        const char *protocol);
void data_producer_confirm(struct data_producer *p);           /* the worker has it */
void data_producer_free(struct data_producer *p);              /* and its data consumers; NULL is fine */
struct data_producer *transport_data_producer(const struct transport *t, const char *id);
struct data_producer *transport_data_producer_on(const struct transport *t, uint16_t stream);

/* On the next free stream. NULL: all are taken, or this transport has that data producer's messages already. */
struct data_consumer *data_consumer_new(struct transport *t, struct data_producer *p, uint64_t handle);
void data_consumer_confirm(struct data_consumer *c);
void data_consumer_free(struct data_consumer *c); /* NULL is fine */

#endif
