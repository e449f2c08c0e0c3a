#include "observer/ctl_rows.h"

#include "lib/mem.h"
#include "observer/ctl_text.h"

#include <stdlib.h>
#include <string.h>

/* ---- words ---- */

static const char *const sorts[CTL_SORTS] = {"cause", "rate", "loss", "score", "rtt", "name"};

const char *ctl_sort_name(enum ctl_sort sort)
{
    return sorts[sort];
}

bool ctl_sort_of(const char *name, enum ctl_sort *sort)
{
    for (int i = 0; i < CTL_SORTS; i++) {
        if (strcmp(sorts[i], name) == 0) {
            *sort = (enum ctl_sort)i;
            return true;
        }
    }
    return false;
}

enum ctl_tone ctl_tone_score(int64_t score)
{
    return score < 0 ? CTL_DIM : score < 4 ? CTL_BAD : score < CTL_SCORE_GOOD ? CTL_WARN : CTL_GOOD;
}

enum ctl_tone ctl_tone_loss(int64_t loss)
{
    return loss >= 4 * CTL_LOSS_BAD ? CTL_BAD : loss >= CTL_LOSS_BAD ? CTL_WARN : CTL_PLAIN;
}

enum ctl_tone ctl_tone_rtt(int64_t rtt_us)
{
    return rtt_us >= 2 * CTL_RTT_BAD_US ? CTL_BAD : rtt_us >= CTL_RTT_BAD_US ? CTL_WARN : CTL_PLAIN;
}

const char *ctl_layers(char out[static 32], const struct ctl_stream *s)
{
    out[0] = 0;
    if (s->sends || s->spatial_most < 0 || (s->spatial_most == 0 && s->temporal_most <= 0))
        return out;
    if (s->spatial < 0)
        snprintf(out, 32, "-/%d.%d", (int)s->spatial_most, (int)s->temporal_most);
    else
        snprintf(out, 32, "%d.%d/%d.%d", (int)s->spatial, (int)s->temporal, (int)s->spatial_most,
                 (int)s->temporal_most);
    return out;
}

const char *ctl_id(const struct ctl *c, char out[static 64], const char *id)
{
    snprintf(out, 64, "%.*s", c->wide ? 63 : CTL_ID_SHOWN, id);
    return out;
}

/* ---- rows ---- */

static int order(int64_t a, int64_t b)
{
    return a < b ? 1 : a > b ? -1 : 0;
}

static enum ctl_sort sorted_by; /* for qsort(); one thread */

static int by_row(const void *a, const void *b)
{
    const struct ctl_row *x = a, *y = b;
    int d = 0;
    switch (sorted_by) {
    case CTL_SORT_RATE:
        d = order(x->s->bitrate, y->s->bitrate);
        break;
    case CTL_SORT_LOSS:
        d = order(x->s->loss, y->s->loss);
        break;
    case CTL_SORT_SCORE:
        d = order(y->s->score, x->s->score);
        break;
    case CTL_SORT_RTT:
        d = order(x->s->rtt_us, y->s->rtt_us);
        break;
    case CTL_SORT_CAUSE:
        d = order(x->severity, y->severity);
        break;
    case CTL_SORT_NAME:
    case CTL_SORTS:
        break;
    }
    return d ? d : (x->s > y->s) - (x->s < y->s); /* the model's order: room, peer */
}

struct ctl_row *ctl_rows(const struct ctl_model *m, const char *room, bool bad_only,
                         enum ctl_sort sort, size_t *n)
{
    struct ctl_row *rows = mem_calloc(m->n_streams + 1, sizeof(*rows));
    *n = 0;
    for (size_t i = 0; i < m->n_streams; i++) {
        struct ctl_row *r = &rows[*n];
        r->s = &m->streams[i];
        if (room && strcmp(r->s->room, room) != 0)
            continue;
        r->severity = ctl_cause(r->s, r->cause);
        *n += r->severity || !bad_only;
    }
    sorted_by = sort;
    qsort(rows, *n, sizeof(*rows), by_row);
    return rows;
}

#define NARROW 120 /* terminals below do without what people can ask for otherwise */

