/* althing-worker: ICE, DTLS, SRTP and RTP routing for one core.
 *
 * It touches what it was given and nothing else: its UDP sockets and TCP listeners, the channel to the server, the counter segment, and
 * the life pipe. It opens no file and starts no program, which sandbox.h makes sure of once all is open. It ends when the life pipe or the channel ends (the supervisor holds both), or on
 * SIGTERM.
 *
 *     readable -> receive all -> deadlines -> the server's requests, for at most CHANNEL_BUDGET_US -> send all -> wait
 */
#include "lib/chan.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "proto/counters.h"
#include "proto/trace.h"
#include "worker/net/net.h"
#include "worker/on_log.h"
#include "worker/on_request.h"
#include "worker/options.h"
#include "worker/route/engine.h"
#include "worker/sandbox.h"
#include "worker/secure/dtls.h"
#include "worker/secure/srtp.h"
#include "worker/usage.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <uv.h>

#define CHANNEL_BUDGET_US 1000
#define CHANNEL_QUEUE_MAX (1 << 20)
#define PROFILES          3

_Static_assert(OPTIONS_SOCKETS_MAX <= NET_SOCKETS_MAX, "net takes what the command line may bring");
_Static_assert(NET_SOCKETS_MAX <= ENGINE_SOCKETS_MAX, "the server is told of all");

struct worker {
    uv_loop_t loop;
    uv_check_t pass; /* after each poll */
    uv_poll_t life;  /* readable: the supervisor is gone */
    uv_poll_t channel_poll;
    uv_poll_t deadline_poll;
    uv_signal_t term;
    int life_fd, deadline_fd;
    int64_t deadline_us; /* what deadline_fd is set to */
    int channel_events;  /* what channel_poll waits for */
    bool channel_readable, channel_writable;
    struct chan *chan;
    struct channel *channel;
    struct counters *counters;
    struct trace *trace;
    struct dtls_cert *cert;
    struct engine *engine;
    struct net *net;
    struct outbox outbox;
    struct usage usage;
    struct srtp_tx *kept[PROFILES]; /* see warm_up() */
    uint8_t frame[CHAN_FRAME_MAX];
};

/* Nothing of ours can be read by a debugger or from a core file, and no program that we might be made to start gains anything. */
static void harden(void)
{
    static const struct rlimit no_core = {0, 0};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setrlimit(RLIMIT_CORE, &no_core);
#if !ALTHING_SANITIZED /* the leak checker attaches to its own process */
    prctl(PR_SET_DUMPABLE, 0);
#endif
    signal(SIGPIPE, SIG_IGN);
}

/* libsrtp2's NSS loads its modules with the first session and lets go of them with the last. In the sandbox it could not load them, so
 * one session of each kind stays. */
static int warm_up(struct worker *w)
{
    static const enum srtp_profile profiles[PROFILES] = {SRTP_PROFILE_AES_CM_128_HMAC_SHA1_80,
                                                         SRTP_PROFILE_AEAD_AES_128_GCM,
                                                         SRTP_PROFILE_AEAD_AES_256_GCM};
    int err = 0;
    for (size_t i = 0; i < PROFILES && !err; i++) {
        uint8_t pkt[64] = {0x80, 201, 0, 1};
        size_t len = 8;
        struct srtp_key key = {.profile = profiles[i]};
        err = srtp_tx_new(&w->kept[i], &key, SRTP_BACKEND_EVP);
        if (!err)
            err = srtp_tx_rtcp(w->kept[i], pkt, &len, sizeof(pkt));
    }
    return err;
}

/* A kernel without seccomp is no reason not to serve. */
static void enter_sandbox(void)
{
#if !ALTHING_SANITIZED
    int err = sandbox_enter();
    if (err)
        log_warn("worker", "no sandbox error=%s", strerror(-err));
#endif
}

/* ---- what the sockets bring ---- */

static void on_dgrams(const struct dgram *dgrams, size_t n, int64_t now_us, void *arg)
{
    engine_receive(((struct worker *)arg)->engine, dgrams, n, now_us);
}

static void on_tcp_gone(const struct tuple *gone, int64_t now_us, void *arg)
{
    engine_tcp_gone(((struct worker *)arg)->engine, gone, now_us);
}

