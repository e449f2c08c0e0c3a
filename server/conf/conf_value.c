#include "server/conf/conf_int.h"

#include "lib/addr.h"
#include "lib/mem.h"
#include "server/ortc/ortc.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 48 /* of a wrong value in a message */

int conf_fail(const struct conf_place *p, const char *fmt, ...)
{
    char text[CONF_ERROR_MAX / 2];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    snprintf(p->err, CONF_ERROR_MAX, "%.180s: %.120s: %s", p->name, p->path, text);
    return -EINVAL;
}

/* "expected ..., got <the value as JSON, cut>" */
static int fail_expected(const struct conf_place *p, const char *expected, const json_t *got)
{
    char *text = json_dumps(got, JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII);
    const char *shown = text ? text : "?";
    conf_fail(p, "expected %s, got %.*s%s", expected, SHOWN_MAX, shown,
              strlen(shown) > SHOWN_MAX ? "..." : "");
    free(text);
    return -EINVAL;
}

static void *member(const struct conf *c, const struct conf_key *key)
{
    return (char *)(uintptr_t)c + key->offset;
}

static void set_string(char **s, const char *value)
{
    free(*s);
    *s = value ? mem_strdup(value) : NULL;
}

static int set_number(struct conf *c, const struct conf_key *key, const json_t *value,
                      const struct conf_place *p)
{
    json_int_t n = json_is_integer(value) ? json_integer_value(value) : -1;
    if (!json_is_null(value) && (n < key->min || n > key->max)) {
        char expected[64];
        snprintf(expected, sizeof(expected), "an integer from %u to %u", key->min, key->max);
        return fail_expected(p, expected, value);
    }
    if (n < 0)
        n = 0;
    if (key->type == CONF_PORT)
        *(uint16_t *)member(c, key) = (uint16_t)n;
    else
        *(uint32_t *)member(c, key) = (uint32_t)n;
    return 0;
}

static bool is_word(const char *words, const char *s)
{
    size_t len = strcspn(s, ", ");
    if (s[len])
        return false;
    for (const char *at = words; len && (at = strstr(at, s)); at += len) {
        if ((at == words || at[-1] == ' ') && (at[len] == ',' || at[len] == '\0'))
            return true;
    }
    return false;
}

static int set_choice(struct conf *c, const struct conf_key *key, const json_t *value,
                      const struct conf_place *p)
{
    const char *s = json_string_value(value);
    if (!s || !is_word(key->words, s)) {
        char expected[128];
        snprintf(expected, sizeof(expected), "one of %s", key->words);
        return fail_expected(p, expected, value);
    }
    set_string(member(c, key), s);
    return 0;
}

static void strings_free(struct conf_strings *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct conf_strings){0};
}

/* scheme://host[:port], as a browser writes it in an Origin header, or "*". */
static bool is_origin(const char *s)
{
    if (strcmp(s, "*") == 0)
        return true;
    size_t scheme = strncmp(s, "https://", 8) == 0 ? 8 : strncmp(s, "http://", 7) == 0 ? 7 : 0;
    const char *host = s + scheme;
    return scheme && *host &&
           strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-:[]") == strlen(host);
}

static int set_origins(struct conf *c, const struct conf_key *key, const json_t *value,
                       const struct conf_place *p)
{
    size_t n = json_array_size(value);
    if (!json_is_array(value) || n > CONF_STRINGS_MAX)
        return fail_expected(p, "a list of at most 64 strings", value);
    struct conf_strings *list = member(c, key);
    strings_free(list);
    list->items = mem_calloc(n ? n : 1, sizeof(char *));
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(value, i);
        const char *s = json_string_value(item);
        if (!s || !is_origin(s))
            return fail_expected(p, "origins such as \"https://meet.example.org\"", item);
        list->items[list->n++] = mem_strdup(s);
    }
    return 0;
}

static bool is_host(const char *s)
{
    size_t len = strlen(s);
    if (len == 0 || len > 63)
        return false;
    struct addr a;
    if (addr_parse(&a, s, 0) == 0)
        return true;
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)s[i]) && s[i] != '-' && s[i] != '.')
            return false;
    }
    return !isdigit((unsigned char)s[len - 1]) && s[len - 1] != '-';
}

