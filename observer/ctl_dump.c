/* ctl_dump.c - the dump and stats commands: `<object>.<method>():`, then JSON. */
#include "observer/ctl.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mem.h"

static void title(const struct ctl *c, const char *text)
{
    if (!c->json)
        fprintf(c->out, "%s():\n", text);
}

int ctl_dump_rooms(struct ctl *c, int argc, char **argv)
{
    static const char *const kinds[] = {"room", NULL};
    struct ctl_model *m;
    size_t i;
    const json_t *o;
    if (argc > 1)
        return ctl_usage_error(c, ctl_command_find(argv[0]));
    int status = ctl_look(c, kinds, NULL, false, &m);
    if (status)
        return status;
    json_array_foreach(json_object_get(m->snapshot, "rooms"), i, o)
    {
        title(c, "room.dump");
        ctl_print_json(c, o);
    }
    ctl_model_free(m);
    return CTL_OK;
}

int ctl_dump_peers(struct ctl *c, int argc, char **argv)
{
    static const char *const kinds[] = {"peer", "lobby", NULL};
    struct ctl_model *m;
    if (argc > 1)
        return ctl_usage_error(c, ctl_command_find(argv[0]));
    int status = ctl_look(c, kinds, NULL, false, &m);
    if (status)
        return status;
    for (size_t i = 0; i < m->n_peers; i++) {
        title(c, "peer.peerInfo");
        ctl_print_json(c, m->peers[i].o);
    }
    ctl_model_free(m);
    return CTL_OK;
}

/* ---- one object ---- */

static const struct {
    const char *name, *kind, *title;
    bool stats;
} gets[] = {
    {"dumpWorkers", "worker", "worker.dump", false},
    {"dumpRouter", "router", "router.dump", false},
    {"dumpTransport", "transport", "transport.dump", false},
    {"dumpProducer", "producer", "producer.dump", false},
    {"dumpConsumer", "consumer", "consumer.dump", false},
    {"dumpDataProducer", "dataProducer", "dataProducer.dump", false},
    {"dumpDataConsumer", "dataConsumer", "dataConsumer.dump", false},
    {"statsTransport", "transport", "transport.getStats", true},
    {"statsProducer", "producer", "producer.getStats", true},
    {"statsConsumer", "consumer", "consumer.getStats", true},
    {"statsDataProducer", "dataProducer", "dataProducer.getStats", true},
    {"statsDataConsumer", "dataConsumer", "dataConsumer.getStats", true},
};

static int get(struct ctl *c, size_t which, const char *key)
{
    json_t *members = json_object(), *r;
    json_object_set_new(members, "kind", json_string(gets[which].kind));
    json_object_set_new(members, "key", json_string(key));
    int status = ctl_ask(c, "get", members, &r);
    if (status)
        return status;
    title(c, gets[which].title);
    ctl_print_json(c, json_object_get(r, gets[which].stats ? "stats" : "dump"));
    json_decref(r);
    return CTL_OK;
}

static int get_workers(struct ctl *c, size_t which)
{
    static const char *const kinds[] = {"worker", NULL};
    struct ctl_model *m;
    size_t i;
    const json_t *o;
    int status = ctl_look(c, kinds, NULL, false, &m);
    if (status)
        return status;
    json_array_foreach(json_object_get(m->snapshot, "workers"), i, o)
    {
        char key[24];
        snprintf(key, sizeof(key), "%lld", (long long)ctl_int(o, "index", 0));
        int one = ctl_bool(o, "up") ? get(c, which, key) : CTL_OK;
        status = one ? one : status;
    }
    ctl_model_free(m);
    return status;
}

/* "ERROR: Router not found". */
static int not_found(const char *kind)
{
    char first = (char)(kind[0] - 'a' + 'A');
    fprintf(stderr, "ERROR: %c%s not found\n", first, kind + 1);
    return CTL_REFUSED;
}

/* The id that the word means; without one, of the object that was made last. */
static char *key_of(const struct ctl_model *m, const char *kind, const char *word, bool *several)
{
    const char *list, *own;
    *several = false;
    if (!ctl_model_kind(kind, &list, &own))
        return NULL;
    const json_t *all = json_object_get(m->snapshot, list);
    size_t n = json_array_size(all);
    const json_t *o = word ? ctl_model_find(m, kind, NULL, word, several)
                      : n  ? json_array_get(all, n - 1)
                           : NULL;
    return o ? mem_strdup(ctl_str(o, own)) : NULL;
}

int ctl_dump(struct ctl *c, int argc, char **argv)
{
    const struct ctl_command *cmd = ctl_command_find(argv[0]);
    struct ctl_model *m;
    bool several;
    size_t which = 0;
    while (strcmp(gets[which].name, cmd->name) != 0)
        which++;
    if (argc - 1 > cmd->max)
        return ctl_usage_error(c, cmd);
    if (strcmp(gets[which].kind, "worker") == 0)
        return get_workers(c, which);
    const char *const kinds[] = {gets[which].kind, NULL};
    int status = ctl_look(c, kinds, NULL, false, &m);
    if (status)
        return status;
    char *key = key_of(m, gets[which].kind, argc > 1 ? argv[1] : NULL, &several);
    if (key)
        status = get(c, which, key);
    else if (several) {
        ctl_complain("several are meant by '%s'", argv[1]);
        status = CTL_REFUSED;
    } else
        status = not_found(gets[which].kind);
    free(key);
    ctl_model_free(m);
    return status;
}