static const struct net_handlers net_handlers = {.dgrams = on_dgrams, .tcp_gone = on_tcp_gone};

static bool local_address(uint32_t sock, bool tcp, struct addr *local, void *arg)
{
    return net_local(sock, tcp, local, ((struct worker *)arg)->net);
}

static void flush_outbox(struct outbox *ob, void *arg)
{
    net_send(ob, ((struct worker *)arg)->net);
}

/* ---- the channel ---- */

static void on_channel(uv_poll_t *h, int status, int events)
{
    struct worker *w = h->data;
    w->channel_readable = status < 0 || (events & (UV_READABLE | UV_DISCONNECT));
    w->channel_writable = (events & UV_WRITABLE) != 0;
}

/* While something waits to be written nothing is read, see channel_ready(). */
static void watch_channel(struct worker *w)
{
    int events = (channel_ready(w->channel) ? UV_READABLE : UV_WRITABLE) | UV_DISCONNECT;
    if (events == w->channel_events)
        return;
    w->channel_events = events;
    uv_poll_start(&w->channel_poll, events, on_channel);
}

static int read_channel(struct worker *w)
{
    int64_t now_us = clock_now_us(), end_us = now_us + CHANNEL_BUDGET_US;
    while (channel_ready(w->channel) && now_us < end_us) {
        ssize_t n = chan_recv(w->chan, w->frame, sizeof(w->frame), NULL, NULL);
        if (n == 0)
            return 0;
        if (n == -EMSGSIZE)
            continue;
        int err = n < 0 ? (int)n : channel_frame(w->channel, w->frame, (size_t)n, now_us);
        if (err)
            return err;
        now_us = clock_now_us();
    }
    return 0;
}

static int serve_channel(struct worker *w)
{
    int err = w->channel_writable ? channel_flush(w->channel) : 0;
    if (!err && w->channel_readable)
        err = read_channel(w);
    w->channel_readable = w->channel_writable = false;
    return err;
}

/* ---- the loop ---- */

static void set_deadline(struct worker *w)
{
    int64_t next_us = time_min_us(engine_next_us(w->engine), net_next_us(w->net));
    struct itimerspec its = {0};
    if (next_us == w->deadline_us)
        return;
    w->deadline_us = next_us;
    if (next_us != TIME_NEVER_US) {
        int64_t us = next_us > 0 ? next_us : 1; /* 0 would disarm it */
        its.it_value.tv_sec = us / 1000000;
        its.it_value.tv_nsec = us % 1000000 * 1000;
    }
    (void)timerfd_settime(w->deadline_fd, TFD_TIMER_ABSTIME, &its, NULL);
}

static void on_deadline(uv_poll_t *h, int status, int events)
{
    struct worker *w = h->data;
    uint64_t count;
    (void)status;
    (void)events;
    if (read(w->deadline_fd, &count, sizeof(count)) == (ssize_t)sizeof(count))
        w->deadline_us = TIME_NEVER_US; /* it fires once */
}

static void on_pass(uv_check_t *h)
{
    struct worker *w = h->data;
    int64_t now_us = clock_now_us();
    net_receive(w->net, now_us);
    if (engine_next_us(w->engine) <= now_us)
        engine_timers(w->engine, now_us);
    if (net_next_us(w->net) <= now_us)
        net_timer(w->net, now_us);
    int err = serve_channel(w);
    if (on_log_tags())
        on_log_pass(counters_worker(w->counters), now_us);
    engine_send(w->engine, clock_now_us());
    watch_channel(w);
    set_deadline(w);
    usage_write(&w->usage, counters_worker(w->counters), now_us);
    counter_set(&counters_worker(w->counters)->channel_queue_bytes, chan_queued(w->chan));
    if (err) {
        log_info("worker", "the channel ended");
        uv_stop(&w->loop);
    }
}

static void on_life(uv_poll_t *h, int status, int events)
{
    (void)status;
    (void)events;
    log_info("worker", "the supervisor is gone");
    uv_stop(h->loop);
}

static void on_term(uv_signal_t *h, int signum)
{
    (void)signum;
    uv_stop(h->loop);
}

/* ---- life ---- */

