/* althing-server: HTTPS, rooms and what operators see of them, on one loop, without any privilege.
 *
 * It is started by the supervisor with everything it needs open: see proto/handoff.h. In order: no new privileges; the configuration from
 * its descriptor; hub and workers; the edge, the observer and the exporter on the sockets they were given; then it says HANDOFF_READY as soon
 * as a worker answers (or after READY_MS without one), and works until HANDOFF_STOP, SIGTERM or the end of the control socket.
 */
#include "exporter/exporter.h"
#include "lib/chan.h"
#include "lib/clock.h"
#include "lib/log.h"
#include "proto/handoff.h"
#include "server/admin.h"
#include "server/conf/conf.h"
#include "server/edge/edge.h"
#include "server/hub.h"
#include "server/keep.h"
#include "server/on.h"
#include "server/options.h"
#include "server/ortc/ortc.h"
#include "server/view.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#include <uv.h>

#define CONTROL_QUEUE (64 * 1024)
#define TICK_MS       250
#define READY_MS      3000
#define STOP_MS       500 /* for the last words to browsers */

struct server {
    uv_loop_t loop;
    struct conf *conf;
    struct hub hub;
    struct media *media;
    struct edge *edge;
    struct watch watch;
    struct admin admin;
    struct exporter *exporter[LISTEN_MAX];
    struct view views[LISTEN_MAX];
    size_t n_views;
    struct store *store;
    struct keep *keep;
    bool held; /* nobody is let in yet */
    char client_config[512];
    struct chan *control;
    uv_poll_t control_poll;
    uv_signal_t sigterm, sigint;
    uv_timer_t tick, stop;
    int64_t started_us;
    bool ready, stopping;
};

/* ---- the end ---- */

static void stop_now(uv_timer_t *t)
{
    struct server *s = t->data;
    uv_stop(&s->loop);
}

/* Browsers are not sent away: they come back to the next start. */
static void stop_soon(struct server *s, const char *why)
{
    if (s->stopping)
        return;
    s->stopping = true;
    s->hub.ending = true;
    log_info("server", "stops reason=\"%s\"", why);
    uv_poll_stop(&s->control_poll);
    if (s->edge)
        edge_stop(s->edge);
    uv_timer_start(&s->stop, stop_now, STOP_MS, 0);
}

static void on_signal(uv_signal_t *sig, int number)
{
    stop_soon(sig->data, number == SIGTERM ? "SIGTERM" : "SIGINT");
}

/* ---- the supervisor ---- */

static void say(struct server *s, enum handoff_kind kind, uint32_t index, uint64_t generation)
{
    struct handoff h = {
        .version = HANDOFF_VERSION, .kind = kind, .index = index, .generation = generation};
    if (chan_send(s->control, &h, sizeof(h)))
        stop_soon(s, "the supervisor does not read");
}

static void on_worker_bad(uint32_t index, uint64_t generation, const char *why, void *hub)
{
    struct server *s = (struct server *)((char *)hub - offsetof(struct server, hub));
    log_error("server", "worker breaks the contract index=%u generation=%llu reason=\"%s\"", index,
              (unsigned long long)generation, why);
    if (!s->stopping)
        say(s, HANDOFF_WORKER_BAD, index, generation);
}

/* ---- the configuration, read again ---- */

/* Who may order something, beside root and ourselves. */
static gid_t admin_group(const char *name)
{
    const struct group *g = name ? getgrnam(name) : NULL;
    if (name && !g)
        log_error("server", "observer.adminGroup: there is no such group name=%.64s", name);
    return g ? g->gr_gid : (gid_t)-1;
}

/* Takes over what can be changed; what is the same as before stays as it is now, also when an administrator has changed it since. */
static void apply(struct server *s, const struct conf *fresh)
{
    json_t *changed = json_array();
    size_t i;
    const json_t *key;
    enum log_level level;
    conf_take(s->conf, fresh, changed, NULL);
    const struct conf *c = s->conf;
    json_array_foreach(changed, i, key)
    {
        if (!strcmp(json_string_value(key), "logLevel") &&
            !log_level_from_name(c->log_level, &level)) {
            log_set_level(level);
            admin_log_changed(&s->hub);
        }
    }
    json_decref(changed);
    s->hub.settings.peers_per_room = c->max_users_per_room;
    s->hub.settings.max_incoming_bitrate = c->max_incoming_bitrate;
    s->hub.settings.min_outgoing_bitrate = c->min_available_outgoing_bitrate;
    s->hub.settings.max_outgoing_bitrate = c->max_outgoing_bitrate;
    if (s->watch.observer)
        observer_set_admin_group(s->watch.observer, admin_group(c->observer_admin_group));
}

