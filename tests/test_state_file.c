/* The file that holds what is remembered over a restart: replaced whole, and read as far as it can be used. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "daemon/state_file.h"

struct rig {
	uv_loop_t loop;
	struct state_file file;
	char dir[64];
	int written, error;
};

static void on_written(void *self, int error)
{
	struct rig *rig = self;
	rig->written++;
	rig->error = error;
}

static void open_rig(struct rig *rig)
{
	*rig = (struct rig){ .dir = "/tmp/test-state-XXXXXX" };
	assert_non_null(mkdtemp(rig->dir));
	assert_int_equal(uv_loop_init(&rig->loop), 0);
	state_file_init(&rig->file, &rig->loop, rig->dir, "state.json", (struct state_file_user){ rig, on_written });
}

static void close_rig(struct rig *rig)
{
	char command[100];
	uv_run(&rig->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&rig->loop), 0);
	state_file_free(&rig->file);
	snprintf(command, sizeof(command), "rm -r %s", rig->dir);
	assert_int_equal(system(command), 0);
}

static void assert_holds(const struct rig *rig, const char *want)
{
	char *text;
	size_t len;
	assert_int_equal(state_file_read(&rig->file, 1 << 20, &text, &len), 0);
	assert_int_equal(len, strlen(want));
	assert_string_equal(text, want);
	free(text);
}

static bool exists(const struct rig *rig, const char *name)
{
	char path[100];
	snprintf(path, sizeof(path), "%s/%s", rig->dir, name);
	return access(path, F_OK) == 0;
}

static void put(struct rig *rig, const char *text)
{
	state_file_write(&rig->file, text, strlen(text));
	uv_run(&rig->loop, UV_RUN_DEFAULT);
}

static void a_file_is_replaced(void **unused)
{
	struct rig rig;
	char *text;
	size_t len;
	struct stat about;
	open_rig(&rig);
	assert_int_equal(state_file_read(&rig.file, 100, &text, &len), UV_ENOENT);
	put(&rig, "one");
	assert_holds(&rig, "one");
	put(&rig, "the second");
	put(&rig, "3");
	assert_holds(&rig, "3");
	assert_int_equal(rig.written, 3);
	assert_int_equal(rig.error, 0);
	assert_false(exists(&rig, "state.json.new"));
	assert_int_equal(stat(rig.file.path, &about), 0);
	assert_int_equal(about.st_mode & 07, 0);        /* nobody else's business */
	put(&rig, "0123456789");
	assert_int_equal(state_file_read(&rig.file, 10, &text, &len), 0);
	free(text);
	assert_int_equal(state_file_read(&rig.file, 9, &text, &len), UV_E2BIG);
	close_rig(&rig);
	(void)unused;
}

/* The loop goes on meanwhile, and of what comes in between only the newest is written. */
static void the_newest_of_several_is_written_last(void **unused)
{
	struct rig rig;
	open_rig(&rig);
	state_file_write(&rig.file, "first", 5);
	assert_true(state_file_busy(&rig.file));
	assert_int_equal(rig.written, 0);
	for (int i = 0; i < 100; i++)
		state_file_write(&rig.file, "some", 4);
	state_file_write(&rig.file, "last", 4);
	uv_run(&rig.loop, UV_RUN_DEFAULT);
	assert_holds(&rig, "last");
	assert_int_equal(rig.written, 1);
	assert_false(state_file_busy(&rig.file));
	close_rig(&rig);
	(void)unused;
}

/* Whoever looks, whenever: one whole text or the other. */
static void no_half_a_file_is_ever_seen(void **unused)
{
	enum { LONG = 200000, TIMES = 60 };
	static char texts[2][LONG + 1];
	struct rig rig;
	int looks = 0;
	open_rig(&rig);
	memset(texts[0], 'a', LONG);
	memset(texts[1], 'b', LONG / 2);
	put(&rig, texts[0]);
	for (int i = 1; i <= TIMES; i++) {
		state_file_write(&rig.file, texts[i % 2], strlen(texts[i % 2]));
		while (uv_run(&rig.loop, UV_RUN_NOWAIT)) {
			char *text;
			size_t len;
			assert_int_equal(state_file_read(&rig.file, LONG, &text, &len), 0);
			assert_true(!strcmp(text, texts[0]) || !strcmp(text, texts[1]));
			free(text);
			looks++;
		}
	}
	assert_true(looks > TIMES);
	close_rig(&rig);
	(void)unused;
}

static void a_full_disk_leaves_the_old_file(void **unused)
{
	struct rig rig;
	struct rlimit before, small;
	static char large[8192];
	memset(large, 'x', sizeof(large) - 1);
	open_rig(&rig);
	put(&rig, "what was there");
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){ 4096, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	put(&rig, large);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(rig.error, UV_EFBIG);
	assert_holds(&rig, "what was there");
	assert_false(exists(&rig, "state.json.new"));
	put(&rig, "and again");
	assert_int_equal(rig.error, 0);
	assert_holds(&rig, "and again");
	close_rig(&rig);
	(void)unused;
}

static void what_cannot_be_used_is_kept_aside(void **unused)
{
	struct rig rig;
	char to[200];
	open_rig(&rig);
	put(&rig, "bad");
	assert_int_equal(state_file_put_aside(&rig.file, to, sizeof(to)), 0);
	assert_non_null(strstr(to, "/state.json.bad"));
	assert_false(exists(&rig, "state.json"));
	assert_true(exists(&rig, "state.json.bad"));
	put(&rig, "worse");
	assert_int_equal(state_file_put_aside(&rig.file, to, sizeof(to)), 0);
	assert_true(exists(&rig, "state.json.bad"));
	assert_true(exists(&rig, "state.json.bad.2"));
	assert_int_equal(state_file_put_aside(&rig.file, to, sizeof(to)), UV_ENOENT);
	close_rig(&rig);
	(void)unused;
}

static void neither_a_directory_nor_a_pipe_is_waited_for(void **unused)
{
	struct rig rig;
	char *text;
	size_t len;
	open_rig(&rig);
	assert_int_equal(mkdir(rig.file.path, 0700), 0);
	assert_int_equal(state_file_read(&rig.file, 100, &text, &len), UV_EINVAL);
	put(&rig, "x");
	assert_true(rig.error < 0);
	assert_int_equal(rmdir(rig.file.path), 0);
	assert_int_equal(mkfifo(rig.file.path, 0600), 0);
	assert_int_equal(state_file_read(&rig.file, 100, &text, &len), UV_EINVAL);
	close_rig(&rig);
	(void)unused;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_replaced),
		cmocka_unit_test(the_newest_of_several_is_written_last),
		cmocka_unit_test(no_half_a_file_is_ever_seen),
		cmocka_unit_test(a_full_disk_leaves_the_old_file),
		cmocka_unit_test(what_cannot_be_used_is_kept_aside),
		cmocka_unit_test(neither_a_directory_nor_a_pipe_is_waited_for),
	};
	return cmocka_run_group_tests_name("state_file", tests, NULL, NULL);
}