static const struct ctl_column columns[] = {
    {"ROOM", 20, false}, {"PEER", 20, false}, {"WHAT", 34, false}, {"BIT/S", 0, true},
    {"LOSS", 0, true},   {"RTT", 0, true},    {"SCORE", 0, true},  {"LAYER", 0, true},
    {"CODEC", 6, false}, {"ID", 0, false},    {"CAUSE", 0, false},
};
static const struct ctl_column narrow[] = {
    {"ROOM", 10, false}, {"PEER", 10, false}, {"WHAT", 20, false}, {"BIT/S", 0, true},
    {"LOSS", 0, true},   {"RTT", 0, true},    {"SC", 0, true},     {"CAUSE", 0, false},
};

static bool is_narrow(const struct ctl *c)
{
    return c->width && c->width < NARROW;
}

static const char *who(const char *name, const char *id)
{
    return *name ? name : id;
}

static void what(char out[static 128], const struct ctl_stream *s)
{
    const char *source = *s->source ? s->source : s->kind;
    if (s->sends)
        snprintf(out, 128, "sends %s%s%s", source, *s->rid ? " " : "", s->rid);
    else
        snprintf(out, 128, "gets %s of %.80s", source, who(s->from_name, s->from));
}

static void add_row(const struct ctl *c, struct ctl_table *t, const struct ctl_row *r)
{
    char text[128], id[64], number[CTL_NUMBER_MAX];
    const struct ctl_stream *s = r->s;
    ctl_table_cell(t, CTL_PLAIN, s->room);
    ctl_table_cell(t, CTL_PLAIN, who(s->name, s->peer));
    what(text, s);
    ctl_table_cell(t, CTL_PLAIN, text);
    if (s->paused || !s->measured) {
        for (int i = 0; i < (is_narrow(c) ? 4 : 5); i++)
            ctl_table_cell(t, CTL_DIM, i ? "" : s->paused ? "paused" : "-");
    } else {
        ctl_table_cell(t, CTL_PLAIN, ctl_text_rate(number, s->bitrate));
        ctl_table_cell(t, ctl_tone_loss(s->loss), ctl_text_share(number, s->loss));
        ctl_table_cell(t, ctl_tone_rtt(s->rtt_us),
                       s->rtt_us ? ctl_text_ms(number, s->rtt_us) : "-");
        snprintf(number, sizeof(number), "%d", (int)s->score);
        ctl_table_cell(t, ctl_tone_score(s->score), s->score < 0 ? "-" : number);
        bool fewer = s->spatial < s->spatial_most;
        if (!is_narrow(c))
            ctl_table_cell(t, fewer ? CTL_WARN : CTL_PLAIN, ctl_layers(text, s));
    }
    if (!is_narrow(c)) {
        ctl_table_cell(t, CTL_DIM, s->codec);
        ctl_table_cell(t, CTL_DIM, ctl_id(c, id, s->id));
    }
    ctl_table_cell(t, r->severity >= 50 ? CTL_BAD : CTL_WARN, r->cause);
}

void ctl_rows_table(const struct ctl *c, const struct ctl_row *rows, size_t n, struct ctl_table **t)
{
    if (is_narrow(c))
        ctl_table_new(t, narrow, sizeof(narrow) / sizeof(narrow[0]));
    else
        ctl_table_new(t, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < n; i++)
        add_row(c, *t, &rows[i]);
}

static json_t *text(const char *s)
{
    json_t *t = json_string(s);
    return t ? t : json_string("");
}

json_t *ctl_row_json(const struct ctl_row *r)
{
    const struct ctl_stream *s = r->s;
    json_t *o = json_object();
    json_object_set_new(o, "roomId", text(s->room));
    json_object_set_new(o, "peerId", text(s->peer));
    json_object_set_new(o, "displayName", text(s->name));
    json_object_set_new(o, "direction", text(s->sends ? "sends" : "receives"));
    json_object_set_new(o, s->sends ? "producerId" : "consumerId", text(s->id));
    if (!s->sends)
        json_object_set_new(o, "from", text(s->from));
    json_object_set_new(o, "kind", text(s->kind));
    json_object_set_new(o, "source", text(s->source));
    json_object_set_new(o, "rid", text(s->rid));
    json_object_set_new(o, "bitrate", json_integer(s->bitrate));
    json_object_set_new(o, "loss", json_real((double)s->loss / 256));
    json_object_set_new(o, "rtt", json_real((double)s->rtt_us / 1e6));
    json_object_set_new(o, "score", json_integer(s->score));
    json_object_set_new(o, "severity", json_integer(r->severity));
    json_object_set_new(o, "cause", text(r->cause));
    return o;
}
