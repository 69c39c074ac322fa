// SPDX-License-Identifier: Apache-2.0
// -v and -vv: what this program is, what it was built with and what it runs on.
#ifndef PHX_NODE_VERSION_H
#define PHX_NODE_VERSION_H

#include <stdbool.h>
#include <stdio.h>

// `longer`: features and libraries too.
void version_print(FILE *out, bool longer);
// -dL: the program and the shared libraries it runs with, one path a line.
void version_print_libraries(FILE *out);

#endif
