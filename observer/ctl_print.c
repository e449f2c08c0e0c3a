#include "observer/ctl_print.h"

#include <stdbool.h>
#include <string.h>

#define CELL_MAX 64 /* bytes shown of a value */

enum source { MEMBER, STAT };

struct column {
    const char *title;
    int width; /* negative: to the left */
    enum source from;
    const char *key;
};

struct table {
    const char *title, *list;
    struct column columns[10]; /* ended by one without a title */
};

static const struct table tables[] = {
    {"Workers",
     "workers",
     {{"INDEX", 5, MEMBER, "index"},
      {"PID", 8, MEMBER, "pid"},
      {"UP", 5, MEMBER, "up"},
      {"ROUTERS", 8, STAT, "routers"},
      {"PRODUCERS", 10, STAT, "producers"},
      {"CONSUMERS", 10, STAT, "consumers"},
      {"BYTES IN", 15, STAT, "bytes_received"},
      {"BYTES OUT", 15, STAT, "bytes_sent"}}},
    {"Rooms",
     "rooms",
     {{"ROOM", -24, MEMBER, "roomId"},
      {"PEERS", 6, MEMBER, "peers"},
      {"LOBBY", 6, MEMBER, "lobby"},
      {"WORKER", 7, MEMBER, "worker"},
      {"LOCKED", 7, MEMBER, "locked"}}},
    {"Peers",
     "peers",
     {{"ROOM", -24, MEMBER, "roomId"},
      {"PEER", -36, MEMBER, "peerId"},
      {"JOINED", -7, MEMBER, "joined"},
      {"NAME", -24, MEMBER, "displayName"}}},
    {"Transports",
     "transports",
     {{"PEER", -36, MEMBER, "peerId"},
      {"DIR", -5, MEMBER, "direction"},
      {"PROTO", -6, MEMBER, "protocol"},
      {"REMOTE", -24, MEMBER, "remote"},
      {"IN bit/s", 11, STAT, "recv_bitrate"},
      {"OUT bit/s", 11, STAT, "send_bitrate"},
      {"RTT us", 9, STAT, "rtt_us"}}},
    {"Producers",
     "producers",
     {{"PRODUCER", -36, MEMBER, "producerId"},
      {"KIND", -6, MEMBER, "kind"},
      {"CODEC", -6, MEMBER, "codec"},
      {"RID", -6, MEMBER, "rid"},
      {"SSRC", 10, MEMBER, "ssrc"},
      {"BYTES", 13, STAT, "bytes"},
      {"bit/s", 10, STAT, "bitrate"},
      {"LOST", 8, STAT, "packets_lost"},
      {"SCORE", 6, STAT, "score"}}},
    {"Consumers",
     "consumers",
     {{"CONSUMER", -36, MEMBER, "consumerId"},
      {"KIND", -6, MEMBER, "kind"},
      {"CODEC", -6, MEMBER, "codec"},
      {"SSRC", 10, MEMBER, "ssrc"},
      {"BYTES", 13, STAT, "bytes"},
      {"bit/s", 10, STAT, "bitrate"},
      {"LOST", 8, STAT, "packets_lost"},
      {"SCORE", 6, STAT, "score"}}},
};

/* Neither C0 nor C1 controls (in UTF-8: C2 80 to C2 9F) reach the terminal; a cut never splits a character. */
static void clean(char *to, const char *from)
{
    size_t n = strlen(from);
    if (n >= CELL_MAX) {
        n = CELL_MAX - 1;
        while (n && ((unsigned char)from[n] & 0xc0) == 0x80)
            n--;
    }
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)from[i];
        bool c1 = c >= 0x80 && c <= 0x9f && i && (unsigned char)from[i - 1] == 0xc2;
        to[i] = c < 0x20 || c == 0x7f || c1 ? '?' : from[i];
        if (c1)
            to[i - 1] = '?';
    }
    to[n] = 0;
}

static void cell(FILE *out, const struct column *col, const json_t *object)
{
    /* Of a producer, its first stream. */
    const json_t *stream = json_array_get(json_object_get(object, "streams"), 0);
    const json_t *from =
        col->from == STAT ? json_object_get(stream ? stream : object, "stats") : object;
    const json_t *v = json_object_get(from, col->key);
    if (!v && stream)
        v = json_object_get(stream, col->key);
    char text[CELL_MAX] = "-";
    if (json_is_string(v))
        clean(text, json_string_value(v));
    else if (json_is_integer(v))
        snprintf(text, sizeof(text), "%lld", (long long)json_integer_value(v));
    else if (json_is_boolean(v))
        snprintf(text, sizeof(text), "%s", json_is_true(v) ? "yes" : "no");
    fprintf(out, "%*s ", col->width, text);
}

static void print_table(FILE *out, const struct table *t, const json_t *list)
{
    size_t i;
    const json_t *object;
    fprintf(out, "%s (%zu)\n", t->title, json_array_size(list));
    if (json_array_size(list) == 0)
        return;
    fputs("  ", out);
    for (const struct column *c = t->columns; c->title; c++)
        fprintf(out, "%*s ", c->width, c->title);
    fputc('\n', out);
    json_array_foreach(list, i, object)
    {
        fputs("  ", out);
        for (const struct column *c = t->columns; c->title; c++)
            cell(out, c, object);
        fputc('\n', out);
    }
}

void ctl_print_snapshot(FILE *out, const json_t *snapshot)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        if (i)
            fputc('\n', out);
        print_table(out, &tables[i], json_object_get(snapshot, tables[i].list));
    }
}
