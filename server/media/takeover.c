#include "server/media/takeover.h"

#include "lib/clock.h"
#include "lib/mem.h"

#include <errno.h>
#include <stdlib.h>

struct takeover {
    struct channel *channel;
    takeover_f *fn;
    void *arg;
    int kind;
    struct takeover_objects objects;
    size_t cap; /* of the current kind's list */
};

static void on_page(const Althing__ObjectList *list, void *arg);

static int ask(struct takeover *t)
{
    const struct takeover_objects *o = &t->objects;
    uint64_t after = o->n[t->kind] ? o->handles[t->kind][o->n[t->kind] - 1] : 0;
    return channel_list(t->channel, (Althing__ObjectKind)t->kind, after, on_page, t,
                        clock_now_us());
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static bool add(struct takeover *t, const Althing__ObjectList *list)
{
    struct takeover_objects *o = &t->objects;
    size_t n = o->n[t->kind];
    if (n + list->n_handles > TAKEOVER_OBJECTS_MAX || (list->more && !list->n_handles))
        return false;
    if (n + list->n_handles > t->cap) {
        t->cap = (n + list->n_handles) * 2;
        o->handles[t->kind] = mem_realloc(o->handles[t->kind], t->cap, sizeof(uint64_t));
    }
    for (size_t i = 0; i < list->n_handles; i++)
        o->handles[t->kind][n + i] = list->handles[i];
    o->n[t->kind] = n + list->n_handles;
    return true;
}

static void on_page(const Althing__ObjectList *list, void *arg)
{
    struct takeover *t = arg;
    if (!list || !add(t, list)) {
        t->fn(NULL, t->arg);
        return;
    }
    if (!list->more) {
        if (t->objects.n[t->kind])
            qsort(t->objects.handles[t->kind], t->objects.n[t->kind], sizeof(uint64_t), by_value);
        t->cap = 0;
        if (++t->kind == TAKEOVER_KINDS) {
            t->fn(&t->objects, t->arg);
            return;
        }
    }
    if (ask(t))
        t->fn(NULL, t->arg);
}

int takeover_start(struct takeover **tp, struct channel *c, takeover_f *fn, void *arg)
{
    struct takeover *t = mem_zalloc(sizeof(*t));
    *t = (struct takeover){
        .channel = c, .fn = fn, .arg = arg, .kind = ALTHING__OBJECT_KIND__OBJECT_ROUTER};
    int err = ask(t);
    if (err)
        free(t);
    else
        *tp = t;
    return err;
}

void takeover_free(struct takeover *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < TAKEOVER_KINDS; i++)
        free(t->objects.handles[i]);
    free(t);
}

bool takeover_has(const struct takeover_objects *o, Althing__ObjectKind kind, uint64_t handle)
{
    return o->n[kind] &&
           bsearch(&handle, o->handles[kind], o->n[kind], sizeof(uint64_t), by_value) != NULL;
}
