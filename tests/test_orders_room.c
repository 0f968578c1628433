/* Room in the order book: who finds a place, who gives way, and what is known of those in it. */
#include "tests/orders_bench.h"

/* Each begins a little later than those before: none makes another void. */
static enum order_refusal refused(struct order_book *book, int signal, const char *id, bool by_operator)
{
	static int64_t later_ms;
	struct order order = make(id, ORDER_CAP, 1);
	order.start_ms = T0 + ++later_ms;
	order.signal = (uint8_t)signal;
	order.by_operator = by_operator;
	return orders_take(book, &order, T0, false).refusal;
}

/* So many are taken, and then as told. */
static void fill(struct order_book *book, int signal, int n, enum order_refusal then)
{
	char id[32];
	for (int i = 0; i <= n; i++) {
		snprintf(id, sizeof(id), "s%d-%d", signal, i);
		assert_int_equal(refused(book, signal, id, false), i < n ? REFUSAL_NONE : then);
	}
}

/* A schedule of quarter hours, however many days of it, leaves room for everybody else. */
static void test_no_signal_fills_the_book(void **state)
{
	struct order_book *book = fresh();
	(void)state;
	fill(book, 0, ORDERS_SHARE, REFUSAL_SHARE);
	assert_true(ORDERS_SHARE >= 2 * 96);
	assert_int_equal(refused(book, 1, "utility-emergency", false), REFUSAL_NONE);
	assert_int_equal(refused(book, ORDERS_SIGNALS - 1, "operator-1", true), REFUSAL_NONE);
}

/* Even when others have taken all there is for who comes first, each signal finds a place, and the operator two. */
static void test_each_signal_has_places_of_its_own(void **state)
{
	struct order_book *book = fresh();
	(void)state;
	fill(book, 0, ORDERS_SHARE, REFUSAL_SHARE);
	fill(book, 1, ORDERS_SHARE, REFUSAL_SHARE);
	for (int signal = 2; signal < ORDERS_SIGNALS; signal++)
		fill(book, signal, ORDERS_OWN, REFUSAL_FULL);
	int n = 0;
	for (int i = 0; i < ORDERS_LIVE; i++)
		n += book->live[i].id[0] != 0;
	assert_int_equal(n, ORDERS_MOST);
	struct order release = make("r", ORDER_RELEASE, 0), lower = make("lower", ORDER_CAP, 0), out;
	int place;
	lower.signal = 40;
	takes(book, lower);
	assert_true(orders_pop_ended(book, T0, &out, &place) && out.gave_way);
	assert_string_equal(out.id, "s40-0");
	assert_false(orders_pop_ended(book, T0, &out, &place));
	snprintf(release.releases, sizeof(release.releases), "s1-7");
	takes(book, release);
	while (orders_pop_ended(book, T0, &out, &place))
		continue;
	assert_int_equal(refused(book, 40, "after", false), REFUSAL_NONE);
}

/* A set point every four seconds, each for an hour: the last one counts, and those that gave way are told. */
static void test_void_ones_give_way(void **state)
{
	struct order_book *book = fresh();
	struct order out;
	int place, n = 0;
	(void)state;
	for (int i = 0; i < 1000; i++) {
		int64_t now_ms = T0 + 4000 * i;
		struct order order = make("", ORDER_SETPOINT, 1000 + i);
		snprintf(order.id, sizeof(order.id), "sp-%d", i);
		order.issued_ms = now_ms;
		order.end_ms = now_ms + 3600000;
		assert_int_equal(orders_take(book, &order, now_ms, false).refusal, REFUSAL_NONE);
		for (; orders_pop_ended(book, now_ms, &out, &place); n++) {
			char oldest[32];
			snprintf(oldest, sizeof(oldest), "sp-%d", n);
			assert_string_equal(out.id, oldest);
			assert_true(out.cancelled && out.gave_way);
		}
		assert_int_equal(resolved(book, now_ms).setpoint_w, 1000 + i);
	}
	assert_int_equal(n, 1000 - ORDERS_SHARE);
	struct order again = make("sp-800", ORDER_SETPOINT, 1800);      /* as by a broker that has not heard of its acknowledgement */
	again.issued_ms = T0 + 3200000;
	again.end_ms = T0 + 6800000;
	assert_int_equal(orders_take(book, &again, T0 + 3996000, false).verdict, VERDICT_DUPLICATE);
}

static enum order_refusal replaced(struct order_book *book, struct order order)
{
	name(order.id, "newer");
	return orders_take(book, &order, T0, false).refusal;
}

