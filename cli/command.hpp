#pragma once
/// What every command of the command line is made of.
#include <tenon/base/result.hpp>

#include <CLI/CLI.hpp>

#include <string>

namespace tenon::cli {

/// 0, or 1 where the command failed, or 2 where it was called wrongly.
enum ExitCode : int { succeeded = 0, failed = 1, misused = 2 };

/// Adds a command to the program; `code` is set when it has run.
void add_send(CLI::App& program, int& code);
void add_recv(CLI::App& program, int& code);
void add_tour(CLI::App& program, int& code);
void add_locks(CLI::App& program, int& code);
void add_ls(CLI::App& program, int& code);
void add_ls_topics(CLI::App& ls, int& code);
void add_ls_boards(CLI::App& ls, int& code);
void add_ls_queues(CLI::App& ls, int& code);
void add_ls_services(CLI::App& ls, int& code);
void add_why(CLI::App& program, int& code);
void add_graph(CLI::App& program, int& code);
void add_rm(CLI::App& program, int& code);
void add_gc(CLI::App& program, int& code);
void add_show(CLI::App& program, int& code);
void add_top(CLI::App& program, int& code);
void add_doctor(CLI::App& program, int& code);
void add_bench(CLI::App& program, int& code);
void add_pub(CLI::App& program, int& code);
void add_echo(CLI::App& program, int& code);
void add_hz(CLI::App& program, int& code);
void add_get(CLI::App& program, int& code);
void add_set(CLI::App& program, int& code);
void add_watch(CLI::App& program, int& code);
void add_call(CLI::App& program, int& code);
void add_serve(CLI::App& program, int& code);

/// For options in seconds: says in words what is wrong with a value, "" if nothing is.
std::string seconds(const std::string& text);

/// For options that count something: the same of a whole number, 1 or more.
std::string positive(const std::string& text);
/// For how many a second: the same of a number from 0.001 to 1e9.
std::string rate(const std::string& text);

/// Prints "tenon COMMAND: what went wrong" on standard error; returns the exit code that belongs to it.
int report(const char* command, const Error& error);

}  // namespace tenon::cli
