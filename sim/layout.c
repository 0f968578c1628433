#include "sim/layout.h"

#include <stdio.h>

enum { WIDE = 250, NARROW = 50 };

/* The widest row that divides n; 0: none worth it. */
static size_t columns(size_t n)
{
	if (n <= WIDE)
		return n;
	for (size_t cols = WIDE; cols >= NARROW; cols--)
		if (n % cols == 0 && n / cols <= WIDE)
			return cols;
	return 0;
}

static int add_block(struct layout *layout, const char *name, const char *suffix, unsigned net, unsigned row,
                     size_t rows, size_t cols)
{
	if (layout->n_groups == LAYOUT_GROUPS)
		return -1;
	struct layout_group *group = &layout->groups[layout->n_groups++];
	*group = (struct layout_group){ .first = layout->n, .n = rows * cols, .net = net, .row = row,
	                                .rows = (unsigned)rows, .cols = (unsigned)cols };
	snprintf(group->name, sizeof group->name, "%.30s%s", name, suffix);
	layout->n += group->n;
	return 0;
}

int layout_add(struct layout *layout, const char *name, unsigned net, size_t n)
{
	size_t cols = columns(n);
	if (n == 0)
		return 0;
	if (cols)
		return add_block(layout, name, "", net, 0, n / cols, cols);
	if (add_block(layout, name, "", net, 0, n / WIDE, WIDE) != 0)
		return -1;
	return add_block(layout, name, "-rest", net, (unsigned)(n / WIDE), 1, n % WIDE);
}

const struct layout_group *layout_group_of(const struct layout *layout, size_t device)
{
	const struct layout_group *group = layout->groups;
	while (device >= group->first + group->n)
		group++;
	return group;
}

void layout_host(const struct layout *layout, size_t device, char host[16])
{
	const struct layout_group *group = layout_group_of(layout, device);
	unsigned k = (unsigned)(device - group->first);
	snprintf(host, 16, "127.%u.%u.%u", group->net & 255, (group->row + k / group->cols) & 255, 1 + k % group->cols % 255);
}

void layout_name(const struct layout *layout, size_t device, char *name, size_t size)
{
	const struct layout_group *group = layout_group_of(layout, device);
	if (group->n == 1)
		snprintf(name, size, "%s", group->name);
	else
		snprintf(name, size, "%s/%zu", group->name, device - group->first + 1);
}

void layout_hostlist(const struct layout_group *group, char *text, size_t size)
{
	char rows[24], cols[24];
	snprintf(rows, sizeof rows, group->rows > 1 ? "[%u-%u]" : "%u", group->row, group->row + group->rows - 1);
	snprintf(cols, sizeof cols, group->cols > 1 ? "[1-%u]" : "%u", group->cols);
	snprintf(text, size, "127.%u.%s.%s", group->net, rows, cols);
}
