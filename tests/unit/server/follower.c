#include "tests/unit/server/follower.h"
#include "tests/unit/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const struct {
    const char *kind, *list, *id;
} kinds[] = {
    {"server", "server", "pid"},
    {"worker", "workers", "index"},
    {"router", "routers", "routerId"},
    {"room", "rooms", "roomId"},
    {"chat", "chats", "roomId"},
    {"peer", "peers", "peerId"},
    {"lobby", "lobby", "peerId"},
    {"transport", "transports", "transportId"},
    {"producer", "producers", "producerId"},
    {"consumer", "consumers", "consumerId"},
    {"dataProducer", "dataProducers", "dataProducerId"},
    {"dataConsumer", "dataConsumers", "dataConsumerId"},
    {"score", "scores", "id"},
    {"layers", "layers", "consumerId"},
};

static void dial(int *fd, const char *path)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
    *fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(connect(*fd, (struct sockaddr *)&un, sizeof(un)), 0);
}

static void say(int fd, const char *filter, const char *command)
{
    char line[512];
    int n = snprintf(line, sizeof(line), "{\"cmd\":\"%s\"%s}\n", command, filter);
    assert_int_equal(send(fd, line, (size_t)n, 0), n);
}

/* The next line of one of the connections; its rest stays for the next call. */
static json_t *line_of(struct follower *f, int fd, char **text, size_t *len, size_t *cap)
{
    for (int idle = 0; idle < 20000;) {
        char *newline = *len ? memchr(*text, '\n', *len) : NULL;
        if (newline) {
            json_t *v = json_loadb(*text, (size_t)(newline - *text), 0, NULL);
            size_t used = (size_t)(newline - *text) + 1;
            memmove(*text, *text + used, *len - used);
            *len -= used;
            assert_non_null(v);
            return v;
        }
        if (*cap - *len < 65536)
            *text = realloc(*text, *cap += 1 << 20);
        ssize_t n = recv(fd, *text + *len, *cap - *len, 0);
        assert_true(n > 0 || (n < 0 && errno == EAGAIN));
        *len += n > 0 ? (size_t)n : 0;
        idle = n > 0 ? 0 : idle + 1;
        uv_run(f->loop, UV_RUN_NOWAIT);
        if (idle > 100)
            usleep(100);
    }
    fail_msg("nothing comes");
    return NULL;
}

static char *key_of(size_t kind, const json_t *object)
{
    static char key[512];
    const json_t *id = json_object_get(object, kinds[kind].id);
    const char *room = json_string_value(json_object_get(object, "roomId"));
    assert_non_null(id);
    if (json_is_string(id))
        snprintf(key, sizeof(key), "%s %s %s", kinds[kind].kind, room ? room : "",
                 json_string_value(id));
    else
        snprintf(key, sizeof(key), "%s %s %lld", kinds[kind].kind, room ? room : "",
                 (long long)json_integer_value(id));
    return key;
}

static json_t *state_of(const json_t *snapshot)
{
    json_t *state = json_object();
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        const json_t *list = json_object_get(snapshot, kinds[k].list);
        for (size_t i = 0; i < json_array_size(list); i++) {
            json_t *o = json_array_get(list, i);
            assert_null(json_object_get(state, key_of(k, o))); /* shown once */
            json_object_set(state, key_of(k, o), o);
        }
    }
    return state;
}

static void apply(struct follower *f, const json_t *event)
{
    const char *kind = json_string_value(json_object_get(event, "kind"));
    const char *what = json_string_value(json_object_get(event, "event"));
    json_t *object = json_object_get(event, "object");
    uint64_t seq = (uint64_t)json_integer_value(json_object_get(event, "seq"));
    assert_true(*f->filter ? seq > f->seq : seq == f->seq + 1);
    f->seq = seq;
    f->events++;
    size_t k = 0;
    while (k < ARRAY_LEN(kinds) && strcmp(kinds[k].kind, kind) != 0)
        k++;
    assert_true(k < ARRAY_LEN(kinds));
    f->of_kind[k]++;
    if (!strcmp(what, "put"))
        json_object_set(f->state, key_of(k, object), object);
    else
        assert_int_equal(json_object_del(f->state, key_of(k, object)), 0); /* it was there */
}

static json_t *result_of(json_t *answer)
{
    assert_true(json_is_true(json_object_get(answer, "ok")));
    json_t *result = json_incref(json_object_get(answer, "result"));
    json_decref(answer);
    return result;
}

static json_t *next_line(struct follower *f)
{
    return line_of(f, f->fd, &f->text, &f->len, &f->cap);
}

void follower_init(struct follower *f, uv_loop_t *loop, const char *path, const char *filter)
{
    *f = (struct follower){.loop = loop};
    snprintf(f->filter, sizeof(f->filter), "%s", filter);
    dial(&f->fd, path);
    dial(&f->asking, path);
    say(f->fd, f->filter, "subscribe");
    json_t *snapshot = result_of(next_line(f));
    f->seq = (uint64_t)json_integer_value(json_object_get(snapshot, "seq"));
    f->state = state_of(snapshot);
    json_decref(snapshot);
}

void follower_free(struct follower *f)
{
    close(f->fd);
    close(f->asking);
    free(f->text);
    json_decref(f->state);
}

static json_t *fresh_snapshot(struct follower *f)
{
    char *text = NULL;
    size_t len = 0, cap = 0;
    say(f->asking, f->filter, "snapshot");
    json_t *snapshot = result_of(line_of(f, f->asking, &text, &len, &cap));
    free(text);
    return snapshot;
}

static void explain(const json_t *is, const json_t *should, const char *when)
{
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)(uintptr_t)should, key, v)
    {
        const json_t *mine = json_object_get(is, key);
        if (json_equal(v, mine))
            continue;
        char *a = mine ? json_dumps(mine, JSON_SORT_KEYS) : NULL,
             *b = json_dumps(v, JSON_SORT_KEYS);
        print_message("%s\n  followed: %s\n  snapshot: %s\n", key, a ? a : "nothing", b);
        free(a);
        free(b);
    }
    json_object_foreach((json_t *)(uintptr_t)is, key, v)
    {
        if (!json_object_get(should, key))
            print_message("%s\n  is no more\n", key);
    }
    fail_msg("the follower is wrong after %s", when);
}

/* Without a filter it reads to the snapshot's number. With one that may never come: then it waits for what it lacks, or for nothing. */
void follower_check(struct follower *f, const char *when)
{
    json_t *snapshot = fresh_snapshot(f);
    uint64_t to = (uint64_t)json_integer_value(json_object_get(snapshot, "seqEnd"));
    assert_int_equal(json_integer_value(json_object_get(snapshot, "seq")), to);
    json_t *should = state_of(snapshot);
    json_decref(snapshot);
    while (f->seq < to && !(*f->filter && json_equal(f->state, should))) {
        json_t *event = next_line(f);
        apply(f, event);
        json_decref(event);
    }
    if (!json_equal(f->state, should))
        explain(f->state, should, when);
    json_decref(should);
}
