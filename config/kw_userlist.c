// SPDX-License-Identifier: Apache-2.0
// The section `userlist`: users, passwords, groups (configuration.txt 3.4).
#include "config/load.h"

static struct cfg_userlist *current(const struct parse *p)
{
    return &p->config->userlists[p->config->nuserlists - 1];
}

static struct cfg_user *find_user(struct cfg_userlist *list, struct str name)
{
    for (unsigned i = 0; i < list->nusers; i++)
        if (str_eq(list->users[i].name, name))
            return &list->users[i];
    return NULL;
}

static const struct cfg_group *find_group(const struct cfg_userlist *list, struct str name)
{
    for (unsigned i = 0; i < list->ngroups; i++)
        if (str_eq(list->groups[i].name, name))
            return &list->groups[i];
    return NULL;
}

static bool join(struct parse *p, struct cfg_user *user, struct str group)
{
    for (unsigned i = 0; i < user->ngroups; i++)
        if (str_eq(user->groups[i], group))
            return true;
    *PARSE_PUSH(p->arena, user->groups, user->ngroups, struct str) = group;
    return true;
}

// user <name> [password|insecure-password <password>] [groups <group>,<group>…]
static bool user_line(struct parse *p)
{
    struct cfg_userlist *list = current(p);
    if (p->nwords < 2)
        return parse_error(p, 1, "'user' expects <name> [password|insecure-password <password>] [groups <group>,…].");
    if (find_user(list, p->words[1])) {
        parse_warning(p, 1, "ignoring duplicated user '%.*s' in userlist '%.*s'.", STR_ARG(p->words[1]),
                      STR_ARG(list->name));
        return true;
    }
    struct cfg_user *user = PARSE_PUSH(p->arena, list->users, list->nusers, struct cfg_user);
    user->name = p->words[1];
    user->src = p->src;
    for (unsigned word = 2; word < p->nwords; word += 2) {
        struct str name = p->words[word], group;
        if (word + 1 == p->nwords)
            return parse_error(p, word, "'%.*s' expects an argument.", STR_ARG(name));
        struct str value = p->words[word + 1];
        if (str_is(name, "password") || str_is(name, "insecure-password")) {
            user->password = value;
            user->insecure = str_is(name, "insecure-password");
        } else if (str_is(name, "groups")) {
            while (str_split(&value, ',', &group))
                join(p, user, arena_str(p->arena, group));
        } else {
            return parse_error(p, word,
                               "'user' only supports 'password', 'insecure-password' and 'groups' (got '%.*s').",
                               STR_ARG(name));
        }
    }
    return true;
}

// group <name> [users <user>,<user>…]; the users may follow.
static bool group_line(struct parse *p)
{
    struct cfg_userlist *list = current(p);
    if (p->nwords < 2)
        return parse_error(p, 1, "'group' expects <name> [users <user>,…].");
    if (find_group(list, p->words[1]))
        return parse_error(p, 1, "group '%.*s' is already in this list.", STR_ARG(p->words[1]));
    if (p->nwords > 2 && (!str_is(p->words[2], "users") || p->nwords != 4))
        return parse_error(p, 2, "'group' only supports 'users <user>,…'.");
    *PARSE_PUSH(p->arena, list->groups, list->ngroups, struct cfg_group) =
        (struct cfg_group){p->words[1], p->nwords > 2 ? p->words[3] : STR_NONE, p->src};
    return true;
}

static void check_group(struct parse *p, struct cfg_userlist *list, const struct cfg_group *group)
{
    struct str rest = group->users, name;
    while (str_split(&rest, ',', &name)) {
        struct cfg_user *user = find_user(list, name);
        if (user)
            join(p, user, group->name);
        else
            diag_add(p->diag, DIAG_ALERT, &group->src, "userlist '%.*s': no such user '%.*s' specified in group '%.*s'",
                     STR_ARG(list->name), STR_ARG(name), STR_ARG(group->name));
    }
}

void check_userlists(struct parse *p)
{
    for (unsigned i = 0; i < p->config->nuserlists; i++) {
        struct cfg_userlist *list = &p->config->userlists[i];
        for (unsigned u = 0; u < list->nusers; u++)
            for (unsigned g = 0; g < list->users[u].ngroups; g++)
                if (!find_group(list, list->users[u].groups[g]))
                    diag_add(p->diag, DIAG_ALERT, &list->users[u].src,
                             "userlist '%.*s': no such group '%.*s' specified in user '%.*s'", STR_ARG(list->name),
                             STR_ARG(list->users[u].groups[g]), STR_ARG(list->users[u].name));
        for (unsigned g = 0; g < list->ngroups; g++)
            check_group(p, list, &list->groups[g]);
    }
}

static const struct kw_row rows[] = {
    {.name = "group",
     .sections = IN_USERLIST,
     .type = KW_LINE,
     .line = group_line,
     .args = "<name> [users <user>,…]",
     .help = "a group and its users"},
    {.name = "user",
     .sections = IN_USERLIST,
     .type = KW_LINE,
     .line = user_line,
     .args = "<name> [password|insecure-password <password>] [groups <group>,…]",
     .help = "a user; `password` is in the form of crypt(3)"},
};
const struct kw_table kw_userlist = KW_TABLE(TABLE_USERLIST, "keyword", rows);
