/* conf_int.h - the table and its types, for conf*.c and their tests alone. */
#ifndef ALTHING_SERVER_CONF_CONF_INT_H
#define ALTHING_SERVER_CONF_CONF_INT_H

#include "server/conf/conf.h"

enum conf_type {
    CONF_BOOL,
    CONF_PORT,       /* uint16_t */
    CONF_UINT,       /* uint32_t; null is 0 */
    CONF_STRING,     /* char *; not empty */
    CONF_CHOICE,     /* char *; one of the words of `words` */
    CONF_ORIGINS,    /* struct conf_strings */
    CONF_LISTEN_IPS, /* struct conf_listen_ips */
    CONF_CODECS,     /* json_t * */
};

struct conf_key {
    const char *path; /* "prometheus.port" */
    enum conf_type type;
    size_t offset;        /* in struct conf */
    const char *fallback; /* the default, as JSON */
    uint32_t min, max;    /* of numbers */
    bool nullable;        /* null may be said */
    bool handoff;         /* only in what the supervisor hands over */
    bool reload;          /* a running server takes a new value */
    const char *words;    /* of a choice: "a, b, c" */
    const char *help;     /* one sentence or two */
};

extern const struct conf_key conf_keys[];
extern const size_t conf_n_keys;

/* Where a value is, for messages. */
struct conf_place {
    const char *name; /* of the file */
    const char *path; /* of the key */
    char *err;        /* CONF_ERROR_MAX bytes */
};

/* Writes "name: path: text"; returns -EINVAL. */
int conf_fail(const struct conf_place *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int conf_value_set(struct conf *c, const struct conf_key *key, const json_t *value,
                   const struct conf_place *p);
json_t *conf_value_get(const struct conf *c, const struct conf_key *key); /* a new reference */
void conf_value_free(struct conf *c, const struct conf_key *key);

/* Reads a file of at most `max` bytes. 0 or -errno (-EFBIG); *text is the caller's and ends with a NUL. */
int conf_read_file(const char *path, size_t max, char **text, size_t *len);
int conf_read_fd(int fd, size_t max, char **text, size_t *len);

/* All secrets that the configuration names files of. */
int conf_tls_load(struct conf *c, const char *name, char err[static CONF_ERROR_MAX]);
void conf_detect(struct conf *c); /* number of CPUs and addresses, where not configured */

#endif
