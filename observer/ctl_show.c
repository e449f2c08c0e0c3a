/* ctl_show.c - what there is: stats, list, tree, bad, usage. */
#include "observer/ctl.h"
#include "observer/ctl_rows.h"
#include "observer/ctl_text.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int ctl_stats(struct ctl *c, int argc, char **argv)
{
    json_t *r;
    if (argc > 1)
        return ctl_usage_error(c, ctl_command_find(argv[0]));
    int status = ctl_ask(c, "stats", NULL, &r);
    if (status)
        return status;
    if (c->json)
        ctl_print_json(c, r);
    else
        fprintf(c->out, "rooms:%lld\npeers:%lld\n", (long long)ctl_int(r, "rooms", 0),
                (long long)ctl_int(r, "peers", 0));
    json_decref(r);
    return CTL_OK;
}

int ctl_snapshot(struct ctl *c, int argc, char **argv)
{
    struct ctl_model *m;
    if (argc > 1)
        return ctl_usage_error(c, ctl_command_find(argv[0]));
    int status = ctl_look(c, NULL, NULL, true, &m);
    if (status)
        return status;
    ctl_print_json(c, m->snapshot);
    ctl_model_free(m);
    return CTL_OK;
}

/* ---- list ---- */

/* A column of a list: a member of the object, or (stat) of its statistics. */
struct field {
    struct ctl_column column;
    const char *key;
    enum { TEXT, ID, PEER, YES, AGE, STAT, STAT_RATE, STAT_MS } how;
};

static const struct list {
    const char *words[3]; /* what it is called on the command line */
    const char *kind, *list;
    struct field fields[10]; /* ended by one without a key */
} lists[] = {
    {{"rooms", "room"},
     "room",
     "rooms",
     {{{"ROOM", 40, false}, "roomId", TEXT},
      {{"PEERS", 0, true}, "peers", TEXT},
      {{"LOBBY", 0, true}, "lobby", TEXT},
      {{"LOCKED", 0, false}, "locked", YES},
      {{"WORKER", 0, true}, "worker", TEXT},
      {{"AGE", 0, true}, "createdAt", AGE}}},
    {{"peers", "peer"},
     "peer",
     "peers",
     {{{"ROOM", 24, false}, "roomId", TEXT},
      {{"PEER", 0, false}, "peerId", ID},
      {{"NAME", 28, false}, "displayName", TEXT},
      {{"JOINED", 0, false}, "joined", YES},
      {{"CONNECTED", 0, false}, "connected", YES},
      {{"ADDRESS", 40, false}, "address", TEXT},
      {{"USER AGENT", 40, false}, "userAgent", TEXT}}},
    {{"lobby"},
     "lobby",
     "lobby",
     {{{"ROOM", 24, false}, "roomId", TEXT},
      {{"PEER", 0, false}, "peerId", ID},
      {{"NAME", 28, false}, "displayName", TEXT},
      {{"ADDRESS", 40, false}, "address", TEXT}}},
    {{"transports", "transport"},
     "transport",
     "transports",
     {{{"ROOM", 24, false}, "roomId", TEXT},
      {{"PEER", 20, false}, "peerId", PEER},
      {{"TRANSPORT", 0, false}, "transportId", ID},
      {{"DIR", 0, false}, "direction", TEXT},
      {{"ICE", 0, false}, "iceState", TEXT},
      {{"DTLS", 0, false}, "dtlsState", TEXT},
      {{"REMOTE", 48, false}, "remote", TEXT},
      {{"BIT/S IN", 0, true}, "recv_bitrate", STAT_RATE},
      {{"OUT", 0, true}, "send_bitrate", STAT_RATE},
      {{"RTT", 0, true}, "rtt_us", STAT_MS}}},
    {{"workers", "worker"},
     "worker",
     "workers",
     {{{"WORKER", 0, true}, "index", TEXT},
      {{"PID", 0, true}, "pid", TEXT},
      {{"UP", 0, false}, "up", YES},
      {{"ROUTERS", 0, true}, "routers", STAT},
      {{"TRANSPORTS", 0, true}, "transports", STAT},
      {{"PRODUCERS", 0, true}, "producers", STAT},
      {{"CONSUMERS", 0, true}, "consumers", STAT},
      {{"SEND ERRORS", 0, true}, "send_errors", STAT}}},
};
#define N_LISTS (sizeof(lists) / sizeof(lists[0]))

static const char *number(char out[static 128], int64_t v)
{
    snprintf(out, 128, "%lld", (long long)v);
    return out;
}

/* Its name, else its id. */
static const char *peer_of(const struct ctl_model *m, const json_t *o)
{
    const char *id = ctl_str(o, "peerId");
    const struct ctl_peer *p = ctl_model_peer(m, ctl_str(o, "roomId"), id);
    return p && *p->name ? p->name : id;
}

