#include "exporter/accept.h"
#include "tests/unit/check.h"

#define PROMETHEUS_2                                                                               \
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"       \
    "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"

static void chooses_the_format(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        enum exporter_format format;
    } rows[] = {
        {NULL, EXPORTER_TEXT},
        {"", EXPORTER_TEXT},
        {"*/*", EXPORTER_TEXT},
        {"text/html,application/xhtml+xml,*/*;q=0.8", EXPORTER_TEXT},
        {PROMETHEUS_2, EXPORTER_OPENMETRICS},
        {"application/openmetrics-text", EXPORTER_OPENMETRICS},
        {"APPLICATION/OpenMetrics-Text ; Version=1.0.0", EXPORTER_OPENMETRICS},
        {"application/openmetrics-text;version=2.0.0", EXPORTER_TEXT},
        {"application/openmetrics-text;version=0.0.1", EXPORTER_OPENMETRICS},
        {"text/plain;version=0.0.4,application/openmetrics-text;q=0.9", EXPORTER_TEXT},
        {"text/plain;q=0.3,application/openmetrics-text;q=0.301", EXPORTER_OPENMETRICS},
        {"text/plain;q=1,application/openmetrics-text;q=1.0", EXPORTER_TEXT},
        {"application/openmetrics-text;q=0", EXPORTER_TEXT},
        {"application/openmetrics-text;q=1.001", EXPORTER_TEXT},
        {"application/openmetrics-text;q=x", EXPORTER_TEXT},
        {"application/openmetrics-text;charset=\"a,b;q=0\"", EXPORTER_OPENMETRICS},
        {"application/*", EXPORTER_TEXT},
        {"text/*;q=0.1, application/openmetrics-text;q=0.2", EXPORTER_OPENMETRICS},
        {",,;;,=\"", EXPORTER_TEXT},
        {"application/openmetrics-text;charset=\"", EXPORTER_OPENMETRICS},
        {"application/openmetrics-text;charset=\"\\", EXPORTER_OPENMETRICS},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (accept_format(rows[i].accept) != rows[i].format)
            fail_msg("%s", rows[i].accept);
    }
}

static void chooses_gzip(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        bool gzip;
    } rows[] = {
        {NULL, false},        {"", false},         {"gzip", true},
        {"GZip;q=0.1", true}, {"gzip;q=0", false}, {"deflate, br", false},
        {"br, gzip", true},   {"*", true},         {"gzip;q=0, *", false},
        {"*;q=0", false},     {"identity", false}, {"gzipp", false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (accept_gzip(rows[i].accept) != rows[i].gzip)
            fail_msg("%s", rows[i].accept);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses_the_format),
        cmocka_unit_test(chooses_gzip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
