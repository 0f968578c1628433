#include "daemon/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/xalloc.h"

#define ASIDE 100                       /* files put aside; the last is replaced */

void state_file_init(struct state_file *file, uv_loop_t *loop, const char *dir, const char *name,
                     struct state_file_user user)
{
	size_t size = strlen(dir) + strlen(name) + 2;
	*file = (struct state_file){ .path = xcalloc(size, 1), .loop = loop, .user = user };
	snprintf(file->path, size, "%s/%s", dir, name);
	file->work.data = file;
}

void state_file_free(struct state_file *file)
{
	free(file->path);
	free(file->writing);
	free(file->next);
	*file = (struct state_file){ 0 };
}

bool state_file_busy(const struct state_file *file)
{
	return file->writing != NULL;
}

/* ---- reading, at the start ---- */

static int read_whole(int fd, size_t most, char **text, size_t *len)
{
	char *buf = xcalloc(most + 2, 1);
	size_t n = 0;
	ssize_t got = 0;
	while (n <= most && (got = read(fd, buf + n, most + 1 - n)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		n += (size_t)got;
	}
	int rc = n > most ? UV_E2BIG : got < 0 ? -errno : 0;
	if (rc) {
		free(buf);
		return rc;
	}
	buf[n] = '\0';
	*text = buf;
	*len = n;
	return 0;
}

int state_file_read(const struct state_file *file, size_t most, char **text, size_t *len)
{
	struct stat about;
	/* Not to wait for whoever might write to a pipe of that name. */
	int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	int rc = fstat(fd, &about) < 0 ? -errno : S_ISREG(about.st_mode) ? 0 : UV_EINVAL;
	if (!rc)
		rc = read_whole(fd, most, text, len);
	close(fd);
	return rc;
}

int state_file_put_aside(const struct state_file *file, char *to, size_t to_size)
{
	for (int i = 1; i <= ASIDE; i++) {
		int n = i == 1 ? snprintf(to, to_size, "%s.bad", file->path) : snprintf(to, to_size, "%s.bad.%d", file->path, i);
		if (n < 0 || (size_t)n >= to_size)
			return UV_ENAMETOOLONG;
		if (access(to, F_OK) < 0 || i == ASIDE)
			break;
	}
	return rename(file->path, to) < 0 ? -errno : 0;
}

/* ---- writing ---- */

static int write_whole(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		len -= (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* The name is in the directory, and that has to be on the disk, too. */
static int sync_directory(const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
	int fd = open(dir[0] ? dir : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int rc = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return rc;
}

static int replace(const char *path, const char *text, size_t len)
{
	char fresh[PATH_MAX];
	if ((size_t)snprintf(fresh, sizeof(fresh), "%s.new", path) >= sizeof(fresh))
		return UV_ENAMETOOLONG;
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	int rc = write_whole(fd, text, len);
	if (close(fd) < 0 && !rc)
		rc = -errno;
	if (!rc && rename(fresh, path) < 0)
		rc = -errno;
	if (rc) {
		unlink(fresh);
		return rc;
	}
	return sync_directory(path);
}

/* On a thread of the pool: nobody else touches what it uses while it runs. */
static void on_work(uv_work_t *work)
{
	struct state_file *file = work->data;
	file->error = replace(file->path, file->writing, file->len);
}

static void after_work(uv_work_t *work, int status);

static void begin(struct state_file *file)
{
	uv_queue_work(file->loop, &file->work, on_work, after_work);
}

static void after_work(uv_work_t *work, int status)
{
	struct state_file *file = work->data;
	int error = status ? status : file->error;
	free(file->writing);
	file->writing = file->next;
	file->len = file->next_len;
	file->next = NULL;
	if (file->writing)
		begin(file);
	else
		file->user.on_written(file->user.self, error);
}

void state_file_write(struct state_file *file, const char *text, size_t len)
{
	char *copy = xcalloc(len + 1, 1);
	memcpy(copy, text, len);
	if (file->writing) {
		free(file->next);
		file->next = copy;
		file->next_len = len;
		return;
	}
	file->writing = copy;
	file->len = len;
	begin(file);
}
