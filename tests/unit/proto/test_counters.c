#include "proto/counters.h"
#include "proto/counters_layout.h"
#include "tests/unit/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct seg {
    int fd;
    struct counters *writer;
    struct counters_reader *reader;
};

static int setup(void **state)
{
    struct seg *s = calloc(1, sizeof(*s));
    s->fd = counters_create();
    assert_true(s->fd >= 0);
    assert_int_equal(counters_reader_open(&s->reader, s->fd), -EAGAIN);
    assert_int_equal(counters_open(&s->writer, s->fd), 0);
    assert_int_equal(counters_reader_open(&s->reader, s->fd), 0);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct seg *s = *state;
    counters_reader_free(s->reader);
    counters_free(s->writer);
    close(s->fd);
    free(s);
    return 0;
}

static const struct counters_label label = {.ssrc = 7, .encoding = 2, .rid = "r2", .mime = "VP8"};

static void reads_what_was_written(void **state)
{
    struct seg *s = *state;
    struct counters_producer *p = counters_producer_take(s->writer, 11, 22, &label, 0);
    counter_add(&p->bytes, 1000);
    counter_add(&p->bytes, 234);
    counter_set(&p->score, 9);
    counter_add(&counters_worker(s->writer)->send_errors, 3);

    struct counters_view v;
    size_t cursor = 0;
    assert_true(counters_reader_next(s->reader, COUNTERS_PRODUCER, &cursor, &v));
    assert_int_equal(v.owner, 11);
    assert_int_equal(v.parent, 22);
    assert_int_equal(v.ssrc, 7);
    assert_int_equal(v.encoding, 2);
    assert_string_equal(v.rid, "r2");
    assert_string_equal(v.mime, "VP8");
    assert_int_equal(v.values[COUNTERS_INDEX(producer, bytes)], 1234);
    assert_int_equal(v.values[COUNTERS_INDEX(producer, score)], 9);
    assert_false(counters_reader_next(s->reader, COUNTERS_PRODUCER, &cursor, &v));

    counters_producer_set_ssrc(s->writer, p, 99);
    cursor = 0;
    assert_true(counters_reader_next(s->reader, COUNTERS_PRODUCER, &cursor, &v));
    assert_int_equal(v.ssrc, 99);
    counters_reader_closed(s->reader, COUNTERS_WORKER, &v);
    assert_int_equal(v.values[COUNTERS_INDEX(worker, send_errors)], 3);
    assert_true(counters_reader_same_layout(s->reader));
}

static void keeps_what_closed_objects_counted(void **state)
{
    struct seg *s = *state;
    uint64_t total[COUNTERS_FIELDS_MAX];
    struct counters_consumer *a = counters_consumer_take(s->writer, 1, 9, &label, 0);
    struct counters_consumer *b = counters_consumer_take(s->writer, 2, 9, &label, 0);
    counter_add(&a->bytes, 100);
    counter_add(&b->bytes, 10);
    counter_set(&a->score, 5);
    counter_set(&b->score, 6);
    counters_consumer_release(s->writer, a, 0);
    counters_consumer_release(s->writer, a, 0); /* twice is once */

    assert_int_equal(counters_reader_total(s->reader, COUNTERS_CONSUMER, total), 0);
    assert_int_equal(total[COUNTERS_INDEX(consumer, bytes)], 110);
    assert_int_equal(total[COUNTERS_INDEX(consumer, score)], 6);
    struct counters_view v;
    counters_reader_closed(s->reader, COUNTERS_CONSUMER, &v);
    assert_int_equal(v.values[COUNTERS_INDEX(consumer, bytes)], 100);
    assert_int_equal(v.values[COUNTERS_INDEX(consumer, score)], 0);
}

