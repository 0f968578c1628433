#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

static void *or_die(void *p)
{
	if (!p)
		abort();
	return p;
}

void fault_list_init(struct fault_list *list, const char *file)
{
	memset(list, 0, sizeof *list);
	list->file = or_die(strdup(file));
}

void fault_list_add(struct fault_list *list, struct mark at, const char *path, const char *format, ...)
{
	if (list->n >= CONFIG_MAX_FAULTS) {
		list->dropped++;
		return;
	}
	char *what, *text;
	va_list values;
	va_start(values, format);
	if (vasprintf(&what, format, values) < 0)
		abort();
	va_end(values);
	bool placed = path && *path;
	if (asprintf(&text, "%s%s%s", placed ? path : "", placed ? ": " : "", what) < 0)
		abort();
	free(what);
	if ((list->n & (list->n - 1)) == 0)     /* full at each power of two */
		list->items = or_die(realloc(list->items, (list->n ? 2 * list->n : 1) * sizeof *list->items));
	list->items[list->n++] = (struct config_fault){at, text};
}

/* Stable, and the lists are short and nearly sorted as they come. */
void fault_list_sort(struct fault_list *list)
{
	for (size_t i = 1; i < list->n; i++) {
		struct config_fault moved = list->items[i];
		size_t j = i;
		for (; j > 0; j--) {
			struct mark before = list->items[j - 1].at;
			if (before.line < moved.at.line ||
			    (before.line == moved.at.line && before.column <= moved.at.column))
				break;
			list->items[j] = list->items[j - 1];
		}
		list->items[j] = moved;
	}
}

void fault_list_free(struct fault_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i].text);
	free(list->items);
	free(list->file);
	memset(list, 0, sizeof *list);
}

size_t fault_format(const struct fault_list *list, size_t i, char *buf, size_t size)
{
	const struct config_fault *fault = &list->items[i];
	int len;
	if (fault->at.line > 0)
		len = snprintf(buf, size, "%s:%d:%d: %s", list->file, (int)fault->at.line,
		               (int)fault->at.column, fault->text);
	else
		len = snprintf(buf, size, "%s: %s", list->file, fault->text);
	return len < 0 ? 0 : (size_t)len;
}
