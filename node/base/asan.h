// SPDX-License-Identifier: Apache-2.0
// Tells the address sanitizer which memory an allocator of ours holds free. Nothing at all in other builds. For
// allocators, and for what a sanitized program cannot do (PHX_ASAN).
#ifndef PHX_BASE_ASAN_H
#define PHX_BASE_ASAN_H

#if defined(__SANITIZE_ADDRESS__)
#define PHX_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PHX_ASAN 1
#endif
#endif

#ifdef PHX_ASAN
#include <sanitizer/asan_interface.h>
#define ASAN_POISON(ptr, len)   ASAN_POISON_MEMORY_REGION((ptr), (len))
#define ASAN_UNPOISON(ptr, len) ASAN_UNPOISON_MEMORY_REGION((ptr), (len))
#else
#define ASAN_POISON(ptr, len)   ((void)(ptr), (void)(len))
#define ASAN_UNPOISON(ptr, len) ((void)(ptr), (void)(len))
#endif

#endif
