/* chat.h - a room's bounded history of chat messages or shared files: the newest stay (limits.h). Pure. */
#ifndef ALTHING_SERVER_ROOM_CHAT_H
#define ALTHING_SERVER_ROOM_CHAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chat_entry {
    char *text;         /* the message, or the magnet URI */
    char *peer_id;      /* who sent it */
    char *display_name; /* as it was then */
    int64_t at_ms;      /* since 1970 */
};

/* A ring of at most max_entries whose strings have at most max_bytes together, but for the newest, which always fits. */
struct chat {
    struct chat_entry *ring;
    size_t first, count, bytes;
    size_t max_entries, max_bytes;
    uint64_t added; /* in all: the newest entry has the number added - 1, the oldest added - count */
    /* The keeper's: the entries from `kept_from` up to `kept_to` are kept as they are; all anew if something was taken out of the
     * middle. */
    uint64_t kept_from, kept_to;
    bool rewrite;
};

void chat_init(struct chat *c, size_t max_entries, size_t max_bytes);
void chat_clear(struct chat *c); /* forgets all, and may be used on; the last call frees all */
/* Copies the strings. The entry is valid until the next change. */
const struct chat_entry *chat_add(struct chat *c, const char *text, const char *peer_id, const char *display_name, int64_t at_ms);
const struct chat_entry *chat_at(const struct chat *c, size_t i); /* 0: the oldest; i < count */
/* Is the newest of this peer's the same, and not older than since_ms? */
bool chat_repeats(const struct chat *c, const char *text, const char *peer_id, int64_t since_ms);
/* Forgets those of this peer with this text; returns how many. */
size_t chat_remove(struct chat *c, const char *peer_id, const char *text);

#endif
