#include "observer/request.h"
#include "observer/kinds.h"
#include "proto/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DRAIN_SECONDS     3600
#define DRAIN_SECONDS_MAX (30 * 86400)
#define TAGS_MAX          32
#define TRACE_SECONDS     30
#define TRACE_SECONDS_MAX 3600

/* ---- members ---- */

static bool bad(struct observer_request *r, const char *member, const char *why)
{
    r->error_code = "malformed";
    snprintf(r->error, sizeof(r->error), "%s %s", member, why);
    return false;
}

static bool take_text(struct observer_request *r, const char *name, const json_t *v,
                      const char **out)
{
    *out = json_string_value(v);
    return *out || bad(r, name, "must be a string");
}

static bool take_room(struct observer_request *r, const json_t *v)
{
    return take_text(r, "room", v, &r->room);
}

static bool take_peer(struct observer_request *r, const json_t *v)
{
    return take_text(r, "peer", v, &r->peer);
}

static bool take_key(struct observer_request *r, const json_t *v)
{
    return take_text(r, "key", v, &r->key);
}

static bool take_reason(struct observer_request *r, const json_t *v)
{
    return take_text(r, "reason", v, &r->reason);
}

static bool take_message(struct observer_request *r, const json_t *v)
{
    return take_text(r, "text", v, &r->text);
}

static bool take_stats(struct observer_request *r, const json_t *v)
{
    r->stats = json_is_true(v);
    return json_is_boolean(v) || bad(r, "stats", "must be true or false");
}

static bool take_on(struct observer_request *r, const json_t *v)
{
    r->on = json_is_true(v);
    return json_is_boolean(v) || bad(r, "on", "must be true or false");
}

static bool take_kind(struct observer_request *r, const json_t *v)
{
    r->kind = observer_kind_from_name(json_string_value(v));
    return r->kind < OBSERVER_LOG || bad(r, "kind", "is none of the kinds");
}

static bool take_kinds(struct observer_request *r, const json_t *v)
{
    r->kinds = 0;
    if (!json_is_array(v))
        return bad(r, "kinds", "must be a list");
    for (size_t i = 0; i < json_array_size(v); i++) {
        enum observer_kind k = observer_kind_from_name(json_string_value(json_array_get(v, i)));
        if (k == OBSERVER_KINDS)
            return bad(r, "kinds",
                       "may be server, worker, router, room, chat, peer, lobby, transport, "
                       "producer, consumer, dataProducer, dataConsumer, score, layers, log");
        r->kinds |= OBSERVER_BIT(k);
    }
    return true;
}

static bool take_level(struct observer_request *r, const json_t *v)
{
    const char *name = json_string_value(v);
    return (name && !log_level_from_name(name, &r->level)) ||
           bad(r, "level", "must be error, warn, info or debug");
}

static bool take_seconds(struct observer_request *r, const json_t *v)
{
    json_int_t n = json_integer_value(v);
    if (!json_is_integer(v) || n < 0 || n > DRAIN_SECONDS_MAX)
        return bad(r, "seconds", "must be a number of seconds, at most 30 days");
    r->seconds = (uint32_t)n;
    return true;
}

static bool take_types(struct observer_request *r, const json_t *v)
{
    r->types = 0;
    if (!json_is_array(v))
        return bad(r, "types", "must be a list");
    for (size_t i = 0; i < json_array_size(v); i++) {
        const char *name = json_string_value(json_array_get(v, i));
        int kind = name ? trace_kind_of(name) : -1;
        if (kind < 0)
            return bad(r, "types", "may be rtp, keyframe, nack, pli, fir, sr, layers, bwe, packet");
        r->types |= 1U << kind;
    }
    return r->types || bad(r, "types", "must not be empty");
}

static bool take_tags(struct observer_request *r, const json_t *v)
{
    if (!json_is_array(v) || json_array_size(v) > TAGS_MAX)
        return bad(r, "tags", "must be a list of at most 32");
    for (size_t i = 0; i < json_array_size(v); i++) {
        if (!json_is_string(json_array_get(v, i)))
            return bad(r, "tags", "must be strings");
    }
    r->tags = v;
    return true;
}

enum member { ROOM, PEER, KEY, KIND, KINDS, STATS, LEVEL, ON, SECONDS, TEXT, REASON, TAGS, TYPES };

static const struct {
    const char *name;
    bool (*take)(struct observer_request *r, const json_t *v);
} members[] = {
    [ROOM] = {"room", take_room},
    [PEER] = {"peer", take_peer},
    [KEY] = {"key", take_key},
    [KIND] = {"kind", take_kind},
    [KINDS] = {"kinds", take_kinds},
    [STATS] = {"stats", take_stats},
    [LEVEL] = {"level", take_level},
    [ON] = {"on", take_on},
    [SECONDS] = {"seconds", take_seconds},
    [TEXT] = {"text", take_message},
    [REASON] = {"reason", take_reason},
    [TAGS] = {"tags", take_tags},
    [TYPES] = {"types", take_types},
};

#define N_MEMBERS (sizeof(members) / sizeof(members[0]))
#define M(m)      (1U << (m))

/* ---- commands ---- */

