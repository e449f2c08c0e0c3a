#include "server/room/chat.h"

#include "lib/mem.h"

#include <stdlib.h>
#include <string.h>

static size_t entry_bytes(const struct chat_entry *e)
{
    return strlen(e->text) + strlen(e->peer_id) + strlen(e->display_name);
}

static void drop_first(struct chat *c)
{
    struct chat_entry *e = &c->ring[c->first];
    c->bytes -= entry_bytes(e);
    free(e->text);
    free(e->peer_id);
    free(e->display_name);
    *e = (struct chat_entry){0};
    c->first = (c->first + 1) % c->max_entries;
    c->count--;
}

void chat_init(struct chat *c, size_t max_entries, size_t max_bytes)
{
    *c = (struct chat){.max_entries = max_entries, .max_bytes = max_bytes};
}

void chat_clear(struct chat *c)
{
    while (c->count)
        drop_first(c);
    free(c->ring);
    c->ring = NULL;
    c->first = 0;
}

const struct chat_entry *chat_add(struct chat *c, const char *text, const char *peer_id,
                                  const char *display_name, int64_t at_ms)
{
    if (!c->ring)
        c->ring = mem_calloc(c->max_entries, sizeof(*c->ring));
    struct chat_entry e = {mem_strdup(text), mem_strdup(peer_id), mem_strdup(display_name), at_ms};
    size_t bytes = entry_bytes(&e);
    while (c->count && (c->count == c->max_entries || c->bytes + bytes > c->max_bytes))
        drop_first(c);
    size_t at = (c->first + c->count) % c->max_entries;
    c->ring[at] = e;
    c->count++;
    c->added++;
    c->bytes += bytes;
    return &c->ring[at];
}

const struct chat_entry *chat_at(const struct chat *c, size_t i)
{
    return &c->ring[(c->first + i) % c->max_entries];
}

bool chat_repeats(const struct chat *c, const char *text, const char *peer_id, int64_t since_ms)
{
    for (size_t i = c->count; i-- > 0;) {
        const struct chat_entry *e = chat_at(c, i);
        if (!strcmp(e->peer_id, peer_id))
            return e->at_ms >= since_ms && !strcmp(e->text, text);
    }
    return false;
}

size_t chat_remove(struct chat *c, const char *peer_id, const char *text)
{
    size_t removed = 0;
    for (size_t left = c->count; left; left--) {
        struct chat_entry e = c->ring[c->first];
        if (!strcmp(e.peer_id, peer_id) && !strcmp(e.text, text)) {
            drop_first(c);
            removed++;
            continue;
        }
        /* To the other end: after a full turn the order is the old one. */
        c->ring[c->first] = (struct chat_entry){0};
        c->first = (c->first + 1) % c->max_entries;
        c->ring[(c->first + c->count - 1) % c->max_entries] = e;
    }
    c->rewrite = c->rewrite || removed;
    return removed;
}
