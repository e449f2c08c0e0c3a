/* ctl_run.c - the table of commands, and what they have in common. */
#include "observer/ctl.h"
#include "observer/ctl_text.h"

#include "lib/mem.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

const struct ctl_command ctl_commands[] = {
    {"help", "h", "[COMMAND]", "this, or what a command takes", 0, 1, ctl_help, false},
    {"stats", NULL, "", "how many rooms and peers there are", 0, 0, ctl_stats, false},
    {"list", "ls", "[KIND] [--room ROOM]",
     "a table of KIND: rooms (if none is said), peers, lobby, "
     "transports, producers, consumers, workers",
     0, 1, ctl_list, false},
    {"tree", NULL, "[ROOM]", "rooms, peers, streams: rate, loss, score, layers", 0, 1, ctl_tree,
     false},
    {"bad", NULL, "[ROOM]", "who has bad quality in which room, and why", 0, 1, ctl_bad, false},
    {"top", NULL, "[--sort KEY] [--every SECONDS]",
     "a live screen of the streams, by KEY: cause, rate, loss, score, rtt, name; q quits", 0, 0,
     ctl_top, false},
    {"watch", NULL, "[KIND ...] [--room ROOM]", "follow what happens", 0, 16, ctl_watch, false},
    {"log", NULL, "[error|warn|info|debug]", "follow the server's log", 0, 1, ctl_log, false},
    {"trace", NULL, "ID [--types LIST] [--seconds N] [--pcap FILE]",
     "follow the packets of a transport, producer or consumer; LIST, with commas between: "
     "rtp keyframe nack pli fir sr layers bwe packet",
     1, 1, ctl_trace, true},
    {"kick", NULL, "ROOM PEER [REASON]", "send a peer away", 2, 3, ctl_kick, true},
    {"close-room", NULL, "ROOM [REASON]", "send everybody in a room away", 1, 2, ctl_close_room,
     true},
    {"drain", NULL, "[SECONDS [TEXT]] | off",
     "no new rooms, and the end of the others after some time", 0, 2, ctl_drain, true},
    {"reload", NULL, "", "read the configuration again", 0, 0, ctl_reload, true},
    {"logLevel", "loglevel", "error|warn|info|debug", "what the log is to have", 1, 1,
     ctl_log_level, true},
    {"logTags", "logtags", "[TAG ...]",
     "what workers log: info ice dtls rtp srtp rtcp rtx bwe score simulcast svc sctp", 0, 16,
     ctl_log_tags, true},
    {"usage", "u", "", "processor time and memory of the processes", 0, 0, ctl_usage, false},
    {"dumpRooms", NULL, "", "rooms as JSON", 0, 0, ctl_dump_rooms, false},
    {"dumpPeers", NULL, "", "peers as JSON", 0, 0, ctl_dump_peers, false},
    {"dumpWorkers", "dw", "", "workers as JSON", 0, 0, ctl_dump, false},
    {"dumpRouter", "dr", "[ID]", "a router (the latest one)", 0, 1, ctl_dump, false},
    {"dumpTransport", "dt", "[ID]", "a transport (the latest one)", 0, 1, ctl_dump, false},
    {"dumpProducer", "dp", "[ID]", "a producer (the latest one)", 0, 1, ctl_dump, false},
    {"dumpConsumer", "dc", "[ID]", "a consumer (the latest one)", 0, 1, ctl_dump, false},
    {"dumpDataProducer", "ddp", "[ID]", "a data producer (the latest one)", 0, 1, ctl_dump, false},
    {"dumpDataConsumer", "ddc", "[ID]", "a data consumer (the latest one)", 0, 1, ctl_dump, false},
    {"statsTransport", "st", "[ID]", "statistics of a transport (the latest one)", 0, 1, ctl_dump,
     false},
    {"statsProducer", "sp", "[ID]", "statistics of a producer (the latest one)", 0, 1, ctl_dump,
     false},
    {"statsConsumer", "sc", "[ID]", "statistics of a consumer (the latest one)", 0, 1, ctl_dump,
     false},
    {"statsDataProducer", "sdp", "[ID]", "statistics of a data producer (the latest one)", 0, 1,
     ctl_dump, false},
    {"statsDataConsumer", "sdc", "[ID]", "statistics of a data consumer (the latest one)", 0, 1,
     ctl_dump, false},
    {"snapshot", NULL, "", "everything, as JSON", 0, 0, ctl_snapshot, false},
    {"quit", "exit", "", "leave", 0, 0, ctl_quit, false},
};
const size_t ctl_n_commands = sizeof(ctl_commands) / sizeof(ctl_commands[0]);

