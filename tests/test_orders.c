/* The order book by example and by law. */
#include <stdlib.h>
#include <time.h>

#include "tests/orders_bench.h"

static void expect(const char *what, struct order order, bool retained, enum order_verdict verdict, enum order_refusal refusal)
{
	struct order_book *book = fresh();
	struct order first = make("first", ORDER_CAP, 7);
	first.issued_ms = T0 - 5000;
	takes(book, first);
	struct order_answer answer = orders_take(book, &order, T0, retained);
	if (answer.verdict != verdict || answer.refusal != refusal)
		fail_msg("%s: %d %s", what, answer.verdict, refusal_text(answer.refusal));
	assert_true(refusal_text(answer.refusal)[0]);
}

static void test_refusals(void **state)
{
	(void)state;
	expect("plain", WITH(o.priority = 0), false, VERDICT_ACCEPTED, REFUSAL_NONE);
	expect("retained", WITH(o.priority = 0), true, VERDICT_REJECTED, REFUSAL_RETAINED);
	expect("60 s ahead", WITH(o.issued_ms = T0 + 60000), false, VERDICT_ACCEPTED, REFUSAL_NONE);
	expect("more than 60 s ahead", WITH(o.issued_ms = T0 + 60001), false, VERDICT_REJECTED, REFUSAL_FUTURE);
	expect("as old as the newest", WITH(o.issued_ms = T0 - 5000), false, VERDICT_ACCEPTED, REFUSAL_NONE);
	expect("older than the newest", WITH(o.issued_ms = T0 - 5001), false, VERDICT_STALE, REFUSAL_STALE);
	expect("older, another signal", WITH(o.issued_ms = T0 - 5001; o.signal = 2), false, VERDICT_ACCEPTED, REFUSAL_NONE);
	expect("ends now", WITH(o.end_ms = T0), false, VERDICT_REJECTED, REFUSAL_ENDED);
	expect("ends in a ms", WITH(o.end_ms = T0 + 1), false, VERDICT_ACCEPTED, REFUSAL_NONE);
	expect("ends as it starts", WITH(o.start_ms = T0 + 1000), false, VERDICT_REJECTED, REFUSAL_BACKWARDS);
	expect("starts a ms before", WITH(o.start_ms = T0 + 999), false, VERDICT_ACCEPTED, REFUSAL_NONE);
	expect("nothing at all", WITH(o.watts = 0), false, VERDICT_ACCEPTED, REFUSAL_NONE);
	expect("negative", WITH(o.watts = -1), false, VERDICT_REJECTED, REFUSAL_RANGE);
	expect("most", WITH(o.watts = ORDER_MOST_W), false, VERDICT_ACCEPTED, REFUSAL_NONE);
	expect("too much", WITH(o.watts = ORDER_MOST_W + 1), false, VERDICT_REJECTED, REFUSAL_RANGE);
	expect("negative priority", WITH(o.priority = -1), false, VERDICT_REJECTED, REFUSAL_RANGE);
	expect("negative ramp", WITH(o.ramp_w_per_min = -1), false, VERDICT_REJECTED, REFUSAL_RANGE);
	expect("no such kind", WITH(o.kind = 9), false, VERDICT_REJECTED, REFUSAL_RANGE);
	expect("no such signal", WITH(o.signal = ORDERS_SIGNALS), false, VERDICT_REJECTED, REFUSAL_RANGE);
	expect("ends in 20 years", WITH(o.end_ms = T0 + 2 * ORDER_MOST_AHEAD_MS), false, VERDICT_REJECTED, REFUSAL_RANGE);
	expect("never ends", WITH(o.end_ms = ORDER_NO_END), false, VERDICT_ACCEPTED, REFUSAL_NONE);
	expect("no id", WITH(name(o.id, "")), false, VERDICT_REJECTED, REFUSAL_RANGE);
	expect("its id is another's", WITH(name(o.id, "first"); o.signal = 2), false, VERDICT_REJECTED, REFUSAL_ID_TAKEN);
	expect("again", WITH(name(o.id, "first")), false, VERDICT_DUPLICATE, REFUSAL_NONE);
	expect("again, retained", WITH(name(o.id, "first")), true, VERDICT_DUPLICATE, REFUSAL_NONE);
	expect("the operator, with a clock that went back", WITH(o.issued_ms = 1; o.by_operator = true), false, VERDICT_ACCEPTED, REFUSAL_NONE);
	expect("release of what is not", WITH(o.kind = ORDER_RELEASE; name(o.releases, "y")), false, VERDICT_REJECTED, REFUSAL_UNKNOWN);
	expect("release of another's", WITH(o.kind = ORDER_RELEASE; name(o.releases, "first"); o.signal = 2), false, VERDICT_REJECTED, REFUSAL_UNKNOWN);
	expect("release", WITH(o.kind = ORDER_RELEASE; name(o.releases, "first"); o.end_ms = 0), false, VERDICT_ACCEPTED, REFUSAL_NONE);
}

