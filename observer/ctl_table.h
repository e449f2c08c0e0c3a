/* ctl_table.h - rows under headings, each column as wide as it must be. Cells are cleaned (ctl_text.h) as they come in. */
#ifndef ALTHING_OBSERVER_CTL_TABLE_H
#define ALTHING_OBSERVER_CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CTL_TABLE_COLUMNS_MAX 16

struct ctl_column {
    const char *title;
    unsigned max; /* columns shown of a cell; 0: all */
    bool right;
};

enum ctl_tone { CTL_PLAIN, CTL_DIM, CTL_GOOD, CTL_WARN, CTL_BAD, CTL_BOLD };

struct ctl_table;

/* `columns` is borrowed. */
void ctl_table_new(struct ctl_table **tp, const struct ctl_column *columns, size_t n);
void ctl_table_free(struct ctl_table *t); /* NULL is fine */
/* The next cell, from left to right, row by row. */
void ctl_table_cell(struct ctl_table *t, enum ctl_tone tone, const char *text);
size_t ctl_table_rows(const struct ctl_table *t);
/* width: of the terminal; lines are cut there; 0: they are not. rows_max: 0: all. */
void ctl_table_print(const struct ctl_table *t, FILE *out, bool color, size_t width, size_t rows_max);

/* The escape sequences of a tone; "" without colours. */
const char *ctl_tone_on(enum ctl_tone tone, bool color);
const char *ctl_tone_off(enum ctl_tone tone, bool color);

#endif
