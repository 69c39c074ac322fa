// SPDX-License-Identifier: Apache-2.0
// Command line: one table row an option. HAProxy's options that make no difference here have a row without an effect;
// those that would, and are not supported, are refused with the reason.
#include "node/options.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/base/log.h"
#include "node/base/panic.h"
#include "node/version.h"

struct cursor { // the words that are left
    char **words;
    int left;
};

// `value` is the word behind the option, or what is glued to it. False: complained.
typedef bool option_fn(struct options *o, const char *value, struct cursor *rest);

enum option_value { VALUE_NONE, VALUE_WORD, VALUE_GLUED, VALUE_LIST };

struct option_row {
    const char *name;
    enum option_value value;
    option_fn *apply;     // NULL: no effect here, or
    const char *refusal;  // why not
    const char *argument; // for the usage
    const char *help;     // NULL: not shown
};

// ---- One function an option.

static bool add_path(struct options *o, const char *path)
{
    const char **paths = realloc(o->paths, (o->npaths + 1) * sizeof(*paths));
    if (!paths)
        PANIC("out of memory");
    o->paths = paths;
    o->paths[o->npaths++] = path;
    return true;
}

static bool parse_number(const char *text, long min, long max, const char *option, long *out)
{
    char *end;
    errno = 0;
    long n = strtol(text, &end, 10);
    if (errno || end == text || *end || n < min || n > max) {
        log_alert("option %s: '%s' is not a number from %ld to %ld.", option, text, min, max);
        return false;
    }
    *out = n;
    return true;
}

static bool opt_file(struct options *o, const char *value, struct cursor *rest)
{
    return add_path(o, value);
}

static bool opt_rest(struct options *o, const char *value, struct cursor *rest)
{
    for (; rest->left > 0; rest->left--)
        add_path(o, *rest->words++);
    return true;
}

static bool opt_check(struct options *o, const char *value, struct cursor *rest)
{
    o->task = TASK_CHECK;
    return true;
}

static bool opt_condition(struct options *o, const char *value, struct cursor *rest)
{
    o->task = TASK_CONDITION;
    o->condition = value;
    return true;
}

static bool opt_version(struct options *o, const char *value, struct cursor *rest)
{
    o->task = TASK_VERSION;
    return true;
}

static bool opt_version_long(struct options *o, const char *value, struct cursor *rest)
{
    o->version_long = true;
    return opt_version(o, value, rest);
}

static bool opt_chdir(struct options *o, const char *value, struct cursor *rest)
{
    o->chdir = value;
    return true;
}

static bool opt_local_peer(struct options *o, const char *value, struct cursor *rest)
{
    o->local_peer = value;
    return true;
}

static bool opt_pidfile(struct options *o, const char *value, struct cursor *rest)
{
    o->pidfile = value;
    return true;
}

static bool opt_maxconn(struct options *o, const char *value, struct cursor *rest)
{
    long n;
    if (!parse_number(value, 1, INT_MAX / 4, "-n", &n))
        return false;
    o->maxconn = (int)n;
    return true;
}

static bool opt_memory(struct options *o, const char *value, struct cursor *rest)
{
    return parse_number(value, 1, LONG_MAX >> 20, "-m", &o->memory_mb);
}

static bool opt_verbose(struct options *o, const char *value, struct cursor *rest)
{
    o->verbose = true;
    o->quiet = false;
    return true;
}

static bool opt_quiet(struct options *o, const char *value, struct cursor *rest)
{
    o->quiet = true;
    return true;
}

static bool opt_daemon(struct options *o, const char *value, struct cursor *rest)
{
    o->daemon = true;
    return true;
}

static bool opt_foreground(struct options *o, const char *value, struct cursor *rest)
{
    o->foreground = true;
    return true;
}

static bool opt_debug(struct options *o, const char *value, struct cursor *rest)
{
    o->debug = o->foreground = true;
    return true;
}

static bool opt_notify(struct options *o, const char *value, struct cursor *rest)
{
    o->notify = true;
    return true;
}

static bool opt_diagnostics(struct options *o, const char *value, struct cursor *rest)
{
    o->diagnostics = true;
    return true;
}

static bool opt_zero_warning(struct options *o, const char *value, struct cursor *rest)
{
    o->zero_warning = true;
    return true;
}

