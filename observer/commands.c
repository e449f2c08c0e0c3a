#include "observer/kinds.h"
#include "observer/observer_int.h"

#include "lib/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- answers -------------------------------------------------------------------------------------------------------------------- */

void observer_reply(struct observer_client *c, const char *id, const json_t *result)
{
    char *text = observer_json_text(result);
    if (text)
        buf_printf(&c->out, "{\"id\":%s,\"ok\":true,\"result\":%s}\n", id, text);
    else
        observer_reply_error(c, id, "failed", "the answer is too large");
    free(text);
}

void observer_reply_error(struct observer_client *c, const char *id, const char *code,
                          const char *text)
{
    json_t *e = json_pack("{ss, ss}", "code", code, "text", text);
    char *written = observer_json_text(e);
    buf_printf(&c->out, "{\"id\":%s,\"ok\":false,\"error\":%s}\n", id,
               written ? written : "{\"code\":\"failed\"}");
    free(written);
    json_decref(e);
}

/* result is stolen. */
static void reply_new(struct observer_client *c, const struct observer_request *r, json_t *result)
{
    observer_reply(c, r->id, result);
    json_decref(result);
}

/* ---- plain words ---------------------------------------------------------------------------------------------------------------- */

static void word_stats(struct observer_client *c, const struct observer_request *r)
{
    const struct observer_source *s = &c->observer->source;
    (void)r;
    buf_printf(&c->out, "rooms:%zu\npeers:%zu\n", s->rooms(s->arg), s->peers(s->arg));
}

static void word_help(struct observer_client *c, const struct observer_request *r)
{
    (void)r;
    buf_puts(&c->out, "stats        how many rooms and peers there are, a line each\n"
                      "snapshot     everything, as one line of JSON\n"
                      "help         this; an empty line ends it\n"
                      "quit         close the connection\n"
                      "{\"cmd\": ...}  one of\n");
    for (unsigned i = OBSERVER_HELLO; i < OBSERVER_COMMANDS; i++)
        buf_printf(&c->out, "  %-12s %s%s\n", observer_command_name(i), observer_command_help(i),
                   observer_command_admin(i) ? " (administrators)" : "");
    buf_puts(&c->out, "\n");
}

static void word_quit(struct observer_client *c, const struct observer_request *r)
{
    (void)r;
    c->ending = true;
}

/* ---- snapshots ------------------------------------------------------------------------------------------------------------------ */

static void start_snapshot(struct observer_client *c, uint32_t kinds,
                           const struct observer_request *r, bool stats)
{
    struct observer *o = c->observer;
    observer_flush(o);
    observer_filter_set(&c->snapshot.filter, kinds, r->room, r->peer, r->level);
    c->snapshot.stats = stats;
    observer_snapshot_start(&c->snapshot, &o->source, clock_wall_us(), o->ring.next - 1, &c->out);
    c->snapshotting = true;
}

static void word_snapshot(struct observer_client *c, const struct observer_request *r)
{
    c->enveloped = false;
    start_snapshot(c, OBSERVER_ALL, r, true);
}

static void snapshot(struct observer_client *c, const struct observer_request *r)
{
    buf_printf(&c->out, "{\"id\":%s,\"ok\":true,\"result\":", r->id);
    c->enveloped = true;
    start_snapshot(c, r->kinds, r, r->stats);
}

static void subscribe(struct observer_client *c, const struct observer_request *r)
{
    snapshot(c, r);
    observer_filter_set(&c->filter, r->kinds, r->room, r->peer, r->level);
    c->subscribed = true;
    c->next_seq = c->observer->ring.next;
    observer_recount(c->observer);
}

static void unsubscribe(struct observer_client *c, const struct observer_request *r)
{
    c->subscribed = false;
    observer_filter_clear(&c->filter);
    observer_recount(c->observer);
    reply_new(c, r, json_object());
}

/* ---- questions ------------------------------------------------------------------------------------------------------------------ */

static void hello(struct observer_client *c, const struct observer_request *r)
{
    json_t *kinds = json_array(), *commands = json_array();
    for (unsigned k = 0; k < OBSERVER_KINDS; k++)
        json_array_append_new(kinds, json_string(observer_kind_name(k)->name));
    for (unsigned i = OBSERVER_HELLO; i < OBSERVER_COMMANDS; i++)
        json_array_append_new(commands, json_string(observer_command_name(i)));
    reply_new(c, r,
              json_pack("{si, ss, si, sb, so, so}", "protocol", OBSERVER_PROTOCOL, "release",
                        c->observer->release, "pid", (int)getpid(), "admin",
                        c->access == OBSERVER_MAY_ORDER, "kinds", kinds, "commands", commands));
}

static void stats(struct observer_client *c, const struct observer_request *r)
{
    const struct observer_source *s = &c->observer->source;
    reply_new(c, r,
              json_pack("{sI, sI}", "rooms", (json_int_t)s->rooms(s->arg), "peers",
                        (json_int_t)s->peers(s->arg)));
}

static void get(struct observer_client *c, const struct observer_request *r)
{
    const struct observer_source *s = &c->observer->source;
    json_t *result = s->get(s->arg, r->kind, r->room, r->key);
    if (!result) {
        observer_reply_error(c, r->id, "not-found", "there is no such object");
        return;
    }
    json_object_set_new(result, "kind", json_string(observer_kind_name(r->kind)->name));
    json_object_set_new(result, "key", json_string(r->key));
    reply_new(c, r, result);
}

/* ---- orders --------------------------------------------------------------------------------------------------------------------- */

