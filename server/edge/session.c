/* Engine.IO sessions: opened, pinged, fed, upgraded from polling to WebSocket, ended.
 *
 *   session_new()   open, on its first transport
 *   session_end()   over: nothing is taken from the client any more; what waits may still go out
 *   reap            from a timer, so never inside somebody's call: handlers.closed
 *   session_free()  EDGE_LINGER_US later
 */
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/rand.h"
#include "server/edge/edge_int.h"

static void on_ping(struct timer *t, int64_t now_us, void *arg)
{
    struct edge_session *s = arg;
    if (s->awaiting_pong) {
        s->e->counters.pings_missed++;
        session_end(s, EDGE_TIMEOUT, LWS_CLOSE_STATUS_NORMAL);
        return;
    }
    s->awaiting_pong = true;
    edge_timer_start(s->e, t, now_us + MS_US(s->e->limits.ping_timeout_ms));
    session_send_text(s, "2", 1);
}

static void on_handshake(struct timer *t, int64_t now_us, void *arg)
{
    (void)t, (void)now_us;
    struct edge_session *s = arg;
    s->e->counters.timeouts++;
    session_end(s, EDGE_TIMEOUT, LWS_CLOSE_STATUS_POLICY_VIOLATION);
}

/* Tells the owner. What the session counted for is free again. */
static void reap(struct edge_session *s)
{
    s->reaped = true;
    message_closed(s);
    if (s->connected)
        s->e->handlers.closed(s, s->reason, s->e->arg);
    s->e->counters.sessions_open--;
    limits_drop_session(s->entry);
    s->entry = NULL;
}

static void on_reap(struct timer *t, int64_t now_us, void *arg)
{
    struct edge_session *s = arg;
    if (s->reaped) {
        session_free(s);
        return;
    }
    edge_timer_start(s->e, t, now_us + EDGE_LINGER_US);
    reap(s);
}

int session_admit(struct conn *c, struct lws *wsi, struct limits_entry **entry, int *code)
{
    struct edge *e = c->e;
    char address[80];
    *code = 3;
    if (e->stopping || e->counters.sessions_open >= e->limits.sessions) {
        e->counters.refused_full++;
        return 503;
    }
    request_address(c, wsi, address);
    *entry = limits_take_session(e->by_address, address, clock_now_us());
    if (*entry)
        return 0;
    e->counters.refused_address++;
    return 429;
}

static void describe(struct edge_session *s, struct conn *c, struct lws *wsi)
{
    request_address(c, wsi, s->address);
    request_host(c->e, wsi, s->host);
    char agent[1024];
    request_header(wsi, WSI_TOKEN_HTTP_USER_AGENT, agent, sizeof(agent));
    size_t n = strlen(agent) < sizeof(s->user_agent) ? strlen(agent) : sizeof(s->user_agent) - 1;
    while (n > 0 && n < strlen(agent) && ((uint8_t)agent[n] & 0xc0) == 0x80)
        n--; /* not within a character */
    memcpy(s->user_agent, agent, n);
}

struct edge_session *session_new(struct conn *c, struct lws *wsi, struct limits_entry *entry,
                                 struct edge_query *query, bool polling)
{
    struct edge *e = c->e;
    struct edge_session *s = mem_zalloc(sizeof(*s));
    int64_t now_us = clock_now_us();
    s->e = e;
    s->entry = entry;
    s->query = query;
    rand_token(s->sid, EDGE_ID_LEN);
    rand_token(s->id, EDGE_ID_LEN);
    describe(s, c, wsi);
    queue_init(&s->queue);
    double largest = (double)e->limits.message_bytes;
    bucket_init(&s->messages, e->limits.messages_per_second, e->limits.messages_burst, now_us);
    bucket_init(&s->bytes, (double)e->limits.bytes_per_second, 3 * largest, now_us);
    timer_init(&s->ping, on_ping, s);
    timer_init(&s->handshake, on_handshake, s);
    timer_init(&s->reap, on_reap, s);
    edge_timer_start(e, &s->ping, now_us + MS_US(e->limits.ping_interval_ms));
    edge_timer_start(e, &s->handshake, now_us + MS_US(e->limits.handshake_ms));
    HASH_ADD_STR(e->sessions, sid, s);
    e->counters.sessions++;
    e->counters.sessions_open++;
    if (!polling) {
        s->ws = c;
        c->s = s;
        c->role = CONN_WS;
    }
    return s;
}

