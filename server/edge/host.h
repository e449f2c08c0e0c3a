/* host.h - whose name a request goes by: Host, Origin and X-Forwarded-For, as sent by anybody. Pure: no allocation. */
#ifndef ALTHING_SERVER_EDGE_HOST_H
#define ALTHING_SERVER_EDGE_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOST_MAX 280 /* "name:port" with its NUL */

/* "name", "name:port", "192.0.2.1", "[2001:db8::1]:port": only what a host may be made of (RFC 3986 3.2.2, without
 * percent-encoding). */
bool host_is_valid(const char *host);
/* The name without its port: "[::1]:80" gives "[::1]". False when not valid. */
bool host_name(const char *host, char name[static HOST_MAX]);
bool host_is_local_or_ip(const char *host); /* localhost, *.localhost, an address: no HSTS for these (RFC 6797 8.1.1) */
/* Does the page at `origin` ("https://name[:port]", lower or upper case) belong to `host`? Default ports are the same as none. */
bool host_is_origin(const char *host, const char *origin);
/* Is `origin` in the list? "*" allows every one. */
bool host_origin_listed(const char *const *list, size_t n, const char *origin);
/* The last address of an X-Forwarded-For header, which is the one that our own proxy wrote. False when it is none. */
bool host_forwarded_for(const char *header, char ip[static 80]);
/* "https://name[:port]<target>" into out, the port left out when 443; target is percent-encoded and starts with "/". Returns the
 * length, 0 when the host is not valid or it does not fit. */
size_t host_https_url(char *out, size_t cap, const char *host, uint16_t port, const char *target);

#endif