static int listen_set(struct conf_listen *l, const json_t *item, const struct conf_place *p)
{
    const char *key;
    json_t *value;
    if (!json_is_object(item))
        return fail_expected(p, "an object with ip and announcedIp", item);
    json_object_foreach((json_t *)(uintptr_t)item, key, value)
    {
        if (strcmp(key, "ip") != 0 && strcmp(key, "announcedIp") != 0)
            return conf_fail(p, "unknown key \"%.40s\"", key);
    }
    const json_t *ip = json_object_get(item, "ip");
    const json_t *announced = json_object_get(item, "announcedIp");
    struct addr a;
    if (!json_is_string(ip) || strlen(json_string_value(ip)) > 63 ||
        addr_parse(&a, json_string_value(ip), 0) < 0)
        return fail_expected(p, "ip to be an address such as \"192.0.2.1\"", item);
    if (announced && !json_is_null(announced) &&
        (!json_is_string(announced) || !is_host(json_string_value(announced))))
        return fail_expected(p, "announcedIp to be an address, a host name or null", announced);
    static const uint8_t any4[16] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t any6[16];
    bool any = memcmp(a.ip, any4, 16) == 0 || memcmp(a.ip, any6, 16) == 0;
    if (any && !json_is_string(announced))
        return conf_fail(p, "%s needs an announcedIp", json_string_value(ip));
    l->ip = mem_strdup(json_string_value(ip));
    l->announced = json_is_string(announced) ? mem_strdup(json_string_value(announced)) : NULL;
    return 0;
}

static void listen_ips_free(struct conf_listen_ips *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->items[i].ip);
        free(list->items[i].announced);
    }
    *list = (struct conf_listen_ips){0};
}

static int set_listen_ips(struct conf *c, const struct conf_key *key, const json_t *value,
                          const struct conf_place *p)
{
    if (!json_is_array(value) || json_array_size(value) > CONF_LISTEN_MAX)
        return fail_expected(p, "a list of at most 8 objects", value);
    struct conf_listen_ips *list = member(c, key);
    listen_ips_free(list);
    for (size_t i = 0; i < json_array_size(value); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%.100s[%zu]", p->path, i);
        struct conf_place at = {p->name, path, p->err};
        int err = listen_set(&list->items[i], json_array_get(value, i), &at);
        if (err < 0)
            return err;
        list->n++;
        for (size_t j = 0; j < i; j++) {
            if (strcmp(list->items[i].ip, list->items[j].ip) == 0)
                return conf_fail(&at, "%s is listed twice", list->items[i].ip);
        }
    }
    return 0;
}

static bool is_one_of(const char *const *words, size_t n, const char *s)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(words[i], s) == 0)
            return true;
    }
    return false;
}

/* What the negotiation would pass over in silence; it says itself what else is wrong. */
static int check_media_codec(const json_t *item, const struct conf_place *p)
{
    static const char *const keys[] = {"kind",     "mimeType",   "clockRate",
                                       "channels", "parameters", "preferredPayloadType"};
    const char *key;
    json_t *value;
    if (!json_is_object(item))
        return fail_expected(p, "an object with mimeType and clockRate", item);
    json_object_foreach((json_t *)(uintptr_t)item, key, value)
    {
        if (!is_one_of(keys, sizeof(keys) / sizeof(keys[0]), key))
            return conf_fail(p, "unknown key \"%.40s\"", key);
    }
    const json_t *kind = json_object_get(item, "kind"), *mime = json_object_get(item, "mimeType");
    const char *k = json_string_value(kind), *m = json_string_value(mime);
    size_t len = k ? strlen(k) : 0;
    if (kind && m && (!k || strncasecmp(k, m, len) != 0 || m[len] != '/'))
        return fail_expected(p, "the kind of its mimeType", kind);
    const json_t *channels = json_object_get(item, "channels");
    if (channels && !json_is_integer(channels))
        return fail_expected(p, "channels to be an integer", channels);
    const json_t *parameters = json_object_get(item, "parameters");
    if (parameters && !json_is_object(parameters))
        return fail_expected(p, "parameters to be an object", parameters);
    return 0;
}

static bool is_router(const json_t *codecs, struct ortc_error *why)
{
    json_t *caps = ortc_router_capabilities(codecs, why);
    json_decref(caps);
    return caps != NULL;
}