static void test_lowest_limit_wins(void **state)
{
	struct order_book *book = fresh();
	(void)state;
	takes(book, make("a", ORDER_CAP, 12 * MW));
	takes(book, make("b", ORDER_CAP, 11 * MW));
	takes(book, make("c", ORDER_CAP, 11 * MW));
	struct demand demand = resolved(book, T0);
	assert_int_equal(demand.limit_w, 11 * MW);
	assert_int_equal(demand.limit_from, orders_find(book, "b"));
	assert_int_equal(demand.limit_soon_w, 11 * MW);
	assert_int_equal(demand.setpoint_w, POLICY_NONE);
	assert_int_equal(demand.miners_w, POLICY_NONE);
	assert_int_equal(book->live[0].start_ms, T0);
	assert_int_equal(resolved(book, T0 + 3600000 - 1).limit_w, 11 * MW);
	assert_int_equal(resolved(book, T0 + 3600000).limit_w, POLICY_NONE);
	assert_int_equal(resolved(book, T0 + 3600000).limit_from, -1);
}

/* A limit binds as long before its start as miners take to fall asleep; a set point does not. */
static void test_lead_and_horizon(void **state)
{
	struct order_book *book = fresh();
	struct order cap = make("a", ORDER_CAP, 3), shed = make("b", ORDER_SHED, 4), setpoint = make("c", ORDER_SETPOINT, 5);
	(void)state;
	cap.start_ms = shed.start_ms = setpoint.start_ms = T0 + 100000;
	takes(book, cap);
	takes(book, shed);
	takes(book, setpoint);
	struct demand demand = resolved(book, T0 + 39999);
	assert_int_equal(demand.limit_soon_w, POLICY_NONE);
	assert_int_equal(demand.miners_soon_w, POLICY_NONE);
	demand = resolved(book, T0 + 40000);
	assert_int_equal(demand.limit_soon_w, 3);
	assert_int_equal(demand.miners_soon_w, 4);
	assert_int_equal(demand.limit_w, POLICY_NONE);
	assert_int_equal(resolved(book, T0 + 89999).limit_w, POLICY_NONE);
	demand = resolved(book, T0 + 90000);
	assert_int_equal(demand.limit_w, 3);
	assert_int_equal(demand.miners_w, 4);
	assert_true(demand.shed);
	assert_int_equal(demand.setpoint_w, POLICY_NONE);
	assert_int_equal(resolved(book, T0 + 99999).setpoint_w, POLICY_NONE);
	assert_int_equal(resolved(book, T0 + 100000).setpoint_w, 5);
}

static void test_set_points_by_priority_then_age(void **state)
{
	struct order_book *book = fresh();
	struct order low = make("low", ORDER_SETPOINT, 1), old = make("old", ORDER_SETPOINT, 2), new = make("new", ORDER_SETPOINT, 3);
	(void)state;
	low.priority = 2;
	old.priority = new.priority = 1;
	low.issued_ms = T0 + 3;
	old.issued_ms = T0 + 1;
	new.issued_ms = T0 + 2;
	new.ramp_w_per_min = 9;
	takes(book, old);
	takes(book, new);
	takes(book, low);
	struct demand demand = resolved(book, T0);
	assert_int_equal(demand.setpoint_w, 3);
	assert_int_equal(demand.setpoint_ramp_w_per_min, 9);
	assert_false(demand.by_operator);
	struct order hold = make("hold", ORDER_SETPOINT, 4);
	hold.by_operator = true;
	takes(book, hold);
	assert_int_equal(resolved(book, T0).setpoint_w, 4);
	assert_true(resolved(book, T0).by_operator);
}

