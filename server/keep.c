#include "server/keep_int.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#define ALIVE_MS 5000

struct key {
    char text[STORE_KEY_MAX + 1];
};

#define of_change(c, type, member) ((type *)(void *)((char *)(c)-offsetof(type, member)))

static int64_t now_ms(void)
{
    return clock_wall_us() / 1000;
}

/* ---- keys ---- */

/* <prefix><kind>/<number>[.<number>] */
static struct key key_of(const struct keep *k, char kind, uint64_t number)
{
    struct key key;
    snprintf(key.text, sizeof(key.text), "%s%c/%016llx", k->prefix, kind,
             (unsigned long long)number);
    return key;
}

static struct key chat_key(const struct keep *k, const struct room_session *s, char kind,
                           uint64_t n)
{
    struct key key;
    snprintf(key.text, sizeof(key.text), "%sc/%s/%c/%016llx", k->prefix, s->id, kind,
             (unsigned long long)n);
    return key;
}

static struct key peer_key(const struct keep *k, char kind, const struct peer *p)
{
    struct key key = key_of(k, kind, p->room->serial);
    size_t n = strlen(key.text);
    snprintf(key.text + n, sizeof(key.text) - n, ".%016llx", (unsigned long long)p->serial);
    return key;
}

/* ---- writing ---- */

/* FNV-1a; never 0. */
static uint64_t hash(const char *text, size_t len)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return h ? h : 1;
}

