#include "daemon/ctl_decisions.h"

#include <stdio.h>

#include "daemon/ctl_model.h"

/* "139 done"; "137 done, 2 failed"; under way "120 of 139, 3 overtaken" by a newer decision. Nothing where nothing was told,
 * as in a dry run. */
static void outcome_text(const cJSON *outcome, char *buf, size_t size)
{
	int64_t sent = json_figure(outcome, "sent"), done = json_figure(outcome, "confirmed");
	int64_t failed = json_figure(outcome, "failed"), overtaken = json_figure(outcome, "overtaken");
	buf[0] = '\0';
	if (sent == FIGURE_UNKNOWN || done == FIGURE_UNKNOWN || failed == FIGURE_UNKNOWN || sent == 0)
		return;
	size_t used = done + failed < sent
		? (size_t)snprintf(buf, size, "%lld of %lld", (long long)done, (long long)sent)
		: (size_t)snprintf(buf, size, "%lld done", (long long)done);
	if (overtaken == FIGURE_UNKNOWN)
		overtaken = 0;
	if (overtaken > 0 && used < size)
		used += (size_t)snprintf(buf + used, size - used, ", %lld overtaken", (long long)overtaken);
	if (failed > overtaken && used < size)
		snprintf(buf + used, size - used, ", %lld failed", (long long)(failed - overtaken));
}

void decisions_as_rows(cJSON *decisions)
{
	cJSON *decision;
	char text[96];
	cJSON_ArrayForEach(decision, decisions) {
		outcome_text(cJSON_GetObjectItemCaseSensitive(decision, "outcome"), text, sizeof(text));
		cJSON_DeleteItemFromObjectCaseSensitive(decision, "outcome");
		cJSON_AddStringToObject(decision, "outcome", text);
	}
}