volatile int ctl_interrupted, ctl_resized;

/* ---- words ---- */

int ctl_split(const char *line, char space[static CTL_WORD_MAX * 4],
              char *argv[static CTL_WORDS_MAX])
{
    size_t at = 0;
    int argc = 0;
    for (;;) {
        while (*line == ' ' || *line == '\t' || *line == '\n' || *line == '\r')
            line++;
        if (!*line)
            return argc;
        if (argc == CTL_WORDS_MAX - 1)
            return -1;
        argv[argc++] = space + at;
        argv[argc] = NULL;
        char quote = 0;
        for (; *line && (quote || !strchr(" \t\r\n", *line)); line++) {
            if (*line == quote)
                quote = 0;
            else if (!quote && (*line == '"' || *line == '\''))
                quote = *line;
            else {
                if (*line == '\\' && quote != '\'' && line[1])
                    line++;
                if (at + 2 > (size_t)CTL_WORD_MAX * 4 - 1)
                    return -1;
                space[at++] = *line;
            }
        }
        if (quote)
            return -1;
        space[at++] = 0;
    }
}

const struct ctl_command *ctl_command_find(const char *name)
{
    for (size_t i = 0; i < ctl_n_commands; i++) {
        const struct ctl_command *cmd = &ctl_commands[i];
        if (strcmp(cmd->name, name) == 0 || (cmd->alias && strcmp(cmd->alias, name) == 0))
            return cmd;
    }
    return NULL;
}

const char *ctl_complete(const char *word, size_t n)
{
    for (size_t i = 0; i < ctl_n_commands; i++) {
        if (strncmp(ctl_commands[i].name, word, strlen(word)) == 0 && n-- == 0)
            return ctl_commands[i].name;
    }
    return NULL;
}

static void take_out(int *argc, char **argv, int at, int n)
{
    for (int i = at; i + n <= *argc; i++)
        argv[i] = argv[i + n];
    *argc -= n;
}

const char *ctl_option(int *argc, char **argv, const char *name)
{
    size_t len = strlen(name);
    for (int i = 1; i < *argc; i++) {
        char *value = NULL;
        if (strcmp(argv[i], name) == 0 && i + 1 < *argc) {
            value = argv[i + 1];
            take_out(argc, argv, i, 2);
        } else if (strncmp(argv[i], name, len) == 0 && argv[i][len] == '=') {
            value = argv[i] + len + 1;
            take_out(argc, argv, i, 1);
        }
        if (value)
            return value;
    }
    return NULL;
}

bool ctl_flag(int *argc, char **argv, const char *name)
{
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], name) == 0) {
            take_out(argc, argv, i, 1);
            return true;
        }
    }
    return false;
}

/* ---- running ---- */

void ctl_complain(const char *fmt, ...)
{
    char text[1024], clean[1100];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    ctl_text_clean(clean, sizeof(clean), text, sizeof(clean));
    fprintf(stderr, "althingctl: %s\n", clean);
}

#define HELP_HEAD  27
#define HELP_WIDTH 50

/* What a command does, beside its name: in 80 columns. */
static void put_help(FILE *out, const struct ctl_command *cmd)
{
    char text[256];
    snprintf(text, sizeof(text), "%s%s", cmd->help, cmd->admin ? " (*)" : "");
    const char *at = text;
    while (strlen(at) > HELP_WIDTH) {
        int n = HELP_WIDTH;
        while (n > 1 && at[n] != ' ')
            n--;
        fprintf(out, " %.*s\n  %-*s", n, at, HELP_HEAD, "");
        at += n + (at[n] == ' ');
    }
    fprintf(out, " %s\n", at);
}

