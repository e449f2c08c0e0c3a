/* Socket.IO over a session: the connect, events and their acks, requests of our own; and what edge.h offers of it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "lib/clock.h"
#include "lib/mem.h"
#include "server/edge/edge_int.h"
#include "server/edge/json_in.h"

/* ---- sending ---- */

struct text {
    char *bytes;
    size_t len, cap;
};

static int text_add(const char *bytes, size_t len, void *arg)
{
    struct text *t = arg;
    if (t->len + len > t->cap) {
        t->cap = 2 * (t->len + len) + 256;
        t->bytes = mem_realloc(t->bytes, t->cap, 1);
    }
    memcpy(t->bytes + t->len, bytes, len);
    t->len += len;
    return 0;
}

/* `["request",{"method":...,"data":...}]` into t; steals data. */
static void event_text(struct text *t, const char *event, const char *method, json_t *data)
{
    json_t *json =
        json_pack("[s,{s:s,s:o}]", event, "method", method, "data", data ? data : json_object());
    if (json)
        json_dump_callback(json, text_add, t, JSON_COMPACT);
    else
        log_error("edge", "a message cannot be written method=%s", method);
    json_decref(json);
}

static struct packet *packet_of(enum socketio_type type, const uint64_t *ack, const char *text,
                                size_t len)
{
    char head[SOCKETIO_HEAD_MAX];
    size_t n = socketio_head(head, type, ack);
    struct packet *p = packet_alloc(n + len);
    memcpy(p->text, head, n);
    memcpy(p->text + n, text, len);
    return p;
}

static void send_message(struct edge_session *s, struct packet *p)
{
    if (!s->ended) {
        s->e->counters.messages_out++;
        s->e->counters.bytes_out += p->len;
    }
    session_send(s, p);
}

void edge_notify_many(struct edge_session *const *sessions, size_t n, const char *method,
                      json_t *data)
{
    struct text t = {0};
    event_text(&t, "notification", method, data);
    struct packet *p = packet_of(SOCKETIO_EVENT, NULL, t.bytes ? t.bytes : "", t.len);
    for (size_t i = 0; t.len > 0 && i < n; i++)
        send_message(sessions[i], p);
    packet_drop(p);
    free(t.bytes);
}

void edge_notify(struct edge_session *s, const char *method, json_t *data)
{
    edge_notify_many(&s, 1, method, data);
}

/* Steals args. */
static void send_ack(struct edge_session *s, uint64_t ack, json_t *args)
{
    struct text t = {0};
    if (args && json_dump_callback(args, text_add, &t, JSON_COMPACT) == 0) {
        struct packet *p = packet_of(SOCKETIO_ACK, &ack, t.bytes, t.len);
        send_message(s, p);
        packet_drop(p);
    }
    json_decref(args);
    free(t.bytes);
}

void edge_reply(struct edge_session *s, uint64_t ack, json_t *result)
{
    send_ack(s, ack, json_pack("[n,o]", result ? result : json_object()));
}

void edge_reply_error(struct edge_session *s, uint64_t ack, const char *text)
{
    send_ack(s, ack, json_pack("[s,n]", text && *text ? text : "Server error"));
}

void edge_disconnect(struct edge_session *s, const char *why)
{
    if (s->ended)
        return;
    log_info("edge", "session sent away id=%s address=%s why=\"%s\"", s->id, s->address, why);
    session_send_text(s, "41", 2);
    session_end(s, EDGE_KICKED, LWS_CLOSE_STATUS_NORMAL);
}

/* ---- requests of our own ---- */

static void pending_free(struct pending *q)
{
    struct edge_session *s = q->s;
    edge_timer_stop(s->e, &q->timer);
    DL_DELETE(s->pendings, q);
    s->n_pendings--;
    free(q->text);
    free(q);
}

static void pending_answer(struct pending *q, const char *err, const json_t *result)
{
    struct edge_session *s = q->s;
    edge_answer_f *fn = q->fn;
    void *arg = q->arg;
    pending_free(q);
    if (fn)
        fn(s, err, result, arg);
}

static void pending_try(struct pending *q)
{
    struct edge_session *s = q->s;
    uint64_t ack = s->next_ack++;
    q->acks[q->tries++] = ack;
    struct packet *p = packet_of(SOCKETIO_EVENT, &ack, q->text, strlen(q->text));
    edge_timer_start(s->e, &q->timer, clock_now_us() + MS_US(s->e->limits.request_timeout_ms));
    send_message(s, p);
    packet_drop(p);
}

static void on_pending(struct timer *t, int64_t now_us, void *arg)
{
    (void)t, (void)now_us;
    struct pending *q = arg;
    if (!q->failure && q->tries >= q->s->e->limits.request_tries)
        q->failure = "timeout";
    if (q->failure)
        pending_answer(q, q->failure, NULL);
    else
        pending_try(q);
}

void edge_request(struct edge_session *s, const char *method, json_t *data, edge_answer_f *fn,
                  void *arg)
{
    struct text t = {0};
    struct pending *q = mem_zalloc(sizeof(*q));
    event_text(&t, "request", method, data);
    text_add("", 1, &t);
    q->text = t.bytes;
    q->s = s;
    q->fn = fn;
    q->arg = arg;
    timer_init(&q->timer, on_pending, q);
    q->failure = s->ended ? "closed" : s->n_pendings >= EDGE_PENDING_MAX ? "busy" : NULL;
    DL_APPEND(s->pendings, q);
    s->n_pendings++;
    if (q->failure)
        edge_timer_start(s->e, &q->timer, clock_now_us());
    else
        pending_try(q);
}

void message_closed(struct edge_session *s)
{
    while (s->pendings)
        pending_answer(s->pendings, "closed", NULL);
}