static bool ask_reload(void *arg)
{
    struct server *s = arg;
    if (!s->stopping)
        say(s, HANDOFF_RELOAD, 0, 0);
    return !s->stopping;
}

/* fds: the report, and unless that tells of an error the configuration. */
static void on_config(struct server *s, const int *fds, size_t n_fds)
{
    struct conf *fresh = NULL;
    char err[CONF_ERROR_MAX] = "";
    json_t *report = lseek(fds[0], 0, SEEK_SET) < 0 ? NULL : json_loadfd(fds[0], 0, NULL);
    if (n_fds == 2 && conf_from_fd(&fresh, fds[1], err) == 0) {
        apply(s, fresh);
        log_info("server", "the configuration was read again");
    } else if (n_fds == 2) {
        log_error("server", "%s", err);
    }
    conf_free(fresh);
    if (s->watch.observer)
        admin_reloaded(&s->admin, report);
    else
        json_decref(report);
}

/* Browsers that come before the rooms' workers are back would find rooms without media. */
static void open_if_settled(struct server *s)
{
    if (!s->held || media_awaits(s->media))
        return;
    s->held = false;
    edge_go_on(s->edge);
}

static void on_worker_ready(void *hub)
{
    struct server *s = (struct server *)((char *)hub - offsetof(struct server, hub));
    on_worker_up(hub);
    open_if_settled(s);
}

static void on_handoff(struct server *s, const struct handoff *h, int *fds, size_t n_fds)
{
    if (h->kind == HANDOFF_WORKER_UP && n_fds == 2) {
        int err = media_worker_up(s->media, h, fds[0], fds[1]);
        if (err)
            log_error("server", "worker cannot be taken index=%u error=\"%s\"", h->index,
                      strerror(-err));
        return;
    }
    if (h->kind == HANDOFF_CONFIG && n_fds)
        on_config(s, fds, n_fds);
    for (size_t i = 0; i < n_fds; i++)
        close(fds[i]);
    if (h->kind == HANDOFF_WORKER_DOWN)
        media_worker_down(s->media, h->generation);
    else if (h->kind == HANDOFF_STOP)
        stop_soon(s, "the supervisor says so");
}

static void on_control(uv_poll_t *poll, int status, int events)
{
    struct server *s = poll->data;
    (void)events;
    (void)status;
    while (!s->stopping) {
        struct handoff h;
        int fds[CHAN_FDS_MAX];
        size_t n_fds = 0;
        ssize_t n = chan_recv(s->control, &h, sizeof(h), fds, &n_fds);
        if (n == 0)
            break;
        if (n < 0) {
            stop_soon(s, "the supervisor is gone");
        } else if (n == sizeof(h) && h.version == HANDOFF_VERSION) {
            on_handoff(s, &h, fds, n_fds);
        } else {
            for (size_t i = 0; i < n_fds; i++)
                close(fds[i]);
        }
    }
}

static void on_tick(uv_timer_t *t)
{
    struct server *s = t->data;
    int64_t now = clock_now_us();
    if (s->stopping)
        return;
    if (chan_flush(s->control))
        stop_soon(s, "the supervisor is gone");
    hub_tick(&s->hub, now);
    open_if_settled(s);
    if (s->keep)
        keep_tick(s->keep);
    if (!s->ready && (media_ready(s->media) || now - s->started_us > MS_US(READY_MS))) {
        s->ready = true;
        say(s, HANDOFF_READY, 0, 0);
    }
}

/* ---- the start ---- */

/* A browser knows better than we on which port it found us: there may be a proxy in between. */
static void write_client_config(struct server *s)
{
    snprintf(s->client_config, sizeof(s->client_config),
             "// Made by althing-server.\n"
             "var config = {\n"
             "    productionPort: Number(window.location.port) || 443,\n"
             "    developmentPort: Number(window.location.port) || 443,\n"
             "    loginEnabled: false,\n"
             "    p2penabled: %s,\n"
             "    transcriptionEnabled: false,\n"
             "    simulcast: true,\n"
             "    simulcastSharing: true,\n"
             "    askForMediaOnJoin: true\n"
             "};\n",
             s->conf->p2p ? "true" : "false");
}

