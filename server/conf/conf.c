#include "server/conf/conf.h"

#include "lib/mem.h"
#include "server/conf/conf_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_MAX_BYTES 128 /* of a key */
#define NEAR_MAX       3   /* letters by which a key that is meant may differ */

static void set_defaults(struct conf *c)
{
    char err[CONF_ERROR_MAX];
    for (size_t i = 0; i < conf_n_keys; i++) {
        struct conf_place p = {"default", conf_keys[i].path, err};
        json_t *value = json_loads(conf_keys[i].fallback, JSON_DECODE_ANY, NULL);
        conf_value_set(c, &conf_keys[i], value, &p);
        json_decref(value);
    }
}

void conf_free(struct conf *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < conf_n_keys; i++)
        conf_value_free(c, &conf_keys[i]);
    free(c);
}

static const struct conf_key *key_find(const char *path, enum conf_view view)
{
    for (size_t i = 0; i < conf_n_keys; i++) {
        if (strcmp(conf_keys[i].path, path) == 0 && (view == CONF_HANDOFF || !conf_keys[i].handoff))
            return &conf_keys[i];
    }
    return NULL;
}

/* Some key begins with path and a dot. */
static bool is_section(const char *path)
{
    size_t len = strlen(path);
    for (size_t i = 0; i < conf_n_keys; i++) {
        if (strncmp(conf_keys[i].path, path, len) == 0 && conf_keys[i].path[len] == '.')
            return true;
    }
    return false;
}

/* How many letters must be added, left out or changed to make one of the other: Levenshtein, a row at a time. */
static size_t distance(const char *a, const char *b)
{
    size_t row[PATH_MAX_BYTES + 1], n = strlen(b);
    if (n > PATH_MAX_BYTES)
        return SIZE_MAX;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t before = row[0]; /* of the row above, one to the left */
        row[0] = i + 1;
        for (size_t j = 1; j <= n; j++) {
            size_t above = row[j], best = before + (a[i] != b[j - 1]);
            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            before = above;
            row[j] = best;
        }
    }
    return row[n];
}

static int fail_unknown(const struct conf_place *p, const char *path)
{
    const char *near = NULL;
    size_t least = NEAR_MAX + 1;
    for (size_t i = 0; i < conf_n_keys; i++) {
        size_t d = conf_keys[i].handoff ? least : distance(path, conf_keys[i].path);
        if (d < least) {
            least = d;
            near = conf_keys[i].path;
        }
    }
    return near ? conf_fail(p, "unknown key; is %s meant?", near) : conf_fail(p, "unknown key");
}

/* Recursion ends with the table: a section is at most three deep. */
static int take_section(struct conf *c, const char *section, const json_t *object,
                        enum conf_view view, const struct conf_place *file)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        char path[PATH_MAX_BYTES];
        snprintf(path, sizeof(path), "%s%s%.60s", section, *section ? "." : "", name);
        struct conf_place p = {file->name, path, file->err};
        const struct conf_key *key = strchr(name, '.') ? NULL : key_find(path, view);
        int err;
        if (key)
            err = conf_value_set(c, key, value, &p);
        else if (!is_section(path))
            err = fail_unknown(&p, path);
        else if (!json_is_object(value))
            err = conf_fail(&p, "expected an object");
        else
            err = take_section(c, path, value, view, file);
        if (err < 0)
            return err;
    }
    return 0;
}

static int parse(struct conf **cp, const char *text, size_t len, enum conf_view view,
                 const struct conf_place *file)
{
    json_error_t e;
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &e);
    if (!root) {
        snprintf(file->err, CONF_ERROR_MAX, "%.180s: line %d, column %d: %s", file->name, e.line,
                 e.column, e.text);
        return -EINVAL;
    }
    if (!json_is_object(root)) {
        json_decref(root);
        snprintf(file->err, CONF_ERROR_MAX, "%.180s: expected an object", file->name);
        return -EINVAL;
    }
    struct conf *c = mem_zalloc(sizeof(*c));
    set_defaults(c);
    int err = take_section(c, "", root, view, file);
    json_decref(root);
    if (err < 0)
        conf_free(c);
    else
        *cp = c;
    return err;
}

int conf_parse(struct conf **cp, const char *text, size_t len, const char *name,
               char err[static CONF_ERROR_MAX])
{
    struct conf_place file = {name, "", err};
    return parse(cp, text, len, CONF_SHOW, &file);
}

int conf_read_fd(int fd, size_t max, char **text, size_t *len)
{
    size_t n = 0, cap = 0;
    char *buf = NULL;
    for (;;) {
        if (n + 1 >= cap) {
            cap = cap ? cap * 2 : 8192;
            buf = mem_realloc(buf, cap, 1);
        }
        ssize_t got = read(fd, buf + n, cap - n - 1);
        if (got < 0 && errno == EINTR)
            continue;
        int err = got < 0 ? -errno : n + (size_t)got > max ? -EFBIG : 0;
        if (err < 0) {
            free(buf);
            return err;
        }
        n += (size_t)got;
        if (got == 0)
            break;
    }
    buf[n] = '\0';
    *text = buf;
    *len = n;
    return 0;
}

