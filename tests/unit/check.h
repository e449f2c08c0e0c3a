/* check.h - cmocka with the headers that it wants before it. */
#ifndef ALTHING_TESTS_CHECK_H
#define ALTHING_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
