#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/rand.h"
#include "server/on.h"
#include "server/room/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FINGERPRINTS_MAX 8
#define MESSAGE_MAX      262144  /* bytes of a data channel's message */
#define SEND_BUFFER      2000000 /* what waits for a browser at most; what is more is lost */

/* ---- what a browser is told of a transport ---- */

static json_t *ice_parameters(const struct transport *t)
{
    return json_pack("{ss, ss, sb}", "usernameFragment", t->ice_ufrag, "password", t->ice_password,
                     "iceLite", 1);
}

/* Priorities: RFC 8445 5.1.2.1, for TCP with the direction preference of RFC 6544 4.2; UDP comes out first. */
static json_t *ice_candidates(const struct media_worker *w)
{
    size_t n;
    const struct handoff_candidate *c = media_worker_candidates(w, &n);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_int_t local = c[i].tcp ? (4 << 13) + 8191 - (json_int_t)i : 65535 - (json_int_t)i;
        json_t *o =
            json_pack("{ss, ss, ss, si, ss, sI}", "ip", c[i].address, "address", c[i].address,
                      "protocol", c[i].tcp ? "tcp" : "udp", "port", (int)c[i].port, "type", "host",
                      "priority", ((json_int_t)126 << 24) + (local << 8) + 255);
        char foundation[32];
        snprintf(foundation, sizeof(foundation), "%s%zu", c[i].tcp ? "tcp" : "udp", i);
        json_object_set_new(o, "foundation", json_string(foundation));
        if (c[i].tcp)
            json_object_set_new(o, "tcpType", json_string("passive"));
        json_array_append_new(list, o);
    }
    return list;
}

static json_t *dtls_parameters(const struct media_worker *w)
{
    size_t n;
    const struct media_fingerprint *f = media_worker_fingerprints(w, &n);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(
            list, json_pack("{ss, ss}", "algorithm", f[i].algorithm, "value", f[i].value));
    return json_pack("{ss, so}", "role", "auto", "fingerprints", list);
}

static json_t *describe(const struct transport *t)
{
    const struct media_worker *w = media_router_worker(t->peer->media);
    return json_pack("{ss, so, so, so, s{si, si, si, si, sb}}", "id", t->obj.id, "iceParameters",
                     ice_parameters(t), "iceCandidates", ice_candidates(w), "dtlsParameters",
                     dtls_parameters(w), "sctpParameters", "port", 5000, "OS", DATA_STREAMS, "MIS",
                     DATA_STREAMS, "maxMessageSize", MESSAGE_MAX, "isDataChannel", 1);
}

/* ---- creating ---- */

static void on_created(uint64_t handle, const char *err, void *arg)
{
    struct hub *h = arg;
    struct transport *t = rooms_transport(&h->rooms, handle);
    if (!t)
        return;
    if (err) {
        hub_refused(h, t->peer, "transport", err);
        on_transport_drop(h, t, err);
        return;
    }
    object_confirm(&t->obj);
    json_t *answer = describe(t);
    hub_answer_waiting(&t->obj, answer, NULL);
    json_decref(answer);
    if (t->direction == DIRECTION_RECV) {
        on_consume_peer(h, t->peer);
        on_data_consume_peer(h, t->peer);
    }
}

