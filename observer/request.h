/* request.h - one line of a client, understood: a plain word, or an object of JSON (proto/observer.md). Pure. */
#ifndef ALTHING_OBSERVER_REQUEST_H
#define ALTHING_OBSERVER_REQUEST_H

#include "observer/observer.h"

#define OBSERVER_ID_MAX 64 /* bytes of an id that is a string */

enum observer_command {
    OBSERVER_NOTHING, /* an empty line */
    OBSERVER_WORD_STATS,
    OBSERVER_WORD_SNAPSHOT,
    OBSERVER_WORD_HELP,
    OBSERVER_WORD_QUIT,
    OBSERVER_WORD_UNKNOWN,
    OBSERVER_BAD, /* JSON, and code and text say what is wrong */
    OBSERVER_HELLO,
    OBSERVER_STATS,
    OBSERVER_SNAPSHOT,
    OBSERVER_GET,
    OBSERVER_SUBSCRIBE,
    OBSERVER_UNSUBSCRIBE,
    OBSERVER_KICK, /* this and what follows: for administrators */
    OBSERVER_CLOSE_ROOM,
    OBSERVER_DRAIN,
    OBSERVER_RELOAD,
    OBSERVER_LOG_LEVEL,
    OBSERVER_LOG_TAGS,
    OBSERVER_TRACE,
    OBSERVER_UNTRACE,
    OBSERVER_COMMANDS,
};

struct observer_request {
    enum observer_command command;
    char id[6 * OBSERVER_ID_MAX + 3]; /* as JSON, to be given back */
    json_t *json;                     /* owns the strings below */
    uint32_t kinds;                   /* as asked for; OBSERVER_ALL without OBSERVER_LOG when not said */
    enum observer_kind kind;
    const char *room, *peer, *key, *reason, *text; /* NULL: not said */
    enum log_level level;             /* LOG_LEVEL_INFO when not said */
    bool stats, on;
    uint32_t seconds;                 /* when not said: an hour, of a trace half a minute */
    uint32_t types;                   /* of a trace: bits 1 << enum trace_kind; all but rtp and packet when not said */
    const json_t *tags;
    const char *error_code;
    char error[192];
};

/* `line` has no newline, and may hold anything. Always to be cleared. */
void observer_request_parse(struct observer_request *r, const char *line, size_t len);
void observer_request_clear(struct observer_request *r);

const char *observer_command_name(enum observer_command c); /* of those of JSON: "subscribe" */
const char *observer_command_help(enum observer_command c); /* one sentence */
static inline bool observer_command_admin(enum observer_command c)
{
    return c >= OBSERVER_KICK && c < OBSERVER_COMMANDS;
}

#endif
