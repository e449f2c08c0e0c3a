/* ctl_admin.c - what changes something on the server. */
#include "observer/ctl.h"
#include "observer/ctl_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void set(json_t *o, const char *key, const char *text)
{
    json_object_set_new(o, key, json_string(text));
}

/* What a command without much of an answer says. */
static int done(struct ctl *c, json_t *result, const char *words)
{
    if (c->json)
        ctl_print_json(c, result);
    else
        fprintf(c->out, "%s\n", words);
    json_decref(result);
    return CTL_OK;
}

int ctl_kick(struct ctl *c, int argc, char **argv)
{
    char *room = NULL, *peer = NULL, *again = NULL;
    json_t *r;
    if (argc < 3 || argc > 4)
        return ctl_usage_error(c, ctl_command_find(argv[0]));
    int status = ctl_resolve(c, "room", NULL, argv[1], &room, NULL);
    if (!status)
        status = ctl_resolve(c, "peer", room, argv[2], &peer, &again);
    if (!status) {
        json_t *members = json_object();
        set(members, "room", room);
        set(members, "peer", peer);
        if (argc > 3)
            set(members, "reason", argv[3]);
        status = ctl_ask(c, "kick", members, &r);
        if (!status)
            done(c, r, "the peer was sent away");
    }
    free(room);
    free(peer);
    free(again);
    return status;
}

int ctl_close_room(struct ctl *c, int argc, char **argv)
{
    json_t *members = json_object(), *r;
    char words[64];
    if (argc < 2 || argc > 3) {
        json_decref(members);
        return ctl_usage_error(c, ctl_command_find(argv[0]));
    }
    set(members, "room", argv[1]);
    if (argc > 2)
        set(members, "reason", argv[2]);
    int status = ctl_ask(c, "closeRoom", members, &r);
    if (status)
        return status;
    long long peers = (long long)ctl_int(r, "peers", 0);
    snprintf(words, sizeof(words),
             peers == 1 ? "%lld peer was sent away" : "%lld peers were sent away", peers);
    return done(c, r, words);
}

/* False: not a number of seconds. */
static bool seconds_of(const char *word, json_int_t *seconds)
{
    char *end;
    errno = 0;
    long v = strtol(word, &end, 10);
    *seconds = v;
    return !errno && *word >= '0' && *word <= '9' && !*end;
}

int ctl_drain(struct ctl *c, int argc, char **argv)
{
    json_t *members, *r;
    bool off = argc == 2 && strcmp(argv[1], "off") == 0;
    json_int_t seconds = 0;
    if (argc > 3 || (argc > 1 && !off && !seconds_of(argv[1], &seconds)))
        return ctl_usage_error(c, ctl_command_find(argv[0]));
    members = json_object();
    json_object_set_new(members, "on", json_boolean(!off));
    if (argc > 1 && !off)
        json_object_set_new(members, "seconds", json_integer(seconds));
    if (argc > 2)
        set(members, "text", argv[2]);
    int status = ctl_ask(c, "drain", members, &r);
    if (status)
        return status;
    return done(c, r, off ? "new rooms are taken again" : "no new rooms are taken");
}

static void print_keys(const struct ctl *c, const json_t *keys, const char *before)
{
    size_t i;
    const json_t *key;
    json_array_foreach(keys, i, key)
    {
        char *clean = ctl_text_clean_dup(json_is_string(key) ? json_string_value(key) : "");
        fprintf(c->out, "%s%s", i ? ", " : before, clean);
        free(clean);
    }
    if (json_array_size(keys))
        fputc('\n', c->out);
}

int ctl_reload(struct ctl *c, int argc, char **argv)
{
    json_t *r;
    if (argc > 1)
        return ctl_usage_error(c, ctl_command_find(argv[0]));
    int status = ctl_ask(c, "reload", NULL, &r);
    if (status)
        return status;
    const json_t *changed = json_object_get(r, "changed"), *wait = json_object_get(r, "restart");
    if (c->json)
        return done(c, r, "");
    print_keys(c, changed, "changed: ");
    print_keys(c, wait, "wait for a restart: ");
    if (!json_array_size(changed) && !json_array_size(wait))
        fputs("nothing has changed\n", c->out);
    json_decref(r);
    return CTL_OK;
}

int ctl_log_level(struct ctl *c, int argc, char **argv)
{
    json_t *members, *r;
    if (argc != 2)
        return ctl_usage_error(c, ctl_command_find(argv[0]));
    members = json_object();
    set(members, "level", argv[1]);
    int status = ctl_ask(c, "logLevel", members, &r);
    return status ? status : done(c, r, "done");
}

int ctl_log_tags(struct ctl *c, int argc, char **argv)
{
    json_t *members = json_object(), *tags = json_array(), *r;
    for (int i = 1; i < argc; i++)
        json_array_append_new(tags, json_string(argv[i]));
    json_object_set_new(members, "tags", tags);
    int status = ctl_ask(c, "logTags", members, &r);
    return status ? status : done(c, r, "done");
}
