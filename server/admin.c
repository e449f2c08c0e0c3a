#include "server/admin.h"

#include "proto/tags.h"
#include "server/on.h"
#include "server/room/text.h"

#include <stdio.h>
#include <string.h>

static json_t *refuse(struct observer_error *e, const char *code, const char *text)
{
    e->code = code;
    snprintf(e->text, sizeof(e->text), "%s", text);
    return NULL;
}

/* What people are shown must be fit to be shown. */
static bool fit(const char *text, struct observer_error *e)
{
    if (!text || text_line(text, ADMIN_TEXT_MAX))
        return true;
    refuse(e, "malformed", "the text is too long, or not one line");
    return false;
}

/* ---- people --------------------------------------------------------------------------------------------------------------------- */

static json_t *kick(void *arg, const char *room, const char *peer, const char *reason,
                    struct observer_error *e)
{
    struct admin *a = arg;
    struct room *r = rooms_find(&a->hub->rooms, room);
    struct peer *p = r ? room_peer(r, peer) : NULL;
    if (!p)
        return refuse(e, "not-found", r ? "there is no such peer" : "there is no such room");
    if (!fit(reason, e))
        return NULL;
    on_room_kick(a->hub, p, reason ? reason : "kicked by an administrator");
    return json_object();
}

static json_t *close_room(void *arg, const char *room, const char *reason, struct observer_error *e)
{
    struct admin *a = arg;
    struct room *r = rooms_find(&a->hub->rooms, room);
    if (!r)
        return refuse(e, "not-found", "there is no such room");
    if (!fit(reason, e))
        return NULL;
    json_t *result = json_pack("{sI}", "peers", (json_int_t)r->n_peers);
    on_room_end(a->hub, r, "moderator:kick");
    return result;
}

static json_t *drain(void *arg, bool on, uint32_t seconds, const char *text,
                     struct observer_error *e)
{
    struct admin *a = arg;
    if (!fit(text, e))
        return NULL;
    on_drain(a->hub, on, seconds, text);
    watch_server_changed(a->watch);
    return watch_server(a->watch);
}

/* ---- the log -------------------------------------------------------------------------------------------------------------------- */

void admin_log_changed(const struct hub *h)
{
    uint32_t bits = 0;
    for (size_t i = 0; log_tag(i); i++) {
        int tag = tag_of(log_tag(i));
        bits |= tag < 0 ? 0 : TAG_BIT(tag);
    }
    media_set_log(h->media, log_get_level(), bits);
}

static json_t *log_level_to(void *arg, enum log_level level, struct observer_error *e)
{
    struct admin *a = arg;
    (void)e;
    log_set_level(level);
    admin_log_changed(a->hub);
    watch_server_changed(a->watch);
    return watch_server(a->watch);
}

static json_t *log_tags_to(void *arg, const json_t *tags, struct observer_error *e)
{
    struct admin *a = arg;
    const char *list[LOG_TAGS_MAX];
    size_t n = json_array_size(tags);
    for (size_t i = 0; i < n && i < LOG_TAGS_MAX; i++) {
        list[i] = json_string_value(json_array_get(tags, i));
        if (!text_id(list[i], LOG_TAG_MAX - 1))
            n = SIZE_MAX;
    }
    if (n > LOG_TAGS_MAX || log_set_tags(list, n))
        return refuse(e, "malformed", "tags are too many, or one is malformed");
    admin_log_changed(a->hub);
    watch_server_changed(a->watch);
    return watch_server(a->watch);
}

/* ---- traces --------------------------------------------------------------------------------------------------------------------- */

static struct observer_trace *trace(void *arg, enum observer_kind kind, const char *key,
                                    uint32_t kinds, uint32_t seconds, struct observer_error *e)
{
    return traces_start(&((struct admin *)arg)->traces, kind, key, kinds, seconds, e);
}

/* ---- the configuration ---------------------------------------------------------------------------------------------------------- */

static bool reload(void *arg, struct observer *o, uint64_t ticket, struct observer_error *e)
{
    struct admin *a = arg;
    if (a->ticket) {
        refuse(e, "busy", "a reload is under way");
        return false;
    }
    if (!a->reload(a->arg)) {
        refuse(e, "failed", "the supervisor cannot be asked");
        return false;
    }
    a->observer = o;
    a->ticket = ticket;
    return true;
}

void admin_reloaded(struct admin *a, json_t *report)
{
    struct observer_error e = {"failed", "the supervisor's answer cannot be read"};
    const char *error = json_string_value(json_object_get(report, "error"));
    if (error || !report) {
        if (error)
            snprintf(e.text, sizeof(e.text), "%s", error);
        json_decref(report);
        report = NULL;
    }
    watch_server_changed(a->watch); /* the log level may be another one */
    if (a->ticket)
        observer_answer(a->observer, a->ticket, report, &e);
    else
        json_decref(report);
    a->ticket = 0;
}

void admin_init(struct admin *a, struct hub *h, struct watch *w, bool (*ask)(void *arg), void *arg)
{
    *a = (struct admin){.traces.hub = h, .hub = h, .watch = w, .reload = ask, .arg = arg};
}

void admin_orders(struct admin *a, struct observer_admin *out)
{
    *out = (struct observer_admin){a,           kick,   close_room, drain,       log_level_to,
                                   log_tags_to, reload, trace,      traces_next, traces_stop};
}
