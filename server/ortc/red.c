/* Redundant audio in SDP: its parameter is the list of the payload types in it, "111/111" (RFC 2198 5). */
#include "server/ortc/codec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LIST_MAX 64 /* bytes of a list of payload types */

bool ortc_is_red(const json_t *codec)
{
    return strcasecmp(ortc_string(codec, "mimeType"), "audio/red") == 0;
}

static bool is_list(const char *name)
{
    return *name && name[strspn(name, "0123456789/")] == 0;
}

/* False: one of them is not mapped, or it is too long. */
static bool map_list(const char *from, const json_t *pairs, char out[static LIST_MAX])
{
    size_t n = 0;
    for (const char *p = from;; p++) {
        size_t digits = strspn(p, "0123456789");
        if (digits == 0 || digits > 3)
            return false;
        const json_t *pair = ortc_find_integer(pairs, "payloadType", strtol(p, NULL, 10));
        int64_t pt = ortc_integer(pair, "mappedPayloadType");
        if (pt < 0 || n + 5 > LIST_MAX)
            return false;
        n += (size_t)snprintf(out + n, LIST_MAX - n, "%s%d", n ? "/" : "", (int)pt);
        p += digits;
        if (!*p)
            return true;
    }
}

json_t *ortc_red_parameters(const json_t *parameters, const json_t *pairs)
{
    json_t *out = json_object();
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)parameters, name, value)
    {
        char list[LIST_MAX];
        if (!is_list(name))
            json_object_set(out, name, value);
        else if (map_list(name, pairs, list))
            json_object_set(out, list, value);
    }
    return out;
}
