#include "proto/counters.h"
#include "proto/trace.h"
#include "proto/trace_layout.h"

#include "tests/unit/check.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct pair {
    int fd;
    struct trace *w;
    struct trace_reader *r;
    struct trace_area *area; /* ours to break */
    struct trace_ring *rings;
    uint8_t *map;
};

static int setup(void **state)
{
    static struct pair p;
    p.fd = counters_create();
    assert_true(p.fd >= 0);
    assert_int_equal(trace_open(&p.w, p.fd), 0);
    assert_int_equal(trace_reader_open(&p.r, p.fd), 0);
    p.map = mmap(NULL, counters_size(), PROT_READ | PROT_WRITE, MAP_SHARED, p.fd, 0);
    assert_ptr_not_equal(p.map, MAP_FAILED);
    p.area = (void *)(p.map + counters_size() - sizeof(*p.area));
    p.rings = (void *)((uint8_t *)p.area - TRACE_RINGS * sizeof(*p.rings));
    *state = &p;
    return 0;
}

static int teardown(void **state)
{
    struct pair *p = *state;
    munmap(p->map, counters_size());
    trace_free(p->w);
    trace_reader_free(p->r);
    close(p->fd);
    return 0;
}

static void put(struct pair *p, unsigned ring, uint32_t ssrc)
{
    struct trace_record *rec = trace_begin(p->w, ring);
    rec->kind = TRACE_RTP;
    rec->ssrc = ssrc;
    trace_commit(p->w, ring);
}

static void test_names(void **state)
{
    (void)state;
    for (int i = 0; i < TRACE_KINDS; i++)
        assert_int_equal(trace_kind_of(trace_kind_name((enum trace_kind)i)), i);
    assert_int_equal(trace_kind_of("frames"), -1);
}

/* The counters and the area share the segment, and neither is in the other's way. */
static void test_beside_counters(void **state)
{
    struct pair *p = *state;
    struct counters *c;
    struct counters_reader *r;
    assert_int_equal(counters_open(&c, p->fd), 0);
    trace_start(p->w, TRACE_RINGS - 1, 9);
    for (uint32_t i = 0; i < TRACE_RECORDS; i++)
        put(p, TRACE_RINGS - 1, 0xffffffff);
    struct counters_consumer *last = NULL;
    for (int i = 0; i < COUNTERS_CONSUMERS; i++)
        last = counters_consumer_take(c, (uint64_t)i + 1, 1, &(struct counters_label){0}, 0);
    counter_set(&last->score, 7);
    assert_int_equal(counters_reader_open(&r, p->fd), 0);
    struct trace_cursor cur = {.ring = TRACE_RINGS - 1, .id = 9};
    struct trace_record rec;
    size_t n = 0;
    while (trace_reader_next(p->r, &cur, &rec))
        n += rec.ssrc == 0xffffffff;
    assert_int_equal(n, TRACE_RECORDS);
    counters_reader_free(r);
    counters_free(c);
}

static void test_order(void **state)
{
    struct pair *p = *state;
    struct trace_cursor c = {.ring = 1, .id = 42};
    struct trace_record rec;
    assert_false(trace_reader_next(p->r, &c, &rec)); /* not started */
    trace_start(p->w, 1, 42);
    assert_false(trace_reader_next(p->r, &c, &rec));
    for (uint32_t i = 0; i < 10; i++)
        put(p, 1, i);
    for (uint32_t i = 0; i < 10; i++) {
        assert_true(trace_reader_next(p->r, &c, &rec));
        assert_int_equal(rec.ssrc, i);
    }
    assert_false(trace_reader_next(p->r, &c, &rec));
    assert_int_equal(c.lost, 0);
    trace_start(p->w, 1, 43); /* somebody else's now */
    put(p, 1, 99);
    assert_false(trace_reader_next(p->r, &c, &rec));
    c = (struct trace_cursor){.ring = 1, .id = 43};
    assert_true(trace_reader_next(p->r, &c, &rec));
    assert_int_equal(rec.ssrc, 99);
}

