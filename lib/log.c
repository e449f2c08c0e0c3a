#include "lib/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

static const char *program = "althing";
static enum log_level max_level = LOG_LEVEL_INFO;
static char tags[LOG_TAGS_MAX][LOG_TAG_MAX];
static size_t n_tags;
static log_sink_f *sink;
static void *sink_arg;
static const char *const names[] = {"error", "warn", "info", "debug"};

void log_set_program(const char *name)
{
    program = name;
}

void log_set_level(enum log_level level)
{
    max_level = level;
}

int log_level_from_name(const char *name, enum log_level *level)
{
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(name, names[i]) == 0) {
            *level = (enum log_level)i;
            return 0;
        }
    }
    return -EINVAL;
}

enum log_level log_get_level(void)
{
    return max_level;
}

const char *log_level_name(enum log_level level)
{
    return names[level];
}

int log_set_tags(const char *const *list, size_t n)
{
    if (n > LOG_TAGS_MAX)
        return -EINVAL;
    for (size_t i = 0; i < n; i++) {
        if (!*list[i] || strlen(list[i]) >= LOG_TAG_MAX)
            return -EINVAL;
    }
    for (n_tags = 0; n_tags < n; n_tags++)
        snprintf(tags[n_tags], LOG_TAG_MAX, "%s", list[n_tags]);
    return 0;
}

const char *log_tag(size_t i)
{
    return i < n_tags ? tags[i] : NULL;
}

void log_set_sink(log_sink_f *fn, void *arg)
{
    sink = fn;
    sink_arg = arg;
}

bool log_enabled(enum log_level level, const char *module)
{
    for (size_t i = 0; i < n_tags; i++) {
        if (strcmp(tags[i], module) == 0)
            return true;
    }
    return level <= max_level;
}

/* A peer's name may be in the line: no control character of it reaches a terminal. */
static void neutralise(char *line, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)line[i];
        if (c < 0x20 || c == 0x7f)
            line[i] = '?';
    }
}

void log_write(enum log_level level, const char *module, const char *fmt, ...)
{
    if (!log_enabled(level, module))
        return;
    char line[LINE_MAX_BYTES];
    int head = snprintf(line, sizeof(line), "%s[%d] %s %s: ", program, (int)getpid(), names[level],
                        module);
    if (head < 0 || (size_t)head >= sizeof(line))
        return;
    va_list ap;
    va_start(ap, fmt);
    int body = vsnprintf(line + head, sizeof(line) - (size_t)head - 1, fmt, ap);
    va_end(ap);
    if (body < 0)
        return;
    size_t len = strnlen(line, sizeof(line) - 1);
    neutralise(line, len);
    if (sink)
        sink(level, module, line + head, sink_arg);
    line[len++] = '\n';
    /* One write a line, so that lines of several processes do not mix. A full pipe loses the line, not the program. */
    ssize_t n = write(STDERR_FILENO, line, len);
    (void)n;
}

bool log_limit(struct log_limit *l, int64_t now_us, unsigned burst, unsigned *suppressed)
{
    if (now_us - l->window_us >= 1000000) {
        l->window_us = now_us;
        l->used = 0;
    }
    if (l->used >= burst) {
        l->suppressed++;
        return false;
    }
    l->used++;
    *suppressed = l->suppressed;
    l->suppressed = 0;
    return true;
}