static void create_on_worker(struct hub *h, struct transport *t)
{
    rand_token(t->ice_ufrag, 16);
    rand_token(t->ice_password, 32);
    Althing__CreateTransport msg = ALTHING__CREATE_TRANSPORT__INIT;
    msg.router = media_router_handle(t->peer->media);
    msg.transport = t->obj.handle;
    msg.ice_ufrag = t->ice_ufrag;
    msg.ice_password = t->ice_password;
    msg.peer = t->peer->id;
    msg.max_incoming_bitrate = h->settings.max_incoming_bitrate;
    msg.initial_outgoing_bitrate = h->settings.initial_outgoing_bitrate;
    msg.max_outgoing_bitrate = h->settings.max_outgoing_bitrate;
    msg.min_outgoing_bitrate = h->settings.min_outgoing_bitrate;
    if (msg.max_outgoing_bitrate && msg.min_outgoing_bitrate > msg.max_outgoing_bitrate)
        msg.min_outgoing_bitrate = msg.max_outgoing_bitrate;
    Althing__SctpParameters sctp = ALTHING__SCTP_PARAMETERS__INIT;
    sctp.streams = DATA_STREAMS;
    sctp.max_message_size = MESSAGE_MAX;
    sctp.send_buffer_size = SEND_BUFFER;
    msg.sctp = &sctp;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_CREATE_TRANSPORT;
    rq.create_transport = &msg;
    media_request(t->peer->media, &rq, t->obj.handle, on_created, h);
}

void on_create_transport(struct call *c)
{
    struct peer *p = c->peer;
    bool producing = false, consuming = false;
    call_bool(c, "producing", &producing);
    call_bool(c, "consuming", &consuming);
    if (producing == consuming) {
        call_limit(c, "exactly one of producing and consuming must be true");
        return;
    }
    if (!p->media) {
        call_error(c, "noMediaServer");
        return;
    }
    struct transport *t = producing ? p->send : p->recv;
    if (t && t->obj.confirmed) {
        call_ok(c, describe(t));
        return;
    }
    bool is_new = !t;
    if (is_new)
        t = transport_new(p, producing ? DIRECTION_SEND : DIRECTION_RECV,
                          media_handle(c->hub->media), rand_u32());
    if (!object_wait(&t->obj, c->ack)) {
        call_limit(c, "too many repeats");
        return;
    }
    c->answered = true;
    if (is_new)
        create_on_worker(c->hub, t);
}

/* ---- connecting ---- */

/* What the browser said, in one form, so that a repeat can be told from a change. NULL: malformed. The caller frees. */
static char *normal_dtls(const json_t *dtls)
{
    const char *role = json_string_value(json_object_get(dtls, "role"));
    const json_t *prints = json_object_get(dtls, "fingerprints");
    size_t n = json_array_size(prints);
    role = role ? role : "auto";
    if ((strcmp(role, "auto") && strcmp(role, "client") && strcmp(role, "server")) || !n ||
        n > FINGERPRINTS_MAX)
        return NULL;
    json_t *list = json_array();
    size_t i;
    json_t *f;
    json_array_foreach(prints, i, f)
    {
        const char *algorithm = json_string_value(json_object_get(f, "algorithm"));
        const char *value = json_string_value(json_object_get(f, "value"));
        if (!text_id(algorithm, 16) || !text_id(value, 200)) {
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, json_pack("{ss, ss}", "algorithm", algorithm, "value", value));
    }
    json_t *o = json_pack("{ss, so}", "role", role, "fingerprints", list);
    char *text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(o);
    return text;
}

static void connect_on_worker(struct call *c, struct transport *t)
{
    const json_t *dtls = json_object_get(c->data, "dtlsParameters");
    const json_t *list = json_object_get(dtls, "fingerprints");
    const char *role = json_string_value(json_object_get(dtls, "role"));
    Althing__Fingerprint prints[FINGERPRINTS_MAX], *refs[FINGERPRINTS_MAX];
    char *strings[FINGERPRINTS_MAX][2];
    size_t n = json_array_size(list);
    for (size_t i = 0; i < n; i++) {
        const json_t *f = json_array_get(list, i);
        prints[i] = (Althing__Fingerprint)ALTHING__FINGERPRINT__INIT;
        prints[i].algorithm = strings[i][0] =
            mem_strdup(json_string_value(json_object_get(f, "algorithm")));
        prints[i].value = strings[i][1] =
            mem_strdup(json_string_value(json_object_get(f, "value")));
        refs[i] = &prints[i];
    }
    Althing__ConnectTransport msg = ALTHING__CONNECT_TRANSPORT__INIT;
    msg.transport = t->obj.handle;
    msg.remote_role = !role || !strcmp(role, "auto") ? ALTHING__DTLS_ROLE__DTLS_ROLE_AUTO
                      : !strcmp(role, "client")      ? ALTHING__DTLS_ROLE__DTLS_ROLE_CLIENT
                                                     : ALTHING__DTLS_ROLE__DTLS_ROLE_SERVER;
    msg.n_fingerprints = n;
    msg.fingerprints = refs;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_CONNECT_TRANSPORT;
    rq.connect_transport = &msg;
    media_request(t->peer->media, &rq, t->obj.handle, hub_later_reply,
                  hub_later_new(c->hub, c->peer, c->ack, json_object()));
    c->answered = true;
    for (size_t i = 0; i < n; i++) {
        free(strings[i][0]);
        free(strings[i][1]);
    }
}

