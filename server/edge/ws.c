/* WebSocket: as a session's first transport, or as the one it is upgraded to from polling. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/mem.h"
#include "server/edge/edge_int.h"

/* ---- the upgrade request ---- */

/* 0, or the status to answer with and *code. */
static int check(struct conn *c, struct lws *wsi, struct edge_query *query, int *code)
{
    char version[8];
    *code = 3;
    if (request_query(wsi, query))
        return 400;
    const char *transport = query_get(query, "transport"), *eio = query_get(query, "EIO");
    const char *sid = query_get(query, "sid");
    if (strcmp(request_header(wsi, WSI_TOKEN_VERSION, version, sizeof(version)), "13") != 0)
        return 400;
    if (!transport || strcmp(transport, "websocket") != 0) {
        *code = transport && strcmp(transport, "polling") == 0 ? 3 : 0;
        return 400;
    }
    if (!eio || strcmp(eio, "4") != 0) {
        *code = 5;
        return 400;
    }
    if (!sid)
        return session_admit(c, wsi, &c->upgrade_entry, code);
    struct edge_session *s = session_find(c->e, sid);
    if (!s)
        *code = 1;
    return !s || s->ended || s->ws || s->probe ? 400 : 0;
}

static bool is_socket_path(struct lws *wsi)
{
    char path[64];
    request_header(wsi, WSI_TOKEN_GET_URI, path, sizeof(path));
    return polling_is_path(path, strlen(path));
}

/* libwebsockets wants: 0 upgrade, 1 answered already, -1 hang up. */
int ws_confirm(struct conn *c, struct lws *wsi)
{
    int code = 4, status = 403;
    c->e->counters.http_requests++;
    c->wsi = wsi;
    c->role = CONN_IDLE;
    if (lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE) <= 0) /* it has refused another kind itself */
        return -1;
    char upgrade[16];
    request_header(wsi, WSI_TOKEN_UPGRADE, upgrade, sizeof(upgrade));
    if (strcasecmp(upgrade, "websocket") != 0)
        return -1;
    if (!is_socket_path(wsi)) {
        http_error(c, wsi, 404, "Not found\n");
        return -1;
    }
    free(c->query);
    c->query = mem_zalloc(sizeof(*c->query));
    if (!request_origin_ok(c->e, wsi)) {
        c->e->counters.refused_origin++;
    } else {
        status = check(c, wsi, c->query, &code);
        if (status == 400)
            c->e->counters.refused_protocol++;
    }
    if (status == 0)
        return 0;
    http_engine_error(c, wsi, status, code);
    return -1;
}

int ws_established(struct conn *c, struct lws *wsi)
{
    const char *sid = query_get(c->query, "sid");
    c->wsi = wsi;
    conn_no_deadline(c);
    conn_in_reset(c);
    lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
    if (!sid) {
        struct limits_entry *entry = c->upgrade_entry;
        struct edge_query *query = c->query;
        c->upgrade_entry = NULL;
        c->query = NULL;
        char open[256];
        struct edge_session *s = session_new(c, wsi, entry, query, false);
        session_send_text(s, open, session_open_packet(s, false, open, sizeof(open)));
        return 0;
    }
    struct edge_session *s = session_find(c->e, sid);
    if (!s || s->ended || s->ws || s->probe)
        return -1;
    c->role = CONN_PROBE;
    c->s = s;
    s->probe = c;
    conn_deadline(c, MS_US(c->e->limits.handshake_ms));
    free(c->query);
    c->query = NULL;
    return 0;
}

/* ---- frames ---- */

static int refuse(struct conn *c, struct lws *wsi, uint16_t code, uint64_t *counter)
{
    ++*counter;
    if (c->role == CONN_WS && c->s)
        session_end(c->s, EDGE_PROTOCOL_ERROR, code);
    lws_close_reason(wsi, code, NULL, 0);
    return -1;
}

static int probe_packet(struct conn *c, struct lws *wsi, const struct engineio_packet *p)
{
    struct edge_session *s = c->s;
    if (engineio_is_probe(p)) {
        c->probe_pong = true;
        lws_callback_on_writable(wsi);
        return 0;
    }
    if (p->type == ENGINEIO_UPGRADE && s->probed && !s->ended) {
        session_upgraded(s, c);
        return 0;
    }
    return refuse(c, wsi, LWS_CLOSE_STATUS_PROTOCOL_ERR, &c->e->counters.refused_protocol);
}

int ws_receive(struct conn *c, struct lws *wsi, const char *data, size_t len)
{
    struct edge_counters *counters = &c->e->counters;
    struct engineio_packet p;
    if (!c->s || c->s->ended)
        return 0; /* it is being closed */
    if (lws_frame_is_binary(wsi))
        return refuse(c, wsi, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, &counters->refused_protocol);
    size_t rest = lws_remaining_packet_payload(wsi);
    if (rest > c->e->limits.message_bytes || conn_take(c, data, len) ||
        rest > c->e->limits.message_bytes - c->in_len)
        return refuse(c, wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, &counters->refused_size);
    if (rest > 0 || !lws_is_final_fragment(wsi))
        return 0;

    int err = engineio_parse(&p, c->in ? c->in : "", c->in_len);
    if (err)
        return refuse(c, wsi, LWS_CLOSE_STATUS_PROTOCOL_ERR, &counters->refused_protocol);
    if (c->role == CONN_PROBE)
        err = probe_packet(c, wsi, &p);
    else
        session_packet(c->s, &p);
    conn_in_reset(c);
    return err;
}

static int write_text(struct lws *wsi, struct packet *p)
{
    int n = lws_write(wsi, (unsigned char *)p->text, p->len, LWS_WRITE_TEXT);
    return n < 0 ? -1 : 0;
}

static int probe_writable(struct conn *c, struct lws *wsi)
{
    if (!c->probe_pong)
        return 0;
    c->probe_pong = false;
    struct packet *p = packet_new("3probe", 6);
    int err = write_text(wsi, p);
    packet_drop(p);
    c->s->probed = true;
    session_wake(c->s); /* a poll that waits is answered with noop, so that the client can pause */
    return err;
}

int ws_writable(struct conn *c, struct lws *wsi)
{
    struct edge_session *s = c->s;
    if (c->role == CONN_PROBE && s && !s->ended)
        return probe_writable(c, wsi);
    struct packet *p = s && c->role == CONN_WS ? queue_pop(&s->queue) : NULL;
    if (p) {
        int err = write_text(wsi, p);
        packet_drop(p);
        lws_callback_on_writable(wsi);
        return err;
    }
    if (s && !s->ended)
        return 0;
    /* -1 would close it without a close frame, and so would every other timeout than this one. */
    lws_close_reason(wsi, s && s->close_code ? s->close_code : LWS_CLOSE_STATUS_NORMAL, NULL, 0);
    lws_set_timeout(wsi, PENDING_TIMEOUT_HTTP_KEEPALIVE_IDLE, LWS_TO_KILL_ASYNC);
    return 0;
}
