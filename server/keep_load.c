#include "server/keep_int.h"

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/mem.h"
#include "server/room/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct load {
    struct keep *k;
    int64_t now_us;
    int64_t alive_ms;
    size_t read;
    char **dropped; /* keys; deleted when all has been read */
    size_t n_dropped;
    struct room_session
        *session; /* of the last chat document: the next is mostly of the same one */
};

/* What stands behind the prefix and the kind: "r/..." gives "...". */
static const char *rest_of(const struct load *l, const char *key)
{
    return key + strlen(l->k->prefix) + 2;
}

static json_t *parse(const void *value, size_t len)
{
    return json_loadb(value, len, JSON_DECODE_ANY, NULL);
}

/* A document that is of no use is not kept any longer. */
static void count(struct load *l, const char *key, bool good)
{
    l->read++;
    if (good)
        return;
    l->dropped = mem_realloc(l->dropped, l->n_dropped + 1, sizeof(*l->dropped));
    l->dropped[l->n_dropped++] = mem_strdup(key);
}

/* ---- one document ---- */

static void on_alive(const char *key, const void *value, size_t len, void *arg)
{
    struct load *l = arg;
    (void)key;
    json_t *doc = parse(value, len);
    l->alive_ms = json_integer_value(doc);
    json_decref(doc);
}

static void on_room(const char *key, const void *value, size_t len, void *arg)
{
    struct load *l = arg;
    json_t *doc = parse(value, len);
    count(l, key, keep_make_room(l->k->hub, doc) != NULL);
    json_decref(doc);
}

static struct room *room_named(struct load *l, const char *key, const char **end)
{
    char *stop;
    uint64_t serial = strtoull(rest_of(l, key), &stop, 16);
    *end = stop;
    return rooms_by_serial(&l->k->hub->rooms, serial);
}

static void on_drawing(const char *key, const void *value, size_t len, void *arg)
{
    struct load *l = arg;
    const char *end;
    struct room *r = room_named(l, key, &end);
    count(l, key, r != NULL);
    if (!r)
        return;
    drawing_restore(&r->drawing, parse(value, len));
    r->drawing.kept = true;
}

static struct room_session *session_named(struct load *l, const char *key)
{
    char id[37];
    const char *s = rest_of(l, key);
    if (strnlen(s, 36) < 36)
        return NULL;
    memcpy(id, s, 36);
    id[36] = 0;
    if (l->session && !strcmp(l->session->id, id))
        return l->session;
    l->session = NULL;
    for (struct room *r = rooms_after(&l->k->hub->rooms, 0); r && !l->session; r = r->hh.next)
        l->session = room_session_find(r, id);
    return l->session;
}

/* Numbers go on where they were, so that the documents stay those of the entries. */
static bool add_chat(struct chat *c, uint64_t number, const json_t *doc)
{
    const char *text = json_string_value(json_object_get(doc, "text"));
    const char *peer = json_string_value(json_object_get(doc, "peer"));
    const char *name = json_string_value(json_object_get(doc, "name"));
    if (!text || !peer || !name || !text_lines(text, CHAT_TEXT_MAX) ||
        !text_line(name, NAME_MAX_BYTES) || !text_id(peer, PEER_ID_MAX) || number < c->added)
        return false;
    if (!c->count)
        c->kept_from = number;
    c->rewrite = c->rewrite || (c->count && number != c->added);
    c->added = number;
    chat_add(c, text, peer, name, json_integer_value(json_object_get(doc, "at")));
    c->kept_to = c->added;
    return true;
}

static void on_chat(const char *key, const void *value, size_t len, void *arg)
{
    struct load *l = arg;
    struct room_session *s = session_named(l, key);
    const char *rest = rest_of(l, key);
    json_t *doc = parse(value, len);
    /* <session>/<m|f>/<number> */
    bool good =
        s && strlen(rest) == 36 + 3 + 16 &&
        add_chat(rest[37] == 'f' ? &s->files : &s->chat, strtoull(rest + 39, NULL, 16), doc);
    count(l, key, good);
    json_decref(doc);
}

static void on_peer(const char *key, const void *value, size_t len, void *arg)
{
    struct load *l = arg;
    json_t *doc = parse(value, len);
    count(l, key, keep_make_peer(l->k->hub, doc, l->now_us) != NULL);
    json_decref(doc);
}

static void on_picture(const char *key, const void *value, size_t len, void *arg)
{
    struct load *l = arg;
    const char *end;
    struct room *r = room_named(l, key, &end);
    struct peer *p = r && *end == '.' ? room_peer_by_serial(r, strtoull(end + 1, NULL, 16)) : NULL;
    json_t *doc = parse(value, len);
    const char *picture = json_string_value(doc);
    bool good =
        p && picture && text_line(picture, PICTURE_MAX_BYTES) && peer_set_picture(p, picture);
    if (good)
        p->picture_kept = true;
    count(l, key, good);
    json_decref(doc);
}

static void on_object(const char *key, const void *value, size_t len, void *arg)
{
    struct load *l = arg;
    json_t *doc = parse(value, len);
    count(l, key, keep_make_object(l->k->hub, doc));
    json_decref(doc);
}

static void on_old(const char *key, const void *value, size_t len, void *arg)
{
    (void)value;
    (void)len;
    count(arg, key, false);
}

/* ---- all of them ---- */

static int each(struct load *l, const char *kind, store_each_f *fn)
{
    char prefix[STORE_KEY_MAX];
    snprintf(prefix, sizeof(prefix), "%s%s", l->k->prefix, kind);
    return store_load(l->k->store, prefix, fn, l);
}

static void delete_dropped(struct load *l)
{
    for (size_t i = 0; i < l->n_dropped; i++) {
        store_delete(l->k->store, l->dropped[i]);
        free(l->dropped[i]);
    }
    free(l->dropped);
}

static int load_all(struct load *l)
{
    /* In the order of what needs what; handles grow, so that transports come before what is on them. */
    static const struct {
        const char *kind;
        store_each_f *fn;
    } kinds[] = {{"r/", on_room}, {"d/", on_drawing}, {"c/", on_chat},
                 {"p/", on_peer}, {"i/", on_picture}, {"o/", on_object}};
    int64_t now_ms = clock_wall_us() / 1000;
    int err = each(l, "alive", on_alive);
    if (err)
        return err;
    if (now_ms - l->alive_ms > KEEP_VALID_S * 1000 || l->alive_ms > now_ms + 1000)
        return each(l, "", on_old);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !err; i++)
        err = each(l, kinds[i].kind, kinds[i].fn);
    return err;
}

static void drop_rooms(struct hub *h)
{
    struct room *r;
    while ((r = rooms_after(&h->rooms, 0)) != NULL) {
        if (h->media)
            media_forget(h->media, r);
        room_free(r);
    }
}

int keep_load(struct keep *k, int64_t now_us)
{
    struct load l = {.k = k, .now_us = now_us};
    int err = load_all(&l);
    delete_dropped(&l);
    if (err)
        drop_rooms(k->hub);
    else if (k->hub->rooms.n_rooms)
        log_info("keep", "rooms are as they were rooms=%zu peers=%zu documents=%zu dropped=%zu",
                 k->hub->rooms.n_rooms, k->hub->rooms.n_peers, l.read, l.n_dropped);
    return err;
}
