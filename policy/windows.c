#include "policy/windows.h"

#include "policy/internal.h"

#include <string.h>

#define PAST_SLOTS (WINDOWS_LONGEST_MS / WINDOWS_SLOT_MS + 1)   /* the present one included */
#define AHEAD_SLOTS (POLICY_SLOTS - PAST_SLOTS)

static int64_t *at(struct policy_course *course, bool up, int64_t slot)
{
	return &course->moved_w[up][slot % POLICY_SLOTS];
}

/* What is no longer past becomes room for what is to come. */
static void advance(struct policy_course *course, int64_t now_ms)
{
	int64_t slot = now_ms / WINDOWS_SLOT_MS;
	if (slot - course->slot >= POLICY_SLOTS || slot < course->slot) {
		memset(course->moved_w, 0, sizeof(course->moved_w));
		course->slot = slot;
	}
	for (; course->slot < slot; course->slot++)
		*at(course, false, course->slot + 1 + AHEAD_SLOTS) = *at(course, true, course->slot + 1 + AHEAD_SLOTS) = 0;
}

/* Where miners told now are on their way: begin and end of the ramp, within what is kept. */
struct way { int64_t begin_ms, end_ms; };

static struct way way_of(const struct policy_course *course, const struct policy_response *response, int64_t now_ms)
{
	int64_t last_ms = (course->slot + AHEAD_SLOTS + 1) * WINDOWS_SLOT_MS;
	int64_t begin_ms = min64(now_ms + max64(response->delay_ms, 0), last_ms - 1);
	return (struct way){ begin_ms, clamp64(begin_ms + response->ramp_ms, begin_ms + 1, last_ms) };
}

static double done_by(const struct way *way, int64_t ms)
{
	return (double)(clamp64(ms, way->begin_ms, way->end_ms) - way->begin_ms) / (double)(way->end_ms - way->begin_ms);
}

static double done_in(const struct way *way, int64_t slot)
{
	return done_by(way, (slot + 1) * WINDOWS_SLOT_MS) - done_by(way, slot * WINDOWS_SLOT_MS);
}

/* Each stretch that fits into the window and sees some of the way: what others move in it is not left for this. In the
 * half-seconds where it begins and ends, what they move the other way may lie outside. */
static double allowed_in(struct policy_course *course, const struct policy_window *window, const struct way *way, bool up)
{
	int64_t slots = (min64(window->within_ms, WINDOWS_LONGEST_MS) + WINDOWS_SLOT_MS - 1) / WINDOWS_SLOT_MS + 1;
	int64_t first = way->begin_ms / WINDOWS_SLOT_MS, last = (way->end_ms - 1) / WINDOWS_SLOT_MS;
	int64_t oldest = max64(course->slot - PAST_SLOTS + 1, 0), newest = course->slot + AHEAD_SLOTS;
	double most_w = (double)INT64_MAX / 2;
	for (int64_t from = max64(first - slots + 1, oldest); from <= last; from++) {
		double between_w = 0, share = 0;
		for (int64_t slot = from; slot < from + slots && slot <= newest; slot++) {
			double that_way_w = (double)*at(course, up, slot), back_w = (double)*at(course, !up, slot);
			double left_w = (double)window->change_w - between_w - that_way_w;
			share += slot < first || slot > last ? 0 : done_in(way, slot);
			if (share > 0 && left_w < most_w * share)
				most_w = left_w > 0 ? left_w / share : 0;
			between_w += slot == from ? that_way_w : that_way_w - back_w;
		}
	}
	return most_w;
}

int64_t windows_allow_w(struct policy_course *course, const struct policy_window *windows, size_t n_windows,
                        const struct policy_response *response, bool up, int64_t now_ms)
{
	int64_t allowed_w = POLICY_NONE;
	advance(course, now_ms);
	struct way way = way_of(course, response, now_ms);
	for (size_t i = 0; i < n_windows; i++)
		allowed_w = min64(allowed_w, (int64_t)allowed_in(course, &windows[i], &way, up));
	return allowed_w;
}

void windows_note(struct policy_course *course, const struct policy_response *response, int64_t move_w, int64_t now_ms)
{
	advance(course, now_ms);
	struct way way = way_of(course, response, now_ms);
	int64_t noted_w = 0;
	for (int64_t slot = way.begin_ms / WINDOWS_SLOT_MS; slot <= (way.end_ms - 1) / WINDOWS_SLOT_MS; slot++) {
		int64_t by_then_w = (int64_t)((double)move_w * done_by(&way, (slot + 1) * WINDOWS_SLOT_MS));
		*at(course, move_w > 0, slot) += move_w > 0 ? by_then_w - noted_w : noted_w - by_then_w;
		noted_w = by_then_w;
	}
}