static const struct {
    const char *name;
    unsigned must, may; /* members */
    const char *help;
} commands[OBSERVER_COMMANDS] = {
    [OBSERVER_HELLO] = {"hello", 0, 0, "which protocol is spoken, and what may be asked"},
    [OBSERVER_STATS] = {"stats", 0, 0, "how many rooms and peers there are"},
    [OBSERVER_SNAPSHOT] = {"snapshot", 0, M(KINDS) | M(ROOM) | M(PEER) | M(STATS),
                           "everything, or what passes a filter"},
    [OBSERVER_GET] = {"get", M(KIND) | M(KEY), M(ROOM), "dump and statistics of one object"},
    [OBSERVER_SUBSCRIBE] = {"subscribe", 0, M(KINDS) | M(ROOM) | M(PEER) | M(LEVEL),
                            "a snapshot, then each change"},
    [OBSERVER_UNSUBSCRIBE] = {"unsubscribe", 0, 0, "no more changes"},
    [OBSERVER_KICK] = {"kick", M(ROOM) | M(PEER), M(REASON), "sends a peer away"},
    [OBSERVER_CLOSE_ROOM] = {"closeRoom", M(ROOM), M(REASON), "sends all of a room away"},
    [OBSERVER_DRAIN] = {"drain", M(ON), M(SECONDS) | M(TEXT),
                        "no new rooms; those that are left end at a deadline"},
    [OBSERVER_RELOAD] = {"reload", 0, 0, "reads the configuration again"},
    [OBSERVER_LOG_LEVEL] = {"logLevel", M(LEVEL), 0, "which lines are logged"},
    [OBSERVER_LOG_TAGS] = {"logTags", M(TAGS), 0, "of which subjects the workers log"},
    [OBSERVER_TRACE] = {"trace", M(KIND) | M(KEY), M(TYPES) | M(SECONDS),
                        "what happens to the packets of one object"},
    [OBSERVER_UNTRACE] = {"untrace", 0, 0, "the trace ends"},
};

const char *observer_command_name(enum observer_command c)
{
    return commands[c].name;
}

const char *observer_command_help(enum observer_command c)
{
    return commands[c].help;
}

static enum observer_command find(const char *name)
{
    for (unsigned c = OBSERVER_HELLO; name && c < OBSERVER_COMMANDS; c++) {
        if (!strcmp(commands[c].name, name))
            return (enum observer_command)c;
    }
    return OBSERVER_BAD;
}

static bool check_trace(struct observer_request *r, bool timed)
{
    if (r->kind != OBSERVER_TRANSPORT && r->kind != OBSERVER_PRODUCER &&
        r->kind != OBSERVER_CONSUMER)
        return bad(r, "kind", "must be transport, producer or consumer");
    if (!timed)
        r->seconds = TRACE_SECONDS;
    return (r->seconds >= 1 && r->seconds <= TRACE_SECONDS_MAX) ||
           bad(r, "seconds", "must be 1 to 3600");
}

/* False: it has a member that the command does not know, or lacks one. */
static bool take_members(struct observer_request *r, enum observer_command c)
{
    unsigned seen = 0;
    const char *name;
    json_t *v;
    json_object_foreach(r->json, name, v)
    {
        unsigned m = 0;
        while (m < N_MEMBERS && strcmp(members[m].name, name) != 0)
            m++;
        if (m < N_MEMBERS && ((commands[c].must | commands[c].may) & M(m))) {
            if (!members[m].take(r, v))
                return false;
            seen |= M(m);
        } else if (strcmp(name, "id") != 0 && strcmp(name, "cmd") != 0) {
            return bad(r, commands[c].name, "has a member that it does not know");
        }
    }
    for (unsigned m = 0; m < N_MEMBERS; m++) {
        if (commands[c].must & ~seen & M(m))
            return bad(r, members[m].name, "is missing");
    }
    return c != OBSERVER_TRACE || check_trace(r, seen & M(SECONDS));
}

static bool take_id(struct observer_request *r)
{
    const json_t *id = json_object_get(r->json, "id");
    if (!id || json_is_null(id))
        return true;
    if (!json_is_integer(id) && !(json_is_string(id) && json_string_length(id) <= OBSERVER_ID_MAX))
        return bad(r, "id", "must be an integer or a short string");
    char *text = json_dumps(id, JSON_ENCODE_ANY | JSON_ENSURE_ASCII | JSON_COMPACT);
    snprintf(r->id, sizeof(r->id), "%s", text ? text : "null");
    free(text);
    return true;
}

static enum observer_command parse_json(struct observer_request *r, const char *line, size_t len)
{
    json_error_t error;
    r->json = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(r->json)) {
        bad(r, "the line", "is no object of JSON");
        return OBSERVER_BAD;
    }
    if (!take_id(r))
        return OBSERVER_BAD;
    const char *name = json_string_value(json_object_get(r->json, "cmd"));
    enum observer_command c = find(name);
    if (!name) {
        bad(r, "cmd", "is missing");
    } else if (c == OBSERVER_BAD) {
        r->error_code = "unknown-command";
        snprintf(r->error, sizeof(r->error), "there is no such command");
    } else if (take_members(r, c)) {
        return c;
    }
    return OBSERVER_BAD;
}

static enum observer_command parse_word(const char *line, size_t len)
{
    static const char *const words[] = {"", "stats", "snapshot", "help", "quit"};
    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (len == strlen(words[i]) && !memcmp(line, words[i], len))
            return (enum observer_command)(OBSERVER_NOTHING + i);
    }
    return OBSERVER_WORD_UNKNOWN;
}

void observer_request_parse(struct observer_request *r, const char *line, size_t len)
{
    *r = (struct observer_request){
        .id = "null",
        .kinds = OBSERVER_ALL & ~OBSERVER_BIT(OBSERVER_LOG),
        .kind = OBSERVER_KINDS,
        .level = LOG_LEVEL_INFO,
        .seconds = DRAIN_SECONDS,
        .types = ((1U << TRACE_KINDS) - 1) & ~(1U << TRACE_RTP | 1U << TRACE_PACKET),
    };
    while (len && (line[len - 1] == '\r' || line[len - 1] == ' '))
        len--;
    r->command = len && line[0] == '{' ? parse_json(r, line, len) : parse_word(line, len);
}

void observer_request_clear(struct observer_request *r)
{
    json_decref(r->json);
    r->json = NULL;
}
