/* text.h - lines of the text format 0.0.4 and of OpenMetrics 1.0.0. Pure: appends to a buffer. */
#ifndef ALTHING_EXPORTER_TEXT_H
#define ALTHING_EXPORTER_TEXT_H

#include "exporter/accept.h"
#include "exporter/metrics.h"
#include "lib/buf.h"

/* The lines in front of a family's samples. */
void text_family(struct buf *out, enum exporter_format format, const struct metric *m);
/* Appends "value", with what the format wants escaped; what is not UTF-8 becomes '?', what is too long is cut. */
void text_quoted(struct buf *out, const char *value);
/* Appends {name="value" or ,name="value" to labels; the caller appends the last brace. */
void text_label(struct buf *labels, const char *name, const char *value);
/* Name, suffix, labels (as they are; NULL: none) and value. */
void text_sample(struct buf *out, const struct metric *m, const char *labels, size_t labels_len,
                 uint64_t value);
/* All samples of a histogram; `labels` without braces ("worker=\"0\"", or ""). rows: HISTOGRAM_ROWS of them. */
void text_histogram(struct buf *out, const struct metric *m, const char *labels,
                    const uint64_t *rows);

#endif