static void test_equal_set_points_do_not_hang_on_arrival(void **state)
{
	(void)state;
	for (int turn = 0; turn < 2; turn++) {
		struct order_book *book = fresh();
		takes(book, make(turn ? "a" : "b", ORDER_SETPOINT, turn ? 7 : 8));
		takes(book, make(turn ? "b" : "a", ORDER_SETPOINT, turn ? 8 : 7));
		assert_int_equal(resolved(book, T0).setpoint_w, 7);
	}
}

static void test_levels_and_sheds(void **state)
{
	struct order_book *book = fresh();
	(void)state;
	book->levels[5] = (struct order_level){ .set = true, .miners_w = 50, .miners_soon_w = POLICY_NONE };
	struct demand demand = resolved(book, T0);
	assert_int_equal(demand.miners_w, 50);
	assert_int_equal(demand.miners_soon_w, 50);
	assert_int_equal(demand.miners_from, ORDERS_LIVE + 5);
	assert_false(demand.shed);
	takes(book, make("a", ORDER_SHED, 60));
	assert_false(resolved(book, T0).shed);
	takes(book, make("b", ORDER_SHED, 40));
	demand = resolved(book, T0);
	assert_true(demand.shed);
	assert_int_equal(demand.miners_w, 40);
	assert_int_equal(demand.miners_from, orders_find(book, "b"));
	book->levels[5].miners_soon_w = 0;
	assert_int_equal(resolved(book, T0).miners_soon_w, 0);
	book->levels[5].miners_w = 30;
	assert_false(resolved(book, T0).shed);
}

static void test_release_and_end(void **state)
{
	struct order_book *book = fresh();
	struct order release = make("r", ORDER_RELEASE, 0), out;
	struct order other = make("c", ORDER_CAP, 3);
	int place;
	(void)state;
	other.signal = 2;
	takes(book, make("a", ORDER_CAP, 1));
	takes(book, make("b", ORDER_CAP, 2));
	takes(book, other);
	assert_false(orders_pop_ended(book, T0, &out, &place));
	snprintf(release.releases, sizeof(release.releases), "a");
	takes(book, release);
	assert_int_equal(resolved(book, T0).limit_w, 2);
	assert_true(orders_pop_ended(book, T0, &out, &place));
	assert_string_equal(out.id, "a");
	assert_true(out.cancelled);
	assert_int_equal(place, 0);
	assert_int_equal(orders_find(book, "a"), -1);
	struct order all = make("r2", ORDER_RELEASE, 0);
	takes(book, all);
	assert_int_equal(resolved(book, T0).limit_w, 3);
	assert_true(orders_pop_ended(book, T0, &out, &place));
	assert_string_equal(out.id, "b");
	assert_false(orders_pop_ended(book, T0 + 3600000 - 1, &out, &place));
	assert_true(orders_pop_ended(book, T0 + 3600000, &out, &place));
	assert_string_equal(out.id, "c");
	assert_false(out.cancelled);
	assert_false(orders_pop_ended(book, T0 + 3600000, &out, &place));
	struct order again = make("a", ORDER_CAP, 1);
	again.issued_ms = T0 + 3200000;
	again.end_ms = T0 + 6800000;
	assert_int_equal(orders_take(book, &again, T0, false).verdict, VERDICT_DUPLICATE);
	assert_int_equal(resolved(book, T0).limit_w, POLICY_NONE);
}