static void rests_a_slot_before_it_is_used_again(void **state)
{
    struct seg *s = *state;
    struct counters_transport *a = counters_transport_take(s->writer, 1, 0, 0);
    counter_add(&a->bytes_sent, 5);
    counters_transport_release(s->writer, a, 1000);
    struct counters_transport *b =
        counters_transport_take(s->writer, 2, 0, 1000 + COUNTERS_REST_US - 1);
    assert_ptr_not_equal(a, b);
    struct counters_transport *c =
        counters_transport_take(s->writer, 3, 0, 1000 + COUNTERS_REST_US);
    assert_ptr_equal(a, c);
    assert_int_equal(c->bytes_sent, 0);
}

static void counts_into_a_dummy_when_full(void **state)
{
    struct seg *s = *state;
    struct counters_transport *t = NULL;
    for (uint64_t i = 1; i <= COUNTERS_TRANSPORTS; i++)
        t = counters_transport_take(s->writer, i, 0, 0);
    struct counters_transport *dummy = counters_transport_take(s->writer, 5000, 0, 0);
    counter_add(&dummy->bytes_sent, 77);
    assert_int_equal(counters_worker(s->writer)->slots_refused, 1);

    size_t n = 0, cursor = 0;
    struct counters_view v;
    while (counters_reader_next(s->reader, COUNTERS_TRANSPORT, &cursor, &v)) {
        assert_int_equal(v.owner, ++n);
        assert_int_equal(v.values[COUNTERS_INDEX(transport, bytes_sent)], 0);
    }
    assert_int_equal(n, COUNTERS_TRANSPORTS);
    counters_transport_release(s->writer, dummy, 0);
    counters_transport_release(s->writer, t, 0);
    assert_ptr_equal(counters_transport_take(s->writer, 6000, 0, COUNTERS_REST_US), t);
}

static void writes_nowhere_without_a_segment(void **state)
{
    (void)state;
    counter_add(&counters_worker(NULL)->send_errors, 1);
    struct counters_producer *p = counters_producer_take(NULL, 1, 2, &label, 0);
    counter_add(&p->bytes, 1);
    counters_producer_set_ssrc(NULL, p, 1);
    counters_producer_release(NULL, p, 0);
    counters_consumer_release(NULL, NULL, 0);
    counters_free(NULL);
    counters_reader_free(NULL);
}

static void names_every_row_once(void **state)
{
    (void)state;
    for (int l = 0; l < COUNTERS_LEVELS; l++) {
        size_t n;
        const struct counters_field *f = counters_fields((enum counters_level)l, &n);
        assert_non_null(counters_level_name((enum counters_level)l));
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(f[i].offset, i * 8);
            assert_true(strlen(f[i].name) < COUNTERS_NAME_MAX);
            assert_int_equal(f[i].help[strlen(f[i].help) - 1], '.');
            for (size_t k = 0; k < i; k++)
                assert_string_not_equal(f[i].name, f[k].name);
        }
    }
}

/* ---- segments that lie
 * ---------------------------------------------------------------------------------------------------------
 */

static void refuses_what_could_shrink(void **state)
{
    (void)state;
    struct counters_reader *r;
    int fd = memfd_create("t", MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(fd, 1 << 20), 0);
    assert_int_equal(counters_reader_open(&r, fd), -EPERM);
    struct counters *w;
    assert_int_equal(counters_open(&w, fd), -EINVAL);
    close(fd);

    fd = memfd_create("t", MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(fd, 100), 0);
    assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
    assert_int_equal(counters_reader_open(&r, fd), -EPROTO);
    close(fd);

    fd = counters_create();
    assert_int_equal(ftruncate(fd, 0), -1);
    close(fd);
}

typedef void spoil_f(struct counters_header *h);

