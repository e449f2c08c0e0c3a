#include "server/edge/json_in.h"

#include <stdbool.h>

unsigned json_in_depth(const char *text, size_t len, unsigned max)
{
    unsigned depth = 0, deepest = 0;
    bool in_string = false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
            continue;
        }
        if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > deepest)
                deepest = depth;
            if (deepest > max)
                break;
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return deepest;
}

json_t *json_in(const char *text, size_t len, unsigned max_depth, const char **why)
{
    json_error_t error;
    json_t *value = NULL;
    const char *reason = "nested too deep";
    if (json_in_depth(text, len, max_depth) <= max_depth) {
        value = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
        if (!value)
            reason = json_error_code(&error) == json_error_duplicate_key
                         ? "a name twice in an object"
                         : "not JSON";
    }
    if (why)
        *why = value ? NULL : reason;
    return value;
}