static void test_overwritten(void **state)
{
    struct pair *p = *state;
    struct trace_cursor c = {.ring = 0, .id = 1};
    struct trace_record rec;
    const uint32_t n = 3 * TRACE_RECORDS;
    trace_start(p->w, 0, 1);
    for (uint32_t i = 0; i < n; i++)
        put(p, 0, i);
    uint32_t seen = 0, before = 0;
    while (trace_reader_next(p->r, &c, &rec)) {
        assert_true(!seen || rec.ssrc == before + 1);
        before = rec.ssrc;
        seen++;
    }
    assert_int_equal(before, n - 1);
    assert_int_equal(seen + c.lost, n);
    assert_true(seen > TRACE_RECORDS / 2);
}

/* A slot that is being written is passed over and counted. */
static void test_torn(void **state)
{
    struct pair *p = *state;
    struct trace_cursor c = {.ring = 0, .id = 1};
    struct trace_record rec;
    trace_start(p->w, 0, 1);
    put(p, 0, 1);
    put(p, 0, 2);
    p->rings[0].slots[0].number = 0;
    assert_true(trace_reader_next(p->r, &c, &rec));
    assert_int_equal(rec.ssrc, 2);
    assert_int_equal(c.lost, 1);
}

static void test_hostile_records(void **state)
{
    struct pair *p = *state;
    struct trace_cursor c = {.ring = 0, .id = 1};
    struct trace_record rec;
    trace_start(p->w, 0, 1);
    for (uint32_t i = 0; i < 4; i++)
        put(p, 0, i);
    p->rings[0].slots[0].record.kind = TRACE_KINDS;
    p->rings[0].slots[1].record.data_len = TRACE_DATA_MAX + 1;
    memset(p->rings[0].slots[2].record.mid, 'a', 2 * TRACE_TEXT_MAX);
    memcpy(p->rings[0].slots[3].record.rid, "hi\x1b[2J", 6);
    p->rings[0].slots[3].record.flags = 0xff;
    assert_true(trace_reader_next(p->r, &c, &rec));
    assert_int_equal(c.lost, 2);
    assert_int_equal(strlen(rec.mid), TRACE_TEXT_MAX - 1);
    assert_true(trace_reader_next(p->r, &c, &rec));
    assert_string_equal(rec.rid, "hi");
    assert_int_equal(rec.flags & 0xc0, 0);
}

/* Whatever the head says, a call ends and nothing outside the ring is read. */
static void test_hostile_head(void **state)
{
    struct pair *p = *state;
    struct trace_record rec;
    static const uint64_t heads[] = {UINT64_MAX, UINT64_MAX / 2, TRACE_RECORDS + 1, 1, 0};
    trace_start(p->w, 0, 1);
    put(p, 0, 5);
    struct trace_cursor c = {.ring = 0, .id = 1};
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        p->rings[0].head = heads[i];
        for (int k = 0; k < 3; k++)
            trace_reader_next(p->r, &c, &rec);
    }
    assert_true(c.next >= TRACE_RECORDS);
}

static void test_area(void **state)
{
    struct pair *p = *state;
    struct trace_reader *r;
    const struct trace_area good = *p->area;
    static const struct {
        size_t at;
        int error;
    } rows[] = {{offsetof(struct trace_area, magic), -ENOENT},
                {offsetof(struct trace_area, version), -EPROTO},
                {offsetof(struct trace_area, rings), -EPROTO},
                {offsetof(struct trace_area, records), -EPROTO},
                {offsetof(struct trace_area, slot_size), -EPROTO},
                {offsetof(struct trace_area, size), -EPROTO}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        *p->area = good;
        ((uint8_t *)p->area)[rows[i].at] ^= 0x55;
        assert_int_equal(trace_reader_open(&r, p->fd), rows[i].error);
    }
    int open_fd = memfd_create("unsealed", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_int_equal(ftruncate(open_fd, (off_t)counters_size()), 0);
    assert_int_equal(trace_reader_open(&r, open_fd), -EPERM);
    assert_int_equal(ftruncate(open_fd, 4096), 0);
    struct trace *w;
    assert_int_equal(trace_open(&w, open_fd), -EINVAL);
    close(open_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test_setup_teardown(test_beside_counters, setup, teardown),
        cmocka_unit_test_setup_teardown(test_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_overwritten, setup, teardown),
        cmocka_unit_test_setup_teardown(test_torn, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_records, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_head, setup, teardown),
        cmocka_unit_test_setup_teardown(test_area, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
