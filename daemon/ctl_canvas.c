#include "daemon/ctl_canvas.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "daemon/xalloc.h"

#define SIGN_ELLIPSIS 0x2026

void canvas_init(struct canvas *canvas, int width, int height, bool ascii)
{
	*canvas = (struct canvas){ .width = width, .height = height, .ascii = ascii };
	canvas->cells = xcalloc((size_t)width * (size_t)height, sizeof(*canvas->cells));
}

void canvas_free(struct canvas *canvas)
{
	free(canvas->cells);
	*canvas = (struct canvas){ 0 };
}

/* Blocks whose signs are one cell wide and steer nothing, in fonts that terminals have. */
static bool harmless(uint32_t c)
{
	static const struct { uint32_t first, last; } blocks[] = {
		{ 0x20, 0x7E }, { 0xA0, 0xAC }, { 0xAE, 0x2FF }, { 0x370, 0x482 }, { 0x48A, 0x52F },
		{ 0x2010, 0x2027 }, { 0x2030, 0x205E }, { 0x2070, 0x20BF }, { 0x2100, 0x2319 }, { 0x2400, 0x25FC },
		{ 0x2800, 0x28FF },
	};
	for (size_t i = 0; i < sizeof(blocks) / sizeof(*blocks); i++)
		if (c >= blocks[i].first && c <= blocks[i].last)
			return true;
	return false;
}

/* The next sign of UTF-8 text, '?' for bytes that are none. */
static uint32_t next_sign(const char **text)
{
	const unsigned char *s = (const unsigned char *)*text;
	int more = s[0] < 0x80 ? 0 : s[0] >= 0xF0 ? 3 : s[0] >= 0xE0 ? 2 : s[0] >= 0xC0 ? 1 : -1;
	uint32_t c = more <= 0 ? s[0] : s[0] & (0x3Fu >> more);
	for (int i = 1; i <= more; i++) {
		if ((s[i] & 0xC0) != 0x80) {
			*text += i;
			return '?';
		}
		c = c << 6 | (s[i] & 0x3F);
	}
	*text += 1 + (more > 0 ? more : 0);
	return more >= 0 && harmless(c) ? c : '?';
}

int canvas_columns(const char *text)
{
	int n = 0;
	for (; *text; n++)
		next_sign(&text);
	return n;
}

void clean_text(char *text)
{
	char *to = text;
	for (const char *from = text; *from; ) {
		const char *before = from;
		if (next_sign(&from) == '?')
			*to++ = '?';
		else
			while (before < from)
				*to++ = *before++;
	}
	*to = '\0';
}

void canvas_sign(struct canvas *canvas, int row, int column, enum ink ink, uint32_t sign, char plain)
{
	if (row < 0 || row >= canvas->height || column < 0 || column >= canvas->width)
		return;
	uint32_t shown = canvas->ascii && sign > 0x7E ? (uint32_t)plain : sign;
	canvas->cells[row * canvas->width + column] = (struct cell){ .sign = shown, .ink = (uint8_t)ink };
}

/* The plain twins of signs that stand in texts of ours. */
static char plain_twin(uint32_t sign)
{
	switch (sign) {
	case 0xB7:   return '-';        /* · */
	case 0xB0:   return 'o';        /* ° */
	case 0x2212: return '-';        /* − */
	case 0x2013: return '-';        /* – */
	case 0x2026: return '~';        /* … */
	case 0x2191: return '^';        /* ↑ */
	case 0x2193: return 'v';        /* ↓ */
	case 0x2264: return '<';        /* ≤ */
	}
	return '?';
}

int canvas_text_until(struct canvas *canvas, int row, int column, int until, enum ink ink, const char *text)
{
	if (until > canvas->width)
		until = canvas->width;
	bool cut = column + canvas_columns(text) > until;
	int last = cut ? until - 1 : until;
	for (; *text && column < last; column++) {
		uint32_t sign = next_sign(&text);
		canvas_sign(canvas, row, column, ink, sign, plain_twin(sign));
	}
	if (cut && column < until)
		canvas_sign(canvas, row, column++, ink, SIGN_ELLIPSIS, '~');
	return column;
}

int canvas_text(struct canvas *canvas, int row, int column, enum ink ink, const char *text)
{
	return canvas_text_until(canvas, row, column, canvas->width, ink, text);
}

int canvas_format(struct canvas *canvas, int row, int column, enum ink ink, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return canvas_text(canvas, row, column, ink, text);
}

void canvas_text_right(struct canvas *canvas, int row, int end, enum ink ink, const char *text)
{
	canvas_text(canvas, row, end - canvas_columns(text), ink, text);
}

size_t text_that_fits(const char *text, int n)
{
	const char *s = text, *fits = NULL;
	for (int used = 0; *s; used++) {
		if (*s == ' ' && used <= n)
			fits = s;
		if (used >= n)
			return fits && fits > text ? (size_t)(fits - text) : (size_t)(s - text);
		next_sign(&s);
	}
	return (size_t)(s - text);
}

int canvas_wrap(struct canvas *canvas, int row, int column, int until, int max_rows, enum ink ink, const char *text)
{
	int used = 0;
	while (*text && used < max_rows && until > column) {
		char line[512];
		size_t n = text_that_fits(text, until - column);
		if (used == max_rows - 1 || n >= sizeof(line)) {
			canvas_text_until(canvas, row + used++, column, until, ink, text);
			break;
		}
		memcpy(line, text, n);
		line[n] = '\0';
		canvas_text(canvas, row + used++, column, ink, line);
		text += n;
		while (*text == ' ')
			text++;
	}
	return used;
}

void canvas_rule(struct canvas *canvas, int row, int column, int until, enum ink ink)
{
	for (; column < until; column++)
		canvas_sign(canvas, row, column, ink, 0x2500, '-');
}
