#include "load/run.h"

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/rand.h"
#include "load/gather.h"
#include "load/peer.h"
#include "load/result.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#define TICK_MS        1
#define SETTLED_US     1000000 /* after the last stream came */
#define DRAIN_US       500000
#define LEAVE_US       200000 /* for the goodbyes to arrive */
#define PROGRESS_US    1000000
#define FILES_PER_PEER 3 /* the WebSocket and two transports */
#define FILES_BESIDES  64

enum phase { RAMP, SETTLE, MEASURE, DRAIN, LEAVE };

struct run {
    const struct options *options;
    struct peer_world world;
    struct measure measure;
    struct timers timers;
    uv_loop_t loop;
    uv_timer_t tick;
    uv_signal_t interrupt, terminate;
    struct peer **peers;
    size_t n;       /* that came so far */
    unsigned rooms; /* of this step */
    enum phase phase;
    int64_t phase_us;    /* when it began */
    size_t phase_n;      /* people who were there then */
    int64_t complete_us; /* when all streams were there; 0: not yet */
    int64_t progress_us;
    uint64_t shown_bytes;
    bool interrupted;
    struct sockets_totals begin;
    struct process_tree server;
    struct process_usage server_begin, own_begin;
    struct result result; /* of this step */
    unsigned within;      /* rooms with which all was within the bounds */
    json_t *steps;
    int status;
};

static void set_phase(struct run *r, enum phase to, int64_t now_us)
{
    r->phase = to;
    r->phase_us = now_us;
    r->phase_n = r->n;
    r->complete_us = 0;
}

static size_t wanted(const struct run *r)
{
    return (size_t)r->rooms * r->options->peers;
}

/* ---- people come ---- */

static void add_peer(struct run *r)
{
    const struct options *o = r->options;
    size_t room = r->n / o->peers, place = r->n % o->peers;
    bool sends = place < o->senders;
    struct peer_config c = {.world = &r->world,
                            .number = (unsigned)r->n + 1,
                            .audio = sends && o->audio_bitrate,
                            .video = sends && o->video_bitrate,
                            .audio_bitrate = o->audio_bitrate,
                            .video_bitrate = o->video_bitrate,
                            .fps = o->fps,
                            .packet_bytes = o->packet_bytes,
                            .layers = o->layers,
                            .videos = o->videos,
                            .congestion = o->congestion};
    if (o->rooms == 1)
        snprintf(c.room, sizeof(c.room), "%s", o->target.room);
    else
        snprintf(c.room, sizeof(c.room), "%s-%zu", o->target.room, room + 1);
    peer_new(&r->peers[r->n++], &c);
}

static void ramp(struct run *r, int64_t now_us)
{
    double all = (double)r->options->rooms * r->options->peers;
    double rate = r->options->ramp_s > 0 ? all / r->options->ramp_s : 1e9;
    double due = (double)r->phase_n + 1 + rate * (double)(now_us - r->phase_us) / 1e6;
    while (r->n < wanted(r) && (double)r->n < due)
        add_peer(r);
    if (r->n == wanted(r))
        set_phase(r, SETTLE, now_us);
}

static void say_goodbye(struct run *r, int64_t now_us)
{
    if (!r->result.peers) { /* it ends before it was measured */
        r->result.rooms = r->rooms;
        r->result.measure = &r->measure;
        gather(&r->result, r->peers, r->n);
    }
    for (size_t i = 0; i < r->n; i++)
        peer_leave(r->peers[i]);
    set_phase(r, LEAVE, now_us);
}

/* ---- they settle ---- */

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Streams that are to be received in all, when everybody is in. */
static size_t streams_expected(const struct run *r)
{
    const struct options *o = r->options;
    size_t others_of_sender = (size_t)o->senders - 1, viewers = (size_t)o->peers - o->senders;
    size_t audio = o->senders * others_of_sender + viewers * o->senders;
    size_t video = o->senders * smaller(others_of_sender, o->videos) +
                   viewers * smaller(o->senders, o->videos);
    return r->rooms * ((o->audio_bitrate ? audio : 0) + (o->video_bitrate ? video : 0));
}