static void spoil_magic(struct counters_header *h)
{
    h->magic ^= 1;
}
static void spoil_version(struct counters_header *h)
{
    h->version = 2;
}
static void spoil_size(struct counters_header *h)
{
    h->size += 8;
}
static void spoil_header_size(struct counters_header *h)
{
    h->header_size = 4;
}
static void spoil_offset(struct counters_header *h)
{
    h->levels[1].offset = UINT64_MAX - 7;
}
static void spoil_offset_end(struct counters_header *h)
{
    h->levels[3].offset = h->size;
}
static void spoil_alignment(struct counters_header *h)
{
    h->levels[2].offset += 4;
}
static void spoil_slots(struct counters_header *h)
{
    h->levels[3].slots = UINT32_MAX;
}
static void spoil_slots_by_one(struct counters_header *h)
{
    const struct counters_level_desc *d = &h->levels[3];
    h->levels[3].slots = (uint32_t)((h->size - d->offset) / d->slot_size + 1);
}
static void spoil_no_slots(struct counters_header *h)
{
    h->levels[0].slots = 0;
}
static void spoil_slot_size(struct counters_header *h)
{
    h->levels[2].slot_size = 0;
}
static void spoil_slot_size_big(struct counters_header *h)
{
    h->levels[2].slot_size = 1 << 30;
}
static void spoil_first_field(struct counters_header *h)
{
    h->levels[1].first_field = UINT32_MAX;
}
static void spoil_n_fields(struct counters_header *h)
{
    h->levels[1].n_fields = COUNTERS_FIELDS_MAX + 1;
}
static void spoil_field(struct counters_header *h)
{
    h->fields[0].offset = 1 << 20;
}
static void spoil_field_low(struct counters_header *h)
{
    h->fields[0].offset = 0;
}
static void spoil_field_odd(struct counters_header *h)
{
    h->fields[3].offset += 1;
}
static void spoil_name(struct counters_header *h)
{
    memset(h->fields[5].name, 'x', COUNTERS_NAME_MAX);
}

static void refuses_nonsense(void **state)
{
    struct seg *s = *state;
    static spoil_f *const rows[] = {
        spoil_magic,        spoil_version,    spoil_size,      spoil_header_size,
        spoil_offset,       spoil_offset_end, spoil_alignment, spoil_slots,
        spoil_slots_by_one, spoil_no_slots,   spoil_slot_size, spoil_slot_size_big,
        spoil_first_field,  spoil_n_fields,   spoil_field,     spoil_field_low,
        spoil_field_odd,    spoil_name,
    };
    struct counters_header *h =
        mmap(NULL, counters_size(), PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
    assert_ptr_not_equal(h, MAP_FAILED);
    struct counters_header *good = malloc(sizeof(*good));
    memcpy(good, h, sizeof(*h));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct counters_reader *r;
        rows[i](h);
        assert_int_equal(counters_reader_open(&r, s->fd), -EPROTO);
        assert_null(r);
        memcpy(h, good, sizeof(*h));
    }
    /* Later changes are not believed: the reader goes on with what it checked. */
    memset(h->fields, 0xff, sizeof(h->fields));
    memset(h->levels, 0xff, sizeof(h->levels));
    counters_consumer_take(s->writer, 5, 6, &label, 0);
    struct counters_view v;
    size_t cursor = 0;
    while (counters_reader_next(s->reader, COUNTERS_CONSUMER, &cursor, &v))
        assert_int_equal(v.owner, 5);
    cursor = SIZE_MAX / 2;
    assert_false(counters_reader_next(s->reader, COUNTERS_CONSUMER, &cursor, &v));
    munmap(h, counters_size());
    free(good);
}

