/* althing-load: joins a server that its user names as many people at once, and measures what they get. */
#include "load/options.h"
#include "load/run.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

/* The first line of the file; of characters that stand in a URL as they are, as those of a JWT do. */
static int read_token(const char *path, char token[static OPTIONS_TOKEN_MAX])
{
    FILE *f = fopen(path, "re");
    if (!f || !fgets(token, OPTIONS_TOKEN_MAX, f)) {
        fprintf(stderr, "althing-load: %s: %s\n", path, f ? "no token in it" : strerror(errno));
        if (f)
            fclose(f);
        return EX_NOINPUT;
    }
    fclose(f);
    token[strcspn(token, "\r\n")] = '\0';
    for (const char *p = token; *p; p++) {
        if (!isalnum((unsigned char)*p) && !strchr("-_.~", *p)) {
            fprintf(stderr, "althing-load: %s: a token has letters, digits and -_.~ only\n", path);
            return EX_DATAERR;
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    static char token[OPTIONS_TOKEN_MAX];
    struct options o;
    int err = options_read(&o, argc, argv);
    if (err)
        return err == OPTIONS_DONE ? 0 : err;
    if (o.token_file)
        err = read_token(o.token_file, token);
    signal(SIGPIPE, SIG_IGN);
    return err ? err : run(&o, *token ? token : NULL);
}
