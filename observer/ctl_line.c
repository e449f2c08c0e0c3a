/* ctl_line.c - the console at a terminal: a prompt with editing, history and completion by libedit; from a pipe: a command a line. */
#include "observer/ctl.h"

#include "lib/mem.h"

#include <errno.h>
#include <histedit.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HISTORY_LINES 500

static char *prompt(EditLine *el)
{
    static char text[] = "althing> ";
    (void)el;
    return text;
}

/* Completes the name of a command; lists them when there are several. */
static unsigned char complete(EditLine *el, int ch)
{
    const LineInfo *line = el_line(el);
    char word[64];
    size_t len = (size_t)(line->cursor - line->buffer);
    (void)ch;
    if (len >= sizeof(word) || memchr(line->buffer, ' ', len))
        return CC_ERROR;
    memcpy(word, line->buffer, len);
    word[len] = 0;
    const char *first = ctl_complete(word, 0), *next;
    if (!first)
        return CC_ERROR;
    size_t common = strlen(first), n = 1;
    for (; (next = ctl_complete(word, n)); n++) {
        size_t same = 0;
        while (same < common && first[same] == next[same])
            same++;
        common = same;
    }
    char rest[64];
    snprintf(rest, sizeof(rest), "%.*s%s", (int)(common - len), first + len, n == 1 ? " " : "");
    if (rest[0] && el_insertstr(el, rest) == 0)
        return CC_REFRESH;
    fputc('\n', stdout);
    for (size_t i = 0; (next = ctl_complete(word, i)); i++)
        printf("%s  ", next);
    fputc('\n', stdout);
    fflush(stdout);
    return CC_REDISPLAY;
}

/* ~/.althingctl_history, for its owner alone. NULL: there is no home. */
static char *history_file(void)
{
    const char *home = getenv("HOME");
    char *path = NULL;
    if (home && *home == '/' && asprintf(&path, "%s/.althingctl_history", home) < 0)
        path = NULL;
    return path;
}

static void run_line(struct ctl *c, const char *line, int *status)
{
    static char space[CTL_WORD_MAX * 4];
    char *argv[CTL_WORDS_MAX];
    int argc = ctl_split(line, space, argv);
    if (argc < 0) {
        ctl_complain("a quote is not closed, or the line is too long");
        *status = CTL_USAGE;
    } else if (argc > 0) {
        *status = ctl_run(c, argc, argv);
    }
}

static void load(History *history_, const char *file)
{
    HistEvent ev;
    history(history_, &ev, H_SETSIZE, HISTORY_LINES);
    history(history_, &ev, H_SETUNIQUE, 1);
    if (file)
        history(history_, &ev, H_LOAD, file);
}

static void save(History *history_, const char *file)
{
    HistEvent ev;
    mode_t mask = umask(077);
    if (file)
        history(history_, &ev, H_SAVE, file);
    umask(mask);
}

static EditLine *editor(History *history_)
{
    EditLine *el = el_init("althingctl", stdin, stdout, stderr);
    if (!el)
        return NULL;
    el_set(el, EL_PROMPT, prompt);
    el_set(el, EL_EDITOR, "emacs");
    el_set(el, EL_HIST, history, history_);
    el_set(el, EL_ADDFN, "complete-command", "completes a command", complete);
    el_set(el, EL_BIND, "^I", "complete-command", NULL);
    return el;
}

/* The next line, or NULL: the end. Ctrl-C only throws away what was typed. */
static const char *get_line(EditLine *el)
{
    for (;;) {
        int n;
        ctl_interrupted = 0;
        const char *line = el_gets(el, &n);
        if (line)
            return line;
        if (!ctl_interrupted)
            return NULL;
        fputc('\n', stdout);
        el_reset(el);
    }
}

static int at_terminal(struct ctl *c)
{
    int status = CTL_OK;
    HistEvent ev;
    History *history_ = history_init();
    EditLine *el = history_ ? editor(history_) : NULL;
    char *file = history_file();
    const char *line;
    if (!el)
        return CTL_REFUSED;
    load(history_, file);
    while (!c->quit && (line = get_line(el))) {
        if (line[strspn(line, " \t\r\n")] == 0)
            continue;
        history(history_, &ev, H_ENTER, line);
        c->width = ctl_terminal_width(STDOUT_FILENO, NULL);
        run_line(c, line, &status);
        fflush(stdout);
    }
    if (!c->quit)
        fputc('\n', stdout);
    save(history_, file);
    el_end(el);
    history_end(history_);
    free(file);
    return CTL_OK;
}

static int from_pipe(struct ctl *c)
{
    char *line = NULL;
    size_t cap = 0;
    int status = CTL_OK, worst = CTL_OK;
    while (!c->quit && getline(&line, &cap, stdin) >= 0) {
        status = CTL_OK;
        run_line(c, line, &status);
        worst = status > worst ? status : worst;
    }
    free(line);
    return worst;
}

int ctl_console(struct ctl *c)
{
    c->interactive = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
    return c->interactive ? at_terminal(c) : from_pipe(c);
}
