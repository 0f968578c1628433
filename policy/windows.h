/* policy/windows.h - no window of time sees more moved on purpose than was allowed.
 *
 * An order shows at the site's meter after a dead time, along a ramp, so what counts is not when orders are given but
 * what the meter sees in each half-second, past and to come. A window is told as any so long a time; each begins and
 * ends within a half-second, so it is taken as one half-second longer. */
#ifndef POLICY_WINDOWS_H
#define POLICY_WINDOWS_H

#include "policy/policy.h"

#define WINDOWS_SLOT_MS 500
#define WINDOWS_LONGEST_MS 60000        /* a longer window is taken as so long */

/* The most that miners with this response may be told to move now, up or down, without any window seeing more than its
 * change that way; POLICY_NONE without windows. Several groups together may move the least that is allowed to any. */
int64_t windows_allow_w(struct policy_course *, const struct policy_window *, size_t n_windows,
                        const struct policy_response *, bool up, int64_t now_ms);
/* They are told so. move_w is negative downwards. */
void windows_note(struct policy_course *, const struct policy_response *, int64_t move_w, int64_t now_ms);

#endif