struct edge_session *session_find(struct edge *e, const char *sid)
{
    struct edge_session *s;
    HASH_FIND_STR(e->sessions, sid, s);
    return s;
}

size_t session_open_packet(const struct edge_session *s, bool polling, char *out, size_t cap)
{
    const struct edge_limits *l = &s->e->limits;
    int n = snprintf(out, cap,
                     "0{\"sid\":\"%s\",\"upgrades\":[%s],\"pingInterval\":%u,\"pingTimeout\":%u,"
                     "\"maxPayload\":%zu}",
                     s->sid, polling ? "\"websocket\"" : "", l->ping_interval_ms,
                     l->ping_timeout_ms, l->message_bytes);
    return (size_t)n;
}

void session_wake(struct edge_session *s)
{
    conn_wake(s->ws);
    polling_wake(s);
    if (s->ended)
        conn_wake(s->probe);
}

void session_send(struct edge_session *s, struct packet *p)
{
    if (s->ended)
        return;
    size_t max = s->e->limits.queue_bytes;
    if (p->len > max || s->queue.bytes > max - p->len || s->queue.count >= EDGE_QUEUE_MAX) {
        s->e->counters.slow_readers++;
        queue_clear(&s->queue);
        session_end(s, EDGE_PROTOCOL_ERROR, LWS_CLOSE_STATUS_POLICY_VIOLATION);
        if (s->ws) /* it does not read: no use in telling it */
            conn_kill(s->ws);
        return;
    }
    queue_push(&s->queue, p);
    session_wake(s);
}

void session_send_text(struct edge_session *s, const char *text, size_t len)
{
    struct packet *p = packet_new(text, len);
    session_send(s, p);
    packet_drop(p);
}

void session_packet(struct edge_session *s, const struct engineio_packet *p)
{
    if (s->ended)
        return;
    switch (p->type) {
    case ENGINEIO_PONG:
        if (s->awaiting_pong) {
            s->awaiting_pong = false;
            edge_timer_start(s->e, &s->ping, clock_now_us() + MS_US(s->e->limits.ping_interval_ms));
        }
        break;
    case ENGINEIO_MESSAGE:
        message_in(s, p->data, p->len);
        break;
    case ENGINEIO_CLOSE:
        session_end(s, EDGE_TRANSPORT_CLOSED, LWS_CLOSE_STATUS_NORMAL);
        break;
    case ENGINEIO_NOOP:
        break;
    default:
        s->e->counters.refused_protocol++;
        session_end(s, EDGE_PROTOCOL_ERROR, LWS_CLOSE_STATUS_PROTOCOL_ERR);
    }
}

void session_upgraded(struct edge_session *s, struct conn *c)
{
    s->e->counters.upgrades++;
    s->probe = NULL;
    s->probed = false;
    s->ws = c;
    c->role = CONN_WS;
    conn_no_deadline(c);
    session_wake(s);
}

void session_end(struct edge_session *s, enum edge_reason reason, uint16_t close_code)
{
    if (s->ended)
        return;
    log_debug("edge", "session ends id=%s address=%s reason=\"%s\"", s->id, s->address,
              edge_reason_name(reason));
    s->ended = true;
    s->reason = reason;
    s->close_code = close_code;
    edge_timer_stop(s->e, &s->ping);
    edge_timer_stop(s->e, &s->handshake);
    edge_timer_start(s->e, &s->reap, clock_now_us());
    session_wake(s);
}

static void part(struct conn *c)
{
    if (!c)
        return;
    c->s = NULL;
    conn_kill(c);
}

void session_free(struct edge_session *s)
{
    session_end(s, EDGE_STOPPING, 0);
    if (!s->reaped)
        reap(s);
    message_closed(s); /* what `closed` may have asked */
    edge_timer_stop(s->e, &s->reap);
    part(s->ws);
    part(s->probe);
    part(s->poll);
    HASH_DEL(s->e->sessions, s);
    queue_clear(&s->queue);
    free(s->query);
    free(s);
}