static size_t streams_there(const struct run *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        n += peer_sinks(r->peers[i], MEDIA_AUDIO) + peer_sinks(r->peers[i], MEDIA_VIDEO);
    return n;
}

static size_t count_state(const struct run *r, enum peer_state state)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        n += peer_state(r->peers[i]) == state;
    return n;
}

static struct process_usage own_usage(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (struct process_usage){u.ru_utime.tv_sec * 1000000 + u.ru_utime.tv_usec,
                                  u.ru_stime.tv_sec * 1000000 + u.ru_stime.tv_usec,
                                  (uint64_t)u.ru_maxrss * 1024};
}

/* The clock is read anew: what left earlier in this pass has a later stamp than the pass's beginning. */
static void begin_measuring(struct run *r)
{
    int64_t now_us = clock_now_us();
    struct spread join = r->measure.join;
    uint64_t tag = r->measure.tag;
    for (size_t i = 0; i < r->n; i++)
        peer_count_anew(r->peers[i]);
    r->measure =
        (struct measure){.tag = tag, .from_us = now_us, .to_us = TIME_NEVER_US, .join = join};
    r->begin = sockets_totals(r->world.sockets);
    process_find(&r->server, r->options->server_pid);
    r->server_begin = process_usage(&r->server);
    r->own_begin = own_usage();
    set_phase(r, MEASURE, now_us);
}

static void settle(struct run *r, int64_t now_us)
{
    size_t joining = count_state(r, PEER_JOINING), up = count_state(r, PEER_UP);
    if (!joining && !up) {
        say_goodbye(r, now_us);
        return;
    }
    bool complete = !joining && (streams_there(r) >= streams_expected(r) || up < r->n);
    if (complete && !r->complete_us)
        r->complete_us = now_us;
    if ((r->complete_us && now_us - r->complete_us >= SETTLED_US) ||
        now_us - r->phase_us >= RUN_SETTLE_US)
        begin_measuring(r);
}

/* ---- they are measured ---- */

static struct process_usage since(struct process_usage now, const struct process_usage *begin)
{
    now.user_us -= begin->user_us;
    now.system_us -= begin->system_us;
    return now;
}

static struct sockets_totals totals_since(struct sockets_totals now,
                                          const struct sockets_totals *begin)
{
    now.datagrams_in -= begin->datagrams_in;
    now.datagrams_out -= begin->datagrams_out;
    now.bytes_in -= begin->bytes_in;
    now.bytes_out -= begin->bytes_out;
    now.lost_out -= begin->lost_out;
    return now;
}

static void end_measuring(struct run *r)
{
    int64_t now_us = clock_now_us();
    r->measure.to_us = now_us;
    r->result =
        (struct result){.rooms = r->rooms,
                        .streams_expected = streams_expected(r),
                        .seconds = (double)(now_us - r->measure.from_us) / 1e6,
                        .measure = &r->measure,
                        .own = since(own_usage(), &r->own_begin),
                        .server = since(process_usage(&r->server), &r->server_begin),
                        .has_server = r->server.n > 0,
                        .datagrams = totals_since(sockets_totals(r->world.sockets), &r->begin)};
    set_phase(r, DRAIN, now_us);
}

static bool within_bounds(const struct run *r)
{
    const struct options *o = r->options;
    return !r->result.failed && result_loss(&r->result) <= o->until_loss &&
           (double)result_latency_us(&r->result, 95) / 1e6 <= o->until_latency_s;
}

/* One step of --until-loss is over: is there another one? */
static void end_step(struct run *r, int64_t now_us)
{
    const struct options *o = r->options;
    bool within = within_bounds(r);
    if (within)
        r->within = r->rooms;
    printf("%5u rooms %6u people: loss %.3f %%, latency 95 %% %.1f ms%s\n", r->rooms,
           r->result.peers, result_loss(&r->result),
           (double)result_latency_us(&r->result, 95) / 1000, within ? "" : ", over the bound");
    fflush(stdout);
    json_array_append_new(r->steps, result_json(&r->result, o));
    if (!within || r->rooms == o->rooms || r->interrupted) {
        say_goodbye(r, now_us);
        return;
    }
    r->rooms = (unsigned)smaller(r->rooms + o->step, o->rooms);
    set_phase(r, RAMP, now_us);
}