static bool opt_no_splice(struct options *o, const char *value, struct cursor *rest)
{
    o->no_splice = true;
    return true;
}

static bool opt_no_reuseport(struct options *o, const char *value, struct cursor *rest)
{
    o->no_reuseport = true;
    return true;
}

static bool opt_dump_keywords(struct options *o, const char *value, struct cursor *rest)
{
    o->dump_keywords = true;
    return true;
}

static bool opt_dump_libraries(struct options *o, const char *value, struct cursor *rest)
{
    o->dump_libraries = true;
    return true;
}

// -dM[byte][,words]: the words tune HAProxy's own pools.
static bool opt_poison(struct options *o, const char *value, struct cursor *rest)
{
    char *end;
    long byte = strtol(value, &end, 0);
    o->poison = end == value ? 0x50 : (int)(byte & 0xff);
    return true;
}

static bool add_pids(struct options *o, int number, struct cursor *rest)
{
    o->old_signal = number;
    for (; rest->left > 0 && rest->words[0][0] != '-'; rest->left--) {
        long pid;
        if (!parse_number(*rest->words++, 1, INT_MAX, number == SIGUSR1 ? "-sf" : "-st", &pid))
            return false;
        pid_t *pids = realloc(o->old_pids, (o->nold_pids + 1) * sizeof(*pids));
        if (!pids)
            PANIC("out of memory");
        o->old_pids = pids;
        o->old_pids[o->nold_pids++] = (pid_t)pid;
    }
    return true;
}

static bool opt_finish(struct options *o, const char *value, struct cursor *rest)
{
    return add_pids(o, SIGUSR1, rest);
}

static bool opt_terminate(struct options *o, const char *value, struct cursor *rest)
{
    return add_pids(o, SIGTERM, rest);
}

// A longer name stands before its own beginning. Glued values match by prefix.
static const struct option_row rows[] = {
    {"-f", VALUE_WORD, opt_file, NULL, " FILE|FOLDER", "configuration file, or folder of *.cfg; may be repeated"},
    {"--", VALUE_LIST, opt_rest, NULL, " FILE...", "all that follows are configuration files"},
    {"-cc", VALUE_WORD, opt_condition, NULL, " CONDITION", "evaluate a condition; exit 0 true, 1 false, 2 error"},
    {"-c", VALUE_NONE, opt_check, NULL, "", "only check the configuration; with -V say that it is valid"},
    {"-vv", VALUE_NONE, opt_version_long, NULL, "", "version, features and libraries"},
    {"-v", VALUE_NONE, opt_version, NULL, "", "version"},
    {"-V", VALUE_NONE, opt_verbose, NULL, "", "verbose (undoes -q)"},
    {"-q", VALUE_NONE, opt_quiet, NULL, "", "quiet: print errors only"},
    {"-D", VALUE_NONE, opt_daemon, NULL, "", "run in the background"},
    {"-db", VALUE_NONE, opt_foreground, NULL, "", "stay in the foreground"},
    {"-dC", VALUE_GLUED, NULL, "the configuration cannot be dumped", NULL, NULL},
    {"-dD", VALUE_NONE, opt_diagnostics, NULL, "", "also tell of suspicious statements"},
    {"-dK", VALUE_GLUED, opt_dump_keywords, NULL, "", "list all keywords"},
    {"-dL", VALUE_NONE, opt_dump_libraries, NULL, "", "list the shared libraries in use"},
    {"-dM", VALUE_GLUED, opt_poison, NULL, "[BYTE]", "fill fresh memory with BYTE (0x50)"},
    {"-dR", VALUE_NONE, opt_no_reuseport, NULL, "", "do not share listening ports with other processes"},
    {"-dS", VALUE_NONE, opt_no_splice, NULL, "", "do not splice"},
    {"-dW", VALUE_NONE, opt_zero_warning, NULL, "", "refuse a configuration with warnings"},
    {"-dF", VALUE_NONE, NULL, NULL, NULL, NULL},
    {"-dG", VALUE_NONE, NULL, NULL, NULL, NULL},
    {"-dI", VALUE_NONE, NULL, NULL, NULL, NULL},
    {"-dV", VALUE_NONE, NULL, NULL, NULL, NULL},
    {"-dZ", VALUE_NONE, NULL, NULL, NULL, NULL},
    {"-de", VALUE_NONE, NULL, NULL, NULL, NULL},
    {"-dk", VALUE_NONE, NULL, NULL, NULL, NULL},
    {"-dp", VALUE_NONE, NULL, NULL, NULL, NULL},
    {"-dr", VALUE_NONE, NULL, NULL, NULL, NULL},
    {"-dt", VALUE_GLUED, NULL, NULL, NULL, NULL},
    {"-d", VALUE_NONE, opt_debug, NULL, "", "debug: stay in the foreground and show events"},
    {"-Ws", VALUE_NONE, opt_notify, NULL, "", "tell systemd when ready; SIGUSR2 reloads"},
    {"-W", VALUE_NONE, NULL, NULL, "", "SIGUSR2 reloads (it always does; no master process is needed)"},
    {"-C", VALUE_WORD, opt_chdir, NULL, " FOLDER", "change to FOLDER first"},
    {"-L", VALUE_WORD, opt_local_peer, NULL, " NAME", "which node of the cluster this is (else: host name)"},
    {"-p", VALUE_WORD, opt_pidfile, NULL, " FILE", "write the process's number to FILE"},
    {"-m", VALUE_WORD, opt_memory, NULL, " MB", "limit memory"},
    {"-n", VALUE_WORD, opt_maxconn, NULL, " COUNT", "limit connections (global maxconn)"},
    {"-sf", VALUE_LIST, opt_finish, NULL, " [PID...]", "once running, ask these processes to finish"},
    {"-st", VALUE_LIST, opt_terminate, NULL, " [PID...]", "once running, end these processes"},
    {"-N", VALUE_WORD, NULL, "set maxconn in the section defaults instead", NULL, NULL},
    {"-S", VALUE_WORD, NULL, "there is no master process; use a `stats socket`", NULL, NULL},
    {"-x", VALUE_WORD, NULL, "listening sockets are kept by reloading inside the process (SIGUSR2)", NULL, NULL},
};