static void survives_random_headers(void **state)
{
    struct seg *s = *state;
    uint8_t *map = mmap(NULL, counters_size(), PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
    assert_ptr_not_equal(map, MAP_FAILED);
    uint8_t *good = malloc(sizeof(struct counters_header));
    memcpy(good, map, sizeof(struct counters_header));
    srand(1);
    for (int round = 0; round < 2000; round++) {
        for (int k = 0; k < 3; k++)
            map[8 + (size_t)rand() % 600] = (uint8_t)rand();
        struct counters_reader *r;
        if (counters_reader_open(&r, s->fd) == 0) {
            uint64_t total[COUNTERS_FIELDS_MAX];
            for (int l = 0; l < COUNTERS_LEVELS; l++)
                counters_reader_total(r, (enum counters_level)l, total);
            counters_reader_free(r);
        }
        memcpy(map, good, sizeof(struct counters_header));
    }
    munmap(map, counters_size());
    free(good);
}

static void cleans_hostile_text(void **state)
{
    struct seg *s = *state;
    static const struct counters_label evil = {.rid = "a\"b", .mime = "0123456789abcdefghijklmnop"};
    counters_producer_take(s->writer, 1, 2, &evil, 0);
    struct counters_view v;
    size_t cursor = 0;
    assert_true(counters_reader_next(s->reader, COUNTERS_PRODUCER, &cursor, &v));
    assert_string_equal(v.rid, "a");
    assert_string_equal(v.mime, "0123456789abcde");
}

/* A writer of another release: a row that we do not know, one of ours missing, the rest elsewhere.
 */
static void reads_an_older_layout_by_name(void **state)
{
    struct seg *s = *state;
    struct counters_header *h =
        mmap(NULL, counters_size(), PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
    assert_ptr_not_equal(h, MAP_FAILED);
    struct counters_producer *p = counters_producer_take(s->writer, 1, 2, &label, 0);
    p->bytes = 1;
    p->packets = 2;
    p->bitrate = 3;
    struct counters_field_desc *f = &h->fields[h->levels[COUNTERS_PRODUCER].first_field];
    uint32_t swap = f[0].offset;
    f[0].offset = f[1].offset;
    f[1].offset = swap;
    strcpy(f[2].name, "gone_since");
    h->layout_hash ^= 1;
    struct counters_reader *r;
    assert_int_equal(counters_reader_open(&r, s->fd), 0);
    assert_false(counters_reader_same_layout(r));
    struct counters_view v;
    size_t cursor = 0;
    assert_true(counters_reader_next(r, COUNTERS_PRODUCER, &cursor, &v));
    assert_int_equal(v.values[COUNTERS_INDEX(producer, bytes)], 2);
    assert_int_equal(v.values[COUNTERS_INDEX(producer, packets)], 1);
    assert_int_equal(v.values[COUNTERS_INDEX(producer, bitrate)], 0);
    assert_false(counters_reader_has(r, COUNTERS_PRODUCER, COUNTERS_INDEX(producer, bitrate)));
    assert_true(counters_reader_has(r, COUNTERS_PRODUCER, COUNTERS_INDEX(producer, bytes)));
    counters_reader_free(r);
    munmap(h, counters_size());
}

static void gives_up_on_a_total_that_never_rests(void **state)
{
    struct seg *s = *state;
    uint8_t *map = mmap(NULL, counters_size(), PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
    assert_ptr_not_equal(map, MAP_FAILED);
    const struct counters_header *h = (void *)map;
    struct counters_slot *sum = (void *)(map + h->levels[COUNTERS_CONSUMER].offset);
    sum->generation = 1;
    uint64_t total[COUNTERS_FIELDS_MAX];
    struct counters_view v;
    assert_int_equal(counters_reader_total(s->reader, COUNTERS_CONSUMER, total), -EAGAIN);
    counters_reader_closed(s->reader, COUNTERS_CONSUMER, &v);
    munmap(map, counters_size());
}

int main(void)
{
#define WITH_SEGMENT(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_SEGMENT(reads_what_was_written),
        WITH_SEGMENT(keeps_what_closed_objects_counted),
        WITH_SEGMENT(rests_a_slot_before_it_is_used_again),
        WITH_SEGMENT(counts_into_a_dummy_when_full),
        cmocka_unit_test(writes_nowhere_without_a_segment),
        cmocka_unit_test(names_every_row_once),
        cmocka_unit_test(refuses_what_could_shrink),
        WITH_SEGMENT(refuses_nonsense),
        WITH_SEGMENT(survives_random_headers),
        WITH_SEGMENT(cleans_hostile_text),
        WITH_SEGMENT(reads_an_older_layout_by_name),
        WITH_SEGMENT(gives_up_on_a_total_that_never_rests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
