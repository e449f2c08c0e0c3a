/* log.h - one line a happening, to stderr: `<level> <module>: sentence key=value ...`.
 *
 * error: somebody must act.  warn: something was lost or refused.  info: the life of processes, rooms and peers.  debug: the rest.
 * The packet path never logs; it counts.  What a network can cause at will goes through log_limit().
 */
#ifndef ALTHING_LIB_LOG_H
#define ALTHING_LIB_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

void log_set_program(const char *name);  /* kept by reference; shown in front of every line */
void log_set_level(enum log_level level);
int log_level_from_name(const char *name, enum log_level *level);  /* 0, or -EINVAL */
enum log_level log_get_level(void);
const char *log_level_name(enum log_level level);
bool log_enabled(enum log_level level, const char *module); /* by the level, or since the module has a tag */

#define LOG_TAGS_MAX 32
#define LOG_TAG_MAX  24 /* with its NUL */

/* Modules all of whose lines are logged, whatever the level. 0, or -EINVAL (too many, too long, empty): nothing changed. */
int log_set_tags(const char *const *tags, size_t n);
const char *log_tag(size_t i); /* NULL: no more */

/* Also hears every line that is logged: its text alone, without a control character. It must not log. NULL: nobody. */
typedef void log_sink_f(enum log_level level, const char *module, const char *text, void *arg);
void log_set_sink(log_sink_f *fn, void *arg);

void log_write(enum log_level level, const char *module, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#define log_error(module, ...) log_write(LOG_LEVEL_ERROR, module, __VA_ARGS__)
#define log_warn(module, ...)  log_write(LOG_LEVEL_WARN, module, __VA_ARGS__)
#define log_info(module, ...)  log_write(LOG_LEVEL_INFO, module, __VA_ARGS__)
#define log_debug(module, ...)                                                                     \
    do {                                                                                           \
        if (log_enabled(LOG_LEVEL_DEBUG, module))                                                  \
            log_write(LOG_LEVEL_DEBUG, module, __VA_ARGS__);                                       \
    } while (0)

/* Allows a burst of `burst` lines a second, then counts. Returns true when the line may be written; *suppressed is then the number
 * of lines dropped since the last one written. */
struct log_limit {
    int64_t window_us;   /* start of the current second */
    unsigned used;       /* lines written in it */
    unsigned suppressed; /* lines dropped since the last one written */
};
bool log_limit(struct log_limit *l, int64_t now_us, unsigned burst, unsigned *suppressed);

#endif
