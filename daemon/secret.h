/* daemon/secret.h - passwords that stand in files of their own. */
#ifndef DAEMON_SECRET_H
#define DAEMON_SECRET_H

/* The first line of the file of FILE's name in $CREDENTIALS_DIRECTORY, or else of FILE itself; to be freed with
 * secret_free. NULL with errno where neither can be read; ENODATA: it is empty. */
char *secret_read(const char *file);
void secret_free(char *);       /* leaves no trace; NULL is fine */

#endif
