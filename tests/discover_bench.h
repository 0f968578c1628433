/* tests/discover_bench.h - what the tests of discovery share: the words of a miner that says its version. */
#ifndef TESTS_DISCOVER_BENCH_H
#define TESTS_DISCOVER_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define COUNT(array) (sizeof array / sizeof *array)

#define VERSION(facts) "{\"STATUS\":[{\"STATUS\":\"S\",\"Code\":22}],\"VERSION\":[{" facts "}],\"id\":1}"

#endif
