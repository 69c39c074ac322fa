// SPDX-License-Identifier: Apache-2.0
// The runtime API (management.txt 9.3): the stats sockets, their sessions, and the table of commands. Everything runs
// on the control thread's loop. A command answers into `out`; one with a long answer returns CLI_AGAIN and is called
// again once what it wrote has left, so that neither memory nor the thread is held for long.
#ifndef PHX_ADMIN_CLI_H
#define PHX_ADMIN_CLI_H

#include <stdbool.h>

#include "config/model.h"
#include "node/base/buf.h"
#include "node/base/clock.h"
#include "node/io/worker.h"

struct cli;
enum cli_level { CLI_USER, CLI_OPERATOR, CLI_ADMIN };
enum cli_result { CLI_DONE, CLI_AGAIN };
typedef enum cli_result cli_fn(struct cli *c);

#define CLI_WORDS_MAX 64

// One command being run. Words are NUL-terminated and live until it is done.
struct cli_request {
    struct str words[CLI_WORDS_MAX]; // the whole line
    unsigned nwords;
    unsigned args;      // index of the first word behind the command's own
    struct str payload; // what came after "<<"; ptr NULL = none
    struct buf out;
    enum cli_level level;
    mono_t now;
    // State of a command between two calls; freed by free_state when it ends early too.
    void *state;
    void (*free_state)(void *state);
    uint64_t cursor;
};
struct cli_request *cli_request(struct cli *c);

// The N-th argument behind the command's words; STR_NONE when there is none.
struct str cli_arg(struct cli *c, unsigned n);
unsigned cli_nargs(struct cli *c);
// Adds the text and ends the command.
enum cli_result cli_say(struct cli *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
// False: the answer is "Permission denied".
bool cli_allowed(struct cli *c, enum cli_level need);
#define CLI_SLICE 65536 // bytes after which a long answer pauses

struct cli_command {
    const char *words; // "show stat"
    const char *usage; // "show stat [desc|json|no-maint|typed|up]*"
    const char *help;
    enum cli_level level;
    cli_fn *run;
};
extern const struct cli_command cli_commands[];
extern const unsigned cli_command_count;

// Session state that commands change: prompt, level, timeout.
void cli_toggle_prompt(struct cli *c);
void cli_lower_level(struct cli *c, enum cli_level level);
void cli_quit(struct cli *c);
void cli_set_timeout(struct cli *c, int64_t ms);
enum cli_level cli_session_level(struct cli *c);
// "socket" lines of `show cli sockets`.
void cli_list_sockets(struct buf *out);

#endif