static void test_clock_steps(void **state)
{
	struct order_book *book = fresh();
	struct order later = make("later", ORDER_CAP, 1), out;
	int place;
	(void)state;
	later.start_ms = T0 + 600000;
	takes(book, later);
	takes(book, make("now", ORDER_CAP, 2));
	orders_begin(book, T0);
	assert_int_equal(resolved(book, T0 - 7200000).limit_w, 2);      /* back: what has begun still binds */
	orders_begin(book, T0 + 600000);
	assert_int_equal(resolved(book, T0).limit_w, 1);
	while (orders_pop_ended(book, T0 + 7200000, &out, &place))      /* ahead, by mistake: all ends ... */
		continue;
	assert_int_equal(resolved(book, T0).limit_w, POLICY_NONE);      /* ... and stays ended */
	struct demand demand;
	orders_resolve(book, INT64_MIN, 1, 1, &demand);
	orders_resolve(book, INT64_MAX, 1, 1, &demand);
}

static void end_by(struct order_book *book, int64_t now_ms)
{
	struct order out;
	int place;
	while (orders_pop_ended(book, now_ms, &out, &place))
		continue;
}

/* What a clock ahead of time has ended comes back when it is sent again, and by nothing else. */
static void test_ended_by_the_clock_and_sent_again(void **state)
{
	struct order_book *book = fresh();
	struct order a = make("a", ORDER_CAP, 1), b = make("b", ORDER_CAP, 2), release = make("r", ORDER_RELEASE, 0);
	(void)state;
	b.issued_ms = T0 + 1;
	takes(book, a);
	takes(book, b);
	end_by(book, T0 + 7200000);
	assert_int_equal(orders_take(book, &a, T0 + 3600000, false).verdict, VERDICT_DUPLICATE);        /* it is over now */
	assert_int_equal(orders_take(book, &a, T0, true).refusal, REFUSAL_RETAINED);
	struct order other = a;
	other.signal = 2;
	assert_int_equal(orders_take(book, &other, T0, false).refusal, REFUSAL_ID_TAKEN);
	takes(book, a);
	assert_int_equal(orders_take(book, &a, T0, false).verdict, VERDICT_DUPLICATE);
	assert_int_equal(resolved(book, T0).limit_w, 1);
	struct order old = make("old", ORDER_CAP, 3);
	assert_int_equal(orders_take(book, &old, T0, false).verdict, VERDICT_STALE);    /* b is the newest still */
	takes(book, b);
	end_by(book, T0 + 7200000);
	snprintf(release.releases, sizeof(release.releases), "b");
	release.issued_ms = T0 + 2;
	assert_int_equal(orders_take(book, &release, T0, false).refusal, REFUSAL_UNKNOWN);
	takes(book, b);
	name(release.id, "r2");
	release.end_ms = T0 + 3600000;
	takes(book, release);
	end_by(book, T0);
	assert_int_equal(orders_take(book, &b, T0, false).verdict, VERDICT_DUPLICATE);
	assert_int_equal(orders_take(book, &release, T0, false).verdict, VERDICT_DUPLICATE);
	name(release.id, "r3");
	release.releases[0] = '\0';
	takes(book, release);                                                           /* of what the clock ended, too */
	assert_int_equal(orders_take(book, &a, T0, false).verdict, VERDICT_DUPLICATE);
	assert_int_equal(resolved(book, T0).limit_w, POLICY_NONE);
}

/* ---- by law ---- */

static uint64_t random_state;

static int64_t any(int64_t n)           /* xorshift64: below n */
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (int64_t)(random_state % (uint64_t)n);
}

static struct order any_order(int64_t now_ms)
{
	struct order order = {
		.signal = (uint8_t)any(4), .kind = (uint8_t)any(4), .priority = (int32_t)any(3), .watts = any(20) * MW,
		.issued_ms = now_ms + any(200000) - 100000,
		.start_ms = any(3) ? 0 : now_ms + any(100000) - 30000,
		.end_ms = now_ms + any(200000) - 20000,
		.by_operator = any(20) == 0,
	};
	snprintf(order.id, sizeof(order.id), "o%lld", (long long)any(2000));
	if (order.kind == ORDER_RELEASE && any(2))
		snprintf(order.releases, sizeof(order.releases), "o%lld", (long long)any(2000));
	return order;
}