/* doc is stolen. *kept: the hash of what is there already; NULL: it is another. */
static void put(struct keep *k, struct key key, json_t *doc, uint64_t *kept)
{
    char *text = doc ? json_dumps(doc, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    json_decref(doc);
    if (!text)
        return;
    size_t len = strlen(text);
    uint64_t h = hash(text, len);
    if (!kept || *kept != h)
        store_put(k->store, key.text, text, len, 0);
    if (kept)
        *kept = h;
    free(text);
}

static void write_chat(struct keep *k, const struct room_session *s, char kind, struct chat *c)
{
    uint64_t first = c->added - c->count;
    if (c->rewrite)
        c->kept_to = first; /* numbers from kept_from on are deleted or written anew */
    for (uint64_t n = c->kept_from; n < first && n < c->added; n++)
        store_delete(k->store, chat_key(k, s, kind, n).text);
    for (uint64_t n = c->kept_to > first ? c->kept_to : first; n < c->added; n++)
        put(k, chat_key(k, s, kind, n), keep_doc_chat(chat_at(c, (size_t)(n - first))), NULL);
    c->kept_from = first;
    c->kept_to = c->added;
    c->rewrite = false;
}

static void write_session(struct keep *k, struct room_session *s)
{
    write_chat(k, s, 'm', &s->chat);
    write_chat(k, s, 'f', &s->files);
}

static void write_room(struct keep *k, struct room *r)
{
    put(k, key_of(k, 'r', r->serial), keep_doc_room(r), &r->change.kept);
    if (!r->drawing.kept)
        put(k, key_of(k, 'd', r->serial), drawing_objects(&r->drawing), NULL);
    r->drawing.kept = true;
    write_session(k, &r->main);
    for (struct room_session *s = r->breakouts; s; s = s->next)
        write_session(k, s);
}

static void write_peer(struct keep *k, struct peer *p)
{
    /* What is kept knows on which worker the awaited router is. */
    if (!p->awaited)
        put(k, peer_key(k, 'p', p), keep_doc_peer(p), &p->change.kept);
    if (p->picture_kept)
        return;
    if (p->picture)
        put(k, peer_key(k, 'i', p), json_string(p->picture), NULL);
    else
        store_delete(k->store, peer_key(k, 'i', p).text);
    p->picture_kept = true;
}

static void write_one(struct keep *k, struct change *c)
{
    if (c->type == CHANGE_ROOM) {
        write_room(k, of_change(c, struct room, change));
    } else if (c->type == CHANGE_PEER) {
        write_peer(k, of_change(c, struct peer, change));
    } else if (c->type == CHANGE_OBJECT) {
        struct object *o = of_change(c, struct object, change);
        put(k, key_of(k, 'o', o->handle), keep_doc_object(o), &c->kept);
    }
}

static void write_some(struct keep *k, size_t n)
{
    while (k->queue && n--) {
        struct change *c = k->queue;
        DL_DELETE2(k->queue, c, keep_prev, keep_next);
        c->keep_queued = false;
        write_one(k, c);
    }
}

static void on_timer(uv_timer_t *t)
{
    struct keep *k = t->data;
    write_some(k, KEEP_SLICE);
    if (k->queue)
        uv_timer_start(t, on_timer, 1, 0);
}

/* ---- listening ---- */

static void changed(struct change *c, void *arg)
{
    struct keep *k = arg;
    if (c->keep_queued)
        return;
    if (!k->queue)
        uv_timer_start(k->timer, on_timer, KEEP_DELAY_MS, 0);
    DL_APPEND2(k->queue, c, keep_prev, keep_next);
    c->keep_queued = true;
}

static void forget_chat(struct keep *k, const struct room_session *s, char kind,
                        const struct chat *c)
{
    for (uint64_t n = c->kept_from; n < c->kept_to; n++)
        store_delete(k->store, chat_key(k, s, kind, n).text);
}

static void forget_session(struct keep *k, const struct room_session *s)
{
    forget_chat(k, s, 'm', &s->chat);
    forget_chat(k, s, 'f', &s->files);
}

static void forget_room(struct keep *k, const struct room *r)
{
    store_delete(k->store, key_of(k, 'r', r->serial).text);
    store_delete(k->store, key_of(k, 'd', r->serial).text);
    forget_session(k, &r->main);
    for (const struct room_session *s = r->breakouts; s; s = s->next)
        forget_session(k, s);
}

static void ends(struct change *c, void *arg)
{
    struct keep *k = arg;
    if (c->keep_queued)
        DL_DELETE2(k->queue, c, keep_prev, keep_next);
    c->keep_queued = false;
    if (c->type == CHANGE_ROOM) {
        forget_room(k, of_change(c, struct room, change));
    } else if (c->type == CHANGE_PEER) {
        store_delete(k->store, peer_key(k, 'p', of_change(c, struct peer, change)).text);
        store_delete(k->store, peer_key(k, 'i', of_change(c, struct peer, change)).text);
    } else if (c->type == CHANGE_SESSION) {
        forget_session(k, of_change(c, struct room_session, change));
    } else if (c->type == CHANGE_OBJECT && c->kept) {
        store_delete(k->store, key_of(k, 'o', of_change(c, struct object, change)->handle).text);
    }
}

static void write_alive(struct keep *k)
{
    k->alive_ms = now_ms();
    struct key key;
    snprintf(key.text, sizeof(key.text), "%salive", k->prefix);
    put(k, key, json_integer(k->alive_ms), NULL);
}

void keep_tick(struct keep *k)
{
    int64_t now = now_ms();
    if (now - k->alive_ms >= ALIVE_MS || now < k->alive_ms)
        write_alive(k);
}

/* ---- beginning and end ---- */

static void free_handle(uv_handle_t *h)
{
    free(h);
}

/* A peer may have been lost between two writes. */
static void drop_empty(struct hub *h)
{
    struct room *r = rooms_after(&h->rooms, 0);
    while (r) {
        struct room *next = r->hh.next;
        if (r->n_peers == room_lobby_count(r)) {
            if (h->media)
                media_forget(h->media, r);
            room_free(r);
        }
        r = next;
    }
}

int keep_new(struct keep **kp, struct hub *h, struct store *s, uv_loop_t *loop, const char *name,
             int64_t now_us)
{
    if (!*name || strlen(name) > KEEP_NAME_MAX || strchr(name, '/'))
        return -EINVAL;
    struct keep *k = mem_zalloc(sizeof(*k));
    k->hub = h;
    k->store = s;
    snprintf(k->prefix, sizeof(k->prefix), "live/%s/", name);
    int err = keep_load(k, now_us);
    if (!err) {
        k->timer = mem_zalloc(sizeof(*k->timer));
        err = uv_timer_init(loop, k->timer);
    }
    if (err) {
        free(k->timer);
        free(k);
        return err;
    }
    k->timer->data = k;
    h->rooms.keeper = (struct change_listener){changed, ends, k};
    drop_empty(h);
    write_alive(k);
    *kp = k;
    return 0;
}

void keep_free(struct keep *k)
{
    if (!k)
        return;
    write_some(k, SIZE_MAX);
    write_alive(k);
    k->hub->rooms.keeper = (struct change_listener){0};
    uv_close((uv_handle_t *)k->timer, free_handle);
    free(k);
}
