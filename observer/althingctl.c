/* althingctl - the operator's console: asks a running server what happens, follows it, and steps in.
 *
 * One command from the command line, or without one a console that reads them. It talks to the observer socket alone, opens no other
 * file than its history and what --pcap names, and needs no privilege but the socket's.
 */
#include "observer/ctl.h"
#include "observer/ctl_text.h"

#include <errno.h>
#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_SOCKET "/run/althing/observer.sock"

static const char usage[] =
    "Usage: althingctl [--socket PATH] [--json] [--wide] [COMMAND [ARGUMENT ...]]\n"
    "\n"
    "Asks a running Althing server what happens, follows it, and steps in.\n"
    "Without a command it reads commands, with a prompt when that is a terminal.\n"
    "Begin with 'althingctl bad'.\n"
    "\n";

static const char usage_end[] =
    "\n"
    "  --socket PATH    the observer's socket (default: " DEFAULT_SOCKET ")\n"
    "  --json           print JSON, for scripts\n"
    "  --wide           print whole ids\n"
    "  --no-color       no colours, as with NO_COLOR set, or without a terminal\n"
    "  --help           this\n"
    "  --version        the version\n"
    "\n"
    "Exit status: 0; 1 not found, refused, or the answer is broken; 2 wrong usage;\n"
    "3 no server there, or not for this user.\n";

static void print_help(struct ctl *c)
{
    char name[] = "help", *argv[] = {name, NULL};
    fputs(usage, c->out);
    ctl_help(c, 1, argv);
    fputs(usage_end, c->out);
}

static bool colors_wanted(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(STDOUT_FILENO) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

/* -1: go on; else exit with that. */
static int read_options(struct ctl *c, int argc, char **argv)
{
    static const struct option options[] = {
        {"socket", required_argument, NULL, 's'},
        {"json", no_argument, NULL, 'j'},
        {"wide", no_argument, NULL, 'w'},
        {"no-color", no_argument, NULL, 'n'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        switch (option) {
        case 's':
            c->socket = optarg;
            break;
        case 'j':
            c->json = true;
            break;
        case 'w':
            c->wide = true;
            break;
        case 'n':
            c->color = false;
            break;
        case 'h':
            print_help(c);
            return CTL_OK;
        case 'V':
            puts("althingctl " ALTHING_VERSION);
            return CTL_OK;
        default:
            fputs("Try 'althingctl --help'.\n", stderr);
            return CTL_USAGE;
        }
    }
    return -1;
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    ctl_text_init(strcmp(nl_langinfo(CODESET), "UTF-8") == 0);
    ctl_signals();
    struct ctl c = {.socket = DEFAULT_SOCKET,
                    .color = colors_wanted(),
                    .width = ctl_terminal_width(STDOUT_FILENO, NULL),
                    .out = stdout};
    int status = read_options(&c, argc, argv);
    if (status < 0)
        status = optind < argc ? ctl_run(&c, argc - optind, argv + optind) : ctl_console(&c);
    ctl_conn_free(c.conn);
    if (fflush(stdout) != 0 && status == CTL_OK)
        status = CTL_REFUSED;
    return status;
}