/* Nothing that still says something gives way. */
static void test_only_void_ones_give_way(void **state)
{
	(void)state;
	for (int kind = ORDER_CAP; kind <= ORDER_SHED; kind++) {
		struct order old = make("", (enum order_kind)kind, 1000);
		old.priority = 1;
		old.start_ms = T0 + 1000;
		old.end_ms = T0 + 9000;
		struct order lower = old, higher = old, shorter = old, later = old, urgent = old, common = old;
		lower.watts = 900, higher.watts = 1100, shorter.end_ms--, later.start_ms++, urgent.priority = 0, common.priority = 2;
		const struct { struct order order; bool limit, setpoint; } tries[] = {
			{ lower, true, true }, { old, true, false }, { higher, false, false }, { shorter, false, false },
			{ later, false, false }, { urgent, true, true }, { common, true, false },
		};
		for (size_t t = 0; t < sizeof(tries) / sizeof(*tries); t++) {
			struct order_book *book = fresh();
			for (int i = 0; i < ORDERS_SHARE; i++) {
				snprintf(old.id, sizeof(old.id), "old-%d", i);
				takes(book, old);
			}
			bool room = kind == ORDER_SETPOINT ? tries[t].setpoint : tries[t].limit;
			assert_int_equal(replaced(book, tries[t].order), room ? REFUSAL_NONE : REFUSAL_SHARE);
			struct order other = tries[t].order;
			other.signal = 2;
			name(other.id, "others");
			takes(book, other);
		}
	}
}

static void test_what_is_alive_is_known(void **state)
{
	struct order_book *book = fresh();
	struct order out;
	int place;
	(void)state;
	fill(book, 1, ORDERS_SHARE, REFUSAL_SHARE);
	for (int i = 0; i < ORDERS_REMEMBERED; i++) {
		struct order bad = make("", ORDER_CAP, -1);
		snprintf(bad.id, sizeof(bad.id), "bad-%d", i);
		orders_take(book, &bad, T0, false);
	}
	struct order known = make("s1-3", ORDER_CAP, 1);                /* no longer remembered, but alive */
	assert_int_equal(orders_take(book, &known, T0, false).verdict, VERDICT_DUPLICATE);
	known.signal = 2;
	assert_int_equal(orders_take(book, &known, T0, false).refusal, REFUSAL_ID_TAKEN);
	struct order release = make("r", ORDER_RELEASE, 0);
	takes(book, release);
	int n = 0;
	while (orders_pop_ended(book, T0, &out, &place))
		n++;
	assert_int_equal(n, ORDERS_SHARE);
	assert_int_equal(orders_find(book, "s1-3"), -1);
	assert_int_equal(orders_find(book, ""), -1);
}

/* What was begun stays so, whatever the clock says after a restart; what cannot be is not put back. */
static void test_put_back(void **state)
{
	struct order_book *book = fresh();
	(void)state;
	struct order begun = WITH(o.start_ms = T0 - 5; o.begun = true; o.cancelled = true; o.issued_ms = T0 - 7);
	assert_int_equal(orders_put_back(book, &begun), 0);
	assert_int_equal(resolved(book, T0 - 7200000).limit_w, 5);
	assert_int_equal(orders_put_back(book, &begun), -1);
	assert_int_equal(refused(book, 1, "x", false), REFUSAL_NONE);   /* the same again: VERDICT_DUPLICATE */
	struct order older = WITH(name(o.id, "older"); o.issued_ms = T0 - 8);
	assert_int_equal(orders_take(book, &older, T0, false).verdict, VERDICT_STALE);
	const struct order bad[] = {
		WITH(o.start_ms = 0), WITH(o.start_ms = T0; o.end_ms = T0), WITH(o.start_ms = T0; name(o.id, "")),
		WITH(o.start_ms = T0; o.signal = ORDERS_SIGNALS), WITH(o.start_ms = T0; o.kind = ORDER_RELEASE),
		WITH(o.start_ms = T0; o.watts = -1), WITH(o.start_ms = T0; o.priority = -1), WITH(o.start_ms = -1),
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct order order = bad[i];
		if (order.id[0])
			name(order.id, "bad");
		assert_int_equal(orders_put_back(book, &order), -1);
	}
	fill(book, 1, ORDERS_SHARE - 1, REFUSAL_SHARE);
	struct order more = WITH(o.start_ms = T0; name(o.id, "more"));
	assert_int_equal(orders_put_back(book, &more), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_signal_fills_the_book),
		cmocka_unit_test(test_each_signal_has_places_of_its_own),
		cmocka_unit_test(test_void_ones_give_way),
		cmocka_unit_test(test_only_void_ones_give_way),
		cmocka_unit_test(test_what_is_alive_is_known),
		cmocka_unit_test(test_put_back),
	};
	return cmocka_run_group_tests_name("orders_room", tests, NULL, NULL);
}