static int set_codecs(struct conf *c, const struct conf_key *key, const json_t *value,
                      const struct conf_place *p)
{
    json_t **list = member(c, key);
    struct ortc_error why = {""};
    if (!json_is_array(value) || json_array_size(value) == 0)
        return fail_expected(p, "a list of at least one codec", value);
    for (size_t i = 0; i < json_array_size(value); i++) {
        char path[128];
        snprintf(path, sizeof(path), "%.100s[%zu]", p->path, i);
        struct conf_place at = {p->name, path, p->err};
        json_t *item = json_array_get(value, i);
        if (check_media_codec(item, &at) < 0)
            return -EINVAL;
        json_t *alone = json_pack("[O]", item);
        bool fits = is_router(alone, &why);
        json_decref(alone);
        if (!fits)
            return conf_fail(&at, "%s", why.text);
    }
    if (!is_router(value, &why))
        return conf_fail(p, "%s", why.text);
    json_decref(*list);
    *list = json_deep_copy(value);
    return 0;
}

int conf_value_set(struct conf *c, const struct conf_key *key, const json_t *value,
                   const struct conf_place *p)
{
    bool null = json_is_null(value) && key->nullable;
    switch (key->type) {
    case CONF_BOOL:
        if (!json_is_boolean(value))
            return fail_expected(p, "true or false", value);
        *(bool *)member(c, key) = json_is_true(value);
        return 0;
    case CONF_PORT:
    case CONF_UINT:
        if (json_is_null(value) && !null)
            return fail_expected(p, "an integer", value);
        return set_number(c, key, value, p);
    case CONF_STRING:
        if (!null && (!json_is_string(value) || json_string_length(value) == 0))
            return fail_expected(p, key->nullable ? "a string or null" : "a string", value);
        set_string(member(c, key), json_string_value(value));
        return 0;
    case CONF_CHOICE:
        return set_choice(c, key, value, p);
    case CONF_ORIGINS:
        return set_origins(c, key, value, p);
    case CONF_LISTEN_IPS:
        return set_listen_ips(c, key, value, p);
    case CONF_CODECS:
        return set_codecs(c, key, value, p);
    }
    return -EINVAL;
}

static json_t *string_or_null(const char *s)
{
    return s ? json_string(s) : json_null();
}

static json_t *number_or_null(const struct conf_key *key, uint32_t n)
{
    return n == 0 && key->nullable ? json_null() : json_integer(n);
}

static json_t *origins_get(const struct conf_strings *list)
{
    json_t *a = json_array();
    for (size_t i = 0; i < list->n; i++)
        json_array_append_new(a, json_string(list->items[i]));
    return a;
}

static json_t *listen_ips_get(const struct conf_listen_ips *list)
{
    json_t *a = json_array();
    for (size_t i = 0; i < list->n; i++) {
        json_t *o = json_object();
        json_object_set_new(o, "ip", json_string(list->items[i].ip));
        json_object_set_new(o, "announcedIp", string_or_null(list->items[i].announced));
        json_array_append_new(a, o);
    }
    return a;
}

json_t *conf_value_get(const struct conf *c, const struct conf_key *key)
{
    const void *m = member(c, key);
    switch (key->type) {
    case CONF_BOOL:
        return json_boolean(*(const bool *)m);
    case CONF_PORT:
        return json_integer(*(const uint16_t *)m);
    case CONF_UINT:
        return number_or_null(key, *(const uint32_t *)m);
    case CONF_STRING:
    case CONF_CHOICE:
        return string_or_null(*(char *const *)m);
    case CONF_ORIGINS:
        return origins_get(m);
    case CONF_LISTEN_IPS:
        return listen_ips_get(m);
    case CONF_CODECS:
        return json_deep_copy(*(json_t *const *)m);
    }
    return json_null();
}

void conf_value_free(struct conf *c, const struct conf_key *key)
{
    switch (key->type) {
    case CONF_BOOL:
    case CONF_PORT:
    case CONF_UINT:
        break;
    case CONF_STRING:
    case CONF_CHOICE: {
        char **s = member(c, key);
        if (*s && key->handoff)
            explicit_bzero(*s, strlen(*s));
        set_string(s, NULL);
        break;
    }
    case CONF_ORIGINS:
        strings_free(member(c, key));
        break;
    case CONF_LISTEN_IPS:
        listen_ips_free(member(c, key));
        break;
    case CONF_CODECS: {
        json_t **list = member(c, key);
        json_decref(*list);
        *list = NULL;
        break;
    }
    }
}