static void field_cell(const struct ctl *c, struct ctl_table *t, const struct field *f,
                       const struct ctl_model *m, const json_t *o)
{
    char text[128];
    const json_t *stats = json_object_get(o, "stats"), *v = json_object_get(o, f->key);
    const char *shown = "-";
    switch (f->how) {
    case TEXT:
        shown = json_is_string(v)    ? json_string_value(v)
                : json_is_integer(v) ? number(text, (int64_t)json_integer_value(v))
                                     : "-";
        break;
    case ID:
        shown = ctl_id(c, text, ctl_str(o, f->key));
        break;
    case PEER:
        shown = peer_of(m, o);
        break;
    case YES:
        shown = json_is_true(v) ? "yes" : "no";
        break;
    case AGE:
        if (json_is_integer(v))
            shown = ctl_text_age(text, time(NULL) - ctl_int(o, f->key, 0) / 1000);
        break;
    case STAT:
        if (stats)
            shown = number(text, ctl_int(stats, f->key, 0));
        break;
    case STAT_RATE:
        if (stats)
            shown = ctl_text_rate(text, ctl_int(stats, f->key, 0));
        break;
    case STAT_MS:
        if (stats)
            shown = ctl_int(stats, f->key, 0) ? ctl_text_ms(text, ctl_int(stats, f->key, 0)) : "-";
        break;
    }
    ctl_table_cell(t, CTL_PLAIN, shown);
}

static void print_list(struct ctl *c, const struct list *l, const struct ctl_model *m)
{
    const json_t *array = json_object_get(m->snapshot, l->list);
    struct ctl_column columns[10];
    struct ctl_table *t;
    size_t n = 0, i;
    const json_t *o;
    for (; n < 10 && l->fields[n].key; n++)
        columns[n] = l->fields[n].column;
    ctl_table_new(&t, columns, n);
    json_array_foreach(array, i, o)
    {
        for (size_t k = 0; k < n; k++)
            field_cell(c, t, &l->fields[k], m, o);
    }
    ctl_table_print(t, c->out, c->color, c->width, 0);
    ctl_table_free(t);
}

/* Producers and consumers: their streams, judged. */
static int list_streams(struct ctl *c, const char *kind, const char *room)
{
    struct ctl_model *m;
    struct ctl_table *t;
    size_t n, kept = 0;
    static const char *const kinds[] = {"peer",     "transport", "producer",
                                        "consumer", "layers",    NULL};
    int status = ctl_look(c, kinds, room, true, &m);
    if (status)
        return status;
    struct ctl_row *rows = ctl_rows(m, room, false, CTL_SORT_NAME, &n);
    for (size_t i = 0; i < n; i++) {
        if (rows[i].s->sends == (kind[0] == 'p'))
            rows[kept++] = rows[i];
    }
    if (c->json) {
        ctl_print_json(c, json_object_get(m->snapshot, kind[0] == 'p' ? "producers" : "consumers"));
    } else {
        ctl_rows_table(c, rows, kept, &t);
        ctl_table_print(t, c->out, c->color, c->width, 0);
        ctl_table_free(t);
    }
    free(rows);
    ctl_model_free(m);
    return CTL_OK;
}

int ctl_list(struct ctl *c, int argc, char **argv)
{
    const char *room = ctl_option(&argc, argv, "--room");
    const char *word = argc > 1 ? argv[1] : "rooms";
    struct ctl_model *m;
    if (argc > 2)
        return ctl_usage_error(c, ctl_command_find(argv[0]));
    if (strcmp(word, "producers") == 0 || strcmp(word, "consumers") == 0)
        return list_streams(c, word, room);
    for (size_t i = 0; i < N_LISTS; i++) {
        const struct list *l = &lists[i];
        if (strcmp(l->words[0], word) != 0 && (!l->words[1] || strcmp(l->words[1], word) != 0))
            continue;
        const char *const kinds[] = {l->kind, "peer", NULL};
        int status = ctl_look(c, kinds, room, true, &m);
        if (status)
            return status;
        if (c->json)
            ctl_print_json(c, json_object_get(m->snapshot, l->list));
        else
            print_list(c, l, m);
        ctl_model_free(m);
        return CTL_OK;
    }
    return ctl_usage_error(c, ctl_command_find(argv[0]));
}

/* ---- bad ---- */

int ctl_bad(struct ctl *c, int argc, char **argv)
{
    const char *room = argc > 1 ? argv[1] : NULL;
    struct ctl_model *m;
    struct ctl_table *t;
    size_t n, all;
    if (argc > 2)
        return ctl_usage_error(c, ctl_command_find(argv[0]));
    static const char *const kinds[] = {"peer",     "transport", "producer",
                                        "consumer", "layers",    NULL};
    int status = ctl_look(c, kinds, room, true, &m);
    if (status)
        return status;
    struct ctl_row *rows = ctl_rows(m, room, true, CTL_SORT_CAUSE, &n);
    all = m->n_streams;
    if (c->json) {
        json_t *list = json_array();
        for (size_t i = 0; i < n; i++)
            json_array_append_new(list, ctl_row_json(&rows[i]));
        ctl_print_json(c, list);
        json_decref(list);
    } else if (n == 0) {
        fprintf(c->out, "all is well: %zu stream%s\n", all, all == 1 ? "" : "s");
    } else {
        ctl_rows_table(c, rows, n, &t);
        ctl_table_print(t, c->out, c->color, 0, 0); /* the cause is not to be cut off */
        fprintf(c->out, "%zu of %zu stream%s bad\n", n, all, all == 1 ? " is" : "s are");
        ctl_table_free(t);
    }
    free(rows);
    ctl_model_free(m);
    return CTL_OK;
}
