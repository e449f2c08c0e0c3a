/* data_producer.h - what a remote side sends on one stream, for any number of data consumers.
 *
 * A transport's data (data.h) owns its data producers. Data consumers borrow the data producer: they stand in its list and are
 * closed before it is freed. Paused, its messages are dropped.
 */
#ifndef ALTHING_WORKER_ROUTE_DATA_PRODUCER_H
#define ALTHING_WORKER_ROUTE_DATA_PRODUCER_H

#include "worker/route/params.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

struct data;
struct data_consumer;
struct engine;
struct transport;

struct data_producer {
    uint64_t id;
    UT_hash_handle hh;
    UT_hash_handle hh_stream; /* in the data */
    struct transport *transport;
    struct data_producer *prev, *next; /* in the data */
    struct params_stream stream;
    struct data_consumer *consumers; /* list, by prev_same, next_same */
    bool paused;
};

/* 0, -EINVAL (no such stream), -ENOENT (the transport), -EEXIST (handle or stream), -ENOSPC, -ENOTSUP (no data channels). */
int data_producer_create(struct engine *e, const struct params_data_producer *p, int64_t now_us);
int data_producer_pause(struct engine *e, uint64_t id, bool paused); /* 0 or -ENOENT */
/* With its data consumers; unknown: fine. */
void data_producer_close(struct engine *e, uint64_t id, int64_t now_us);
struct data_producer *data_producer_find(const struct engine *e, uint64_t id); /* or NULL */
struct data_producer *data_producer_on(const struct data *d, uint16_t stream); /* or NULL */

/* A message to all of its data consumers. The bytes are only borrowed. */
void data_producer_message(struct data_producer *p, uint32_t ppid, const uint8_t *data, size_t len,
                           int64_t now_us);

#endif