static int start_edge(struct server *s, const struct options *o)
{
    const struct conf *c = s->conf;
    struct edge_config e;
    edge_config_defaults(&e);
    e.https_fds = o->listen.https;
    e.n_https_fds = o->listen.n_https;
    e.redirect_fds = o->listen.redirect;
    e.n_redirect_fds = o->listen.n_redirect;
    e.tls_cert = c->http_only ? NULL : c->tls_cert_pem;
    e.tls_key = c->http_only ? NULL : c->tls_key_pem;
    e.trust_proxy = c->trust_proxy;
    e.public_port = c->listening_port;
    e.static_folder = c->client_path;
    e.origins = (const char *const *)c->allowed_origins.items;
    e.n_origins = c->allowed_origins.n;
    write_client_config(s);
    e.config_js = s->client_config;
    struct edge_handlers handlers;
    hub_edge_handlers(&handlers);
    int err = edge_new(&s->edge, &s->loop, &e, &handlers, &s->hub);
    s->hub.edge = s->edge;
    return err;
}

static int start_watch(struct server *s, const struct listeners *l)
{
    const struct observer_settings settings = {
        .release = ALTHING_VERSION, .admin_group = admin_group(s->conf->observer_admin_group)};
    struct observer_admin orders;
    if (!l->n_observer)
        return 0;
    admin_init(&s->admin, &s->hub, &s->watch, ask_reload, s);
    admin_orders(&s->admin, &orders);
    int err = watch_start(&s->watch, &s->loop, &s->hub, &settings, &orders);
    for (size_t i = 0; !err && i < l->n_observer; i++)
        err = observer_listen(s->watch.observer, l->observer[i]);
    return err;
}

static int start_views(struct server *s, const struct listeners *l)
{
    const struct conf *c = s->conf;
    const struct exporter_config config = {
        .deidentify = c->prometheus_deidentify,
        .numeric = c->prometheus_numeric,
        .quiet = c->prometheus_quiet,
        .max_streams = c->prometheus_max_streams,
        .max_rooms = c->prometheus_max_rooms,
        .token = c->prometheus_token,
        .tls_cert = c->prometheus_cert_pem,
        .tls_key = c->prometheus_key_pem,
        .version = ALTHING_VERSION,
    };
    for (size_t i = 0; i < l->n_metrics; i++) {
        struct exporter_source source;
        view_exporter_source(&s->views[s->n_views++], &s->hub, &source);
        int err = exporter_new(&s->exporter[i], &s->loop, l->metrics[i], &config, &source);
        if (err)
            return err;
    }
    return start_watch(s, l);
}

static int start_hub(struct server *s, uint64_t epoch)
{
    struct hub_settings settings = {
        .peers_per_room = s->conf->max_users_per_room,
        .max_active_videos = s->conf->max_active_videos,
        .default_perms = PERM_DEFAULT,
        .locked = s->conf->rooms_locked,
        .chat = s->conf->rooms_chat,
        .files = s->conf->rooms_files,
        .raise_hand = s->conf->rooms_hands,
        .reactions = s->conf->rooms_reactions,
        .recording = s->conf->rooms_recording,
        .breakouts = s->conf->rooms_breakouts,
        .p2p = s->conf->p2p,
        .tracker = s->conf->tracker,
        .max_file_size = s->conf->max_file_size,
        .max_incoming_bitrate = s->conf->max_incoming_bitrate,
        .initial_outgoing_bitrate = s->conf->initial_available_outgoing_bitrate,
        .min_outgoing_bitrate = s->conf->min_available_outgoing_bitrate,
        .max_outgoing_bitrate = s->conf->max_outgoing_bitrate,
    };
    struct ortc_error error;
    json_t *caps = ortc_router_capabilities(s->conf->media_codecs, &error);
    if (!caps)
        return -EINVAL;
    hub_init(&s->hub, &settings, caps);
    struct media_handlers handlers;
    hub_media_handlers(&handlers);
    handlers.worker_bad = on_worker_bad;
    handlers.worker_up = on_worker_ready;
    int err = media_new(&s->media, &s->loop, epoch, &handlers, &s->hub);
    s->hub.media = s->media;
    if (!err)
        media_set_bounds(s->media, &(struct media_bounds){.peers = s->conf->worker_max_peers,
                                                          .streams = s->conf->worker_max_streams});
    return err;
}

