/* What is taken must come out as something that is taken again, and is the same. */
#include "server/conf/conf.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char err[CONF_ERROR_MAX];
    struct conf *c = NULL, *again = NULL;
    if (conf_parse(&c, (const char *)data, size, "fuzz", err) < 0)
        return 0;
    char *text = conf_to_text(c, CONF_SHOW);
    if (conf_parse(&again, text, strlen(text), "fuzz", err) < 0)
        abort();
    char *twice = conf_to_text(again, CONF_SHOW);
    if (strcmp(text, twice) != 0)
        abort();
    free(text);
    free(twice);
    conf_free(again);
    conf_free(c);
    return 0;
}