static void end_draining(struct run *r, int64_t now_us)
{
    r->result.all = sockets_totals(r->world.sockets);
    gather(&r->result, r->peers, r->n);
    if (r->options->until_loss >= 0)
        end_step(r, now_us);
    else
        say_goodbye(r, now_us);
}

/* ---- the course ---- */

static void leave(struct run *r)
{
    for (size_t i = 0; i < r->n; i++) {
        peer_free(r->peers[i]);
        r->peers[i] = NULL;
    }
    uv_close((uv_handle_t *)&r->tick, NULL);
    uv_close((uv_handle_t *)&r->interrupt, NULL);
    uv_close((uv_handle_t *)&r->terminate, NULL);
}

static void step(struct run *r, int64_t now_us)
{
    int64_t in_phase_us = now_us - r->phase_us;
    switch (r->phase) {
    case RAMP:
        ramp(r, now_us);
        break;
    case SETTLE:
        settle(r, now_us);
        break;
    case MEASURE:
        if ((double)in_phase_us >= r->options->duration_s * 1e6 || r->interrupted)
            end_measuring(r);
        break;
    case DRAIN:
        if (in_phase_us >= DRAIN_US)
            end_draining(r, now_us);
        break;
    case LEAVE:
        if (in_phase_us >= LEAVE_US)
            leave(r);
        break;
    }
    if (r->interrupted && (r->phase == RAMP || r->phase == SETTLE))
        say_goodbye(r, now_us);
}

static void show_progress(struct run *r, int64_t now_us)
{
    static const char *const names[] = {"coming", "settling", "measuring", "draining", "leaving"};
    if (r->options->quiet || !isatty(STDERR_FILENO) || now_us < r->progress_us)
        return;
    r->progress_us = now_us + PROGRESS_US;
    struct sockets_totals t = sockets_totals(r->world.sockets);
    fprintf(stderr, "\r\033[K%s: %zu of %zu people, %zu failed, %zu of %zu streams, %.1f Mbit/s",
            names[r->phase], count_state(r, PEER_UP), wanted(r), count_state(r, PEER_FAILED),
            streams_there(r), streams_expected(r),
            (double)(t.bytes_in - r->shown_bytes) * 8 / PROGRESS_US);
    r->shown_bytes = t.bytes_in;
    if (r->phase == DRAIN)
        fputs("\r\033[K", stderr);
}

static void on_tick(uv_timer_t *t)
{
    struct run *r = t->data;
    int64_t now_us = clock_now_us();
    sockets_drain(r->world.sockets, now_us);
    timers_run(&r->timers, now_us);
    sockets_flush(r->world.sockets);
    show_progress(r, now_us);
    step(r, now_us);
}

static void on_signal(uv_signal_t *s, int number)
{
    struct run *r = s->data;
    (void)number;
    r->interrupted = true;
}

/* ---- setting up ---- */

static int resolve(struct run *r)
{
    const struct target *t = &r->options->target;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    char port[8];
    snprintf(port, sizeof(port), "%u", t->port);
    int err = getaddrinfo(t->host, port, &hints, &found);
    if (err) {
        fprintf(stderr, "althing-load: %s: %s\n", t->host, gai_strerror(err));
        return EX_NOHOST;
    }
    memcpy(&r->world.address, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return 0;
}

static int raise_files(const struct run *r)
{
    struct rlimit l;
    rlim_t need = (rlim_t)r->options->rooms * r->options->peers * FILES_PER_PEER + FILES_BESIDES;
    if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur < need) {
        l.rlim_cur = need < l.rlim_max ? need : l.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &l);
    }
    if (l.rlim_cur >= need)
        return 0;
    fprintf(stderr, "althing-load: that needs %llu open files, %llu are allowed (ulimit -n)\n",
            (unsigned long long)need, (unsigned long long)l.rlim_cur);
    return EX_OSERR;
}

