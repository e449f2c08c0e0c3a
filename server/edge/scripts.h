/* scripts.h - the inline scripts of a page, so that its Content-Security-Policy can name exactly these. Pure. */
#ifndef ALTHING_SERVER_EDGE_SCRIPTS_H
#define ALTHING_SERVER_EDGE_SCRIPTS_H

#include <stddef.h>

#define SCRIPTS_MAX        8 /* further ones of a page are not named, and so do not run */
#define SCRIPTS_HASHES_MAX (SCRIPTS_MAX * 56 + 1)

/* " 'sha256-...'" for each <script> without a src, with a NUL; returns the length. The page is one of our own files. */
size_t scripts_hashes(const char *html, size_t len, char out[static SCRIPTS_HASHES_MAX]);

#endif
