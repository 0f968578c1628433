#include "daemon/ctl_found.h"

#include "daemon/xalloc.h"

void found_add(struct found *found, size_t at, const char *host, enum fault fault, const struct miner_identity *is)
{
	if (found->n == found->size) {
		found->size = found->size ? 2 * found->size : 64;
		found->miners = xrealloc(found->miners, found->size * sizeof(*found->miners));
	}
	found->miners[found->n++] = (struct found_miner){ at, host, fault, *is };
}

void found_free(struct found *found)
{
	free(found->miners);
	*found = (struct found){ 0 };
}

static int by_place(const void *a, const void *b)
{
	const struct found_miner *one = a, *two = b;
	return (one->at > two->at) - (one->at < two->at);
}

void found_sort(struct found *found)
{
	if (found->n > 0)
		qsort(found->miners, found->n, sizeof(*found->miners), by_place);
}

/* ---- rows ---- */

static const char *state_text(enum miner_state state)
{
	switch (state) {
	case MINER_UNKNOWN: return NULL;
	case MINER_HASHING: return "hashing";
	case MINER_RAMPING: return "ramping";
	case MINER_ASLEEP:  return "asleep";
	}
	return NULL;
}

static void control_text(const struct found_miner *miner, char *buf, size_t size)
{
	const struct miner_identity *is = &miner->is;
	const char *driver = firmware_driver(is->firmware);
	if (miner->fault == FAULT_REFUSED)
		snprintf(buf, size, "none: it turns us away; does its api-allow name this address?");
	else if (miner->fault != FAULT_NONE)
		snprintf(buf, size, "none: this is no CGMiner API (ePIC miners have a web server here)");
	else if (!driver)
		snprintf(buf, size, "none: no driver yet");
	else if (is->firmware != FIRMWARE_LUXOS)
		snprintf(buf, size, "watched; its boards, where the config says steer: true");
	else if (!is->can_curtail)
		snprintf(buf, size, "watched; it has no curtail command");
	else
		snprintf(buf, size, "sleep, wake, %u profiles%s", is->n_profiles, is->atm ? " (its ATM moves them too)" : "");
}

static void add_text(cJSON *row, const char *key, const char *text)
{
	if (text && *text)
		cJSON_AddStringToObject(row, key, text);
	else
		cJSON_AddNullToObject(row, key);
}

static void add_figure(cJSON *row, const char *key, bool known, double value)
{
	if (known)
		cJSON_AddNumberToObject(row, key, value);
	else
		cJSON_AddNullToObject(row, key);
}

static cJSON *row_of(const struct found_miner *miner)
{
	const struct miner_identity *is = &miner->is;
	bool lives = miner->fault == FAULT_NONE;
	cJSON *row = cJSON_CreateObject();
	char control[96];
	control_text(miner, control, sizeof(control));
	add_text(row, "host", miner->host);
	add_text(row, "fault", lives ? NULL : miner->fault == FAULT_REFUSED ? "refused" : "garbled");
	add_text(row, "firmware", lives ? firmware_name(is->firmware) : NULL);
	add_text(row, "version", is->version);
	add_text(row, "model", is->model);
	add_text(row, "mac", is->mac);
	add_text(row, "serial", is->serial);
	add_text(row, "state", state_text(is->state));
	add_figure(row, "power_w", is->knows_power, is->power_w);
	add_figure(row, "hashrate_ghs", is->knows_rate, is->hashrate_ghs);
	add_figure(row, "awake_w", is->awake_w > 0, is->awake_w);
	add_figure(row, "profiles", is->firmware == FIRMWARE_LUXOS, is->n_profiles);
	add_text(row, "driver", lives ? firmware_driver(is->firmware) : NULL);
	add_text(row, "control", control);
	return row;
}

cJSON *found_rows(const struct found *found)
{
	cJSON *rows = cJSON_CreateArray();
	for (size_t i = 0; i < found->n; i++)
		cJSON_AddItemToArray(rows, row_of(&found->miners[i]));
	return rows;
}
