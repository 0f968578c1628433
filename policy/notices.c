#include "policy/notices.h"

#include <string.h>

#include "policy/internal.h"

#define MARGIN_MS 5000                  /* between miners down and GPUs up: clocks, steps, the slower ones among miners */

static int64_t size_w(const struct notice *notice)
{
	return abs64(notice->delta_w);
}

/* How much of it should have come by then. */
static int64_t part_w(const struct notice *notice, int64_t at_ms)
{
	int64_t on_ms = at_ms - notice->at_ms;
	if (on_ms < 0)
		return 0;
	return on_ms >= notice->over_ms ? size_w(notice) : size_w(notice) * on_ms / notice->over_ms;
}

static int64_t end_ms(const struct notice *notice)
{
	return notice->at_ms + notice->over_ms + NOTICE_LATE_MS;
}

/* ---- the book ---- */

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static size_t find(const struct notice_book *book, const char *id)
{
	size_t i = 0;
	while (i < book->n && !same(book->notices[i].id, id))
		i++;
	return i;
}

static void take_out(struct notice_book *book, size_t i)
{
	book->n--;
	memmove(&book->notices[i], &book->notices[i + 1], (book->n - i) * sizeof(book->notices[0]));
}

static void put_in(struct notice_book *book, const struct notice *notice)
{
	size_t i = book->n++;
	for (; i > 0 && book->notices[i - 1].at_ms > notice->at_ms; i--)
		book->notices[i] = book->notices[i - 1];
	book->notices[i] = *notice;
	book->notices[i].due = book->notices[i].dipped = book->notices[i].returned = false;
	book->notices[i].base_w = book->notices[i].moved_w = 0;
}

static bool gives_way(const struct notice *last, const struct notice *sooner)
{
	return !last->due && last->at_ms > sooner->at_ms;
}

enum notice_answer notices_take(struct notice_book *book, const struct notice *notice, int64_t now_ms)
{
	size_t i = find(book, notice->id);
	bool known = i < book->n;
	if (!notice->delta_w) {
		if (known)
			take_out(book, i);
		return known ? NOTICE_WITHDRAWN : NOTICE_UNKNOWN;
	}
	if (end_ms(notice) <= now_ms)
		return NOTICE_OVER;
	if (notice->at_ms - now_ms > NOTICE_MOST_AHEAD_MS)
		return NOTICE_FAR;
	const struct notice *old = &book->notices[i];
	if (known && old->at_ms == notice->at_ms && old->over_ms == notice->over_ms && old->delta_w == notice->delta_w)
		return NOTICE_KNOWN;    /* delivered twice: what has come of it stands */
	if (known)
		take_out(book, i);
	bool full = book->n == NOTICES_MOST;
	if (full && !gives_way(&book->notices[NOTICES_MOST - 1], notice))
		return NOTICE_FULL;
	if (full)
		take_out(book, NOTICES_MOST - 1);
	put_in(book, notice);
	return full ? NOTICE_INSTEAD : NOTICE_TAKEN;
}

/* ---- what comes of them ---- */

static bool is_due(const struct notice *notice, bool rise)
{
	return notice->due && (notice->delta_w > 0) == rise;
}

static bool any_due(const struct notice_book *book, bool rise)
{
	for (size_t i = 0; i < book->n; i++)
		if (is_due(&book->notices[i], rise))
			return true;
	return false;
}

/* As low as the announced falls may have taken the load. INT64_MAX: there are none. */
static int64_t announced_low_w(const struct notice_book *book)
{
	int64_t base_w = INT64_MIN, sum_w = 0;
	for (size_t i = 0; i < book->n; i++)
		if (is_due(&book->notices[i], false)) {
			base_w = max64(base_w, book->notices[i].base_w);
			sum_w += size_w(&book->notices[i]);
		}
	return base_w == INT64_MIN ? INT64_MAX : base_w - sum_w;
}

static void credit(struct notice_book *book, bool rise, int64_t moved_w)
{
	for (size_t i = 0; i < book->n && moved_w > 0; i++) {
		struct notice *notice = &book->notices[i];
		if (!is_due(notice, rise))
			continue;
		int64_t part = min64(moved_w, size_w(notice) - notice->moved_w);
		notice->moved_w += part;
		moved_w -= part;
	}
}

static bool enough(const struct notice *notice, int64_t of_w)
{
	return notice->moved_w >= of_w / 100 * NOTICE_TRUE_PERCENT;
}

/* A fall that has not lasted, and is over: as much of it as the first rise after it told. */
static void end_dip(struct notice_book *book, size_t fall)
{
	struct notice *down = &book->notices[fall];
	for (size_t i = fall + 1; i < book->n; i++) {
		struct notice *up = &book->notices[i];
		if (!is_due(up, true) || enough(up, size_w(up)))
			continue;
		up->moved_w = min64(up->moved_w + size_w(down), size_w(up));
		up->returned = enough(up, size_w(up));
		down->moved_w = size_w(down);
		down->returned = true;
		return;
	}
	down->dipped = false;           /* it was another dip */
}

static void see_dips(struct notice_book *book, int64_t present_w)
{
	for (size_t i = 0; i < book->n; i++) {
		struct notice *notice = &book->notices[i];
		int64_t most_w = size_w(notice) / 100 * NOTICE_TRUE_PERCENT;
		if (!is_due(notice, false) || enough(notice, size_w(notice)))
			continue;
		if (present_w <= notice->base_w - most_w)
			notice->dipped = true;
		else if (notice->dipped && present_w >= notice->base_w - size_w(notice) + most_w)
			end_dip(book, i);
	}
}

