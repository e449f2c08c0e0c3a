/* svc.h - which frames of one stream are forwarded, out of those that belong to its spatial and temporal layers (W3C WebRTC-SVC;
 * the dependency descriptor: AV1 RTP specification, appendix A; VP9: RFC 9628).
 *
 * Invariant: what is forwarded is a decode target: the frames that one pair of layers (spatial, temporal) needs, as `needs` of
 * frame.h says, else all up to that pair. It changes only where the receiver can follow:
 *   - at a key frame, to any
 *   - to fewer temporal layers: at any frame
 *   - to more: at a frame that can be switched to
 *   - to another spatial layer: at a frame that can be switched to and to which every frame was forwarded that the layer cannot do
 *     without (its chain). A lower layer of full SVC fulfils that, one of K-SVC or S modes does not: those wait for a key frame.
 * Frames are judged when they start; packets of older frames that come late by what was forwarded then.
 *
 * A layer that is not sent (its target is not active, or nothing of it came for SVC_IDLE_US) is replaced by the highest below it.
 */
#ifndef ALTHING_WORKER_STREAM_SVC_H
#define ALTHING_WORKER_STREAM_SVC_H

#include "worker/wire/frame.h"

#include <stdbool.h>
#include <stdint.h>

#define SVC_IDLE_US 1500000
#define SVC_FRAMES  256 /* frame numbers that chains reach back at most (8 bits) */

struct packet;

struct svc_frame {
    uint16_t number;
    uint8_t intact; /* chains, a bit each */
    bool forwarded;
};

struct svc_level {
    uint8_t spatial, temporal;
};

/* Zeroed at the start, then svc_init(). */
struct svc {
    bool spatial_said, temporal_said; /* the sender said that it has layers; else all pass */
    struct svc_level level, before; /* forwarded from packet `from` on, and before it */
    int64_t from, newest; /* ext_seq */
    uint32_t active; /* targets that are sent; 0: not said */
    uint8_t intact;  /* by spatial layer: every frame that it cannot do without was forwarded */
    int64_t seen_us[FRAME_SPATIAL_MAX]; /* last frame of a spatial layer, plus 1; 0: none yet */
    struct svc_frame *frames; /* SVC_FRAMES, by number; NULL: chains are not followed */
};

/* chains: frames may be described by chains. They are only followed with several spatial layers. */
void svc_init(struct svc *v, uint32_t spatial_layers, uint32_t temporal_layers, bool chains);
void svc_clear(struct svc *v); /* frees what it has */

/* The stream starts, or starts anew, at this packet. */
void svc_start(struct svc *v, const struct packet *pk, uint32_t spatial, uint32_t temporal);
/* Whether to forward a packet when these layers are wanted. */
bool svc_packet(struct svc *v, const struct packet *pk, uint32_t spatial, uint32_t temporal);
/* It is the last of its picture that is forwarded. */
bool svc_ends_picture(const struct svc *v, const struct frame_info *f);
/* The wanted layer can be had, but not without a key frame. */
bool svc_wants_key(const struct svc *v, uint32_t spatial, uint32_t temporal);

#endif
