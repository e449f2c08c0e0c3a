/* static.h - the files of the web client, read once and kept in memory, so that no request waits for a disk.
 *
 * A path is looked up in a table and never reaches a file system, so none can lead out of the folder. Hidden files, symbolic links
 * and whatever is no regular file are left out.
 */
#ifndef ALTHING_SERVER_EDGE_STATIC_H
#define ALTHING_SERVER_EDGE_STATIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct static_files;

struct static_file {
    const char *type;  /* Content-Type */
    const char *cache; /* Cache-Control */
    char etag[24];     /* with its quotes; of the content */
    const uint8_t *data;
    size_t len;
};

enum static_result { STATIC_FOUND, STATIC_MISSING, STATIC_REFUSED };

/* 0, -EFBIG (more than max_bytes), or what opening and reading said. `folder` NULL: an empty table. */
int static_new(struct static_files **sp, const char *folder, size_t max_bytes);
void static_free(struct static_files *s); /* NULL is fine */
/* Adds or replaces one, with a copy of the text. `path` starts with "/". */
void static_add(struct static_files *s, const char *path, const char *text, size_t len);
/* `path` is decoded. A path without a file extension that is no file gives /index.html (the client is a single-page application).
 * Refused: segments "." and "..", empty ones, backslashes, control characters, what is not UTF-8, more than 1024 bytes. */
enum static_result static_find(const struct static_files *s, const char *path, size_t len, const struct static_file **file);

/* The parts of static_find() that need no table; pure. */
bool static_path_is_safe(const char *path, size_t len);
bool static_path_has_extension(const char *path, size_t len);
const char *static_type(const char *path);  /* by extension; application/octet-stream if unknown */
const char *static_cache(const char *path); /* a year for /assets/, whose names carry a hash; else to be checked each time */

#endif
