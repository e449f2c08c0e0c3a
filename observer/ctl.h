/* ctl.h - the console's state, and its commands.
 *
 * A command gets its words (argv[0] is its name) and returns the exit status of the program, or what an interactive console goes on
 * after: enum ctl_exit. It prints to c->out what was asked for, to stderr what is wrong.
 */
#ifndef ALTHING_OBSERVER_CTL_H
#define ALTHING_OBSERVER_CTL_H

#include "observer/ctl_conn.h"
#include "observer/ctl_model.h"
#include "observer/ctl_table.h"

#include <stdbool.h>
#include <stdio.h>

enum ctl_exit {
    CTL_OK = 0,
    CTL_REFUSED = 1,   /* not found, refused, or the answer is broken */
    CTL_USAGE = 2,
    CTL_NO_SERVER = 3, /* none there, or not for this user */
};

#define CTL_WORDS_MAX 32
#define CTL_WORD_MAX  512

struct ctl {
    const char *socket;
    struct ctl_conn *conn; /* NULL: not connected yet, or no longer */
    bool json;             /* for scripts */
    bool color;
    bool wide;        /* whole ids */
    bool interactive; /* a prompt at a terminal */
    bool quit;
    size_t width; /* of the terminal; 0: not a terminal */
    FILE *out;
};

typedef int ctl_command_f(struct ctl *c, int argc, char **argv);

struct ctl_command {
    const char *name, *alias; /* alias NULL: none */
    const char *args;         /* for people: "ROOM [REASON]" */
    const char *help;         /* one line */
    int min, max;             /* words after the name */
    ctl_command_f *run;
    bool admin; /* the server wants an administrator */
};

extern const struct ctl_command ctl_commands[];
extern const size_t ctl_n_commands;

const struct ctl_command *ctl_command_find(const char *name); /* NULL: none */
/* Runs a command; words it does not take are CTL_USAGE. */
int ctl_run(struct ctl *c, int argc, char **argv);
/* Splits a line into words, as a shell does with quotes and backslashes; they are written to `space`. -1: a quote is open, or they
 * are too many. */
int ctl_split(const char *line, char space[static CTL_WORD_MAX * 4], char *argv[static CTL_WORDS_MAX]);
/* Names that begin with `word`: the n-th; NULL: no more. */
const char *ctl_complete(const char *word, size_t n);

/* ---- for the commands ---- */

/* Connects if need be, asks; what goes wrong is said. members is stolen. CTL_OK and *result (the caller's), or another ctl_exit. */
int ctl_ask(struct ctl *c, const char *cmd, json_t *members, json_t **result);
/* A snapshot of these kinds (NULL-ended; NULL: all) as a model, with statistics or without; room NULL: of all, else one
 * that there is. */
int ctl_look(struct ctl *c, const char *const *kinds, const char *room, bool stats, struct ctl_model **m);
/* The id that `word` means, and its room (may be NULL), to be freed. What is wrong is said. */
int ctl_resolve(struct ctl *c, const char *kind, const char *room_word, const char *word, char **id, char **room);
int ctl_usage_error(struct ctl *c, const struct ctl_command *cmd);
void ctl_print_json(struct ctl *c, const json_t *o); /* ASCII, one line for scripts, indented for people */
void ctl_complain(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* cleaned */
/* An option "--name VALUE" of a command's words, taken out of them; NULL: not there. */
const char *ctl_option(int *argc, char **argv, const char *name);
bool ctl_flag(int *argc, char **argv, const char *name);

/* Set by SIGINT and SIGWINCH while a command follows something; cleared by who looks. */
extern volatile int ctl_interrupted, ctl_resized;
void ctl_signals(void);
size_t ctl_terminal_width(int fd, size_t *rows); /* 0: not a terminal */

ctl_command_f ctl_help, ctl_quit;                                              /* ctl_run.c */
ctl_command_f ctl_stats, ctl_list, ctl_tree, ctl_bad, ctl_usage, ctl_snapshot; /* ctl_show.c */
ctl_command_f ctl_dump, ctl_dump_rooms, ctl_dump_peers;                        /* ctl_dump.c */
ctl_command_f ctl_kick, ctl_close_room, ctl_drain, ctl_reload, ctl_log_level, ctl_log_tags; /* ctl_admin.c */
ctl_command_f ctl_watch, ctl_log;                                              /* ctl_watch.c */
ctl_command_f ctl_top;                                                         /* ctl_top.c */
ctl_command_f ctl_trace;                                                       /* ctl_trace.c */

int ctl_console(struct ctl *c); /* ctl_line.c: reads commands from the terminal until it ends */

#endif
