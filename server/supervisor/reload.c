/* Reading the configuration again: what a running server can take over it is given, and so are the servers that are started later.
 * A file that is wrong changes nothing. */
#include "lib/log.h"
#include "proto/handoff.h"
#include "server/supervisor/supervisor_int.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A descriptor with this text, or -errno. */
static int memfd_of(const char *name, const char *text)
{
    int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0)
        return -errno;
    ssize_t n = write(fd, text, strlen(text));
    if (n == (ssize_t)strlen(text))
        return fd;
    close(fd);
    return -EIO;
}

int reload_write_conf(struct supervisor *s)
{
    char *text = conf_to_text(s->conf, CONF_HANDOFF);
    int fd = memfd_of("althing-config", text);
    explicit_bzero(text, strlen(text));
    free(text);
    if (fd < 0)
        return fd;
    if (s->conf_fd >= 0)
        close(s->conf_fd);
    s->conf_fd = fd;
    return 0;
}

static void tell(struct supervisor *s, const json_t *report, bool config)
{
    const struct handoff h = {.version = HANDOFF_VERSION, .kind = HANDOFF_CONFIG};
    char *text = json_dumps(report, JSON_COMPACT);
    int fds[2] = {memfd_of("althing-report", text ? text : "{}"), s->conf_fd};
    int rc = fds[0];
    if (rc >= 0 && s->server.control)
        rc = chan_send_fds(s->server.control, &h, sizeof(h), fds, config ? 2 : 1);
    if (rc < 0)
        log_error("supervisor", "the server cannot be told of its configuration error=%s",
                  strerror(-rc));
    if (fds[0] >= 0)
        close(fds[0]);
    free(text);
}

static void log_list(const char *what, const json_t *keys)
{
    for (size_t i = 0; i < json_array_size(keys); i++)
        log_info("supervisor", "%s key=%s", what, json_string_value(json_array_get(keys, i)));
}

void reload(struct supervisor *s)
{
    char err[CONF_ERROR_MAX];
    struct conf *fresh = NULL;
    int rc = conf_load_again(&fresh, s->conf_path, err);
    json_t *report;
    if (rc < 0) {
        log_error("supervisor", "the new configuration is refused, the old one stays: %s", err);
        report = json_pack("{ss}", "error", err);
    } else {
        json_t *changed = json_array(), *restart = json_array();
        conf_take(s->conf, fresh, changed, restart);
        log_list("configuration changed", changed);
        log_list("configuration changes at the next start", restart);
        report = json_pack("{so, so}", "changed", changed, "restart", restart);
        rc = reload_write_conf(s);
        log_info("supervisor", "the configuration was read again");
    }
    conf_free(fresh);
    enum log_level level;
    if (rc == 0 && !log_level_from_name(s->conf->log_level, &level))
        log_set_level(level);
    tell(s, report, rc == 0);
    json_decref(report);
}
