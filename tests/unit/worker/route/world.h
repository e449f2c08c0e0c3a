/* world.h - an engine and its browsers in one process, without sockets, on virtual time.
 *
 * A browser is libnice's STUN, our DTLS as the client, and SRTP sessions of its own. What the engine sends is delivered at once;
 * what a browser sends waits in the world until world_run(), which is one batch: receive, timers, send.
 */
#ifndef ALTHING_TESTS_ROUTE_WORLD_H
#define ALTHING_TESTS_ROUTE_WORLD_H

#include "tests/unit/check.h"
#include "worker/route/engine.h"
#include "worker/route/params.h"
#include "worker/secure/dtls.h"
#include "worker/secure/srtp.h"
#include "worker/wire/dgram.h"
#include "worker/wire/rtcp.h"
#include "worker/wire/rtp.h"

#define WORLD_BROWSERS 8
#define WORLD_ROUTER   1

#define PT_VP8  96
#define PT_RTX  97
#define PT_OPUS 111
/* Extension ids that browsers send with; consumers are given others, see world.c. */
#define EXT_MID  4
#define EXT_RID  10
#define EXT_RRID 11
#define EXT_TWCC 3
#define EXT_ABS  2

struct got_rtp {
    uint8_t wire[1600]; /* as it came */
    size_t wire_len;
    uint8_t data[1600]; /* opened */
    size_t len;
    struct rtp h;
    struct rtp_exts exts;
    bool replay; /* it was here before: not opened */
};

struct got_rtcp {
    uint8_t data[1600];
    size_t len;
};

struct world;

struct browser {
    struct world *world;
    uint64_t transport;
    struct tuple tuple;
    char ufrag[16], password[32]; /* the engine's */
    struct dtls *dtls;
    struct srtp_rx *rx;
    struct srtp_tx *tx;
    struct rtp_ext_map send_ext, recv_ext;
    struct got_rtp *rtp;
    size_t n_rtp;
    struct got_rtcp *rtcp;
    size_t n_rtcp;
    unsigned stun_replies;
    void (*on_data)(struct browser *b, const uint8_t *data, size_t len); /* DTLS; NULL: ignored */
    void *data_arg;
};

struct world {
    struct engine *engine;
    struct outbox outbox;
    struct dtls_cert *cert, *browser_cert;
    int64_t now_us;
    struct browser browsers[WORLD_BROWSERS];
    size_t n_browsers;
    struct dgram *in;
    size_t n_in, cap_in;
    struct engine_event events[256];
    size_t n_events;
    size_t n_flushed;   /* datagrams sent in all */
    size_t batch_limit; /* datagrams of one engine_receive() */
    /* gets what is sent to no browser; NULL: it is lost */
    void (*wire)(struct world *w, const struct out_slot *slot);
};

void world_open(struct world *w);
void world_open_with(struct world *w,
                     struct engine_config conf); /* outbox, cert, event are set here */
void world_close(struct world *w);

struct browser *world_browser(struct world *w,
                              uint64_t transport); /* its transport; not yet connected */
struct browser *world_join(struct world *w, uint64_t transport); /* the same, and connected */
void world_secure(struct browser *b); /* ICE and DTLS of one whose transport is connected to it */
/* One without ICE and DTLS, on this port; the keys (NULL: clear) are those of both directions. It has no transport yet. */
struct browser *world_plain(struct world *w, uint64_t transport, uint16_t port,
                            const struct srtp_key *key);
void world_push(struct world *w, const struct tuple *from, const void *data, size_t len);
void world_run(struct world *w);               /* a batch of all that was pushed */
void world_after(struct world *w, int64_t us); /* lets time pass, deadline by deadline */
const struct engine_event *world_last(const struct world *w, enum engine_event_kind kind,
                                      uint64_t object);
size_t world_count(const struct world *w, enum engine_event_kind kind, uint64_t object);

void browser_check(struct browser *b, bool nominate); /* a connectivity check */
void browser_forget(struct browser *b);               /* what it got */

struct send_rtp {
    uint32_t ssrc, ts;
    uint32_t seq; /* extended: the roll-over counter is taken from it */
    uint8_t pt;
    bool marker;
    uint8_t pad_len;
    const char *mid, *rid, *rrid;
    int twcc; /* -1: none */
    const struct rtp_exts *exts; /* and these; NULL: no others */
    const void *payload;
    size_t len;
};
void browser_rtp(struct browser *b, const struct send_rtp *p);
size_t browser_seal(struct browser *b, const struct send_rtp *p, uint8_t out[static 1600]);
void browser_rtcp(struct browser *b, const void *plain, size_t len);

/* A VP8 payload with picture id, TL0PICIDX and temporal layer; its first bytes after the descriptor tell it apart. */
size_t vp8_payload(uint8_t *out, size_t len, bool start, bool key, uint16_t picture_id, uint8_t tl0,
                   uint8_t tid);

/* Parameters as the server would say them. */
struct params_producer
video_producer(const struct browser *b,
               uint64_t id); /* VP8, one encoding, SSRC 1000 id, RTX 1000 id + 1 */
struct params_producer simulcast_producer(const struct browser *b,
                                          uint64_t id); /* VP8, three by RID "q", "h", "f" */
struct params_producer audio_producer(const struct browser *b,
                                      uint64_t id); /* Opus, SSRC 1000 id */
struct params_consumer
consumer_of(const struct browser *b, uint64_t id,
            const struct params_producer *p); /* SSRC 7000 + id, RTX 8000 + id */

void browser_nack(struct browser *b, uint32_t ssrc, uint16_t seq); /* and runs a batch */
void browser_pli(struct browser *b, uint32_t ssrc);                /* the same */

/* A sender's VP8: 500 bytes a packet, a frame of some packets each 33 ms. */
struct camera {
    struct browser *b;
    uint32_t ssrc, seq, ts;
    uint16_t picture_id;
    uint8_t tl0, tid;
    const char *mid, *rid;
};
void camera_packet(struct camera *c, bool start, bool end, bool key, size_t len);
void camera_send(struct camera *c, bool key, size_t packets);  /* a frame, not yet received */
void camera_frame(struct camera *c, bool key, size_t packets); /* and 33 ms pass */

/* Browser a (transport 10) sends video (producer 2, SSRC 2000), browser b (20) consumes it (consumer 3, SSRC 7003). */
struct stage {
    struct world w;
    struct browser *a, *b;
    struct camera cam;
};
void stage_open(struct stage *s);
void stage_open_with(struct stage *s, struct engine_config conf);

/* How many of a type and format the browser got, and the last of them. */
size_t rtcp_count(const struct browser *b, uint8_t pt, uint8_t fmt, struct rtcp_packet *last);

#endif
