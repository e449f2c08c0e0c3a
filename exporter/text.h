/* text.h - one scrape as Prometheus text (exposition format 0.0.4), made in slices. No socket; the source is the only input. */
#ifndef ALTHING_EXPORTER_TEXT_H
#define ALTHING_EXPORTER_TEXT_H

#include "exporter/exporter.h"
#include "lib/buf.h"

#define EXPORTER_TEXT_MAX ((size_t)256 << 20) /* bytes; more is not sent at all */

/* Host name of an address, or NULL: not known (yet). */
typedef const char *exporter_name_f(const struct addr *a, void *arg);

struct exporter_text;

/* All is borrowed. name may be NULL: addresses stay numbers. */
struct exporter_text *exporter_text_new(const struct exporter_config *config,
                                        const struct exporter_source *source, exporter_name_f *name,
                                        void *name_arg);
void exporter_text_free(struct exporter_text *t); /* NULL is fine */
bool exporter_text_step(struct exporter_text *t); /* one slice; false: it is complete */
struct buf *exporter_text_buf(struct exporter_text *t); /* `full`: it would have been too long */

/* Appends "value", with what the format wants escaped; what is not UTF-8 becomes '?', what is too long is cut. */
void exporter_text_label(struct buf *out, const char *value);

#endif