static int set_up(struct run *r, const char *token)
{
    const struct options *o = r->options;
    int err = resolve(r);
    if (!err)
        err = raise_files(r);
    if (err)
        return err;
    r->world.token = token;
    r->world.target = o->target;
    if (o->target.tls)
        r->world.tls = ws_tls_new(o->insecure);
    if (sockets_new(&r->world.sockets, o->gro) || dtls_cert_new(&r->world.cert) ||
        (o->target.tls && !r->world.tls)) {
        fputs("althing-load: no sockets or no certificate can be made\n", stderr);
        return EX_OSERR;
    }
    return 0;
}

static void start_loop(struct run *r)
{
    uv_loop_init(&r->loop);
    uv_timer_init(&r->loop, &r->tick);
    uv_signal_init(&r->loop, &r->interrupt);
    uv_signal_init(&r->loop, &r->terminate);
    r->tick.data = r->interrupt.data = r->terminate.data = r;
    uv_signal_start_oneshot(&r->interrupt, on_signal, SIGINT);
    uv_signal_start_oneshot(&r->terminate, on_signal, SIGTERM);
    uv_timer_start(&r->tick, on_tick, TICK_MS, TICK_MS);
}

static void tear_down(struct run *r)
{
    sockets_free(r->world.sockets);
    dtls_cert_free(r->world.cert);
    SSL_CTX_free(r->world.tls);
    timers_free(&r->timers);
    json_decref(r->steps);
    free(r->peers);
}

/* ---- the end ---- */

static void write_json(struct run *r)
{
    const struct options *o = r->options;
    json_t *j = result_json(&r->result, o);
    if (o->until_loss >= 0) {
        json_object_set_new(j, "roomsWithinBounds", json_integer(r->within));
        json_object_set(j, "steps", r->steps);
    }
    if (strcmp(o->json, "-") == 0) {
        json_dumpf(j, stdout, JSON_INDENT(2));
        putchar('\n');
    } else if (json_dump_file(j, o->json, JSON_INDENT(2)) < 0) {
        fprintf(stderr, "althing-load: %s cannot be written\n", o->json);
        r->status = EX_CANTCREAT;
    }
    json_decref(j);
}

static int judge(const struct run *r)
{
    const struct result *res = &r->result;
    size_t streams = res->media[MEDIA_AUDIO].streams + res->media[MEDIA_VIDEO].streams;
    if (r->status)
        return r->status;
    if (!res->up) {
        fprintf(stderr, "althing-load: nobody came in: %s\n",
                *res->reason ? res->reason : "interrupted");
        return EX_UNAVAILABLE;
    }
    if (r->options->until_loss < 0 && streams < res->streams_expected)
        fprintf(stderr, "althing-load: %zu streams came of %zu\n", streams, res->streams_expected);
    return res->failed || streams < res->streams_expected;
}

int run(const struct options *o, const char *token)
{
    struct run *r = mem_zalloc(sizeof(*r));
    r->options = o;
    timers_init(&r->timers);
    r->status = set_up(r, token);
    if (!r->status) {
        r->rooms = o->until_loss < 0 || o->step > o->rooms ? o->rooms : o->step;
        r->peers = mem_calloc((size_t)o->rooms * o->peers, sizeof(struct peer *));
        r->measure.from_us = r->measure.to_us = TIME_NEVER_US;
        rand_bytes(&r->measure.tag, sizeof(r->measure.tag));
        r->steps = json_array();
        r->world.loop = &r->loop;
        r->world.timers = &r->timers;
        r->world.measure = &r->measure;
        set_phase(r, RAMP, clock_now_us());
        start_loop(r);
        uv_run(&r->loop, UV_RUN_DEFAULT);
        uv_loop_close(&r->loop);
        if (r->result.seconds > 0)
            result_print(&r->result, o, stdout);
        if (o->json)
            write_json(r);
        r->status = judge(r);
    }
    tear_down(r);
    int status = r->status;
    free(r);
    return status;
}
