/* trace.h - what happens to the packets of one object, in shared memory, while somebody has asked for it.
 *
 * The trace area is the end of a worker's counter segment (counters.h): TRACE_RINGS rings of fixed records, described by the last
 * bytes of the segment, so that a server of another release finds them. The worker writes a ring only while a trace is on
 * (StartTrace of worker.proto); untouched rings cost no memory. A ring is lossy: the writer never waits, the reader sees what was
 * overwritten as a gap and counts it.
 *
 * Record number i, from 0, is in slot i % records; the slot's `number` is i + 1 from after it was written until it is written
 * again, and 0 while it is being written. `head` is how many were written. The reader takes all of it for hostile: it follows no
 * offset but its own, copies a record before it looks at it, and hands out only what is in range.
 */
#ifndef ALTHING_PROTO_TRACE_H
#define ALTHING_PROTO_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRACE_RINGS    4    /* traces that a worker has at the same time */
#define TRACE_RECORDS  4096 /* of a ring */
#define TRACE_DATA_MAX 144
#define TRACE_TEXT_MAX 16 /* mid, rid: with the NUL; what is longer is cut */
#define TRACE_NO_LAYER 255

enum trace_kind {
    TRACE_RTP,
    TRACE_KEYFRAME, /* an RTP packet that starts one */
    TRACE_NACK,
    TRACE_PLI,
    TRACE_FIR,
    TRACE_SR,     /* sender report */
    TRACE_LAYERS, /* a consumer sends other layers than before */
    TRACE_BWE,    /* an estimate of a transport's bandwidth */
    TRACE_PACKET, /* the headers of an RTP packet or the beginning of a compound of RTCP, decrypted */
    TRACE_KINDS,
};

enum trace_flag {
    TRACE_OUT = 1, /* from the worker to the peer; else from the peer */
    TRACE_MARKER = 2,
    TRACE_START = 4, /* RTP: starts a key frame */
    TRACE_RTX = 8,   /* RTP: on the repairing SSRC, or sent again */
    TRACE_TWCC = 16, /* RTP: `twcc` is there; BWE: of transport-cc, else of REMB */
    TRACE_RTCP = 32, /* PACKET */
};

/* Members that a kind has no use for are 0. */
struct trace_record {
    int64_t at_us;         /* CLOCK_MONOTONIC */
    uint64_t object;       /* handle: producer or consumer; of BWE and PACKET a transport */
    uint64_t values[3];    /* SR: NTP time, packets, octets.  BWE: available bitrate, desired bitrate, 0; bits/s */
    uint32_t ssrc;         /* RTP, NACK, PLI, FIR, SR */
    uint32_t rtp_ts;       /* RTP, SR */
    uint32_t size;         /* RTP, PACKET: bytes of the whole packet, decrypted */
    uint32_t payload_size; /* RTP */
    uint16_t seq;          /* RTP: number; NACK: the first that is asked for; FIR: of the command */
    uint16_t count;        /* NACK: how many are asked for; data has the first of them as uint16_t */
    uint16_t twcc;         /* RTP: transport-wide number */
    uint16_t data_len;
    uint8_t kind;          /* enum trace_kind */
    uint8_t flags;         /* enum trace_flag */
    uint8_t pt;            /* RTP */
    uint8_t spatial, temporal; /* RTP: 0 when not said. LAYERS: TRACE_NO_LAYER when nothing is sent */
    uint8_t reserved[3];
    char mid[TRACE_TEXT_MAX]; /* RTP, of the packet; "": not in it */
    char rid[TRACE_TEXT_MAX];
    uint8_t data[TRACE_DATA_MAX]; /* PACKET: its beginning */
};

const char *trace_kind_name(enum trace_kind kind); /* "rtp", "keyframe", "nack", ..., "packet" */
int trace_kind_of(const char *name);               /* or -1 */

size_t trace_size(void); /* bytes of the area */

/* ---- writing (the worker) ---------------------------------------------------------------------------------------------------- */

struct trace;

/* Maps fd, of which the last trace_size() bytes are the area (it stays the caller's, and may be closed after). 0, -EINVAL or other
 * -errno. */
int trace_open(struct trace **tp, int fd);
void trace_free(struct trace *t); /* NULL is fine */

/* Empties the ring; readers know it by `id` from now on, which is never 0. */
void trace_start(struct trace *t, unsigned ring, uint64_t id);
/* The next record, all zero, to be filled in at once and then given to the readers. */
struct trace_record *trace_begin(struct trace *t, unsigned ring);
void trace_commit(struct trace *t, unsigned ring);

/* ---- reading (the server) ---------------------------------------------------------------------------------------------------- */

struct trace_reader;

/* Maps fd read-only. 0; -ENOENT: there is no area (an older worker, or it has not started); -EPERM (seals), -EPROTO (nonsense) or
 * other -errno. */
int trace_reader_open(struct trace_reader **rp, int fd);
void trace_reader_free(struct trace_reader *r); /* NULL is fine */

/* Where a reader stands. Its owner sets ring and id, the rest zero. */
struct trace_cursor {
    unsigned ring;
    uint64_t id;   /* of trace_start() */
    uint64_t next; /* number of the next record */
    uint64_t lost; /* overwritten before they were read, or not fit to be read */
};

/* The next record; in it: kind is in range, data_len at most TRACE_DATA_MAX, mid and rid end with a NUL and have only
 * [A-Za-z0-9._-], of flags only the known ones. False: none is there now. */
bool trace_reader_next(const struct trace_reader *r, struct trace_cursor *c, struct trace_record *out);

#endif