static int open_parts(struct worker *w, const struct options *o)
{
    usage_open(&w->usage);
    int err = counters_open(&w->counters, o->counters);
    if (!err)
        err = trace_open(&w->trace, o->counters);
    close(o->counters);
    if (!err)
        err = dtls_cert_new(&w->cert);
    if (!err)
        err = chan_new(&w->chan, o->channel, CHANNEL_QUEUE_MAX);
    if (err)
        return err;
    channel_new(&w->channel, &(struct channel_config){.chan = w->chan,
                                                      .cert = w->cert,
                                                      .release = ALTHING_VERSION,
                                                      .counters = w->counters});
    outbox_init(&w->outbox, flush_outbox, w);
    err = engine_new(&w->engine,
                     &(struct engine_config){.outbox = &w->outbox,
                                             .cert = w->cert,
                                             .counters = w->counters,
                                             .trace = w->trace,
                                             .wall_offset_us = clock_wall_us() - clock_now_us(),
                                             .srtp = SRTP_BACKEND_EVP,
                                             .event = channel_event,
                                             .event_arg = w->channel,
                                             .local = local_address,
                                             .local_arg = w});
    if (err)
        return err;
    channel_start(w->channel, w->engine);
    return net_new(&w->net, &(struct net_config){.loop = &w->loop,
                                                 .udp = o->udp,
                                                 .n_udp = o->n_udp,
                                                 .tcp = o->tcp,
                                                 .n_tcp = o->n_tcp,
                                                 .counters = counters_worker(w->counters),
                                                 .handlers = &net_handlers,
                                                 .arg = w});
}

static int watch(uv_poll_t *poll, struct worker *w, int fd, int events, uv_poll_cb fn)
{
    int err = uv_poll_init(&w->loop, poll, fd);
    poll->data = w;
    return err ? err : uv_poll_start(poll, events, fn);
}

static int open_loop(struct worker *w)
{
    uv_check_init(&w->loop, &w->pass);
    uv_signal_init(&w->loop, &w->term);
    w->pass.data = w;
    w->deadline_us = TIME_NEVER_US;
    w->deadline_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (w->deadline_fd < 0)
        return -errno;
    w->channel_events = UV_READABLE | UV_DISCONNECT;
    int err = watch(&w->deadline_poll, w, w->deadline_fd, UV_READABLE, on_deadline);
    if (!err)
        err = watch(&w->life, w, w->life_fd, UV_READABLE | UV_DISCONNECT, on_life);
    if (!err)
        err = watch(&w->channel_poll, w, chan_fd(w->chan), w->channel_events, on_channel);
    if (!err)
        err = uv_signal_start(&w->term, on_term, SIGTERM);
    return err ? err : uv_check_start(&w->pass, on_pass);
}

static void close_handle(uv_handle_t *h, void *arg)
{
    (void)arg;
    if (!uv_is_closing(h))
        uv_close(h, NULL);
}

static void close_all(struct worker *w)
{
    engine_free(w->engine);
    channel_free(w->channel);
    net_free(w->net);
    uv_walk(&w->loop, close_handle, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    uv_loop_close(&w->loop);
    chan_free(w->chan);
    outbox_free(&w->outbox);
    dtls_cert_free(w->cert);
    for (size_t i = 0; i < PROFILES; i++)
        srtp_tx_free(w->kept[i]);
    counters_free(w->counters);
    trace_free(w->trace);
}

int main(int argc, char **argv)
{
    struct options o;
    log_set_program("althing-worker");
    int exit_code = options_parse(&o, argc, argv, ALTHING_VERSION);
    if (exit_code >= 0)
        return exit_code;
    harden();
    struct worker *w = mem_zalloc(sizeof(*w));
    w->life_fd = o.life;
    w->deadline_fd = -1;
    uv_loop_init(&w->loop);
    int err = open_parts(w, &o);
    if (!err)
        err = open_loop(w);
    if (!err)
        err = warm_up(w);
    if (err) {
        log_error("worker", "cannot start error=%s", strerror(-err));
    } else {
        enter_sandbox();
        uv_run(&w->loop, UV_RUN_DEFAULT);
    }
    close_all(w);
    free(w);
    return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
