// SPDX-License-Identifier: Apache-2.0
// The built-in error pages, those that `errorfile` puts in their place, and which of them an answer gets.
#include "node/proxy/reply.h"

#define PAGE(status, reason, length, title, text)                                                                      \
    "HTTP/1.1 " status " " reason "\r\ncontent-length: " length                                                        \
    "\r\ncache-control: no-cache\r\ncontent-type: text/html\r\n\r\n<html><body><h1>" title "</h1>\n" text              \
    "\n</body></html>\n"

static const struct {
    int status;
    const char *page;
} pages[] = {
    {200, PAGE("200", "OK", "58", "200 OK", "Service ready.")},
    {400, PAGE("400", "Bad request", "90", "400 Bad request", "Your browser sent an invalid request.")},
    {401, PAGE("401", "Unauthorized", "112", "401 Unauthorized",
               "You need a valid user and password to access this content.")},
    {403, PAGE("403", "Forbidden", "93", "403 Forbidden", "Request forbidden by administrative rules.")},
    {404, PAGE("404", "Not Found", "83", "404 Not Found", "The resource could not be found.")},
    {405, PAGE("405", "Method Not Allowed", "146", "405 Method Not Allowed",
               "A request was made of a resource using a request method not supported by that resource")},
    {407, PAGE("407", "Unauthorized", "112", "407 Unauthorized",
               "You need a valid user and password to access this content.")},
    {408, PAGE("408", "Request Time-out", "110", "408 Request Time-out",
               "Your browser didn't send a complete request in time.")},
    {410,
     PAGE("410", "Gone", "114", "410 Gone", "The resource is no longer available and will not be available again.")},
    {413, PAGE("413", "Payload Too Large", "106", "413 Payload Too Large",
               "The request entity exceeds the maximum allowed.")},
    {425, PAGE("425", "Too Early", "80", "425 Too Early", "Your browser sent early data.")},
    {429, PAGE("429", "Too Many Requests", "117", "429 Too Many Requests",
               "You have sent too many requests in a given amount of time.")},
    {500,
     PAGE("500", "Internal Server Error", "97", "500 Internal Server Error", "An internal server error occurred.")},
    {501, PAGE("501", "Not Implemented", "135", "501 Not Implemented",
               "The server does not support the functionality required to fulfill the request.")},
    {502,
     PAGE("502", "Bad Gateway", "107", "502 Bad Gateway", "The server returned an invalid or incomplete response.")},
    {503, PAGE("503", "Service Unavailable", "107", "503 Service Unavailable",
               "No server is available to handle this request.")},
    {504, PAGE("504", "Gateway Time-out", "92", "504 Gateway Time-out", "The server didn't respond in time.")},
};
#define PAGES ((int)(sizeof(pages) / sizeof(pages[0])))
_Static_assert(sizeof(pages) / sizeof(pages[0]) <= sizeof(((struct proxy *)0)->error_pages) / sizeof(struct str),
               "a proxy has room for each");

int error_page_index(int status)
{
    for (int i = 0; i < PAGES; i++)
        if (pages[i].status == status)
            return i;
    return -1;
}

struct str error_page(const struct stream *st, int status)
{
    int i = error_page_index(status);
    if (i < 0)
        i = error_page_index(500);
    if (st->back && st->back->error_pages[i].ptr)
        return st->back->error_pages[i];
    if (st->front->error_pages[i].ptr)
        return st->front->error_pages[i];
    return str_of(pages[i].page);
}

const char *error_page_check(struct str text)
{
    const struct h1_limits limits = {101, true};
    struct arena *arena = arena_create(4096);
    struct h1_parser parser;
    struct http_msg m;
    http_msg_init(&m, arena, true, 16);
    h1_parser_init(&parser);
    enum h1_result r = h1_parse_response(&parser, &limits, text.ptr, text.len, METHOD_GET, &m);
    const char *wrong = NULL;
    if (r != H1_DONE)
        wrong = r == H1_MORE ? "the head of an HTTP response is expected, ended by an empty line"
                             : h1_error_text(parser.error);
    else if (m.body == BODY_LENGTH && m.content_length != text.len - m.head_len)
        wrong = "its content-length is not the length of what follows the head";
    else if (m.body == BODY_CHUNKED)
        wrong = "a chunked body is not possible here";
    arena_destroy(&arena);
    return wrong;
}
