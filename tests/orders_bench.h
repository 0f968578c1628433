/* tests/orders_bench.h - orders, and a book of them. */
#ifndef TESTS_ORDERS_BENCH_H
#define TESTS_ORDERS_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "policy/orders.h"

#define T0 1800000000000LL
#define MW 1000000LL

static inline struct order make(const char *id, enum order_kind kind, int64_t watts)
{
	struct order order = { .kind = kind, .signal = 1, .watts = watts, .issued_ms = T0, .end_ms = T0 + 3600000 };
	snprintf(order.id, sizeof(order.id), "%s", id);
	return order;
}

static inline struct order_book *fresh(void)
{
	static struct order_book book;
	memset(&book, 0, sizeof(book));
	return &book;
}

static inline void takes(struct order_book *book, struct order order)
{
	struct order_answer answer = orders_take(book, &order, T0, false);
	assert_int_equal(answer.verdict, VERDICT_ACCEPTED);
}

static inline struct demand resolved(const struct order_book *book, int64_t now_ms)
{
	struct demand demand;
	orders_resolve(book, now_ms, 10000, 60000, &demand);
	return demand;
}

static inline void name(char id[ORDER_ID_SIZE], const char *text)
{
	snprintf(id, ORDER_ID_SIZE, "%s", text);
}

/* A good order but for one thing. */
#define WITH(change) ({ struct order o = make("x", ORDER_CAP, 5); o.end_ms = T0 + 1000; change; o; })

#endif
