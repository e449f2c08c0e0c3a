/* conf.h - the configuration: one table of keys (conf_keys.c), read from JSON into struct conf.
 *
 * Every key is optional. An unknown key, a wrong type or a value out of range is an error: one line that names the key by its path.
 * Times of use: the supervisor calls conf_load(); the server gets conf_to_json(CONF_HANDOFF) through a descriptor and calls
 * conf_from_fd(). After both, all defaults are filled in, addresses are detected and the certificate's text is there.
 * Parsing is pure; conf_complete() looks at the machine and at files.
 */
#ifndef ALTHING_SERVER_CONF_CONF_H
#define ALTHING_SERVER_CONF_CONF_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define CONF_PATH_DEFAULT "/etc/althing/althing.json"
#define CONF_ERROR_MAX    640            /* of a message, with its NUL */
#define CONF_BYTES_MAX    (1024 * 1024)  /* of a configuration; longer is an error */
#define CONF_LISTEN_MAX   8              /* listenIps: each is a UDP and a TCP candidate (HANDOFF_CANDIDATES_MAX) */
#define CONF_STRINGS_MAX  64             /* items of a list */
#define CONF_WORKERS_MAX  256

struct conf_strings {
    char **items;
    size_t n;
};

struct conf_listen {
    char *ip;        /* a literal IPv4 or IPv6, which is bound */
    char *announced; /* a literal or host name, which browsers are told; NULL: ip itself */
};

struct conf_listen_ips {
    struct conf_listen items[CONF_LISTEN_MAX];
    size_t n;
};

/* Owned by the conf, read-only for all. Strings are NULL where the value is null. */
struct conf {
    char *listening_host;             /* NULL: all addresses */
    uint16_t listening_port;
    uint16_t listening_redirect_port; /* 0: none */
    char *tls_cert, *tls_key;         /* file names */
    char *tls_cert_pem, *tls_key_pem; /* their text; NULL with http_only */
    bool http_only;
    bool trust_proxy;
    uint32_t max_users_per_room; /* room and lobby together; 0: no limit */
    uint32_t num_workers;        /* 0 before conf_complete(): one a CPU */
    uint32_t worker_max_peers, worker_max_streams; /* beyond, rooms go on to other workers; 0: no limit */
    uint16_t rtc_min_port;       /* worker i: this + i, UDP and TCP */
    json_t *media_codecs; /* ORTC RtpCodecCapability, a list; ortc_router_capabilities() takes it */
    struct conf_listen_ips listen_ips; /* none before conf_complete(): detected */
    uint32_t initial_available_outgoing_bitrate; /* bits a second */
    uint32_t min_available_outgoing_bitrate, max_outgoing_bitrate; /* 0: none */
    uint32_t max_incoming_bitrate;               /* bits a second of one browser; 0: no limit */
    bool prometheus_enabled;
    char *prometheus_listen;
    uint16_t prometheus_port;
    bool prometheus_deidentify, prometheus_numeric, prometheus_quiet;
    uint32_t prometheus_max_streams, prometheus_max_rooms;
    char *prometheus_token_file, *prometheus_tls_cert, *prometheus_tls_key;  /* file names; NULL: none */
    char *prometheus_token, *prometheus_cert_pem, *prometheus_key_pem;       /* their text; NULL: none */
    char *observer_path; /* NULL: no observer socket */
    char *observer_admin_group; /* NULL: none */
    char *store;      /* of server/store; NULL: nothing outlives the server */
    char *store_name; /* NULL: the host's name */
    bool rooms_locked, rooms_chat, rooms_files, rooms_hands, rooms_reactions, rooms_breakouts, rooms_recording, p2p;
    uint32_t max_active_videos;
    char *tracker;          /* NULL: none */
    uint32_t max_file_size; /* bytes; 0: not told */
    char *client_path;   /* folder of the browser client; NULL: no files are served */
    struct conf_strings allowed_origins;
    char *log_level; /* for log_level_from_name() */
    char *user;      /* to become when started as root; NULL: stay */
};

/* In all of these `name` is what a message starts with (the file's name); err is one line without a line end. They return 0, or
 * -EINVAL (and err), and then *cp is untouched. */
int conf_parse(struct conf **cp, const char *text, size_t len, const char *name, char err[static CONF_ERROR_MAX]);
/* The file, or all defaults when path is NULL and CONF_PATH_DEFAULT does not exist; not completed. */
int conf_read(struct conf **cp, const char *path, char err[static CONF_ERROR_MAX]);
/* The same, completed. */
int conf_load(struct conf **cp, const char *path, char err[static CONF_ERROR_MAX]);
/* What conf_to_json(CONF_HANDOFF) wrote into a memfd; fd stays the caller's. */
int conf_from_fd(struct conf **cp, int fd, char err[static CONF_ERROR_MAX]);
/* Number of CPUs, addresses of the machine, certificate and key (read, and checked to fit each other), and whether the client's
 * folder is there. */
int conf_complete(struct conf *c, const char *name, char err[static CONF_ERROR_MAX]);
void conf_free(struct conf *c); /* NULL is fine; key material is wiped */

/* For a running server: takes over from `fresh` what can be changed while it runs. Adds the keys that were changed so, and those
 * that differ and wait for a restart, to two lists of JSON (NULL: not wanted). */
void conf_take(struct conf *running, const struct conf *fresh, json_t *changed, json_t *restart);
/* The file as conf_load() reads it, but with no look at certificate, key and folder: who has given up root may not see them any
 * more, and does not take them anew. */
int conf_load_again(struct conf **cp, const char *path, char err[static CONF_ERROR_MAX]);

enum conf_view {
    CONF_SHOW,    /* what a file may say */
    CONF_HANDOFF, /* and the certificate's and the key's text: secret */
};
json_t *conf_to_json(const struct conf *c, enum conf_view view); /* a new reference */
char *conf_to_text(const struct conf *c, enum conf_view view);   /* the same as text, indented, with a line end; free() it */

void conf_print_reference(FILE *out); /* every key with its type, default and sentence, as Markdown */

#endif
