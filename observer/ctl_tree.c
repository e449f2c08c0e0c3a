/* ctl_tree.c - rooms, their peers, and what each sends and gets. */
#include "observer/ctl.h"
#include "observer/ctl_rows.h"
#include "observer/ctl_text.h"

#include <stdlib.h>
#include <string.h>

static void put(const struct ctl *c, enum ctl_tone tone, const char *text)
{
    char *clean = ctl_text_clean_dup(text);
    fprintf(c->out, "%s%s%s", ctl_tone_on(tone, c->color), clean, ctl_tone_off(tone, c->color));
    free(clean);
}

static void put_numbers(const struct ctl *c, const struct ctl_stream *s)
{
    char text[CTL_NUMBER_MAX], layers[32];
    if (s->paused) {
        put(c, CTL_DIM, "  paused");
        return;
    }
    if (!s->measured)
        return;
    fprintf(c->out, "  %sbit/s", ctl_text_rate(text, s->bitrate));
    fputs("  loss ", c->out);
    put(c, ctl_tone_loss(s->loss), ctl_text_share(text, s->loss));
    if (s->rtt_us) {
        fputs("  rtt ", c->out);
        put(c, ctl_tone_rtt(s->rtt_us), ctl_text_ms(text, s->rtt_us));
    }
    if (s->score >= 0) {
        snprintf(text, sizeof(text), "%d", (int)s->score);
        fputs("  score ", c->out);
        put(c, ctl_tone_score(s->score), text);
    }
    if (*ctl_layers(layers, s)) {
        fputs("  layer ", c->out);
        put(c, s->spatial < s->spatial_most ? CTL_WARN : CTL_PLAIN, layers);
    }
}

static void put_stream(const struct ctl *c, const struct ctl_stream *s)
{
    char id[64], cause[CTL_CAUSE_MAX];
    fputs(s->sends ? "    > " : "    < ", c->out);
    put(c, CTL_PLAIN, *s->source ? s->source : s->kind);
    if (!s->sends) {
        fputs(" of ", c->out);
        put(c, CTL_PLAIN, *s->from_name ? s->from_name : s->from);
    }
    fputc(' ', c->out);
    put(c, CTL_DIM, s->codec);
    if (*s->rid) {
        fputc(' ', c->out);
        put(c, CTL_PLAIN, s->rid);
    }
    put_numbers(c, s);
    fputs("  ", c->out);
    put(c, CTL_DIM, ctl_id(c, id, s->id));
    unsigned severity = ctl_cause(s, cause);
    if (severity) {
        fputs("  ", c->out);
        put(c, severity >= 50 ? CTL_BAD : CTL_WARN, cause);
    }
    fputc('\n', c->out);
}

static void put_peer(const struct ctl *c, const struct ctl_model *m, const struct ctl_peer *p,
                     size_t *at)
{
    fputs("  ", c->out);
    put(c, CTL_BOLD, *p->name ? p->name : p->id);
    fputs("  ", c->out);
    put(c, CTL_DIM, p->id);
    fputs("  ", c->out);
    put(c, CTL_DIM, p->address);
    fputs(p->lobby        ? "  in the lobby"
          : !p->connected ? "  away"
          : p->joined     ? ""
                          : "  not joined yet",
          c->out);
    fputc('\n', c->out);
    /* Streams are in the order of rooms and peers, too. */
    for (; *at < m->n_streams; ++*at) {
        const struct ctl_stream *s = &m->streams[*at];
        int d = strcmp(s->room, p->room);
        if (d == 0)
            d = strcmp(s->peer, p->id);
        if (d > 0)
            break;
        if (d == 0)
            put_stream(c, s);
    }
}

static void put_room(const struct ctl *c, const json_t *room)
{
    put(c, CTL_BOLD, ctl_str(room, "roomId"));
    long long peers = (long long)ctl_int(room, "peers", 0);
    fprintf(c->out, "  %lld peer%s", peers, peers == 1 ? "" : "s");
    if (ctl_int(room, "lobby", 0))
        fprintf(c->out, ", %lld in the lobby", (long long)ctl_int(room, "lobby", 0));
    if (ctl_int(room, "worker", -1) >= 0)
        fprintf(c->out, "  worker %lld", (long long)ctl_int(room, "worker", 0));
    fprintf(c->out, "%s\n", ctl_bool(room, "locked") ? "  locked" : "");
}

static int by_room(const void *a, const void *b)
{
    return strcmp(ctl_str(*(json_t *const *)a, "roomId"), ctl_str(*(json_t *const *)b, "roomId"));
}

static void print_tree(const struct ctl *c, const struct ctl_model *m)
{
    const json_t *list = json_object_get(m->snapshot, "rooms");
    size_t n = json_array_size(list), at = 0, peer = 0;
    const json_t **rooms = calloc(n + 1, sizeof(json_t *));
    for (size_t i = 0; rooms && i < n; i++)
        rooms[i] = json_array_get(list, i);
    if (rooms)
        qsort(rooms, n, sizeof(*rooms), by_room);
    for (size_t i = 0; rooms && i < n; i++) {
        put_room(c, rooms[i]);
        for (; peer < m->n_peers; peer++) {
            int d = strcmp(m->peers[peer].room, ctl_str(rooms[i], "roomId"));
            if (d > 0)
                break;
            if (d == 0)
                put_peer(c, m, &m->peers[peer], &at);
        }
    }
    free(rooms);
}

int ctl_tree(struct ctl *c, int argc, char **argv)
{
    struct ctl_model *m;
    if (argc > 2)
        return ctl_usage_error(c, ctl_command_find(argv[0]));
    static const char *const kinds[] = {"room",     "peer",     "lobby",  "transport",
                                        "producer", "consumer", "layers", NULL};
    int status = ctl_look(c, kinds, argc > 1 ? argv[1] : NULL, true, &m);
    if (status)
        return status;
    if (c->json)
        ctl_print_json(c, m->snapshot);
    else
        print_tree(c, m);
    ctl_model_free(m);
    return status;
}
