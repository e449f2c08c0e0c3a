#include "server/conf/conf_int.h"

static void note(json_t *list, const char *path)
{
    if (list)
        json_array_append_new(list, json_string(path));
}

void conf_take(struct conf *running, const struct conf *fresh, json_t *changed, json_t *restart)
{
    char err[CONF_ERROR_MAX];
    for (size_t i = 0; i < conf_n_keys; i++) {
        const struct conf_key *k = &conf_keys[i];
        struct conf_place p = {"configuration", k->path, err};
        if (k->handoff)
            continue;
        json_t *before = conf_value_get(running, k), *now = conf_value_get(fresh, k);
        if (!json_equal(before, now)) {
            if (k->reload && conf_value_set(running, k, now, &p) == 0)
                note(changed, k->path);
            else
                note(restart, k->path);
        }
        json_decref(before);
        json_decref(now);
    }
}
