#include "server/room/drawing.h"

#include "server/room/limits.h"

#include <errno.h>
#include <string.h>

void drawing_init(struct drawing *d)
{
    *d = (struct drawing){.color = "white"};
}

void drawing_clear(struct drawing *d)
{
    json_decref(d->objects);
    d->objects = NULL;
    d->bytes = 0;
    d->kept = false;
}

bool drawing_set_color(struct drawing *d, const char *color)
{
    size_t n = strlen(color);
    if (!n || n > DRAWING_COLOR_MAX ||
        strspn(color, "#0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != n)
        return false;
    memcpy(d->color, color, n + 1);
    return true;
}

static size_t text_bytes(const json_t *object)
{
    return json_dumpb(object, NULL, 0, JSON_COMPACT);
}

/* Where the object of this id is; the size of the array: nowhere. */
static size_t find(const struct drawing *d, const json_t *id)
{
    size_t i, n = json_array_size(d->objects);
    for (i = 0; i < n; i++) {
        if (json_equal(json_object_get(json_array_get(d->objects, i), "objectId"), id))
            break;
    }
    return i;
}

static int put(struct drawing *d, size_t at, const json_t *object, const json_t *id)
{
    size_t n = json_array_size(d->objects), bytes = text_bytes(object), old = 0;
    if (at < n)
        old = text_bytes(json_object_get(json_array_get(d->objects, at), "object"));
    if ((at == n && n == DRAWING_OBJECTS_MAX) || d->bytes - old + bytes > DRAWING_BYTES_MAX)
        return -ENOSPC;
    json_t *entry = json_pack("{so, so, ss}", "object", json_deep_copy(object), "objectId",
                              json_deep_copy(id), "status", "added");
    if (!d->objects)
        d->objects = json_array();
    if (at < n)
        json_array_set_new(d->objects, at, entry);
    else
        json_array_append_new(d->objects, entry);
    d->bytes += bytes - old;
    return 0;
}

int drawing_change(struct drawing *d, const json_t *object, const char *status)
{
    const json_t *id = json_object_get(object, "id");
    d->kept = false;
    if (!status || (!json_is_number(id) && !json_is_string(id)) ||
        json_string_length(id) > DRAWING_ID_MAX)
        return -EINVAL;
    size_t at = find(d, id);
    if (!strcmp(status, "added") || !strcmp(status, "modified"))
        return put(d, at, object, id);
    if (strcmp(status, "removed") != 0)
        return -EINVAL;
    if (at < json_array_size(d->objects)) {
        d->bytes -= text_bytes(json_object_get(json_array_get(d->objects, at), "object"));
        json_array_remove(d->objects, at);
    }
    return 0;
}

void drawing_restore(struct drawing *d, json_t *objects)
{
    size_t i;
    json_t *entry;
    json_array_foreach(objects, i, entry)
        drawing_change(d, json_object_get(entry, "object"), "added");
    json_decref(objects);
}

json_t *drawing_objects(const struct drawing *d)
{
    return d->objects ? json_deep_copy(d->objects) : json_array();
}
