/* A room with two peers and a worker; then the input: messages separated by line ends, each `<byte><JSON>`, where the byte chooses
 * method, sender and what happens in between. */
#include "lib/log.h"
#include "server/dispatch.h"
#include "tests/unit/check.h"
#include "tests/unit/server/world.h"

#include <string.h>

#define MESSAGES_MAX 40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static json_t *ids(json_t *o, const struct peer *p)
{
    /* Ids are random: in the input stand-ins name the first object of each kind. */
    static const char *const keys[] = {"transportId", "producerId", "consumerId"};
    for (size_t i = 0; p && json_is_object(o) && i < ARRAY_LEN(keys); i++) {
        const char *v = json_string_value(json_object_get(o, keys[i]));
        const char *id =
            !v                                                 ? NULL
            : !strcmp(v, "S") && p->send                       ? p->send->obj.id
            : !strcmp(v, "R") && p->recv                       ? p->recv->obj.id
            : !strcmp(v, "P") && p->send && p->send->producers ? p->send->producers->obj.id
            : !strcmp(v, "C") && p->recv && p->recv->consumers ? p->recv->consumers->obj.id
                                                               : NULL;
        if (id)
            json_object_set_new(o, keys[i], json_string(id));
    }
    return o;
}

static void one(struct world *w, struct edge_session **s, const uint8_t *line, size_t len)
{
    size_t n;
    const struct dispatch_row *rows = dispatch_table(&n);
    const struct dispatch_row *row = &rows[(line[0] & 0x7f) % n];
    struct edge_session *from = s[line[0] >> 7];
    json_t *data =
        json_loadb((const char *)line + 1, len - 1, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    if (from->gone) {
        json_decref(data);
        return;
    }
    data = ids(data ? data : json_object(), world_peer(from));
    if (row->request) {
        uint64_t ack = world_request(w, from, row->method, data);
        if (len & 1)
            world_turn(w);
        size_t answers = world_answers(from, ack);
        if (answers > 1)
            __builtin_trap();
    } else {
        world_notification(w, from, row->method, data);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world w;
    log_set_level(LOG_LEVEL_ERROR);
    world_init(&w, 1);
    struct edge_session *s[2] = {world_member(&w, "r", "a"), world_member(&w, "r", "b")};
    for (unsigned i = 0; size && i < MESSAGES_MAX; i++) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t len = end ? (size_t)(end - data) : size;
        if (len)
            one(&w, s, data, len);
        data += end ? len + 1 : len;
        size -= end ? len + 1 : len;
    }
    world_turn(&w);
    world_free(&w);
    return 0;
}
