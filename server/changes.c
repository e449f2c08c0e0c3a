#include "server/changes.h"

#include <stdlib.h>
#include <string.h>

#include <utlist.h>

/* FNV-1a; 0 is "never told". */
static uint64_t hash_of(const char *text)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return h ? h : 1;
}

/* Each thing has one hash a table; which one is that of a kind? */
static uint64_t *hash_for(struct change *c, enum observer_kind kind)
{
    unsigned i = kind == OBSERVER_SCORE || kind == OBSERVER_CHAT || kind == OBSERVER_LOBBY ? 1
                 : kind == OBSERVER_LAYERS                                                 ? 2
                                                                                           : 0;
    return &c->hash[i];
}

static void tell_gone(struct changes *cs, struct change *c, enum observer_kind kind)
{
    *hash_for(c, kind) = 0;
    if (!(observer_wanted(cs->observer) & OBSERVER_BIT(kind)))
        return;
    json_t *name = show_name(kind, c);
    observer_gone(cs->observer, kind, name);
    json_decref(name);
}

static void tell_put(struct changes *cs, struct change *c, enum observer_kind kind)
{
    uint64_t *told = hash_for(c, kind);
    if (!(observer_wanted(cs->observer) & OBSERVER_BIT(kind))) {
        *told = 0; /* who begins to follow has it from the snapshot; then it may change */
        return;
    }
    json_t *object = show_as(cs->hub, kind, c);
    char *text = json_dumps(object, JSON_COMPACT);
    uint64_t now = text ? hash_of(text) : 0;
    if (now != *told)
        observer_put(cs->observer, kind, object);
    *told = now;
    free(text);
    json_decref(object);
}

static void tell_one(struct changes *cs, struct change *c)
{
    uint32_t now = show_kinds(cs->hub, c), all = now | c->shown;
    for (unsigned k = 0; all >> k; k++) {
        if (c->shown & ~now & OBSERVER_BIT(k))
            tell_gone(cs, c, k);
    }
    c->shown = now;
    for (unsigned k = 0; now >> k; k++) {
        if (now & OBSERVER_BIT(k))
            tell_put(cs, c, k);
    }
}

bool changes_tell(struct changes *cs, size_t max)
{
    while (cs->first && max--) {
        struct change *c = cs->first;
        DL_DELETE(cs->first, c);
        c->queued = false;
        tell_one(cs, c);
    }
    return cs->first != NULL;
}

static void on_changed(struct change *c, void *arg)
{
    struct changes *cs = arg;
    if (!c->queued)
        DL_APPEND(cs->first, c);
    c->queued = true;
    observer_changed(cs->observer);
}

static void on_ends(struct change *c, void *arg)
{
    struct changes *cs = arg;
    if (c->queued)
        DL_DELETE(cs->first, c);
    c->queued = false;
    for (unsigned k = 0; c->shown >> k; k++) {
        if (c->shown & OBSERVER_BIT(k))
            tell_gone(cs, c, k);
    }
    c->shown = 0;
}

void changes_start(struct changes *cs, struct hub *h, struct observer *o)
{
    *cs = (struct changes){h, o, NULL};
    const struct change_listener listener = {on_changed, on_ends, cs};
    rooms_listen(&h->rooms, &listener);
    media_listen(h->media, &listener);
}

void changes_stop(struct changes *cs)
{
    if (!cs->hub)
        return;
    rooms_listen(&cs->hub->rooms, NULL);
    media_listen(cs->hub->media, NULL);
    while (cs->first) {
        struct change *c = cs->first;
        DL_DELETE(cs->first, c);
        c->queued = false;
    }
    *cs = (struct changes){0};
}
