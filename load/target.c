#include "load/target.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *take_scheme(struct target *t, const char *url)
{
    static const struct {
        const char *scheme;
        bool tls;
    } rows[] = {{"wss://", true}, {"https://", true}, {"ws://", false}, {"http://", false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t n = strlen(rows[i].scheme);
        if (strncmp(url, rows[i].scheme, n) == 0) {
            t->tls = rows[i].tls;
            return url + n;
        }
    }
    return NULL;
}

static bool take_host(struct target *t, const char *p, size_t len)
{
    const char *end = p + len;
    if (len && *p == '[') {
        const char *close = memchr(p, ']', len);
        if (!close)
            return false;
        p++;
        end = close;
    }
    size_t n = (size_t)(end - p);
    if (n == 0 || n >= sizeof(t->host))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)p[i]) && !strchr(".-_:%", p[i]))
            return false;
    memcpy(t->host, p, n);
    t->host[n] = '\0';
    return true;
}

static bool take_port(struct target *t, const char *p, size_t len)
{
    unsigned long port = 0;
    for (size_t i = 0; i < len; i++) {
        if (!isdigit((unsigned char)p[i]) || port > 65535)
            return false;
        port = port * 10 + (unsigned long)(p[i] - '0');
    }
    t->port = (uint16_t)port;
    return len > 0 && port > 0 && port <= 65535;
}

static bool take_room(struct target *t, const char *room)
{
    size_t n = strlen(room);
    if (n == 0 || n > TARGET_ROOM_MAX)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)room[i]) && !strchr("-_.", room[i]))
            return false;
    memcpy(t->room, room, n + 1);
    return true;
}

const char *target_parse(struct target *t, const char *url)
{
    *t = (struct target){0};
    const char *p = take_scheme(t, url);
    if (!p)
        return "the address must begin with wss:// or ws://";
    const char *slash = strchr(p, '/');
    if (!slash)
        return "the address names no room: wss://host:port/room";
    const char *bracket = memchr(p, ']', (size_t)(slash - p));
    const char *from = bracket ? bracket : p;
    const char *colon = memchr(from, ':', (size_t)(slash - from));
    const char *host_end = colon ? colon : slash;
    if (!take_host(t, p, (size_t)(host_end - p)))
        return "the host in the address is not usable";
    t->port = t->tls ? 443 : 80;
    if (colon && !take_port(t, colon + 1, (size_t)(slash - colon - 1)))
        return "the port in the address is not a number from 1 to 65535";
    if (!take_room(t, slash + 1))
        return "the room must have 1 to 100 letters, digits, '-', '_' or '.'";
    snprintf(t->authority, sizeof(t->authority), "%.*s", (int)(slash - p), p);
    return NULL;
}
