/* lines.c - the negotiation for a script: one JSON array a line, [function, arguments...]; answers {"ok": ...} or {"error": text}. */
#include "server/ortc/ortc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *answer(json_t *ok, const struct ortc_error *error)
{
    if (!ok)
        return json_pack("{s:s}", "error", error->text[0] ? error->text : "(no reason)");
    return json_pack("{s:o}", "ok", ok);
}

/* [name, input, input, ...]: what each function takes is in run.js. */
static json_t *run(const char *name, json_t *a, json_t *b, json_t *c, json_t *d)
{
    struct ortc_error error = {""};
    struct ortc_consumer_options options = {.ssrc = 200000001,
                                            .rtx_ssrc = 300000001,
                                            .enable_rtx = json_is_true(c),
                                            .pipe = json_is_true(d)};
    if (strcmp(name, "checkCaps") == 0)
        return answer(ortc_check_capabilities(a, &error) < 0 ? NULL : json_incref(a), &error);
    if (strcmp(name, "checkParams") == 0)
        return answer(ortc_check_parameters(a, &error) < 0 ? NULL : json_incref(a), &error);
    if (strcmp(name, "router") == 0)
        return answer(ortc_router_capabilities(a, &error), &error);
    if (strcmp(name, "mapping") == 0) {
        json_t *mapping = ortc_producer_mapping(a, b, 100000001, &error);
        return answer(mapping ? json_pack("[o, O]", mapping, a) : NULL, &error);
    }
    if (strcmp(name, "consumable") == 0)
        return answer(ortc_consumable(json_string_value(a), b, c, d, &error), &error);
    if (strcmp(name, "canConsume") == 0)
        return answer(json_boolean(ortc_can_consume(a, b)), &error);
    if (strcmp(name, "consumer") == 0)
        return answer(ortc_consumer_parameters(a, b, &options, &error), &error);
    if (strcmp(name, "pipe") == 0) {
        options.enable_rtx = json_is_true(b);
        return answer(ortc_pipe_parameters(a, &options), &error);
    }
    return json_pack("{s:s}", "error", "no such function");
}

int main(void)
{
    char *line = NULL;
    size_t cap = 0;
    while (getline(&line, &cap, stdin) > 0) {
        json_t *in = json_loads(line, 0, NULL);
        const char *name = json_string_value(json_array_get(in, 0));
        json_t *out = name ? run(name, json_array_get(in, 1), json_array_get(in, 2),
                                 json_array_get(in, 3), json_array_get(in, 4))
                           : json_pack("{s:s}", "error", "not a line of ours");
        json_dumpf(out, stdout, JSON_COMPACT);
        putchar('\n');
        fflush(stdout);
        json_decref(out);
        json_decref(in);
    }
    free(line);
    return 0;
}
