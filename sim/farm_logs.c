/* sim/farm_logs.c - the truth every 100 ms, and every command that a miner received, as CSV. */
#include <errno.h>
#include <string.h>
#include <time.h>

#include "sim/farm.h"

enum { FLUSH_MS = 1000 };

static int open_log(FILE **file, const char *path, const char *header, char *why, size_t size)
{
	if (!path)
		return 0;
	*file = fopen(path, "we");
	if (!*file) {
		int err = uv_translate_sys_error(errno);
		snprintf(why, size, "%s: %s", path, uv_strerror(err));
		return err;
	}
	fprintf(*file, "%s\n", header);
	return 0;
}

static void put_utc(const struct farm *farm, int64_t now_ms)
{
	char text[32];
	int64_t utc_ms = farm->begin_utc_ms + now_ms;
	time_t utc_s = (time_t)(utc_ms / 1000);
	struct tm utc;
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", gmtime_r(&utc_s, &utc));
	fprintf(farm->commands, "%s.%03lldZ", text, (long long)(utc_ms % 1000));
}

int farm_open_logs(struct farm *farm, char *why, size_t size)
{
	int err = open_log(&farm->log, farm->conf.log_file, "t_s,site_w,hpc_w,miners_w", why, size);
	if (err)
		return err;
	err = open_log(&farm->commands, farm->conf.commands_file, "t_s,time,miner,host,command,parameter,status,code,moves",
	               why, size);
	if (!farm->commands)
		return err;
	fprintf(farm->commands, "0.000,");      /* a first line that ties the site's time to the world's */
	put_utc(farm, 0);
	fprintf(farm->commands, ",,,begin,\"\",S,0,0\n");
	return 0;
}

static void close_log(struct farm *farm, FILE **file)
{
	if (!*file)
		return;
	bool broken = ferror(*file) != 0;
	farm->logs_broken |= fclose(*file) != 0 || broken;
	*file = NULL;
}

void farm_close_logs(struct farm *farm)
{
	close_log(farm, &farm->log);
	close_log(farm, &farm->commands);
}

static void flush_now_and_then(struct farm *farm, int64_t now_ms)
{
	if (now_ms - farm->flushed_ms < FLUSH_MS)
		return;
	farm->flushed_ms = now_ms;
	if (farm->log)
		fflush(farm->log);
	if (farm->commands)
		fflush(farm->commands);
}

void farm_log_truth(struct farm *farm, int64_t now_ms)
{
	if (farm->log)
		fprintf(farm->log, "%lld.%lld,%lld,%lld,%lld\n", (long long)(now_ms / 1000), (long long)(now_ms / 100 % 10),
		        (long long)truth_site_w(&farm->truth, now_ms), (long long)truth_hpc_w(&farm->truth, now_ms),
		        (long long)truth_miners_w(&farm->truth, now_ms));
	flush_now_and_then(farm, now_ms);
}

/* In quotes, those inside doubled; control characters are left out. */
static void put_quoted(FILE *file, const char *text)
{
	fputc('"', file);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', file);
		if ((unsigned char)*text >= 0x20)
			fputc(*text, file);
	}
	fputc('"', file);
}

void farm_log_command(void *self, const struct asic_command *command)
{
	struct farm *farm = self;
	char name[64];
	int64_t now_ms = farm_now_ms(farm);
	if (!farm->commands)
		return;
	layout_name(&farm->miners, command->miner, name, sizeof name);
	fprintf(farm->commands, "%lld.%03lld,", (long long)(now_ms / 1000), (long long)(now_ms % 1000));
	put_utc(farm, now_ms);
	fprintf(farm->commands, ",%s,%s,%s,", name, farm->fleet.servers[command->miner].host, command->command);
	put_quoted(farm->commands, command->parameter);
	fprintf(farm->commands, ",%c,%d,%d\n", command->status, command->code, command->moves);
}
