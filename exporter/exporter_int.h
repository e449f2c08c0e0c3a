/* exporter_int.h - what the exporter's files share: exporter.c (life, loop, connections) and requests.c (what is asked). */
#ifndef ALTHING_EXPORTER_EXPORTER_INT_H
#define ALTHING_EXPORTER_EXPORTER_INT_H

#include "exporter/exporter.h"
#include "exporter/names.h"
#include "exporter/scrape.h"
#include "lib/log.h"

#include <microhttpd.h>
#include <uv.h>

/* A finished text, shared by those that asked for it. */
struct result {
    struct MHD_Response *response;
    unsigned status;
    unsigned refs;
};

/* A request for metrics, from its head to its completion. */
struct waiter {
    struct MHD_Connection *connection;
    struct build *build;   /* of the form that it takes */
    struct waiter *next;   /* while it waits */
    struct result *result; /* NULL: it waits */
    bool suspended;        /* it was, at least once */
};

/* One form of the text. */
struct build {
    struct scrape *scrape; /* NULL: none is being made */
    struct waiter *waiters;
    int64_t spent_us, slowest_us;
    uint64_t slices;
};

/* A TCP connection. */
struct caller {
    struct caller *prev, *next; /* oldest first */
    int fd;
    int64_t since_us; /* when it last began or got an answer */
    bool asked;       /* a whole head came */
    bool ended;       /* it was cut off, libmicrohttpd has not noticed yet */
};

struct exporter {
    struct MHD_Daemon *daemon;
    struct exporter_config config;
    struct exporter_source source;
    struct exporter_self self;
    struct scrape_last last;
    struct names *names;      /* NULL: addresses stay numbers */
    struct build builds[2][2]; /* by format and gzip */
    struct caller *callers;
    unsigned n_callers; /* not ended */
    int64_t logged_us;  /* TIME_NEVER_US: never */
    uint64_t unlogged;
    uv_poll_t poll;
    uv_timer_t timer; /* what libmicrohttpd asks for */
    uv_timer_t sweep;
    uv_idle_t idle;
    int open_handles;
};

void exporter_build(struct exporter *e); /* some build has waiters now */
struct caller *exporter_caller(struct MHD_Connection *connection); /* NULL: unknown */

/* For MHD_start_daemon(). requests.c */
enum MHD_Result requests_on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                    const char *method, const char *version, const char *upload,
                                    size_t *upload_size, void **request);
void requests_on_completed(void *arg, struct MHD_Connection *connection, void **request,
                           enum MHD_RequestTerminationCode why);
/* The build's scrape is complete: hands it to all who wait. */
void requests_finish(struct exporter *e, struct build *b);
/* Wakes all that wait; without a result they are answered with an error. */
void requests_wake(struct build *b, struct result *result);

#endif
