/* producer.h - what a browser sends: one source of audio or video, in one or more streams (the encodings of a simulcast).
 *
 * A transport owns its producers, a producer its streams (inbound.h). Consumers borrow the producer: they stand in its list and are
 * closed before it is freed. Paused, nothing is forwarded; its streams are received and reported on as before.
 *
 * `first` .. `last` are the packets of the batch, in the order of their arrival, for all of its consumers.
 */
#ifndef ALTHING_WORKER_ROUTE_PRODUCER_H
#define ALTHING_WORKER_ROUTE_PRODUCER_H

#include "worker/route/inbound.h"
#include "worker/route/params.h"
#include "worker/stream/capture.h"

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

struct audio_source;
struct batch_entry;
struct consumer;
struct engine;
struct engine_score;
struct transport;

struct producer {
    uint64_t id;
    UT_hash_handle hh;
    struct transport *transport;
    struct producer *prev, *next; /* in the transport */
    enum params_kind kind;
    struct params_media media;
    uint8_t by_pt[128];     /* index of the codec plus one; 0: none */
    uint8_t by_rtx_pt[128]; /* the same by the payload type of its RTX */
    struct inbound *streams[LIMIT_ENCODINGS];
    struct capture captures[LIMIT_ENCODINGS]; /* one a stream */
    size_t n_streams;
    struct consumer *consumers; /* list, by prev_same, next_same */
    bool paused;
    struct batch_entry *first, *last; /* of this batch */
    struct audio_source *audio;       /* NULL: no level is told */
    uint8_t scores_told[LIMIT_ENCODINGS]; /* to the server, one a stream */
    int64_t score_told_us;
};

int producer_create(struct engine *e, const struct params_producer *p, int64_t now_us);
int producer_pause(struct engine *e, uint64_t id, bool paused, int64_t now_us);
void producer_close(struct engine *e, uint64_t id,
                    int64_t now_us); /* with its consumers; unknown: fine */
struct producer *producer_find(const struct engine *e, uint64_t id); /* or NULL */

/* The codec that a payload type means, itself or as the RTX of it; NULL: none. */
const struct params_codec *producer_codec(const struct producer *p, uint8_t pt, bool *rtx);
unsigned producer_score(const struct producer *p); /* the best of its streams */
/* Of each stream, lowest first, into LIMIT_ENCODINGS places; returns their number. Strings are borrowed. */
size_t producer_scores(const struct producer *p, struct engine_score *out);
void producer_tell(const struct producer *p); /* its score to the server, again */
void producer_score_changed(struct producer *p,
                            int64_t now_us); /* tells the server, at most once a second */

#endif
