// SPDX-License-Identifier: Apache-2.0
// Version, features, libraries.
#include "node/version.h"

#include <link.h>
#include <openssl/crypto.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "config/config.h"
#include "node/io/worker.h"

static void print_features(FILE *out)
{
    fprintf(out, "Feature list :");
    for (const struct config_feature *f = config_features; f->name; f++)
        fprintf(out, " %c%s", f->present ? '+' : '-', f->name);
    fprintf(out, "\n");
}

static void print_libraries(FILE *out)
{
    char pcre2[64] = "?";
    uint32_t jit = 0;
    pcre2_config(PCRE2_CONFIG_VERSION, pcre2);
    pcre2_config(PCRE2_CONFIG_JIT, &jit);
    fprintf(out, "Running on OpenSSL version : %s\n", OpenSSL_version(OPENSSL_VERSION));
    fprintf(out, "Running on zlib version : %s\n", zlibVersion());
    fprintf(out, "Running on PCRE2 version : %s\n", pcre2);
    fprintf(out, "PCRE2 library supports JIT : %s\n", jit ? "yes" : "no");
}

void version_print(FILE *out, bool longer)
{
    struct utsname os;
    fprintf(out, "Phalanx version %s, language of HAProxy %s\n", PHX_VERSION, CONFIG_LANGUAGE_VERSION);
    if (uname(&os) == 0)
        fprintf(out, "Running on: %s %s %s %s\n", os.sysname, os.release, os.version, os.machine);
    if (!longer)
        return;
    fprintf(out, "Built with : %s\n", __VERSION__);
    print_features(out);
    fprintf(out, "Default settings :\n  bufsize = %u\n", worker_bufsize());
    fprintf(out, "Built with multi-threading support (MAX_THREADS=%d, default=%ld).\n", WORKER_MAX,
            sysconf(_SC_NPROCESSORS_ONLN));
    print_libraries(out);
    fprintf(out, "Available polling systems : epoll\n");
}

static int print_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    FILE *out = arg;
    char path[4096];
    if (info->dlpi_name[0] == '/') {
        fprintf(out, "%s\n", info->dlpi_name);
    } else if (info->dlpi_name[0] == '\0') { // the program itself
        ssize_t len = readlink("/proc/self/exe", path, sizeof(path));
        if (len > 0)
            fprintf(out, "%.*s\n", (int)len, path);
    }
    return 0;
}

void version_print_libraries(FILE *out)
{
    dl_iterate_phdr(print_object, out);
}
