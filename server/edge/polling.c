/* HTTP long polling (engine.io-protocol 4, "HTTP long-polling"): a GET waits for packets, a POST brings some. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/mem.h"
#include "server/edge/edge_int.h"

#define TEXT_TYPE "text/plain; charset=UTF-8"
#define NO_STORE  "Cache-Control: no-store\r\n"

bool polling_is_path(const char *path, size_t len)
{
    return (len == 11 && memcmp(path, "/socket.io/", 11) == 0) ||
           (len == 10 && memcmp(path, "/socket.io", 10) == 0);
}

static int open_session(struct conn *c, struct lws *wsi, struct edge_query *query)
{
    int code = 0;
    struct limits_entry *entry = NULL;
    int status = session_admit(c, wsi, &entry, &code);
    if (status) {
        free(query);
        return http_engine_error(c, wsi, status, code);
    }
    char open[256];
    struct edge_session *s = session_new(c, wsi, entry, query, true);
    size_t n = session_open_packet(s, true, open, sizeof(open));
    return http_answer(c, wsi, 200, TEXT_TYPE, NO_STORE, open, n);
}

/* libwebsockets does not read while an answer is owed, and would spin on what the client sends then, an end included: so it is told not
 * to look, and the deadline looks whether the client is still there. Nor does it write until it may look again. */
static void poll_begin(struct conn *c, struct lws *wsi, struct edge_session *s)
{
    c->role = CONN_POLL;
    c->s = s;
    s->poll = c;
    lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
    lws_rx_flow_control(wsi, 0);
    conn_deadline(c, EDGE_POLL_CHECK_US);
}

static void poll_over(struct conn *c, struct lws *wsi)
{
    if (c->s && c->s->poll == c)
        c->s->poll = NULL;
    c->s = NULL;
    lws_rx_flow_control(wsi, 1);
}

void polling_wake(struct edge_session *s)
{
    if (!s->poll || !s->poll->wsi)
        return;
    lws_rx_flow_control(s->poll->wsi, 1);
    lws_callback_on_writable(s->poll->wsi);
}

/* The packets that wait, as one body of at most maxPayload bytes (a single larger packet goes alone). */
static int answer_poll(struct conn *c, struct lws *wsi)
{
    struct edge_session *s = c->s;
    size_t len = 0, max = s->e->limits.message_bytes;
    char *body =
        mem_zalloc((s->queue.bytes + s->queue.count < max ? s->queue.bytes + s->queue.count
                                                          : max + s->queue.head->packet->len) +
                   1);
    while (s->queue.head && (len == 0 || len + 1 + s->queue.head->packet->len <= max)) {
        struct packet *p = queue_pop(&s->queue);
        if (len > 0)
            body[len++] = ENGINEIO_SEPARATOR;
        memcpy(body + len, p->text, p->len);
        len += p->len;
        packet_drop(p);
    }
    poll_over(c, wsi);
    int n = http_answer(c, wsi, 200, TEXT_TYPE, NO_STORE, body, len);
    free(body);
    return n;
}

static int answer_text(struct conn *c, struct lws *wsi, const char *text)
{
    poll_over(c, wsi);
    return http_answer(c, wsi, 200, TEXT_TYPE, NO_STORE, text, strlen(text));
}

int polling_writable(struct conn *c, struct lws *wsi)
{
    struct edge_session *s = c->s;
    if (!s)
        return 0;
    if (s->queue.head && !s->ws)
        return answer_poll(c, wsi);
    if (s->ended)
        return answer_text(c, wsi, "1");
    if (s->probed || s->ws)
        return answer_text(c, wsi, "6");
    lws_rx_flow_control(wsi, 0);
    return 0;
}

static int poll_wait(struct conn *c, struct lws *wsi, struct edge_session *s)
{
    if (s->poll) { /* two at once: the client is confused, or there are two */
        s->e->counters.refused_protocol++;
        session_end(s, EDGE_PROTOCOL_ERROR, 0);
        return http_engine_error(c, wsi, 400, 3);
    }
    poll_begin(c, wsi, s);
    return polling_writable(c, wsi);
}

static int post_begin(struct conn *c, struct lws *wsi, struct edge_session *s)
{
    if (s->ended)
        return http_engine_error(c, wsi, 400, 1);
    c->role = CONN_POST; /* the session is looked up again when the body is here */
    free(c->query);
    c->query = mem_zalloc(sizeof(*c->query));
    return request_query(wsi, c->query) ? http_engine_error(c, wsi, 400, 3) : 0;
}

static int session_request(struct conn *c, struct lws *wsi, const char *sid, bool post)
{
    struct edge_session *s = session_find(c->e, sid);
    if (!s)
        return http_engine_error(c, wsi, 400, 1);
    if (s->ws)
        return http_engine_error(c, wsi, 400, 3);
    return post ? post_begin(c, wsi, s) : poll_wait(c, wsi, s);
}

int polling_request(struct conn *c, struct lws *wsi, bool post)
{
    struct edge_query *query = mem_zalloc(sizeof(*query));
    int bad = request_query(wsi, query);
    const char *transport = query_get(query, "transport"), *sid = query_get(query, "sid");
    const char *eio = query_get(query, "EIO");
    int n;
    if (!request_origin_ok(c->e, wsi)) {
        c->e->counters.refused_origin++;
        n = http_engine_error(c, wsi, 403, 4);
    } else if (bad || !transport || strcmp(transport, "polling") != 0) {
        c->e->counters.refused_protocol++;
        n = http_engine_error(c, wsi, 400,
                              bad                                            ? 3
                              : transport && !strcmp(transport, "websocket") ? 3
                                                                             : 0);
    } else if (!eio || strcmp(eio, "4") != 0) {
        c->e->counters.refused_protocol++;
        n = http_engine_error(c, wsi, 400, 5);
    } else if (sid) {
        c->role = CONN_POLL; /* so that the answer may cross origins */
        n = session_request(c, wsi, sid, post);
    } else if (post) {
        n = http_engine_error(c, wsi, 400, 2);
    } else {
        c->role = CONN_POLL;
        return open_session(c, wsi, query);
    }
    free(query);
    return n;
}

static int packets_in(struct edge_session *s, const char *text, size_t len)
{
    struct engineio_packet p;
    int more;
    while (!s->ended && (more = engineio_next(&p, &text, &len)) != 0) {
        if (more < 0)
            return more;
        session_packet(s, &p);
    }
    return 0;
}

int polling_body_done(struct conn *c, struct lws *wsi)
{
    const char *sid = c->query ? query_get(c->query, "sid") : NULL;
    struct edge_session *s = sid ? session_find(c->e, sid) : NULL;
    bool ok = s && !s->ended && !s->ws;
    if (ok && packets_in(s, c->in ? c->in : "", c->in_len)) {
        s->e->counters.refused_protocol++;
        session_end(s, EDGE_PROTOCOL_ERROR, 0);
        ok = false;
    }
    free(c->query);
    c->query = NULL;
    conn_in_reset(c);
    if (!ok)
        return http_engine_error(c, wsi, 400, s ? 3 : 1);
    return http_answer(c, wsi, 200, "text/html; charset=utf-8", NO_STORE, "ok", 2);
}