/* Without a store the meetings still work; they only do not outlive the server. */
static void start_keep(struct server *s)
{
    const char *where = s->conf->store, *why = NULL;
    char host[256] = "";
    if (!where)
        return;
    if (store_open(&s->store, &s->loop, where, &why)) {
        log_error("server",
                  "store cannot be opened, rooms do not outlive the server store=%s error=\"%s\"",
                  where, why);
        s->store = NULL;
        return;
    }
    gethostname(host, sizeof(host) - 1);
    const char *name = s->conf->store_name ? s->conf->store_name : host;
    int err = keep_new(&s->keep, &s->hub, s->store, &s->loop, name, clock_now_us());
    if (err) {
        log_error("server", "rooms cannot be kept name=\"%s\" error=\"%s\"", name, strerror(-err));
        s->keep = NULL;
    }
}

static int start_control(struct server *s, int fd)
{
    int err = chan_new(&s->control, fd, CONTROL_QUEUE);
    if (err)
        return err;
    uv_poll_init(&s->loop, &s->control_poll, chan_fd(s->control));
    uv_signal_init(&s->loop, &s->sigterm);
    uv_signal_init(&s->loop, &s->sigint);
    uv_timer_init(&s->loop, &s->tick);
    uv_timer_init(&s->loop, &s->stop);
    s->control_poll.data = s->sigterm.data = s->sigint.data = s->tick.data = s->stop.data = s;
    uv_signal_start(&s->sigterm, on_signal, SIGTERM);
    uv_signal_start(&s->sigint, on_signal, SIGINT);
    return 0;
}

/* Not earlier: an edge that fails runs the loop to close its handles, and nobody may be told then that we are ready. */
static int start_talking(struct server *s)
{
    s->started_us = clock_now_us();
    uv_timer_start(&s->tick, on_tick, 0, TICK_MS);
    return uv_poll_start(&s->control_poll, UV_READABLE, on_control);
}

static int start(struct server *s, const struct options *o)
{
    struct {
        const char *what;
        int err;
    } step = {"control", start_control(s, o->control_fd)};
    if (!step.err) {
        step.what = "rooms";
        step.err = start_hub(s, o->epoch);
    }
    if (!step.err) {
        step.what = "https";
        step.err = start_edge(s, o);
    }
    if (!step.err) {
        step.what = "observer or exporter";
        step.err = start_views(s, &o->listen);
    }
    if (!step.err) {
        start_keep(s); /* who watches hears of what is restored */
        s->held = media_awaits(s->media);
        if (s->held)
            edge_hold(s->edge);
    }
    if (!step.err) {
        step.what = "control";
        step.err = start_talking(s);
    }
    if (step.err)
        log_error("server", "cannot start %s error=\"%s\"", step.what, strerror(-step.err));
    return step.err;
}

/* The supervisor does not try a configuration again that cannot work: its certificate, its folder. */
static int exit_status(int err)
{
    return err == -EINVAL || err == -EFBIG ? EX_CONFIG : err ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void close_handle(uv_handle_t *h, void *arg)
{
    (void)arg;
    if (!uv_is_closing(h))
        uv_close(h, NULL);
}

static void end(struct server *s)
{
    s->stopping = true;
    for (size_t i = 0; i < LISTEN_MAX; i++) {
        exporter_free(s->exporter[i]);
    }
    watch_stop(&s->watch);
    s->hub.edge = NULL;
    edge_free(s->edge);
    keep_free(s->keep);
    store_close(s->store);
    media_free(s->media);
    s->hub.media = NULL;
    hub_free(&s->hub);
    uv_run(&s->loop, UV_RUN_NOWAIT);
    uv_walk(&s->loop, close_handle, NULL);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    uv_loop_close(&s->loop);
    chan_free(s->control);
    conf_free(s->conf);
}

int main(int argc, char **argv)
{
    struct options o;
    int done = options_read(&o, argc, argv);
    if (done)
        return done - 1;
    log_set_program("althing-server");
    signal(SIGPIPE, SIG_IGN);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
        log_error("server", "cannot give up privileges error=\"%s\"", strerror(errno));
        return 1;
    }
    static struct server s;
    char err[CONF_ERROR_MAX];
    if (conf_from_fd(&s.conf, o.config_fd, err)) {
        log_error("server", "%s", err);
        return EX_CONFIG;
    }
    close(o.config_fd);
    enum log_level level;
    if (!log_level_from_name(s.conf->log_level, &level))
        log_set_level(level);
    uv_loop_init(&s.loop);
    int failed = start(&s, &o);
    if (!failed)
        uv_run(&s.loop, UV_RUN_DEFAULT);
    end(&s);
    return exit_status(failed);
}