void notices_see(struct notice_book *book, int64_t now_ms, int64_t planned_w, int64_t recent_w, int64_t present_w)
{
	if (!any_due(book, true))
		book->highest_w = recent_w;
	/* What an announced fall took away is no height to be risen over. */
	book->highest_w = min64(book->highest_w, max64(recent_w, announced_low_w(book)));
	if (!any_due(book, false))
		book->lowest_w = recent_w;
	for (size_t i = 0; i < book->n; i++) {
		struct notice *notice = &book->notices[i];
		if (notice->due || now_ms < notice->at_ms - NOTICE_EARLY_MS)
			continue;
		notice->due = true;
		notice->base_w = planned_w;
	}
	credit(book, true, recent_w - book->highest_w);
	credit(book, false, book->lowest_w - recent_w);
	book->highest_w = max64(book->highest_w, recent_w);
	book->lowest_w = min64(book->lowest_w, recent_w);
	see_dips(book, present_w);
}

/* It is over, or it should be well under way and nothing of it is seen. */
static bool has_ended(const struct notice *notice, int64_t now_ms)
{
	int64_t due_w = part_w(notice, now_ms - NOTICE_LATE_MS);
	return notice->returned || now_ms >= end_ms(notice) || (due_w >= size_w(notice) / 4 && !enough(notice, due_w));
}

/* What one lacks another in the opposite direction whose time has come lacks too: together they came true. */
static void cancel_out(struct notice_book *book, struct notice *notice, int64_t now_ms)
{
	for (size_t i = 0; i < book->n; i++) {
		struct notice *other = &book->notices[i];
		bool over = now_ms >= other->at_ms + other->over_ms + NOTICE_SEEN_MS;
		if (!over || (other->delta_w > 0) == (notice->delta_w > 0))
			continue;
		int64_t both_w = min64(size_w(notice) - notice->moved_w, size_w(other) - other->moved_w);
		notice->moved_w += both_w;
		other->moved_w += both_w;
	}
}

bool notices_pop(struct notice_book *book, int64_t now_ms, struct notice *out, bool *came_true)
{
	for (size_t i = 0; i < book->n; i++) {
		struct notice *notice = &book->notices[i];
		if (!has_ended(notice, now_ms))
			continue;
		if (!enough(notice, size_w(notice)))
			cancel_out(book, notice, now_ms);
		*out = *notice;
		*came_true = enough(notice, size_w(notice));
		take_out(book, i);
		return true;
	}
	return false;
}

/* ---- what it means ---- */

static int64_t to_come_w(const struct notice *notice, int64_t by_ms)
{
	return max64(part_w(notice, by_ms) - notice->moved_w, 0);
}

/* Whether by the time of the rise the fall is to have been seen, and that leaves enough time to act if it is not. */
static bool offsets(const struct notice *fall, const struct notice *rise, int64_t now_ms, int64_t act_ms)
{
	int64_t seen_ms = fall->at_ms + fall->over_ms + NOTICE_SEEN_MS;
	return fall->delta_w < 0 && !fall->dipped && now_ms < seen_ms && seen_ms + act_ms <= rise->at_ms;
}

/* The highest that all of them together take the load, over what it is, until by_ms. */
static int64_t together_w(const struct notice *notices, size_t n, int64_t now_ms, int64_t by_ms, int64_t act_ms)
{
	int64_t highest_w = 0;
	for (size_t i = 0; i < n; i++) {
		const struct notice *rise = &notices[i];
		int64_t at_ms = min64(rise->at_ms + rise->over_ms, by_ms), sum_w = 0;
		if (rise->delta_w < 0 || rise->at_ms >= by_ms)
			continue;
		for (size_t k = 0; k < n; k++) {
			if (notices[k].delta_w > 0)
				sum_w += to_come_w(&notices[k], at_ms);
			else if (offsets(&notices[k], rise, now_ms, act_ms))
				sum_w -= to_come_w(&notices[k], at_ms);
		}
		highest_w = max64(highest_w, sum_w);
	}
	return highest_w;
}

struct forecast notices_forecast(const struct notice *notices, size_t n, int64_t now_ms, const struct forecast_times *times)
{
	int64_t act_ms = times->sleep_ms, soon_ms = max64(times->soon_ms, act_ms + MARGIN_MS);
	struct forecast forecast = {
		.rise_w = together_w(notices, n, now_ms, now_ms + act_ms + MARGIN_MS, act_ms),
		.rise_soon_w = together_w(notices, n, now_ms, now_ms + soon_ms, 0),
		.dipped_to_w = INT64_MAX, .fallen_to_w = INT64_MAX };
	int64_t base_w = INT64_MIN, fallen_w = 0, dip_base_w = INT64_MIN, dipped_w = 0;
	for (size_t i = 0; i < n; i++) {
		const struct notice *notice = &notices[i];
		if (notice->delta_w > 0) {
			forecast.risen_w += notice->moved_w;
			fallen_w -= notice->moved_w;
			continue;
		}
		forecast.fall_w += to_come_w(notice, now_ms + times->wake_ms);
		if (!notice->due || !enough(notice, size_w(notice))) {
			if (notice->dipped) {
				dip_base_w = max64(dip_base_w, notice->base_w);
				dipped_w += size_w(notice);
			}
			continue;
		}
		base_w = max64(base_w, notice->base_w);
		fallen_w += notice->moved_w;
	}
	if (dipped_w)
		forecast.dipped_to_w = dip_base_w - dipped_w;
	if (base_w != INT64_MIN)
		fallen_w -= together_w(notices, n, now_ms, now_ms + times->fill_ms, 0);
	if (base_w != INT64_MIN && fallen_w > 0)
		forecast.fallen_to_w = base_w - fallen_w;
	return forecast;
}
