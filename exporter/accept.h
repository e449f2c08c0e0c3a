/* accept.h - which form of the text a scraper takes (RFC 9110 12.5.1, 12.5.3). Pure; headers are hostile, NULL is no header.
 *
 * Of the forms that Accept allows, the one with the higher quality, and the plain text of Prometheus when they are equal or none is
 * allowed at all. A form's quality is that of the most specific range that matches it. OpenMetrics is understood without a version
 * or with version 1.0.0 or 0.0.1, which is asked for by older scrapers and differs in nothing that is used here.
 */
#ifndef ALTHING_EXPORTER_ACCEPT_H
#define ALTHING_EXPORTER_ACCEPT_H

#include <stdbool.h>

enum exporter_format { EXPORTER_TEXT, EXPORTER_OPENMETRICS };

enum exporter_format accept_format(const char *accept);
bool accept_gzip(const char *accept_encoding);

#endif
