/* on_request.h - the server's requests to this worker, and the worker's events to it (proto/worker.proto).
 *
 * The loop reads frames from the chan, between batches and with a time budget, and gives each to channel_frame(); every request of
 * the current epoch gets exactly one reply. It reads only while channel_ready(): while something waits to be written, requests
 * wait in the socket, so that replies have room and the server feels that it is too fast.
 *
 * A frame that does not decode, or has no request, or comes from an older epoch, is counted and ends nothing. A newer epoch, said
 * by a Hello, closes everything the worker has, unless it says to keep it. Nothing but Hello is accepted before the first Hello.
 *
 * An event that the chan refuses is dropped; `Resync` with the number of lost ones follows as soon as the chan takes it.
 */
#ifndef ALTHING_WORKER_ON_REQUEST_H
#define ALTHING_WORKER_ON_REQUEST_H

#include "lib/chan.h"
#include "worker/route/engine.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct channel;
struct counters;

struct channel_config {
    struct chan *chan;            /* borrowed */
    const struct dtls_cert *cert; /* borrowed; Hello tells its fingerprints */
    const char *release;          /* borrowed; the program's version */
    struct counters *counters;    /* borrowed; where lost events are counted; NULL: nowhere */
};

/* First channel_new(), then engine_new() with channel_event and the channel as its event and event_arg, then channel_start(). */
void channel_new(struct channel **cp, const struct channel_config *conf);
void channel_start(struct channel *c, struct engine *e); /* borrows the engine */
void channel_free(struct channel *c); /* NULL is fine; free it after the engine */
engine_event_f channel_event;

bool channel_ready(const struct channel *c);
/* 0, or -EPIPE: the server is gone (the worker goes on; the supervisor hands it a new server over the same socket). */
int channel_frame(struct channel *c, const uint8_t *frame, size_t len, int64_t now_us);
int channel_flush(struct channel *c);              /* the descriptor is writable; 0 or -EPIPE */
uint64_t channel_ignored(const struct channel *c); /* frames that were not taken */

#endif
