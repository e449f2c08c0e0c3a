#include "server/edge/host.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/addr.h"

static bool port_is_valid(const char *port)
{
    size_t n = strspn(port, "0123456789");
    return n >= 1 && n <= 5 && port[n] == '\0' && atoi(port) >= 1 && atoi(port) <= 65535;
}

bool host_name(const char *host, char name[static HOST_MAX])
{
    size_t n = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    if (n == 0 || n >= 256 || n > strlen(host))
        return false;
    if (host[n] != '\0' && (host[n] != ':' || !port_is_valid(host + n + 1)))
        return false;
    memcpy(name, host, n);
    name[n] = '\0';

    if (name[0] == '[') {
        struct in6_addr addr;
        char literal[HOST_MAX];
        memcpy(literal, name + 1, n - 2);
        literal[n - 2] = '\0';
        return inet_pton(AF_INET6, literal, &addr) == 1;
    }
    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && name[i] != '-' && name[i] != '.' && name[i] != '_')
            return false;
    return name[0] != '.' && name[0] != '-' && !strstr(name, "..");
}

bool host_is_valid(const char *host)
{
    char name[HOST_MAX];
    return host_name(host, name);
}

bool host_is_local_or_ip(const char *host)
{
    char name[HOST_MAX];
    struct in_addr addr;
    if (!host_name(host, name) || name[0] == '[' || inet_pton(AF_INET, name, &addr) == 1)
        return true;
    size_t n = strlen(name);
    if (name[n - 1] == '.')
        name[--n] = '\0';
    return strcasecmp(name, "localhost") == 0 ||
           (n > 10 && strcasecmp(name + n - 10, ".localhost") == 0);
}

static bool is_default_port(const char *port, bool tls)
{
    return *port == '\0' || strcmp(port, tls ? ":443" : ":80") == 0;
}

bool host_is_origin(const char *host, const char *origin)
{
    bool tls = strncasecmp(origin, "https://", 8) == 0;
    if (!tls && strncasecmp(origin, "http://", 7) != 0)
        return false;
    origin += tls ? 8 : 7;
    char a[HOST_MAX], b[HOST_MAX];
    if (!host_name(host, a) || !host_name(origin, b) || strcasecmp(a, b) != 0)
        return false;
    const char *port_a = host + strlen(a), *port_b = origin + strlen(b);
    return strcmp(port_a, port_b) == 0 ||
           (is_default_port(port_a, tls) && is_default_port(port_b, tls));
}

bool host_origin_listed(const char *const *list, size_t n, const char *origin)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i], "*") == 0 || strcasecmp(list[i], origin) == 0)
            return true;
    return false;
}

bool host_forwarded_for(const char *header, char ip[static 80])
{
    const char *last = strrchr(header, ',');
    last = last ? last + 1 : header;
    last += strspn(last, " \t");
    if (*last == '[')
        last++;
    size_t n = strcspn(last, "], \t");
    if (n == 0 || n >= 64)
        return false;
    char literal[64];
    memcpy(literal, last, n);
    literal[n] = '\0';
    char *colon = strchr(literal, ':');
    if (colon && strchr(literal, '.') && !strchr(colon + 1, ':'))
        *colon = '\0';
    struct addr a;
    if (addr_parse(&a, literal, 0))
        return false;
    addr_format_ip(&a, ip);
    return true;
}

size_t host_https_url(char *out, size_t cap, const char *host, uint16_t port, const char *target)
{
    char name[HOST_MAX], number[8] = "";
    if (!host_name(host, name) || target[0] != '/')
        return 0;
    if (port != 443)
        snprintf(number, sizeof(number), ":%u", port);
    int n = snprintf(out, cap, "https://%s%s%s", name, number, target);
    return n > 0 && (size_t)n < cap ? (size_t)n : 0;
}