/* No limit in force is exceeded by what the book resolves to, and nothing is resolved that no order says. */
static void check_demand(const struct order_book *book, int64_t now_ms, const struct demand *demand)
{
	for (int i = 0; i < ORDERS_LIVE; i++) {
		const struct order *order = &book->live[i];
		bool active = order->id[0] && !order->cancelled && order->start_ms <= now_ms && now_ms < order->end_ms;
		if (active && order->kind == ORDER_CAP)
			assert_true(demand->limit_w <= order->watts);
		if (active && order->kind == ORDER_SHED)
			assert_true(demand->miners_w <= order->watts);
		if (active && order->kind == ORDER_SETPOINT)
			assert_true(demand->setpoint_from >= 0 && book->live[demand->setpoint_from].priority <= order->priority);
	}
	assert_true(demand->limit_soon_w <= demand->limit_w && demand->miners_soon_w <= demand->miners_w);
	assert_true((demand->limit_w == POLICY_NONE) == (demand->limit_from < 0));
	assert_true((demand->setpoint_w == POLICY_NONE) == (demand->setpoint_from < 0));
	assert_true((demand->miners_w == POLICY_NONE) == (demand->miners_from < 0));
	if (demand->limit_from >= 0)
		assert_int_equal(book->live[demand->limit_from].watts, demand->limit_w);
	if (demand->shed)
		assert_true(demand->miners_from < ORDERS_LIVE);
}

static void check_repeat(struct order_book *book, const struct order *order, struct order_answer first, int64_t now_ms)
{
	static struct order_book before;
	bool remembered = first.refusal != REFUSAL_ID_TAKEN;
	memcpy(&before, book, sizeof(before));
	struct order_answer second = orders_take(book, order, now_ms, false);
	assert_memory_equal(&before, book, sizeof(before));
	if (remembered && first.verdict == VERDICT_ACCEPTED)
		assert_int_equal(second.verdict, VERDICT_DUPLICATE);
	else
		assert_int_equal(second.verdict, first.verdict);
}

static void test_laws(void **state)
{
	const char *told = getenv("MULLET_SEED");
	uint64_t seed = told ? strtoull(told, NULL, 0) : (uint64_t)time(NULL);
	struct order_book *book = fresh();
	int64_t now_ms = T0;
	uint64_t taken = 0, bound = 0;
	(void)state;
	print_message("MULLET_SEED=%llu\n", (unsigned long long)seed);
	random_state = seed * 2 + 1;
	for (int step = 0; step < 100000; step++) {
		struct order order = any_order(now_ms), out;
		struct demand demand, same;
		int place;
		now_ms += any(1000) ? any(2000) : any(200000) - 100000;         /* now and then the clock is set */
		if (any(3) == 0) {
			struct order_answer answer = orders_take(book, &order, now_ms, false);
			taken += answer.verdict == VERDICT_ACCEPTED;
			check_repeat(book, &order, answer, now_ms);
		}
		book->levels[3] = (struct order_level){ any(2), any(2) ? any(20) * MW : POLICY_NONE, POLICY_NONE };
		orders_begin(book, now_ms);
		while (orders_pop_ended(book, now_ms, &out, &place)) {
			assert_true(out.cancelled || out.end_ms <= now_ms);
			assert_int_equal(book->live[place].id[0], 0);
		}
		orders_resolve(book, now_ms, any(20000), 20000 + any(60000), &demand);
		check_demand(book, now_ms, &demand);
		orders_resolve(book, now_ms, 0, 60000, &demand);
		orders_resolve(book, now_ms, 0, 60000, &same);
		assert_true(demand.limit_from == same.limit_from && demand.setpoint_from == same.setpoint_from &&
		            demand.miners_from == same.miners_from && demand.miners_w == same.miners_w);
		bound += demand.limit_w != POLICY_NONE;
	}
	assert_true(taken > 1000 && bound > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_lowest_limit_wins),
		cmocka_unit_test(test_lead_and_horizon),
		cmocka_unit_test(test_set_points_by_priority_then_age),
		cmocka_unit_test(test_equal_set_points_do_not_hang_on_arrival),
		cmocka_unit_test(test_levels_and_sheds),
		cmocka_unit_test(test_release_and_end),
		cmocka_unit_test(test_clock_steps),
		cmocka_unit_test(test_ended_by_the_clock_and_sent_again),
		cmocka_unit_test(test_laws),
	};
	return cmocka_run_group_tests_name("orders", tests, NULL, NULL);
}
