/* ctl_top.c - a live screen of the streams: sorted by a key, refreshed, as large as the terminal is. */
#include "observer/ctl.h"
#include "observer/ctl_rows.h"
#include "observer/ctl_text.h"

#include "lib/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define ENTER     "\x1b[?1049h\x1b[?25l" /* another screen, no cursor */
#define LEAVE     "\x1b[?25h\x1b[?1049l"
#define HOME      "\x1b[H"
#define CLEAR_END "\x1b[J"
#define HEAD_ROWS 3
#define KEYS      "q quit  space now  c cause  b rate  l loss  s score  r rtt  n name  a all/bad"

struct top {
    struct ctl *c;
    enum ctl_sort sort;
    bool bad_only, quit;
    int every_ms;
};

static const char *const kinds[] = {"room",     "peer",     "worker", "transport",
                                    "producer", "consumer", "layers", NULL};

static int64_t sum(const json_t *list, const char *stat)
{
    size_t i;
    const json_t *o;
    int64_t n = 0;
    json_array_foreach(list, i, o) n += ctl_int(json_object_get(o, "stats"), stat, 0);
    return n;
}

static void put_head(const struct top *t, const struct ctl_model *m, size_t shown, FILE *out)
{
    char in[CTL_NUMBER_MAX], sent[CTL_NUMBER_MAX], line[256], clean[256];
    const json_t *totals = json_object_get(m->snapshot, "totals");
    const json_t *transports = json_object_get(m->snapshot, "transports");
    snprintf(line, sizeof(line),
             "althing: %lld rooms, %lld peers, %zu streams; in %sbit/s, out %sbit/s; %zu %s by %s",
             (long long)ctl_int(totals, "rooms", 0), (long long)ctl_int(totals, "peers", 0),
             m->n_streams, ctl_text_rate(in, sum(transports, "recv_bitrate")),
             ctl_text_rate(sent, sum(transports, "send_bitrate")), shown,
             t->bad_only ? "bad ones" : "shown", ctl_sort_name(t->sort));
    ctl_text_clean(clean, sizeof(clean), line, t->c->width);
    fprintf(out, HOME "%s\x1b[K\n", clean);
    ctl_text_clean(clean, sizeof(clean), KEYS, t->c->width);
    fprintf(out, "%s%s%s\x1b[K\n", ctl_tone_on(CTL_DIM, t->c->color), clean,
            ctl_tone_off(CTL_DIM, t->c->color));
}

/* Lines are written over the old ones, each with its rest erased: nothing flickers. */
static void put_lines(const char *text, FILE *out)
{
    for (; *text; text++) {
        if (*text == '\n')
            fputs("\x1b[K", out);
        fputc(*text, out);
    }
    fputs(CLEAR_END, out);
}

static int draw(struct top *t)
{
    struct ctl_model *m;
    struct ctl_table *table;
    size_t n, screen_rows = 24, size;
    char *text = NULL;
    int status = ctl_look(t->c, kinds, NULL, true, &m);
    if (status)
        return status;
    t->c->width = ctl_terminal_width(STDOUT_FILENO, &screen_rows);
    struct ctl_row *rows = ctl_rows(m, NULL, t->bad_only, t->sort, &n);
    size_t room = screen_rows > HEAD_ROWS + 1 ? screen_rows - HEAD_ROWS - 1 : 1;
    ctl_rows_table(t->c, rows, n < room ? n : room, &table);
    FILE *memory = open_memstream(&text, &size);
    if (memory) {
        ctl_table_print(table, memory, t->c->color, t->c->width, room);
        fclose(memory);
        put_head(t, m, n, t->c->out);
        put_lines(text, t->c->out);
        free(text);
    }
    fflush(t->c->out);
    ctl_table_free(table);
    free(rows);
    ctl_model_free(m);
    return CTL_OK;
}

static void press(struct top *t, char key)
{
    static const struct {
        char key;
        enum ctl_sort sort;
    } keys[] = {{'c', CTL_SORT_CAUSE}, {'b', CTL_SORT_RATE}, {'l', CTL_SORT_LOSS},
                {'s', CTL_SORT_SCORE}, {'r', CTL_SORT_RTT},  {'n', CTL_SORT_NAME}};
    if (key == 'q' || key == 'Q' || key == 3)
        t->quit = true;
    if (key == 'a')
        t->bad_only = !t->bad_only;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (keys[i].key == key)
            t->sort = keys[i].sort;
    }
}

/* Until a key, another size of the terminal, or the next picture is due. */
static void wait_for_key(struct top *t)
{
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    char keys[16];
    int ready = poll(&p, 1, t->every_ms);
    if (ctl_interrupted)
        t->quit = true;
    ctl_resized = 0;
    if (ready <= 0)
        return;
    ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));
    if (n <= 0)
        t->quit = true;
    if (n > 1 && keys[0] == '\x1b')
        return; /* an arrow or the like */
    for (ssize_t i = 0; i < n; i++)
        press(t, keys[i]);
}

static int run(struct top *t)
{
    struct termios before, raw;
    int status = CTL_OK;
    if (tcgetattr(STDIN_FILENO, &before) < 0)
        return CTL_USAGE;
    raw = before;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    fputs(ENTER, t->c->out);
    while (!t->quit && !status) {
        status = draw(t);
        if (!status)
            wait_for_key(t);
    }
    fputs(LEAVE, t->c->out);
    fflush(t->c->out);
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
    return t->quit ? CTL_OK : status;
}

int ctl_top(struct ctl *c, int argc, char **argv)
{
    const char *sort = ctl_option(&argc, argv, "--sort");
    const char *every = ctl_option(&argc, argv, "--every");
    struct top t = {.c = c, .sort = CTL_SORT_CAUSE, .every_ms = 2000};
    if (every)
        t.every_ms = (int)(strtod(every, NULL) * 1000);
    if (argc > 1 || (sort && !ctl_sort_of(sort, &t.sort)) || t.every_ms < 200 ||
        t.every_ms > 3600000)
        return ctl_usage_error(c, ctl_command_find(argv[0]));
    if (!c->width || !isatty(STDIN_FILENO)) {
        ctl_complain("top wants a terminal; see 'bad' and 'list consumers'");
        return CTL_USAGE;
    }
    return run(&t);
}