int conf_read_file(const char *path, size_t max, char **text, size_t *len)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return -errno;
    int err = conf_read_fd(fd, max, text, len);
    close(fd);
    return err;
}

/* The server reads it later; what is plainly wrong is said before anything is opened. */
static int check_client(const struct conf *c, const char *name, char err[static CONF_ERROR_MAX])
{
    if (!c->client_path)
        return 0;
    int fd = open(c->client_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        close(fd);
        return 0;
    }
    struct conf_place p = {name, "clientPath", err};
    return conf_fail(&p, "cannot read the folder %.200s: %s", c->client_path, strerror(errno));
}

/* What depends on the machine alone. */
static int complete(struct conf *c, const char *name, char err[static CONF_ERROR_MAX])
{
    conf_detect(c);
    struct conf_place p = {name, "mediasoup.worker.rtcMinPort", err};
    uint32_t last = c->rtc_min_port + c->num_workers - 1;
    if (last > UINT16_MAX)
        return conf_fail(&p, "%u workers need the ports up to %u, which is over 65535",
                         c->num_workers, last);
    return 0;
}

int conf_complete(struct conf *c, const char *name, char err[static CONF_ERROR_MAX])
{
    int rc = complete(c, name, err);
    if (rc == 0)
        rc = conf_tls_load(c, name, err);
    return rc < 0 ? rc : check_client(c, name, err);
}

int conf_read(struct conf **cp, const char *path, char err[static CONF_ERROR_MAX])
{
    const char *name = path ? path : CONF_PATH_DEFAULT;
    char *text = NULL;
    size_t len = 0;
    int rc = conf_read_file(name, CONF_BYTES_MAX, &text, &len);
    if (rc == -ENOENT && !path) {
        text = mem_strdup("{}");
        len = 2;
    } else if (rc < 0) {
        snprintf(err, CONF_ERROR_MAX, "%.180s: %s", name, strerror(-rc));
        return -EINVAL;
    }
    rc = conf_parse(cp, text, len, name, err);
    free(text);
    return rc;
}

int conf_load(struct conf **cp, const char *path, char err[static CONF_ERROR_MAX])
{
    struct conf *c = NULL;
    int rc = conf_read(&c, path, err);
    if (rc == 0)
        rc = conf_complete(c, path ? path : CONF_PATH_DEFAULT, err);
    if (rc == 0)
        *cp = c;
    else
        conf_free(c);
    return rc;
}

int conf_load_again(struct conf **cp, const char *path, char err[static CONF_ERROR_MAX])
{
    struct conf *c = NULL;
    int rc = conf_read(&c, path, err);
    if (rc == 0)
        rc = complete(c, path ? path : CONF_PATH_DEFAULT, err);
    if (rc == 0)
        *cp = c;
    else
        conf_free(c);
    return rc;
}

int conf_from_fd(struct conf **cp, int fd, char err[static CONF_ERROR_MAX])
{
    char *text;
    size_t len;
    /* The descriptor is shared with every start of the server before this one, and so is its position. */
    int rc =
        lseek(fd, 0, SEEK_SET) < 0 ? -errno : conf_read_fd(fd, CONF_BYTES_MAX * 2, &text, &len);
    if (rc < 0) {
        snprintf(err, CONF_ERROR_MAX, "configuration: %s", strerror(-rc));
        return -EINVAL;
    }
    struct conf_place file = {"configuration", "", err};
    rc = parse(cp, text, len, CONF_HANDOFF, &file);
    explicit_bzero(text, len);
    free(text);
    return rc;
}

/* The object in which the last name of path goes. */
static json_t *section_of(json_t *root, const char **path)
{
    json_t *o = root;
    for (const char *dot; (dot = strchr(*path, '.')); *path = dot + 1) {
        char name[PATH_MAX_BYTES];
        snprintf(name, sizeof(name), "%.*s", (int)(dot - *path), *path);
        json_t *next = json_object_get(o, name);
        if (!next) {
            next = json_object();
            json_object_set_new(o, name, next);
        }
        o = next;
    }
    return o;
}

json_t *conf_to_json(const struct conf *c, enum conf_view view)
{
    json_t *root = json_object();
    for (size_t i = 0; i < conf_n_keys; i++) {
        if (conf_keys[i].handoff && view != CONF_HANDOFF)
            continue;
        const char *path = conf_keys[i].path;
        json_t *o = section_of(root, &path);
        json_object_set_new(o, path, conf_value_get(c, &conf_keys[i]));
    }
    return root;
}

char *conf_to_text(const struct conf *c, enum conf_view view)
{
    json_t *root = conf_to_json(c, view);
    char *json = json_dumps(root, JSON_INDENT(2));
    json_decref(root);
    if (!json)
        return mem_strdup("{}\n");
    size_t len = strlen(json);
    char *text = mem_realloc(json, len + 2, 1);
    text[len] = '\n';
    text[len + 1] = '\0';
    return text;
}
