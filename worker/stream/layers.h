/* layers.h - which of a producer's streams and temporal layers a consumer gets, and how its timestamps go on from one to the
 * next.
 *
 * Preferred is what the receiver wants, allowed what its bandwidth is enough for, target what there is of both, current what is
 * sent. The current stream becomes the target only at a key frame of it; for the layers within a stream see svc.h. Invariants:
 * after a switch only packets of the new stream, from the key frame on, are forwarded; timestamps never go back, whatever senders
 * report: the shift between streams comes from their sender reports when both have one and it is plausible, else from the times of
 * arrival.
 *
 * Also for what has one stream, and no layers: then it only waits for a key frame at the start. Audio waits for nothing.
 */
#ifndef ALTHING_WORKER_STREAM_LAYERS_H
#define ALTHING_WORKER_STREAM_LAYERS_H

#include "worker/stream/capture.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LAYERS_STREAMS_MAX 4
#define LAYERS_ALL         UINT32_MAX

struct packet;
struct layers;

struct layers_conf {
    size_t n_streams;         /* 1..4, lowest first */
    uint32_t spatial_layers;  /* within the one stream (SVC); 1 when there are several */
    uint32_t temporal_layers; /* at least 1; 1: all are forwarded */
    uint32_t clock_rate;      /* Hz */
    bool key_frames;          /* video of which key frames can be told: wait for one */
    bool described;           /* dependency descriptors may come (svc.h follows their chains) */
};

/* What to do with a packet. */
struct layers_result {
    bool forward;  /* else: seqmap_drop() and picture_map_drop(), if `current` */
    bool current;  /* it is of the stream that is sent */
    bool switched; /* first of this stream: seqmap_switch(), picture_map_switch(), a new score */
    bool skip_seq; /* with switched: the frame before was cut off */
    bool marker;   /* to send: set at the end of the highest spatial layer sent, too */
    uint32_t ts_shift; /* to add to the packet's timestamp */
};

int layers_new(struct layers **lp, const struct layers_conf *conf); /* prefers all; 0 or -EINVAL */
void layers_free(struct layers *l);                                 /* NULL is fine */

void layers_prefer(struct layers *l, uint32_t spatial, uint32_t temporal); /* clamped */
void layers_preferred(const struct layers *l, uint32_t *spatial, uint32_t *temporal);
/* Not above these, whatever is preferred; LAYERS_ALL, as at the start: no limit. */
void layers_allow(struct layers *l, uint32_t spatial, uint32_t temporal);
void layers_allow_none(struct layers *l); /* nothing is sent, at once, until layers_allow() */
/* Whether anything comes on a stream; at first none is known to. A target that went silent is replaced by the next lower active
 * one, else the next higher. */
void layers_active(struct layers *l, size_t stream, bool active);
/* Nothing was sent for a while, or the stream has started anew: the next packet follows a key frame. */
void layers_restart(struct layers *l);

/* A packet of stream i, in order of arrival, with frame, ext_seq and rx_us filled. captures: one a stream, all of the
 * producer's; NULL: none known. */
void layers_packet(struct layers *l, size_t stream, const struct packet *pk,
                   const struct capture *captures, int64_t now_us, struct layers_result *out);

/* The stream whose key frame is waited for; -1: none. Ask keyreq.h. */
int layers_wants_key(const struct layers *l);
/* True once after each change. *none: nothing is sent. */
bool layers_changed(struct layers *l, bool *none, uint32_t *spatial, uint32_t *temporal);
/* What layers_changed() said last. */
void layers_told(const struct layers *l, bool *none, uint32_t *spatial, uint32_t *temporal);
int layers_current_stream(const struct layers *l); /* -1: none */
int layers_target_stream(const struct layers *l);  /* -1: none */
uint32_t layers_ts_shift(const struct layers *l);  /* of the current stream */

#endif
