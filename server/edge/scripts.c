#include "server/edge/scripts.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>

static const char *find(const char *p, const char *end, const char *word)
{
    size_t n = strlen(word);
    for (; (size_t)(end - p) >= n; p++) {
        if (strncasecmp(p, word, n) == 0)
            return p;
    }
    return NULL;
}

/* Whether the tag between p and end has the attribute src. */
static bool has_src(const char *p, const char *end)
{
    while ((p = find(p, end, "src"))) {
        bool begins = strchr(" \t\r\n\"'", p[-1]) != NULL;
        p += 3;
        while (p < end && strchr(" \t\r\n", *p))
            p++;
        if (begins && p < end && *p == '=')
            return true;
    }
    return false;
}

static size_t add_hash(char *out, size_t cap, const char *text, size_t len)
{
    unsigned char digest[EVP_MAX_MD_SIZE], base64[64];
    unsigned int n;
    if (!EVP_Digest(text, len, digest, &n, EVP_sha256(), NULL))
        return 0;
    EVP_EncodeBlock(base64, digest, (int)n);
    int written = snprintf(out, cap, " 'sha256-%s'", (const char *)base64);
    return written > 0 && (size_t)written < cap ? (size_t)written : 0;
}

size_t scripts_hashes(const char *html, size_t len, char out[static SCRIPTS_HASHES_MAX])
{
    const char *p = html, *end = html + len;
    size_t used = 0;
    out[0] = '\0';
    for (unsigned count = 0; count < SCRIPTS_MAX && (p = find(p, end, "<script"));) {
        const char *body = memchr(p, '>', (size_t)(end - p));
        const char *close = body ? find(body, end, "</script") : NULL;
        if (!close)
            break;
        body++;
        if (!has_src(p + 1, body - 1)) {
            used += add_hash(out + used, SCRIPTS_HASHES_MAX - used, body, (size_t)(close - body));
            count++;
        }
        p = close;
    }
    return used;
}
