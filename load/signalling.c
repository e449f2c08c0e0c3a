#include "load/signalling.h"

#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/mem.h"
#include "lib/rand.h"
#include "load/packet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pending {
    int64_t id; /* -1: free */
    int64_t due_us;
    const char *method;
    signalling_answer_f *fn;
    void *arg;
};

struct signalling {
    struct ws *ws;
    const struct signalling_handlers *handlers;
    void *arg;
    bool connected; /* to the namespace */
    bool ended;     /* `closed` was told */
    int64_t next_id;
    struct pending pending[SIGNALLING_PENDING_MAX];
};

static void end(struct signalling *s, const char *reason)
{
    if (s->ended)
        return;
    s->ended = true;
    s->handlers->closed(reason, s->arg);
}

static void send_text(struct signalling *s, const char *prefix, int64_t id, json_t *body)
{
    char head[32] = "";
    char *json = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
    int n = id < 0 ? snprintf(head, sizeof(head), "%s", prefix)
                   : snprintf(head, sizeof(head), "%s%lld", prefix, (long long)id);
    size_t len = strlen(json);
    char *text = mem_zalloc((size_t)n + len + 1);
    memcpy(text, head, (size_t)n);
    memcpy(text + n, json, len);
    ws_send(s->ws, text, (size_t)n + len);
    free(text);
    free(json);
    json_decref(body);
}

static json_t *message(const char *event, const char *method, json_t *data)
{
    return json_pack("[s, {s:s, s:o}]", event, "method", method, "data",
                     data ? data : json_object());
}

static struct pending *find(struct signalling *s, int64_t id)
{
    for (size_t i = 0; i < SIGNALLING_PENDING_MAX; i++)
        if (s->pending[i].id == id)
            return &s->pending[i];
    return NULL;
}

void signalling_ask(struct signalling *s, const char *method, json_t *data, signalling_answer_f *fn,
                    void *arg)
{
    struct pending *p = find(s, -1);
    if (!p) {
        json_decref(data);
        return;
    }
    *p = (struct pending){s->next_id++, clock_now_us() + SIGNALLING_TIMEOUT_US, method, fn, arg};
    send_text(s, "42", p->id, message("request", method, data));
}

void signalling_tell(struct signalling *s, const char *method, json_t *data)
{
    send_text(s, "42", -1, message("notification", method, data));
}

void signalling_check(struct signalling *s, int64_t now_us)
{
    char text[120];
    for (size_t i = 0; i < SIGNALLING_PENDING_MAX && !s->ended; i++) {
        const struct pending *p = &s->pending[i];
        if (p->id < 0 || p->due_us > now_us)
            continue;
        snprintf(text, sizeof(text), "no answer to %s", p->method);
        end(s, text);
    }
}

/* ---- what comes ---- */

static void take_event(struct signalling *s, int64_t id, const json_t *event)
{
    const char *kind = json_string_value(json_array_get(event, 0));
    const json_t *what = json_array_get(event, 1);
    const char *method = json_string_value(json_object_get(what, "method"));
    const json_t *data = json_object_get(what, "data");
    if (!kind || !method)
        return;
    if (strcmp(kind, "notification") == 0) {
        s->handlers->told(method, data, s->arg);
    } else if (strcmp(kind, "request") == 0 && id >= 0) {
        json_t *answer = s->handlers->asked(method, data, s->arg);
        send_text(s, "43", id,
                  answer ? json_pack("[n, o]", answer)
                         : json_pack("[s, n]", "this client does not do that"));
    }
}

static void take_ack(struct signalling *s, int64_t id, const json_t *ack)
{
    struct pending *p = find(s, id);
    char text[200];
    if (!p)
        return;
    struct pending done = *p;
    p->id = -1;
    const json_t *error = json_array_get(ack, 0);
    const char *sentence = json_string_value(error);
    if (!sentence && error && !json_is_null(error))
        sentence = "refused";
    const json_t *result = json_array_get(ack, 1);
    if (done.fn) {
        done.fn(sentence ? NULL : result,
                sentence ? sentence
                : result ? NULL
                         : "no result",
                done.arg);
    } else if (sentence) {
        snprintf(text, sizeof(text), "%s: %s", done.method, sentence);
        end(s, text);
    }
}

static void take_json(struct signalling *s, const struct packet *p)
{
    json_t *json = json_loadb(p->json, p->len, 0, NULL);
    if (!json_is_array(json))
        end(s, "the server sends what is no JSON array");
    else if (p->kind == PACKET_EVENT)
        take_event(s, p->id, json);
    else
        take_ack(s, p->id, json);
    json_decref(json);
}

static void on_open(void *arg)
{
    (void)arg;
}

static void on_text(const char *text, size_t len, void *arg)
{
    struct signalling *s = arg;
    struct packet p = packet_parse(text, len);
    switch (p.kind) {
    case PACKET_OPEN:
        ws_send(s->ws, "40", 2);
        break;
    case PACKET_PING:
        ws_send(s->ws, "3", 1);
        break;
    case PACKET_CONNECTED:
        s->connected = true;
        break;
    case PACKET_CLOSE:
    case PACKET_GONE:
        end(s, "the server sent this peer away");
        break;
    case PACKET_REFUSED:
        end(s, "the server refuses this peer");
        break;
    case PACKET_EVENT:
    case PACKET_ACK:
        take_json(s, &p);
        break;
    case PACKET_OTHER:
        break;
    }
}

static void on_closed(const char *reason, void *arg)
{
    end(arg, reason);
}

static const struct ws_handlers ws_handlers = {on_open, on_text, on_closed};

void signalling_new(struct signalling **sp, const struct signalling_config *conf)
{
    struct signalling *s = mem_zalloc(sizeof(*s));
    char key[33];
    struct buf path;
    s->handlers = conf->handlers;
    s->arg = conf->arg;
    for (size_t i = 0; i < SIGNALLING_PENDING_MAX; i++)
        s->pending[i].id = -1;
    rand_token(key, sizeof(key) - 1);
    buf_init(&path, 16384);
    buf_printf(&path, "/socket.io/?roomId=%s&peerId=%s&reconnectKey=%s&EIO=4&transport=websocket",
               conf->room, conf->peer, key);
    if (conf->token)
        buf_printf(&path, "&token=%s", conf->token);
    struct ws_config ws = {.loop = conf->loop,
                           .target = conf->target,
                           .address = conf->address,
                           .tls = conf->tls,
                           .path = path.data,
                           .handlers = &ws_handlers,
                           .arg = s};
    ws_new(&s->ws, &ws);
    buf_free(&path);
    *sp = s;
}

void signalling_leave(struct signalling *s)
{
    if (s->connected && !s->ended)
        ws_send(s->ws, "41", 2);
    s->ended = true;
}

void signalling_free(struct signalling *s)
{
    if (!s)
        return;
    ws_free(s->ws);
    free(s);
}