int ctl_usage_error(struct ctl *c, const struct ctl_command *cmd)
{
    (void)c;
    fprintf(stderr, "usage: %s%s%s\n  %-*s", cmd->name, cmd->args[0] ? " " : "", cmd->args,
            HELP_HEAD, "");
    put_help(stderr, cmd);
    return CTL_USAGE;
}

int ctl_run(struct ctl *c, int argc, char **argv)
{
    const struct ctl_command *cmd = ctl_command_find(argv[0]);
    if (!cmd) {
        char *clean = ctl_text_clean_dup(argv[0]);
        fprintf(stderr, "ERROR: unknown command '%s'\nSay 'help' for the commands.\n", clean);
        free(clean);
        return CTL_USAGE;
    }
    bool json = c->json, wide = c->wide;
    c->json |= ctl_flag(&argc, argv, "--json");
    c->wide |= ctl_flag(&argc, argv, "--wide");
    ctl_interrupted = 0;
    char *help[] = {argv[0], argv[0], NULL};
    int status = ctl_flag(&argc, argv, "--help") ? ctl_help(c, 2, help) : cmd->run(c, argc, argv);
    c->json = json;
    c->wide = wide;
    if (fflush(c->out) != 0 && status == CTL_OK) {
        ctl_complain("cannot write: %s", strerror(errno));
        status = CTL_REFUSED;
    }
    return status;
}

int ctl_help(struct ctl *c, int argc, char **argv)
{
    const struct ctl_command *one = argc > 1 ? ctl_command_find(argv[1]) : NULL;
    if (argc > 1 && !one) {
        ctl_complain("unknown command '%s'", argv[1]);
        return CTL_USAGE;
    }
    for (size_t i = 0; i < ctl_n_commands; i++) {
        const struct ctl_command *cmd = &ctl_commands[i];
        char head[128];
        if (one && one != cmd)
            continue;
        snprintf(head, sizeof(head), "%s%s%s %s", cmd->name, cmd->alias ? ", " : "",
                 cmd->alias ? cmd->alias : "", cmd->args);
        if (strlen(head) > HELP_HEAD)
            fprintf(c->out, "  %s\n  %-*s", head, HELP_HEAD, "");
        else
            fprintf(c->out, "  %-*s", HELP_HEAD, head);
        put_help(c->out, cmd);
    }
    if (!one)
        fprintf(
            c->out,
            "\n  (*) for administrators. An ID may be its beginning. LAYER 1.2/2.2: spatial 1,\n"
            "  temporal 2 is sent, 2.2 could be. --json is for scripts.\n");
    return CTL_OK;
}

int ctl_quit(struct ctl *c, int argc, char **argv)
{
    (void)argc;
    (void)argv;
    c->quit = true;
    return CTL_OK;
}

/* ---- asking ---- */

static int connect_now(struct ctl *c)
{
    int err = ctl_conn_open(&c->conn, c->socket);
    if (!err)
        return CTL_OK;
    const char *hint = err == -ENOENT || err == -ECONNREFUSED ? " (does the server run?)"
                       : err == -EACCES                       ? " (its owner and its group may)"
                                                              : "";
    ctl_complain("cannot connect to %s: %s%s", c->socket, strerror(-err), hint);
    return CTL_NO_SERVER;
}

static int failed(struct ctl *c, int err, const char *error)
{
    if (err > 0) {
        ctl_complain("%s", error);
        return err == 2 ? CTL_USAGE : CTL_REFUSED;
    }
    ctl_conn_free(c->conn);
    c->conn = NULL;
    if (err == -EINTR)
        return CTL_REFUSED;
    if (err == -EPIPE)
        ctl_complain("the server has closed the connection (is this user let in?)");
    else
        ctl_complain("%s", err == -EAGAIN ? "the server does not answer" : "the answer is broken");
    return err == -EPIPE ? CTL_NO_SERVER : CTL_REFUSED;
}