static bool reload(struct observer_client *c, const struct observer_request *r,
                   struct observer_error *e)
{
    struct observer *o = c->observer;
    c->ticket = ++o->last_ticket;
    snprintf(c->ticket_id, sizeof(c->ticket_id), "%s", r->id);
    if (o->admin.reload(o->admin.arg, o, c->ticket, e))
        return true;
    c->ticket = 0;
    return false;
}

static json_t *trace(struct observer_client *c, const struct observer_request *r,
                     struct observer_error *e)
{
    const struct observer_admin *a = &c->observer->admin;
    if (c->trace) {
        *e = (struct observer_error){"busy", "this connection has a trace"};
        return NULL;
    }
    c->trace = a->trace(a->arg, r->kind, r->key, r->types, r->seconds, e);
    if (!c->trace)
        return NULL;
    c->trace_id = ++c->observer->last_trace;
    c->traced = 0;
    observer_trace_began(c->observer);
    return json_pack("{sI, sI}", "trace", (json_int_t)c->trace_id, "seconds",
                     (json_int_t)r->seconds);
}

static json_t *untrace(struct observer_client *c)
{
    observer_client_untrace(c);
    return json_object();
}

static json_t *carry_out(struct observer_client *c, const struct observer_request *r,
                         struct observer_error *e)
{
    const struct observer_admin *a = &c->observer->admin;
    switch (r->command) {
    case OBSERVER_KICK:
        return a->kick(a->arg, r->room, r->peer, r->reason, e);
    case OBSERVER_CLOSE_ROOM:
        return a->close_room(a->arg, r->room, r->reason, e);
    case OBSERVER_DRAIN:
        return a->drain(a->arg, r->on, r->seconds, r->text, e);
    case OBSERVER_LOG_LEVEL:
        return a->log_level(a->arg, r->level, e);
    case OBSERVER_TRACE:
        return trace(c, r, e);
    case OBSERVER_UNTRACE:
        return untrace(c);
    default:
        return a->log_tags(a->arg, r->tags, e);
    }
}

/* The whole request is in the log: what was ordered must be known later. */
static void note(const struct observer_client *c, const struct observer_request *r,
                 const char *outcome)
{
    char *text = observer_json_text(r->json);
    log_warn("admin", "ordered uid=%u pid=%d outcome=%s request=%.1024s", (unsigned)c->who.uid,
             (int)c->who.pid, outcome, text ? text : "");
    free(text);
}

static void order(struct observer_client *c, const struct observer_request *r)
{
    struct observer_error e = {"failed", ""};
    if (!c->observer->has_admin || c->access != OBSERVER_MAY_ORDER) {
        note(c, r, "forbidden");
        observer_reply_error(c, r->id, "forbidden", "for administrators only");
        return;
    }
    json_t *result = NULL;
    bool later = r->command == OBSERVER_RELOAD && reload(c, r, &e);
    if (r->command != OBSERVER_RELOAD)
        result = carry_out(c, r, &e);
    note(c, r, later || result ? "done" : e.code);
    if (result)
        reply_new(c, r, result);
    else if (!later)
        observer_reply_error(c, r->id, e.code, e.text);
}

/* ---- all ------------------------------------------------------------------------------------------------------------------------ */

typedef void run_f(struct observer_client *c, const struct observer_request *r);

static run_f *const table[OBSERVER_COMMANDS] = {
    [OBSERVER_WORD_STATS] = word_stats, [OBSERVER_WORD_SNAPSHOT] = word_snapshot,
    [OBSERVER_WORD_HELP] = word_help,   [OBSERVER_WORD_QUIT] = word_quit,
    [OBSERVER_HELLO] = hello,           [OBSERVER_STATS] = stats,
    [OBSERVER_SNAPSHOT] = snapshot,     [OBSERVER_GET] = get,
    [OBSERVER_SUBSCRIBE] = subscribe,   [OBSERVER_UNSUBSCRIBE] = unsubscribe,
};

/* What a client typed may be shown to it only as plain characters. */
static void unknown_word(struct observer_client *c, const char *line, size_t len)
{
    char word[65];
    size_t n = len < sizeof(word) - 1 ? len : sizeof(word) - 1;
    for (size_t i = 0; i < n; i++)
        word[i] = line[i] < 0x20 || line[i] > 0x7e ? '?' : line[i];
    while (n && word[n - 1] == ' ')
        n--;
    buf_printf(&c->out, "ERROR: unknown command '%.*s', try help\n", (int)n, word);
}

void observer_command(struct observer_client *c, const char *line, size_t len)
{
    struct observer_request r;
    observer_request_parse(&r, line, len);
    bool bad = r.command == OBSERVER_BAD || r.command == OBSERVER_WORD_UNKNOWN;
    c->bad = bad ? c->bad + 1 : r.command == OBSERVER_NOTHING ? c->bad : 0;
    if (r.command == OBSERVER_WORD_UNKNOWN)
        unknown_word(c, line, len);
    else if (r.command == OBSERVER_BAD)
        observer_reply_error(c, r.id, r.error_code, r.error);
    else if (observer_command_admin(r.command))
        order(c, &r);
    else if (table[r.command])
        table[r.command](c, &r);
    if (c->bad == OBSERVER_BAD_MAX) {
        unsigned suppressed;
        if (log_limit(&c->observer->garbage, clock_now_us(), 1, &suppressed))
            log_warn("observer", "a client talks nonsense, closed uid=%u pid=%d suppressed=%u",
                     (unsigned)c->who.uid, (int)c->who.pid, suppressed);
        c->ending = true;
    }
    observer_request_clear(&r);
}