static struct pending *pending_find(struct edge_session *s, uint64_t ack)
{
    struct pending *q;
    DL_FOREACH (s->pendings, q)
        for (unsigned i = 0; i < q->tries; i++)
            if (q->acks[i] == ack)
                return q;
    return NULL;
}

/* ---- receiving ---- */

static void wrong(struct edge_session *s, uint64_t *counter)
{
    ++*counter;
    session_end(s, EDGE_PROTOCOL_ERROR, LWS_CLOSE_STATUS_PROTOCOL_ERR);
}

/* A message that cannot be taken: the client is told, and sent away if it goes on so. */
static void refuse(struct edge_session *s, const struct socketio_packet *p, const char *why,
                   uint64_t *counter)
{
    ++*counter;
    if (p->type == SOCKETIO_EVENT && p->has_ack)
        edge_reply_error(s, p->ack, why);
    if (++s->strikes < EDGE_STRIKES_MAX)
        return;
    session_send_text(s, "41", 2);
    session_end(s, EDGE_PROTOCOL_ERROR, LWS_CLOSE_STATUS_POLICY_VIOLATION);
}

static void connect_in(struct edge_session *s, const struct socketio_packet *p)
{
    char text[256];
    if (p->nsp) {
        int n = snprintf(text, sizeof(text), "44%.*s,{\"message\":\"Invalid namespace\"}",
                         (int)(p->nsp_len < 100 ? p->nsp_len : 100), p->nsp);
        refuse(s, p, "", &s->e->counters.refused_protocol);
        session_send_text(s, text, (size_t)n);
        return;
    }
    if (s->connected)
        return;
    s->connected = true;
    edge_timer_stop(s->e, &s->handshake);
    int n = snprintf(text, sizeof(text), "40{\"sid\":\"%s\"}", s->id);
    session_send_text(s, text, (size_t)n);
    struct edge_query *query = s->query;
    s->query = NULL;
    s->e->handlers.connect(s, query, s->e->arg);
    free(query);
}

static void event_in(struct edge_session *s, const struct socketio_packet *p, const json_t *args)
{
    const struct edge_handlers *h = &s->e->handlers;
    const char *event = json_string_value(json_array_get(args, 0));
    const json_t *body = json_array_get(args, 1);
    const char *method = json_string_value(json_object_get(body, "method"));
    bool request = event && strcmp(event, "request") == 0;
    bool notification = event && strcmp(event, "notification") == 0;
    if (!method || !(request || notification) || request != p->has_ack) {
        refuse(s, p, "malformed message", &s->e->counters.refused_protocol);
        return;
    }
    json_t *data = json_object_get(body, "data"), *none = NULL;
    if (!data)
        data = none = json_object();
    if (request)
        h->request(s, method, data, p->ack, s->e->arg);
    else
        h->notification(s, method, data, s->e->arg);
    json_decref(none);
}

static void ack_in(struct edge_session *s, const struct socketio_packet *p, const json_t *args)
{
    struct pending *q = pending_find(s, p->ack);
    if (!q)
        return; /* late, or never asked */
    const json_t *err = json_array_get(args, 0), *result = json_array_get(args, 1);
    if (err && !json_is_null(err)) {
        char text[256];
        const char *string = json_string_value(err);
        snprintf(text, sizeof(text), "%s", string && *string ? string : "refused");
        pending_answer(q, text, NULL);
        return;
    }
    json_t *none = result ? NULL : json_object();
    pending_answer(q, NULL, result ? result : none);
    json_decref(none);
}

static bool within_rate(struct edge_session *s, size_t len)
{
    int64_t now_us = clock_now_us();
    bool message = bucket_take(&s->messages, 1, now_us);
    return bucket_take(&s->bytes, (double)len, now_us) && message;
}

static void json_packet(struct edge_session *s, const struct socketio_packet *p)
{
    const char *why;
    json_t *args = json_in(p->json, p->json_len, s->e->limits.json_depth, &why);
    if (!args) {
        refuse(s, p, why, &s->e->counters.refused_json);
        return;
    }
    if (p->type == SOCKETIO_EVENT)
        event_in(s, p, args);
    else
        ack_in(s, p, args);
    json_decref(args);
}

void message_in(struct edge_session *s, const char *text, size_t len)
{
    struct edge_counters *counters = &s->e->counters;
    struct socketio_packet p;
    counters->messages_in++;
    counters->bytes_in += len;
    if (socketio_parse(&p, text, len)) {
        wrong(s, &counters->refused_protocol);
        return;
    }
    if (!within_rate(s, len)) {
        refuse(s, &p, "too many requests", &counters->refused_rate);
        return;
    }
    if (p.type == SOCKETIO_CONNECT) {
        connect_in(s, &p);
        return;
    }
    if (!s->connected || p.nsp || p.type == SOCKETIO_CONNECT_ERROR)
        wrong(s, &counters->refused_protocol);
    else if (p.type == SOCKETIO_DISCONNECT)
        session_end(s, EDGE_CLIENT_LEFT, LWS_CLOSE_STATUS_NORMAL);
    else
        json_packet(s, &p);
}

/* ---- what edge.h tells of a session ---- */

const char *edge_query_get(const struct edge_query *q, const char *name)
{
    return query_get(q, name);
}

const char *edge_session_address(const struct edge_session *s)
{
    return s->address;
}

const char *edge_session_user_agent(const struct edge_session *s)
{
    return s->user_agent;
}

const char *edge_session_host(const struct edge_session *s)
{
    return s->host;
}

void edge_session_set_user(struct edge_session *s, void *user)
{
    s->user = user;
}

void *edge_session_user(const struct edge_session *s)
{
    return s->user;
}
