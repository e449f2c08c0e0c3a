#include "observer/ctl_table.h"

#include "lib/mem.h"
#include "observer/ctl_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CELL_BYTES 256
#define GAP        2

struct cell {
    char *text;
    size_t width;
    enum ctl_tone tone;
};

struct ctl_table {
    const struct ctl_column *columns;
    size_t n_columns;
    struct cell *cells;
    size_t n, cap;
    size_t widths[CTL_TABLE_COLUMNS_MAX];
};

static const char *const tones[] = {"", "\x1b[2m", "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[1m"};

const char *ctl_tone_on(enum ctl_tone tone, bool color)
{
    return color ? tones[tone] : "";
}

const char *ctl_tone_off(enum ctl_tone tone, bool color)
{
    return color && tone != CTL_PLAIN ? "\x1b[0m" : "";
}

void ctl_table_new(struct ctl_table **tp, const struct ctl_column *columns, size_t n)
{
    struct ctl_table *t = mem_zalloc(sizeof(*t));
    t->columns = columns;
    t->n_columns = n < CTL_TABLE_COLUMNS_MAX ? n : CTL_TABLE_COLUMNS_MAX;
    for (size_t i = 0; i < t->n_columns; i++)
        t->widths[i] = strlen(columns[i].title);
    *tp = t;
}

void ctl_table_free(struct ctl_table *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->n; i++)
        free(t->cells[i].text);
    free(t->cells);
    free(t);
}

void ctl_table_cell(struct ctl_table *t, enum ctl_tone tone, const char *text)
{
    char clean[CELL_BYTES];
    size_t column = t->n % t->n_columns;
    unsigned max = t->columns[column].max;
    if (t->n == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 256;
        t->cells = mem_realloc(t->cells, t->cap, sizeof(*t->cells));
    }
    struct cell *c = &t->cells[t->n++];
    c->width = ctl_text_clean(clean, sizeof(clean), text, max ? max : CELL_BYTES);
    c->text = mem_strdup(clean);
    c->tone = tone;
    if (c->width > t->widths[column])
        t->widths[column] = c->width;
}

size_t ctl_table_rows(const struct ctl_table *t)
{
    return t->n / t->n_columns;
}

static size_t spaces(FILE *out, size_t n, size_t room)
{
    n = n < room ? n : room;
    fprintf(out, "%*s", (int)n, "");
    return n;
}

/* One row of texts within `width` columns. */
static void print_row(const struct ctl_table *t, FILE *out, const struct cell *row, bool color,
                      size_t width)
{
    size_t left = width ? width : SIZE_MAX / 2, owed = 0, n = t->n_columns;
    while (n && !row[n - 1].width)
        n--;
    for (size_t i = 0; i < n && left; i++) {
        char cut[CELL_BYTES];
        size_t pad = t->widths[i] > row[i].width ? t->widths[i] - row[i].width : 0;
        left -= spaces(out, owed + (t->columns[i].right ? pad : 0), left);
        if (!left)
            break;
        size_t shown = ctl_text_clean(cut, sizeof(cut), row[i].text, left);
        fprintf(out, "%s%s%s", ctl_tone_on(row[i].tone, color), cut,
                ctl_tone_off(row[i].tone, color));
        left -= shown;
        owed = (t->columns[i].right ? 0 : pad) + GAP;
    }
}

void ctl_table_print(const struct ctl_table *t, FILE *out, bool color, size_t width,
                     size_t rows_max)
{
    struct cell titles[CTL_TABLE_COLUMNS_MAX];
    size_t rows = ctl_table_rows(t);
    for (size_t i = 0; i < t->n_columns; i++) {
        const char *title = t->columns[i].title;
        titles[i] = (struct cell){(char *)(uintptr_t)title, strlen(title), CTL_BOLD};
    }
    print_row(t, out, titles, color, width);
    fputc('\n', out);
    for (size_t i = 0; i < rows && (!rows_max || i < rows_max); i++) {
        print_row(t, out, &t->cells[i * t->n_columns], color, width);
        fputc('\n', out);
    }
}
