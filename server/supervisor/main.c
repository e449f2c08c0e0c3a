/* main.c - althing: reads the configuration, opens the ports, starts the others and keeps them running. */
#include "lib/log.h"
#include "server/conf/conf.h"
#include "server/supervisor/notify.h"
#include "server/supervisor/supervisor.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sysexits.h>

enum action { RUN, CHECK, PRINT, REFERENCE, HELP, VERSION, USAGE };

static const char usage[] =
    "usage: althing [--config FILE] [--check-config | --print-config]\n"
    "\n"
    "  --config FILE    the configuration; without it " CONF_PATH_DEFAULT "\n"
    "  --check-config   only check the configuration: status 0, or 78 and one line\n"
    "  --print-config   print the configuration with all defaults filled in\n"
    "  --help-config    print what every key means\n"
    "  --help, --version\n";

static enum action parse_options(int argc, char **argv, const char **config)
{
    static const struct option options[] = {
        {"config", required_argument, NULL, 'c'},
        {"check-config", no_argument, NULL, CHECK},
        {"print-config", no_argument, NULL, PRINT},
        {"help-config", no_argument, NULL, REFERENCE},
        {"help", no_argument, NULL, HELP},
        {"version", no_argument, NULL, VERSION},
        {0},
    };
    enum action action = RUN;
    int o;
    while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (o == '?')
            return USAGE;
        if (o == 'c')
            *config = optarg;
        else
            action = (enum action)o;
    }
    return optind < argc ? USAGE : action;
}

/* Shows what the file says and what it leaves out, without a look at certificates or the machine. */
static int print_config(const char *path)
{
    char err[CONF_ERROR_MAX];
    struct conf *c = NULL;
    if (conf_read(&c, path, err) < 0) {
        fprintf(stderr, "althing: %s\n", err);
        return EX_CONFIG;
    }
    char *text = conf_to_text(c, CONF_SHOW);
    fputs(text, stdout);
    free(text);
    conf_free(c);
    return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

static void apply_log_level(const struct conf *c)
{
    enum log_level level;
    if (log_level_from_name(c->log_level, &level) == 0)
        log_set_level(level);
}

static int run(const char *path, enum action action)
{
    char err[CONF_ERROR_MAX], why[SUPERVISOR_ERROR_MAX];
    struct conf *c = NULL;
    struct supervisor *s = NULL;
    if (conf_load(&c, path, err) < 0) {
        fprintf(stderr, "althing: %s\n", err);
        return EX_CONFIG;
    }
    int status = EX_OK;
    if (action == RUN) {
        apply_log_level(c);
        notify_init();
        /* It holds the certificate's key. */
        prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
        if (supervisor_new(&s, c, path, why) < 0) {
            fprintf(stderr, "althing: %s: %s\n", path ? path : CONF_PATH_DEFAULT, why);
            status = EX_OSERR;
        } else {
            status = supervisor_run(s);
        }
    }
    supervisor_free(s);
    conf_free(c);
    return status;
}

int main(int argc, char **argv)
{
    const char *config = NULL;
    enum action action = parse_options(argc, argv, &config);
    log_set_program("althing");
    switch (action) {
    case RUN:
    case CHECK:
        return run(config, action);
    case PRINT:
        return print_config(config);
    case REFERENCE:
        conf_print_reference(stdout);
        return EX_OK;
    case HELP:
        fputs(usage, stdout);
        return EX_OK;
    case VERSION:
        puts("althing " ALTHING_VERSION);
        return EX_OK;
    case USAGE:
        break;
    }
    fputs(usage, stderr);
    return EX_USAGE;
}
