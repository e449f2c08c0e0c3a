/* addr.h - an IP address and port, flat: two are the same when their bytes are, so memcmp compares and any hash hashes them. */
#ifndef ALTHING_LIB_ADDR_H
#define ALTHING_LIB_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct addr {
    uint8_t ip[16];    /* IPv6, or IPv4 mapped (::ffff:a.b.c.d) */
    uint16_t port;     /* host byte order */
    uint16_t reserved; /* 0 */
    uint32_t scope;    /* IPv6 scope id (link-local), else 0 */
};

#define ADDR_STR_MAX 80 /* "[v6%scope]:port" with its NUL */

bool addr_is_ipv4(const struct addr *a);
bool addr_equal(const struct addr *a, const struct addr *b);
int addr_from_sockaddr(struct addr *a, const struct sockaddr *sa); /* 0, or -EAFNOSUPPORT */
/* For a socket of `family`: AF_INET6 takes IPv4 addresses as mapped ones. Returns the length, 0 if the family cannot take it. */
socklen_t addr_to_sockaddr(const struct addr *a, int family, struct sockaddr_storage *ss);
int addr_parse(struct addr *a, const char *ip, uint16_t port); /* a literal IPv4 or IPv6; 0, or -EINVAL */
const char *addr_format(const struct addr *a, char buf[static ADDR_STR_MAX]);    /* "1.2.3.4:5", "[::1]:5" */
const char *addr_format_ip(const struct addr *a, char buf[static ADDR_STR_MAX]); /* "1.2.3.4", "::1" */

#endif
