#include "server/edge/static.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uthash.h>

#include "lib/log.h"
#include "lib/mem.h"
#include "server/edge/text.h"

#define PATH_BYTES_MAX 1024
#define FOLDERS_MAX    16 /* in one another */

struct entry {
    struct static_file file;
    uint8_t *data;
    char *path;
    UT_hash_handle hh;
};

struct static_files {
    struct entry *entries;
    size_t bytes, max_bytes;
};

static const struct {
    const char *extension, *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".map", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".wasm", "application/wasm"},
    {".tflite", "application/octet-stream"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".jpeg", "image/jpeg"},
    {".gif", "image/gif"},
    {".webp", "image/webp"},
    {".ico", "image/x-icon"},
    {".woff", "font/woff"},
    {".woff2", "font/woff2"},
    {".ttf", "font/ttf"},
    {".mp3", "audio/mpeg"},
    {".ogg", "audio/ogg"},
    {".wav", "audio/wav"},
    {".mp4", "video/mp4"},
    {".webm", "video/webm"},
    {".txt", "text/plain; charset=utf-8"},
    {".xml", "application/xml"},
    {".pdf", "application/pdf"},
};

const char *static_type(const char *path)
{
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
        if (strcasecmp(dot, types[i].extension) == 0)
            return types[i].type;
    return "application/octet-stream";
}

const char *static_cache(const char *path)
{
    return strncmp(path, "/assets/", 8) == 0 ? "public, max-age=31536000, immutable" : "no-cache";
}

static void entry_free(struct entry *entry)
{
    free(entry->data);
    free(entry->path);
    free(entry);
}

void static_free(struct static_files *s)
{
    if (!s)
        return;
    struct entry *entry, *next;
    HASH_ITER (hh, s->entries, entry, next) {
        HASH_DEL(s->entries, entry);
        entry_free(entry);
    }
    free(s);
}

/* FNV-1a: names a version of a file; nobody gains by finding two alike. */
static uint64_t fnv64(const uint8_t *data, size_t len)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < len; i++)
        h = (h ^ data[i]) * 1099511628211u;
    return h;
}

/* Takes `data`. */
static void entry_add(struct static_files *s, const char *path, uint8_t *data, size_t len)
{
    struct entry *entry, *old;
    HASH_FIND_STR(s->entries, path, old);
    if (old) {
        HASH_DEL(s->entries, old);
        entry_free(old);
    }
    entry = mem_zalloc(sizeof(*entry));
    entry->path = mem_strdup(path);
    entry->data = data;
    entry->file = (struct static_file){
        .type = static_type(path), .cache = static_cache(path), .data = data, .len = len};
    snprintf(entry->file.etag, sizeof(entry->file.etag), "\"%016" PRIx64 "\"", fnv64(data, len));
    HASH_ADD_KEYPTR(hh, s->entries, entry->path, strlen(entry->path), entry);
}

void static_add(struct static_files *s, const char *path, const char *text, size_t len)
{
    uint8_t *data = mem_zalloc(len + 1);
    memcpy(data, text, len);
    entry_add(s, path, data, len);
}

static int read_all(int fd, uint8_t *data, size_t len)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = read(fd, data + at, len - at);
        if (n <= 0)
            return n == 0 ? -EIO : -errno;
        at += (size_t)n;
    }
    return 0;
}

static int load_file(struct static_files *s, int fd, const char *path, size_t len)
{
    if (len > s->max_bytes - s->bytes)
        return -EFBIG;
    uint8_t *data = mem_zalloc(len + 1);
    int err = read_all(fd, data, len);
    if (err) {
        free(data);
        return err;
    }
    s->bytes += len;
    entry_add(s, path, data, len);
    return 0;
}

static int load_folder(struct static_files *s, int fd, const char *path, unsigned depth);

/* Takes nothing: opens `name` within `dir`, without following a link. */
static int load_entry(struct static_files *s, int dir, const char *name, const char *path,
                      unsigned depth)
{
    char full[PATH_BYTES_MAX];
    struct stat st;
    if ((size_t)snprintf(full, sizeof(full), "%s/%s", path, name) >= sizeof(full))
        return -ENAMETOOLONG;
    int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ELOOP ? 0 : -errno;
    int err = 0;
    if (fstat(fd, &st))
        err = -errno;
    else if (S_ISDIR(st.st_mode) && depth < FOLDERS_MAX)
        return load_folder(s, fd, full, depth + 1);
    else if (S_ISREG(st.st_mode))
        err = load_file(s, fd, full, (size_t)st.st_size);
    close(fd);
    return err;
}

static int load_folder(struct static_files *s, int fd, const char *path, unsigned depth)
{
    int err = 0;
    DIR *dir = fdopendir(fd);
    if (!dir) {
        err = -errno;
        close(fd);
        return err;
    }
    for (struct dirent *d; !err && (d = readdir(dir)) != NULL;)
        if (d->d_name[0] != '.')
            err = load_entry(s, fd, d->d_name, path, depth);
    closedir(dir);
    return err;
}

int static_new(struct static_files **sp, const char *folder, size_t max_bytes)
{
    struct static_files *s = mem_zalloc(sizeof(*s));
    s->max_bytes = max_bytes;
    if (folder) {
        int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int err = fd < 0 ? -errno : load_folder(s, fd, "", 0);
        if (err) {
            static_free(s);
            return err;
        }
        log_info("static", "files loaded folder=%s files=%u bytes=%zu", folder,
                 HASH_COUNT(s->entries), s->bytes);
    }
    *sp = s;
    return 0;
}

bool static_path_is_safe(const char *path, size_t len)
{
    if (len == 0 || len > PATH_BYTES_MAX || path[0] != '/' || !text_is_clean(path, len) ||
        memchr(path, '\\', len))
        return false;
    for (size_t i = 0; i < len;) {
        const char *segment = path + i + 1;
        const char *end = memchr(segment, '/', len - i - 1);
        size_t n = end ? (size_t)(end - segment) : len - i - 1;
        bool last = !end;
        if ((n == 0 && !last) || (n == 1 && segment[0] == '.') ||
            (n == 2 && segment[0] == '.' && segment[1] == '.'))
            return false;
        i += n + 1;
    }
    return true;
}

bool static_path_has_extension(const char *path, size_t len)
{
    size_t i = len;
    while (i > 0 && isalnum((unsigned char)path[i - 1]))
        i--;
    return i < len && len - i <= 12 && i >= 1 && path[i - 1] == '.';
}

static const struct entry *find(const struct static_files *s, const char *path, size_t len)
{
    struct entry *entry;
    HASH_FIND(hh, s->entries, path, len, entry);
    return entry;
}

enum static_result static_find(const struct static_files *s, const char *path, size_t len,
                               const struct static_file **file)
{
    if (!static_path_is_safe(path, len))
        return STATIC_REFUSED;
    const struct entry *entry = find(s, path, len);
    if (!entry && !static_path_has_extension(path, len))
        entry = find(s, "/index.html", 11);
    if (!entry)
        return STATIC_MISSING;
    *file = &entry->file;
    return STATIC_FOUND;
}
