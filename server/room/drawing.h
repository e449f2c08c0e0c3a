/* drawing.h - a room's shared canvas: objects with an id, in order of their layers. Pure.
 *
 * An object is whatever JSON the clients draw from; only its `id` (a number or a string) is looked at. At most DRAWING_OBJECTS_MAX,
 * with DRAWING_BYTES_MAX of JSON text together: past either an object is refused and nothing changes.
 */
#ifndef ALTHING_SERVER_ROOM_DRAWING_H
#define ALTHING_SERVER_ROOM_DRAWING_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#define DRAWING_COLOR_MAX 32

struct drawing {
    bool enabled;
    char color[DRAWING_COLOR_MAX + 1]; /* of the background: a CSS name or #rrggbb */
    json_t *objects;                   /* array of {object, objectId, status}; NULL: none */
    size_t bytes;                      /* of the objects' text */
    bool kept;                         /* the keeper's: as it is now */
};

void drawing_init(struct drawing *d);
void drawing_clear(struct drawing *d); /* no object is left; nothing is owned any more */
/* False: not a colour (letters, digits, '#'). */
bool drawing_set_color(struct drawing *d, const char *color);
/* status: "added" (again: replaced), "modified" (unknown: added) or "removed" (unknown: fine). 0, -EINVAL: malformed, -ENOSPC: a
 * bound. The object is borrowed and copied. */
int drawing_change(struct drawing *d, const json_t *object, const char *status);
/* Takes over what drawing_objects() gave; what is malformed or too much of it is left out. Stolen. */
void drawing_restore(struct drawing *d, json_t *objects);
json_t *drawing_objects(const struct drawing *d); /* a new reference to a copy */

#endif
