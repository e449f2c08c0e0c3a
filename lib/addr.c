#include "lib/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool addr_is_ipv4(const struct addr *a)
{
    return memcmp(a->ip, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static void set_ipv4(struct addr *a, const struct in_addr *in)
{
    memcpy(a->ip, mapped_prefix, sizeof(mapped_prefix));
    memcpy(a->ip + 12, in, 4);
}

int addr_from_sockaddr(struct addr *a, const struct sockaddr *sa)
{
    memset(a, 0, sizeof(*a));
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, sa, sizeof(in));
        set_ipv4(a, &in.sin_addr);
        a->port = ntohs(in.sin_port);
        return 0;
    }
    if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;
        memcpy(&in6, sa, sizeof(in6));
        memcpy(a->ip, &in6.sin6_addr, 16);
        a->port = ntohs(in6.sin6_port);
        a->scope = in6.sin6_scope_id;
        return 0;
    }
    return -EAFNOSUPPORT;
}

socklen_t addr_to_sockaddr(const struct addr *a, int family, struct sockaddr_storage *ss)
{
    memset(ss, 0, sizeof(*ss));
    if (family == AF_INET) {
        if (!addr_is_ipv4(a))
            return 0;
        struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(a->port)};
        memcpy(&in.sin_addr, a->ip + 12, 4);
        memcpy(ss, &in, sizeof(in));
        return sizeof(in);
    }
    if (family != AF_INET6)
        return 0;
    struct sockaddr_in6 in6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(a->port), .sin6_scope_id = a->scope};
    memcpy(&in6.sin6_addr, a->ip, 16);
    memcpy(ss, &in6, sizeof(in6));
    return sizeof(in6);
}

int addr_parse(struct addr *a, const char *ip, uint16_t port)
{
    memset(a, 0, sizeof(*a));
    a->port = port;
    struct in_addr in;
    if (inet_pton(AF_INET, ip, &in) == 1) {
        set_ipv4(a, &in);
        return 0;
    }
    return inet_pton(AF_INET6, ip, a->ip) == 1 ? 0 : -EINVAL;
}

const char *addr_format_ip(const struct addr *a, char buf[static ADDR_STR_MAX])
{
    const char *s = addr_is_ipv4(a) ? inet_ntop(AF_INET, a->ip + 12, buf, ADDR_STR_MAX)
                                    : inet_ntop(AF_INET6, a->ip, buf, ADDR_STR_MAX);
    if (!s)
        buf[0] = '\0';
    return buf;
}

const char *addr_format(const struct addr *a, char buf[static ADDR_STR_MAX])
{
    char ip[ADDR_STR_MAX];
    addr_format_ip(a, ip);
    snprintf(buf, ADDR_STR_MAX, addr_is_ipv4(a) ? "%.60s:%u" : "[%.60s]:%u", ip, a->port);
    return buf;
}
