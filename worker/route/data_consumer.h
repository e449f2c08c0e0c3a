/* data_consumer.h - the messages of one data producer on their way to one remote side, on a stream of their own.
 *
 * A transport's data (data.h) owns its data consumers; they borrow their data producer and are closed before it goes. Messages are
 * given to the association as they come; one that it does not take is dropped and counted in `dropped`, which the server is told
 * at most once a second. Paused, messages are dropped without being counted so.
 */
#ifndef ALTHING_WORKER_ROUTE_DATA_CONSUMER_H
#define ALTHING_WORKER_ROUTE_DATA_CONSUMER_H

#include "worker/route/params.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

struct data;
struct data_producer;
struct engine;
struct transport;

struct data_consumer {
    uint64_t id;
    UT_hash_handle hh;
    UT_hash_handle hh_stream; /* in the data */
    struct transport *transport;
    struct data_producer *producer;
    struct data_consumer *prev, *next;           /* in the data */
    struct data_consumer *prev_same, *next_same; /* of the data producer */
    struct params_stream stream;
    bool paused;
    uint64_t dropped; /* for want of room */
    int64_t told_us;  /* when the server was told last */
};

/* 0, -EINVAL (no such stream, another router), -ENOENT, -EEXIST (handle or stream), -ENOSPC, -ENOTSUP (no data channels). */
int data_consumer_create(struct engine *e, const struct params_data_consumer *p, int64_t now_us);
int data_consumer_pause(struct engine *e, uint64_t id, bool paused);           /* 0 or -ENOENT */
void data_consumer_close(struct engine *e, uint64_t id, int64_t now_us);       /* unknown: fine */
struct data_consumer *data_consumer_find(const struct engine *e, uint64_t id); /* or NULL */

void data_consumer_message(struct data_consumer *c, uint32_t ppid, const uint8_t *data, size_t len,
                           int64_t now_us);

#endif
