/* ctl_watch.c - follows events: watch and log. Ends with Ctrl-C, or with the server. */
#include "observer/ctl.h"
#include "observer/ctl_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void put_time(const struct ctl *c)
{
    char text[32];
    time_t now = time(NULL);
    struct tm tm;
    localtime_r(&now, &tm);
    strftime(text, sizeof(text), "%H:%M:%S ", &tm);
    fprintf(c->out, "%s%s%s", ctl_tone_on(CTL_DIM, c->color), text,
            ctl_tone_off(CTL_DIM, c->color));
}

static void put_clean(const struct ctl *c, const char *text)
{
    char *clean = ctl_text_clean_dup(text);
    fputs(clean, c->out);
    free(clean);
}

static void put_value(const struct ctl *c, const json_t *v)
{
    if (json_is_string(v)) {
        put_clean(c, json_string_value(v));
        return;
    }
    char *text = json_dumps(v, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_ENCODE_ANY);
    fputs(text ? text : "", c->out);
    free(text);
}

/* "put peer: roomId=blue peerId=bo displayName=Bo ..." */
static void put_event(const struct ctl *c, const json_t *e)
{
    const char *event = ctl_str(e, "event"), *key;
    const json_t *object = json_object_get(e, "object"), *v;
    put_time(c);
    if (strcmp(event, "missed") == 0) {
        fprintf(c->out, "%lld events were missed\n", (long long)ctl_int(e, "missed", 0));
        return;
    }
    if (strcmp(event, "log") == 0) {
        put_clean(c, ctl_str(e, "level"));
        fputc(' ', c->out);
        put_clean(c, ctl_str(e, "module"));
        fputs(": ", c->out);
        put_clean(c, ctl_str(e, "text"));
        fputc('\n', c->out);
        return;
    }
    enum ctl_tone tone = strcmp(event, "gone") == 0 ? CTL_WARN : CTL_GOOD;
    fputs(ctl_tone_on(tone, c->color), c->out);
    put_clean(c, event);
    fputs(ctl_tone_off(tone, c->color), c->out);
    fputc(' ', c->out);
    put_clean(c, ctl_str(e, "kind"));
    fputc(':', c->out);
    json_object_foreach((json_t *)(uintptr_t)object, key, v)
    {
        fputc(' ', c->out);
        put_clean(c, key);
        fputc('=', c->out);
        put_value(c, v);
    }
    fputc('\n', c->out);
}

static int follow(struct ctl *c)
{
    int err = 0;
    while (!ctl_interrupted && !err) {
        json_t *e;
        err = ctl_conn_event(c->conn, -1, &e);
        if (err)
            break;
        if (c->json)
            ctl_print_json(c, e);
        else
            put_event(c, e);
        json_decref(e);
        if (fflush(c->out) != 0)
            err = -EIO;
    }
    /* The subscription goes with its connection. */
    ctl_conn_free(c->conn);
    c->conn = NULL;
    if (err == 0 || err == -EINTR)
        return CTL_OK;
    if (err != -EIO)
        ctl_complain(err == -EPIPE ? "the server has closed the connection"
                                   : "no sense comes from it");
    return err == -EPIPE ? CTL_NO_SERVER : CTL_REFUSED;
}

static int subscribe(struct ctl *c, json_t *members)
{
    json_t *r;
    int status = ctl_ask(c, "subscribe", members, &r);
    if (status)
        return status;
    if (c->json)
        ctl_print_json(c, r);
    json_decref(r);
    fflush(c->out);
    return follow(c);
}

int ctl_watch(struct ctl *c, int argc, char **argv)
{
    json_t *members = json_object(), *kinds = json_array();
    const char *room = ctl_option(&argc, argv, "--room");
    for (int i = 1; i < argc; i++)
        json_array_append_new(kinds, json_string(argv[i]));
    if (room)
        json_object_set_new(members, "room", json_string(room));
    if (argc > 1)
        json_object_set_new(members, "kinds", kinds);
    else
        json_decref(kinds);
    return subscribe(c, members);
}

int ctl_log(struct ctl *c, int argc, char **argv)
{
    json_t *members = json_object(), *kinds = json_array();
    if (argc > 2) {
        json_decref(members);
        json_decref(kinds);
        return ctl_usage_error(c, ctl_command_find(argv[0]));
    }
    json_array_append_new(kinds, json_string("log"));
    json_object_set_new(members, "kinds", kinds);
    if (argc > 1)
        json_object_set_new(members, "level", json_string(argv[1]));
    return subscribe(c, members);
}
