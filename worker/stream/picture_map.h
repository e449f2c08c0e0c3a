/* picture_map.h - a consumer's own VP8 and VP9 picture ids and TL0PICIDX, continuous where frames were left out or the stream was
 * switched.
 *
 * Invariants: within a stream two frames never share a picture id, a frame's packets all get the same one, and ids only grow
 * (modulo 2^15). A frame that is lost leaves a gap, one that was dropped does not (of VP9 none are said to be: there the gap
 * stays, since pictures refer to others by the difference of their ids). Bounded: the last PICTURE_MAP_FRAMES frames; packets of
 * older ones map to nothing. Frames without picture id are passed unchanged by the caller. Plain struct, zeroed at the start.
 */
#ifndef ALTHING_WORKER_STREAM_PICTURE_MAP_H
#define ALTHING_WORKER_STREAM_PICTURE_MAP_H

#include "worker/wire/frame.h"

#include <stdbool.h>
#include <stdint.h>

#define PICTURE_MAP_FRAMES 64 /* a power of two */

struct picture_map {
    struct {
        int64_t in; /* extended picture id, -1: none */
        uint16_t out;
        bool dropped;
    } frames[PICTURE_MAP_FRAMES];
    bool synced;       /* a frame was mapped since the switch */
    bool started;      /* anything was ever mapped */
    int64_t newest_in; /* extended */
    uint16_t shift;    /* out = in + shift, from the newest on */
    uint16_t newest_out;
    uint8_t tl0_shift, newest_tl0;
};

void picture_map_init(struct picture_map *m);
void picture_map_switch(
    struct picture_map *m); /* the next frame is of another stream, or after a pause */
/* For a packet that is forwarded and has a picture id. False: its frame was dropped, or is too old. */
bool picture_map_frame(struct picture_map *m, const struct frame_info *f, uint16_t *picture_id,
                       uint8_t *tl0picidx);
void picture_map_drop(struct picture_map *m,
                      const struct frame_info *f); /* for each packet that is not */

#endif