static struct transport *find(struct call *c)
{
    const char *id = call_string(c, "transportId");
    struct transport *t = id ? peer_transport(c->peer, id) : NULL;
    if (!t || !t->obj.confirmed) {
        call_error(c, "no such transport");
        return NULL;
    }
    object_changed(&t->obj);
    return t;
}

/* The worker takes the same again, so a repeat is sent again: its answer comes when the first one's work is done. */
void on_connect_transport(struct call *c)
{
    struct transport *t = find(c);
    if (!t)
        return;
    char *dtls = normal_dtls(json_object_get(c->data, "dtlsParameters"));
    if (!dtls) {
        call_limit(c, "dtlsParameters are malformed");
    } else if (t->dtls && strcmp(t->dtls, dtls) != 0) {
        call_error(c, "the transport is connected already");
    } else {
        if (!t->asked_us)
            t->asked_us = clock_now_us();
        connect_on_worker(c, t);
        free(t->dtls);
        t->dtls = dtls;
        dtls = NULL;
    }
    free(dtls);
}

void on_restart_ice(struct call *c)
{
    struct transport *t = find(c);
    if (!t)
        return;
    rand_token(t->ice_ufrag, 16);
    rand_token(t->ice_password, 32);
    Althing__RestartIce msg = ALTHING__RESTART_ICE__INIT;
    msg.transport = t->obj.handle;
    msg.ice_ufrag = t->ice_ufrag;
    msg.ice_password = t->ice_password;
    Althing__Request rq = ALTHING__REQUEST__INIT;
    rq.method_case = ALTHING__REQUEST__METHOD_RESTART_ICE;
    rq.restart_ice = &msg;
    json_t *result = json_pack("{so}", "iceParameters", ice_parameters(t));
    media_request(t->peer->media, &rq, t->obj.handle, hub_later_reply,
                  hub_later_new(c->hub, c->peer, c->ack, result));
    c->answered = true;
}

/* ---- closing ---- */

void on_transport_drop(struct hub *h, struct transport *t, const char *why)
{
    on_data_drop_all(t, why);
    while (t->producers)
        on_producer_drop(h, t->producers, why);
    while (t->consumers) {
        struct producer *pr = t->consumers->producer;
        consumer_free(t->consumers);
        on_consume_wanted(h, pr, false);
    }
    if (t->peer->media) {
        Althing__CloseTransport msg = ALTHING__CLOSE_TRANSPORT__INIT;
        msg.transport = t->obj.handle;
        Althing__Request rq = ALTHING__REQUEST__INIT;
        rq.method_case = ALTHING__REQUEST__METHOD_CLOSE_TRANSPORT;
        rq.close_transport = &msg;
        media_request(t->peer->media, &rq, t->obj.handle, NULL, NULL);
    }
    hub_answer_waiting(&t->obj, NULL, why);
    transport_free(t);
}

void on_peer_drop_media(struct hub *h, struct peer *p, const char *why)
{
    if (p->send)
        on_transport_drop(h, p->send, why);
    if (p->recv)
        on_transport_drop(h, p->recv, why);
}