int ctl_ask(struct ctl *c, const char *cmd, json_t *members, json_t **result)
{
    char error[CTL_ERROR_MAX];
    bool had = c->conn != NULL;
    *result = NULL;
    int status = c->conn ? CTL_OK : connect_now(c);
    if (status) {
        json_decref(members);
        return status;
    }
    json_t *again = had ? json_deep_copy(members) : NULL;
    int err = ctl_conn_ask(c->conn, cmd, members, result, error);
    if (err == -EPIPE && had) { /* an old connection: the server was started again meanwhile */
        ctl_conn_free(c->conn);
        c->conn = NULL;
        return ctl_ask(c, cmd, again, result);
    }
    json_decref(again);
    return err ? failed(c, err, error) : CTL_OK;
}

int ctl_look(struct ctl *c, const char *const *kinds, const char *room, bool stats,
             struct ctl_model **m)
{
    json_t *members = json_object(), *snapshot;
    if (kinds) {
        json_t *list = json_array();
        for (; *kinds; kinds++)
            json_array_append_new(list, json_string(*kinds));
        if (room)
            json_array_append_new(list, json_string("room"));
        json_object_set_new(members, "kinds", list);
    }
    if (room)
        json_object_set_new(members, "room", json_string(room));
    if (stats)
        json_object_set_new(members, "stats", json_true());
    int status = ctl_ask(c, "snapshot", members, &snapshot);
    if (!status && room && json_array_size(json_object_get(snapshot, "rooms")) == 0) {
        ctl_complain("no room '%s'", room);
        json_decref(snapshot);
        status = CTL_REFUSED;
    }
    if (!status)
        ctl_model_new(m, snapshot);
    return status;
}

int ctl_resolve(struct ctl *c, const char *kind, const char *room_word, const char *word, char **id,
                char **room)
{
    const char *list, *own;
    struct ctl_model *m;
    bool several = false;
    const char *const kinds[] = {kind, NULL};
    int status = ctl_look(c, kinds, room_word, false, &m);
    if (status)
        return status;
    const json_t *o = ctl_model_find(m, kind, room_word, word, &several);
    if (o && ctl_model_kind(kind, &list, &own)) {
        *id = mem_strdup(ctl_str(o, own));
        if (room)
            *room = mem_strdup(ctl_str(o, "roomId"));
    } else {
        ctl_complain(several ? "several %ss are meant by '%s'" : "no %s '%s'", kind, word);
        status = CTL_REFUSED;
    }
    ctl_model_free(m);
    return status;
}

void ctl_print_json(struct ctl *c, const json_t *o)
{
    char *text = json_dumps(o, JSON_ENSURE_ASCII | JSON_ENCODE_ANY | JSON_REAL_PRECISION(16) |
                                   (c->json ? JSON_COMPACT : JSON_INDENT(2)));
    /* DEL is the one control character that JSON lets through; it can only be within a string. */
    for (const char *s = text ? text : "null"; *s; s++) {
        if (*s == 0x7f)
            fputs("\\u007f", c->out);
        else
            fputc(*s, c->out);
    }
    fputc('\n', c->out);
    free(text);
}

/* ---- the terminal ---- */

static void on_interrupt(int sig)
{
    (void)sig;
    ctl_interrupted = 1;
}

static void on_resize(int sig)
{
    (void)sig;
    ctl_resized = 1;
}

/* Without SA_RESTART: what waits is to see it. */
void ctl_signals(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt = {.sa_handler = on_interrupt},
                     resize = {.sa_handler = on_resize};
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGINT, &interrupt, NULL);
    sigaction(SIGWINCH, &resize, NULL);
}

size_t ctl_terminal_width(int fd, size_t *rows)
{
    struct winsize w = {0};
    if (!isatty(fd))
        return 0;
    if (ioctl(fd, TIOCGWINSZ, &w) < 0 || w.ws_col == 0)
        w.ws_col = 80;
    if (rows)
        *rows = w.ws_row ? w.ws_row : 24;
    return w.ws_col;
}
