/* headers.h - the HTTP headers that every answer to a browser carries for its safety. Pure. */
#ifndef ALTHING_SERVER_EDGE_HEADERS_H
#define ALTHING_SERVER_EDGE_HEADERS_H

#include <stdbool.h>
#include <stddef.h>

#define HEADERS_MAX 2048

/* "Name: value\r\n" lines with a NUL; returns the length. HSTS (a year) only when the browser reached us by TLS and by a name that
 * is neither localhost nor an address. `csp` NULL: the default, which allows the own origin (and its wss:), blob: and data:, and
 * the inline scripts whose hashes are `scripts` (scripts.h). */
size_t headers_security(char out[static HEADERS_MAX], const char *host, bool tls, const char *csp, const char *scripts);

#endif