static const struct option_row *find_row(const char *word)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct option_row *row = &rows[i];
        if (row->value == VALUE_GLUED ? strncmp(word, row->name, strlen(row->name)) == 0 : strcmp(word, row->name) == 0)
            return row;
    }
    return NULL;
}

static void print_usage(const char *program)
{
    version_print(stderr, false);
    fprintf(stderr, "Usage: %s [OPTIONS]\n       %s help [KEYWORD | --table]\n", program, program);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char left[40];
        if (!rows[i].help)
            continue;
        snprintf(left, sizeof(left), "%s%s", rows[i].name, rows[i].argument);
        fprintf(stderr, "  %-18s %s\n", left, rows[i].help);
    }
}

static bool apply(struct options *o, const char *word, struct cursor *rest)
{
    const struct option_row *row = find_row(word);
    if (!row) {
        log_alert("unknown option '%s'.", word);
        return false;
    }
    const char *value = row->value == VALUE_GLUED ? word + strlen(row->name) : NULL;
    if (row->value == VALUE_WORD) {
        if (rest->left == 0) {
            log_alert("option '%s' needs an argument.", word);
            return false;
        }
        value = *rest->words++;
        rest->left--;
    }
    if (row->refusal) {
        log_alert("option '%s' is not supported: %s.", word, row->refusal);
        return false;
    }
    return !row->apply || row->apply(o, value, rest);
}

bool options_parse(int argc, char **argv, struct options *o)
{
    *o = (struct options){.poison = -1};
    struct cursor rest = {argv + 1, argc - 1};
    if (rest.left > 0 && strcmp(rest.words[0], "help") == 0) {
        o->task = TASK_HELP;
        o->keyword = rest.left > 1 ? rest.words[1] : "";
        return true;
    }
    bool ok = true;
    while (ok && rest.left > 0) {
        rest.left--;
        const char *word = *rest.words++;
        ok = apply(o, word, &rest);
    }
    if (ok && (o->task == TASK_RUN || o->task == TASK_CHECK) && o->npaths == 0)
        ok = false;
    if (!ok) {
        print_usage(argv[0]);
        options_free(o);
    }
    return ok;
}

void options_free(struct options *o)
{
    free(o->paths);
    free(o->old_pids);
    o->paths = NULL;
    o->old_pids = NULL;
}
